/** The same text for equal JSON values, in whichever order their keys were written. */

/** JSON with the keys of every object in code-unit order; undefined fields left out. For plain JSON values. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) text += text === '' ? canonicalJson(item) : `,${canonicalJson(item)}`;
    return `[${text}]`;
  }
  for (const key of Object.keys(value).sort()) {
    const field: unknown = (value as Record<string, unknown>)[key];
    if (field !== undefined) text += `${text === '' ? '' : ','}${quotedKey(key)}:${canonicalJson(field)}`;
  }
  return `{${text}}`;
}

const quotedKeys = new Map<string, string>();

/** Most keys of a plan are the format's own, so they are quoted once. */
function quotedKey(key: string): string {
  const known = quotedKeys.get(key);
  if (known !== undefined) return known;
  const quoted = JSON.stringify(key);
  if (quotedKeys.size < 500 && key.length < 40) quotedKeys.set(key, quoted);
  return quoted;
}
