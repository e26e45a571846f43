/** The text of a table from rows of JSON: CSV or JSONL. */
import { csvLine } from './csv.ts';
import { failed } from './folder.ts';

export interface TableInput {
  readonly path: string;
  readonly rows: readonly unknown[];
  /** A second list of the same length, whose fields are added to the rows, place by place. */
  readonly beside?: readonly unknown[];
  readonly format: 'csv' | 'jsonl';
  readonly columns?: readonly string[];
  readonly delimiter?: string;
  readonly header?: boolean;
  readonly escapeFormulas: boolean;
}

type Row = Readonly<Record<string, unknown>>;

const MAX_COLUMNS = 1000;

/** Rows that are null, such as those of items that were skipped, are left out. @throws tool-failed */
export function tableText(input: TableInput, maxBytes: number): { readonly text: string; readonly rows: number } {
  const rows = mergedRows(input);
  const columns = input.columns ?? columnsOf(rows, input.path);
  const { format, delimiter = ',', header = true, escapeFormulas } = input;
  const pieces: string[] = [];
  let bytes = 0;
  const add = (line: string): void => {
    bytes += Buffer.byteLength(line);
    if (bytes > maxBytes) throw failed(`The rows of "${input.path}" have more than ${maxBytes} bytes: write fewer.`);
    pieces.push(line);
  };
  if (format === 'csv' && header && columns.length > 0) add(csvLine(columns, delimiter, escapeFormulas));
  for (const row of rows) {
    if (format === 'jsonl') add(`${JSON.stringify(input.columns === undefined ? row : picked(row, columns))}\n`);
    else
      add(
        csvLine(
          columns.map((name) => fieldOf(row, name)),
          delimiter,
          escapeFormulas,
        ),
      );
  }
  return { text: pieces.join(''), rows: rows.length };
}

const fieldOf = (row: Row, name: string): unknown => (Object.hasOwn(row, name) ? row[name] : null);
const picked = (row: Row, columns: readonly string[]): Row =>
  Object.fromEntries(columns.map((name) => [name, fieldOf(row, name)]));

function mergedRows({ rows, beside, path }: TableInput): readonly Row[] {
  if (beside !== undefined && beside.length !== rows.length) {
    throw failed(`"${path}" has ${rows.length} rows and ${beside.length} beside them: give two lists of one length.`);
  }
  const merged: Row[] = [];
  for (const [index, row] of rows.entries()) {
    if (row === null) continue;
    const more = beside?.[index] ?? {};
    if (!isRow(row) || !isRow(more))
      throw failed(`Row ${index} of "${path}" is no object: give objects with the columns as fields.`);
    // Own fields, so that no name of a column is special.
    merged.push(beside === undefined ? row : Object.fromEntries([...Object.entries(row), ...Object.entries(more)]));
  }
  return merged;
}

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every field that a row has, in the order in which they first come. */
function columnsOf(rows: readonly Row[], path: string): readonly string[] {
  const columns = new Set<string>();
  for (const row of rows) {
    for (const name of Object.keys(row)) columns.add(name);
    if (columns.size > MAX_COLUMNS) {
      throw failed(
        `The rows of "${path}" have more than ${MAX_COLUMNS} different fields: name the "columns" to write.`,
      );
    }
  }
  return [...columns];
}
