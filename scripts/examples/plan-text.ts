/** The text of a plan file as people write one: what fits stands on one line, so a node is a line or a few. */
const WIDTH = 140;

export const planText = (plan: unknown): string => `${written(plan, '', 0)}\n`;

/** @param taken characters of the line before the value and behind it */
function written(value: unknown, indent: string, taken: number): string {
  const short = oneLine(value);
  const isOpen = indent === '' || (typeof value === 'object' && value !== null);
  if (!isOpen || (indent !== '' && indent.length + taken + short.length <= WIDTH)) return short;
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    return `[\n${value.map((one) => inner + written(one, inner, 1)).join(',\n')}\n${indent}]`;
  }
  const fields = Object.entries(value as object).filter(([, field]) => field !== undefined);
  const lines = fields.map(([name, field]) => {
    const key = `${JSON.stringify(name)}: `;
    return inner + key + written(field, inner, key.length + 1);
  });
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  if (fields.length === 0) return '{}';
  return `{ ${fields.map(([name, field]) => `${JSON.stringify(name)}: ${oneLine(field)}`).join(', ')} }`;
}
