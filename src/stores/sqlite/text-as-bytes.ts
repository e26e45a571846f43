/**
 * Rewrites a query so that the driver hands over every text as bytes. The driver ends the whole process when a text is not
 * UTF-8, which one damaged byte of a file is enough for; bytes can be looked at first.
 */

/** The query with each text column as a blob. A statement that is no query is returned as it is. */
export function withTextAsBytes(text: string): string {
  if (!/^\s*SELECT\b/i.test(text)) return text;
  const columns = columnsOf(text);
  const bytes = columns.map((column) => `iif(typeof(${column}) = 'text', CAST(${column} AS BLOB), ${column})`);
  // SQLite keeps the order of the only source of a query that asks for no other order.
  return `WITH q (${columns.join(', ')}) AS (${text}) SELECT ${bytes.join(', ')} FROM q`;
}

/**
 * The query with all its rows as one blob, a JSON array of arrays. JSON holds no bytes: they become text, as in the other form. A
 * number that is no whole one is written with all its digits, which SQLite does not do by itself.
 */
export function withRowsAsBytes(text: string): string {
  const columns = columnsOf(text);
  const values = columns.map(
    (column) =>
      `CASE typeof(${column}) WHEN 'blob' THEN CAST(${column} AS TEXT) WHEN 'real' THEN json(printf('%!.17g', ${column})) ELSE ${column} END`,
  );
  return `WITH q (${columns.join(', ')}) AS (${text}) SELECT CAST(json_group_array(json_array(${values.join(', ')})) AS BLOB) FROM q`;
}

const columnsOf = (text: string): readonly string[] =>
  Array.from({ length: countColumns(text) }, (_, index) => `c${index}`);

/** The number of result columns: the commas of the select list that stand in no parentheses and no quotes. */
function countColumns(text: string): number {
  const tokens = text.matchAll(/'(?:[^']|'')*'|"[^"]*"|[(),]|\b\w+\b/g);
  let depth = 0;
  let columns = 1;
  for (const [token] of tokens) {
    if (token === '(') depth += 1;
    else if (token === ')') depth -= 1;
    else if (depth > 0) continue;
    else if (token === ',') columns += 1;
    else if (/^from$/i.test(token)) break;
  }
  return columns;
}
