/** Tables as text: which delimiter a CSV has, its records, and the text of one that is written. */
import { Readable } from 'node:stream';
import { type Options, parse } from 'csv-parse';
import { failed } from './folder.ts';

export const DELIMITERS = [',', ';', '\t', '|'] as const;
const MAX_ROW_BYTES = 1024 * 1024;
/** Of an unfinished record: the parser bounds what its cells hold, not how many there are. */
const MAX_OPEN_BYTES = 4 * MAX_ROW_BYTES;

/** More cells than a row of any table that is read. */
export const MAX_COLUMNS = 1000;

export const PIECE_BYTES = 65_536;

/** The most frequent delimiter of the first record, outside quotes; a comma where there is none. */
export function detectDelimiter(text: string): string {
  const counts = DELIMITERS.map(() => 0);
  let isQuoted = false;
  for (const character of text) {
    if (character === '"') isQuoted = !isQuoted;
    if (isQuoted) continue;
    if ((character === '\n' || character === '\r') && counts.some((count) => count > 0)) break;
    const at = DELIMITERS.indexOf(character as (typeof DELIMITERS)[number]);
    if (at !== -1) counts[at] = (counts[at] ?? 0) + 1;
  }
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ',';
}

/** A record with the line on which it ends, from 1. */
export interface CsvRecord {
  readonly cells: readonly string[];
  readonly line: number;
}

/**
 * Reads no further than the caller does, but for the rest of a piece.
 *
 * @param isLeftOut called with each record in turn. One that is left out costs its parsing alone; what it throws ends the reading
 * @throws tool-failed with the line that is no CSV
 */
export async function* csvRecords(
  texts: AsyncIterable<string>,
  delimiter: string,
  path: string,
  isLeftOut: (record: CsvRecord) => boolean,
): AsyncGenerator<CsvRecord> {
  const options: Options<CsvRecord, readonly string[]> = {
    delimiter,
    bom: true,
    on_record: (cells, { lines }) => {
      const record = { cells, line: lines };
      return isLeftOut(record) ? null : record;
    },
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MAX_ROW_BYTES,
  };
  // The types of the parser know records of their own only.
  const parser = parse(options as unknown as Options);
  const source = Readable.from(bounded(texts, parser, path));
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    yield* parser as AsyncIterable<CsvRecord>;
  } catch (error) {
    throw explained(error, path);
  } finally {
    source.destroy();
    parser.destroy();
  }
}

/** The cells of the record that a parser is reading, which its types do not show. */
interface Reading {
  readonly info: { readonly records: number };
  readonly state?: { readonly record?: readonly unknown[] };
}

/** Ends a row that cannot belong to any table while it is read. One of a piece is counted when it is whole. */
async function* bounded(texts: AsyncIterable<string>, parser: Reading, path: string): AsyncGenerator<string> {
  let seen = 0;
  let open = 0;
  for await (const text of texts) {
    const { records } = parser.info;
    if (records !== seen) {
      seen = records;
      open = 0;
    }
    open += text.length;
    const cells = parser.state?.record?.length ?? 0;
    if (cells > MAX_COLUMNS && open > PIECE_BYTES) throw tooManyCells(path, cells, seen);
    if (open > MAX_OPEN_BYTES) throw rowTooLong(path, seen);
    yield text;
  }
}

const tooManyCells = (path: string, cells: number, records: number) =>
  failed(
    `"${path}" has a row of ${cells} columns or more after ${records} records, but at most ${MAX_COLUMNS} are read: check its delimiter.`,
  );

const rowTooLong = (path: string, records: number) =>
  failed(
    `"${path}" has a row of more than ${MAX_ROW_BYTES} bytes after ${records} records: check its quotes and its delimiter.`,
  );

/** The parser's own messages quote the cells, which may be anything. */
function explained(error: unknown, path: string): unknown {
  const { code, lines, records } = error as { code?: string; lines?: number; records?: number };
  if (code === 'CSV_MAX_RECORD_SIZE') return rowTooLong(path, records ?? 0);
  if (code === undefined || lines === undefined) return error;
  return failed(
    `Line ${lines} of "${path}" is no valid CSV (${code.toLowerCase().replaceAll('_', ' ')}): quote cells that hold quotes, delimiters or line ends, and double the quotes within them.`,
    error,
  );
}

/** JSON values of one row, a cell each; the line end is that of the standard (RFC 4180). */
export function csvLine(cells: readonly unknown[], delimiter: string, escapesFormulas: boolean): string {
  const line = cells.map((cell) => csvCell(cell, delimiter, escapesFormulas)).join(delimiter);
  // An empty line is no row.
  return line === '' ? '""\r\n' : `${line}\r\n`;
}

function csvCell(value: unknown, delimiter: string, escapesFormulas: boolean): string {
  if (value === null || value === undefined) return '';
  let text = typeof value === 'string' ? value : JSON.stringify(value);
  // What a spreadsheet would run. A number is none, whatever its sign.
  if (escapesFormulas && typeof value === 'string' && /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text))
    text = `'${text}`;
  const isPlain = !/["\r\n]/.test(text) && !text.includes(delimiter) && text.trim() === text && text !== '\ufeff';
  return isPlain && !text.startsWith('\ufeff') ? text : `"${text.replaceAll('"', '""')}"`;
}
