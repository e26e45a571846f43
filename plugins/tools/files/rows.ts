/** Rows of a CSV or JSONL file: read piece by piece, and no further than the rows that are asked for. */
import type { FileHandle } from 'node:fs/promises';
import { tryParseJson } from 'polyphony/kit';
import { type CsvRecord, csvRecords, detectDelimiter, MAX_COLUMNS, PIECE_BYTES } from './csv.ts';
import { failed, openIn } from './folder.ts';
import { typedCell } from './numbers.ts';

export interface RowLimits {
  readonly folder: string;
  readonly secrets: boolean;
  /** Of all rows that one call returns, as they come in JSON. */
  readonly maxRowsBytes: number;
  readonly maxRows: number;
  /** Of the file, as far as it is read. */
  readonly maxTableBytes: number;
  /** Of the rows that are left out, and of all lines of JSONL. */
  readonly maxTableCells: number;
}

export interface RowsInput {
  readonly path: string;
  readonly format?: 'csv' | 'jsonl';
  readonly delimiter?: string;
  readonly header?: boolean;
  readonly columns?: readonly string[];
  readonly numbers?: readonly string[];
  readonly decimal?: '.' | ',';
  readonly offset?: number;
  readonly limit?: number;
  readonly ragged?: boolean;
  readonly encoding?: string;
}

type Row = Readonly<Record<string, unknown>>;

export interface Rows {
  readonly rows: readonly Row[];
  readonly columns: readonly string[];
  readonly path: string;
  readonly more: boolean;
  readonly delimiter?: string;
}

const MAX_LINE_CHARACTERS = 1024 * 1024;

export const formatOf = (path: string): 'csv' | 'jsonl' => (/\.(?:jsonl|ndjson)$/i.test(path) ? 'jsonl' : 'csv');

/** @throws tool-failed */
export async function readRowsIn(limits: RowLimits, input: RowsInput, signal: AbortSignal): Promise<Rows> {
  const { handle, inside } = await openIn(limits, input.path);
  try {
    const texts = textsOf(handle, input, limits, signal);
    const first = await texts.next();
    const start = first.done === true ? '' : first.value;
    const all = again(start, texts);
    const format = input.format ?? formatOf(inside);
    const table: Table = { columns: [], passedCells: 0 };
    if (format === 'jsonl') {
      return { ...(await collected(limits, input, jsonRows(all, { input, limits, table }), table)), path: inside };
    }
    const { delimiter: given = 'auto' } = input;
    const delimiter = given === 'auto' ? detectDelimiter(start) : given;
    return {
      ...(await collected(limits, input, csvRows(all, delimiter, { input, limits, table }), table)),
      path: inside,
      delimiter,
    };
  } finally {
    await handle.close();
  }
}

async function* again(first: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield first;
  yield* rest;
}

/** The file piece by piece. The limit also holds for a file that grows while it is read. */
async function* textsOf(
  handle: FileHandle,
  { path, encoding = 'utf-8' }: RowsInput,
  { maxTableBytes }: RowLimits,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const buffer = Buffer.alloc(PIECE_BYTES);
  for (let at = 0; ; ) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, PIECE_BYTES, at);
    at += bytesRead;
    if (at > maxTableBytes) {
      throw failed(
        `More than ${maxTableBytes} bytes of "${path}" would be read: split the file, or raise maxTableBytes.`,
      );
    }
    yield decoded(decoder, buffer.subarray(0, bytesRead), bytesRead > 0, path, encoding);
    if (bytesRead === 0) return;
  }
}

function decoded(
  decoder: InstanceType<typeof TextDecoder>,
  bytes: Buffer,
  stream: boolean,
  path: string,
  encoding: string,
): string {
  try {
    const text = decoder.decode(bytes, { stream });
    if (!text.includes('\0')) return text;
  } catch (error) {
    throw failed(`"${path}" is not ${encoding} text: say its encoding (utf-8, windows-1252 or utf-16le).`, error);
  }
  throw failed(`"${path}" holds NUL characters, so it is no ${encoding} text: say its encoding, such as utf-16le.`);
}

/** What is known of the table so far. */
interface Table {
  /** Those of a header, or every field that a row had. */
  columns: readonly string[];
  passedCells: number;
}

interface Reading {
  readonly input: RowsInput;
  readonly limits: RowLimits;
  readonly table: Table;
}

/** Counts what is looked at on the way to the rows that are asked for: short rows take more work than their bytes. */
function pass({ input, limits: { maxTableCells }, table }: Reading, cells: number): void {
  table.passedCells += cells;
  if (table.passedCells <= maxTableCells) return;
  throw failed(
    `More than ${maxTableCells} cells of "${input.path}" would be read before the rows that are asked for: give a smaller "offset", split the file, or raise maxTableCells.`,
  );
}

async function* csvRows(texts: AsyncIterable<string>, delimiter: string, reading: Reading): AsyncGenerator<Row> {
  const { input, table } = reading;
  const { path, header = true, offset = 0 } = input;
  let isFirst = true;
  let leftOut = 0;
  const isLeftOut = (record: CsvRecord): boolean => {
    if (isFirst) {
      table.columns = columnsOf(record.cells, input);
      for (const name of input.numbers ?? []) assertColumn(name, table.columns, path);
      isFirst = false;
      if (header) return true;
    }
    if (leftOut >= offset) return false;
    leftOut += 1;
    assertLength(record, table.columns, delimiter, input);
    pass(reading, record.cells.length);
    return true;
  };
  for await (const record of csvRecords(texts, delimiter, path, isLeftOut)) {
    const { columns } = table;
    assertLength(record, columns, delimiter, input);
    const { cells, line } = record;
    yield Object.fromEntries(columns.map((name, index) => [name, typedCell(name, cells[index] ?? null, input, line)]));
  }
}

function assertLength(
  { cells, line }: CsvRecord,
  columns: readonly string[],
  delimiter: string,
  { path, ragged = false }: RowsInput,
): void {
  if (cells.length === columns.length || (ragged && cells.length < columns.length)) return;
  throw failed(
    `Line ${line} of "${path}" has ${cells.length === 1 ? '1 cell' : `${cells.length} cells`}, but there are ${columns.length} columns: check the delimiter (${JSON.stringify(delimiter)}), or set "ragged" where short rows are meant.`,
  );
}

/** @throws tool-failed for too many, before anything is done with each */
function columnsOf(cells: readonly string[], { path, header = true, columns }: RowsInput): readonly string[] {
  if (cells.length > MAX_COLUMNS) {
    throw failed(`"${path}" has ${cells.length} columns, but at most ${MAX_COLUMNS} are read: check its delimiter.`);
  }
  if (header) return namedColumns(cells);
  return columns ?? cells.map((_, index) => `column_${index + 1}`);
}

/** Unique, and never empty. */
function namedColumns(cells: readonly string[]): readonly string[] {
  const used = new Set<string>();
  return cells.map((cell, index) => {
    const name = cell.trim() === '' ? `column_${index + 1}` : cell.trim();
    let unique = name;
    for (let copy = 2; used.has(unique); copy += 1) unique = `${name}_${copy}`;
    used.add(unique);
    return unique;
  });
}

async function* jsonRows(texts: AsyncIterable<string>, reading: Reading): AsyncGenerator<Row> {
  const { input, table } = reading;
  const { offset = 0 } = input;
  const known = new Set<string>();
  let number = 0;
  let rows = 0;
  for await (const line of linesOf(texts, input.path)) {
    number += 1;
    pass(reading, 1);
    const text = (number === 1 && line.startsWith('\ufeff') ? line.slice(1) : line).trim();
    if (text === '') continue;
    const row = tryParseJson(text);
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      throw failed(`Line ${number} of "${input.path}" is no JSON object: write one object a line.`);
    }
    const names = Object.keys(row);
    rows += 1;
    if (rows <= offset) pass(reading, names.length);
    for (const name of names) known.add(name);
    if (known.size > MAX_COLUMNS) {
      throw failed(
        `The rows of "${input.path}" have more than ${MAX_COLUMNS} different fields: give them a list instead.`,
      );
    }
    // Millions of rows may have the same fields.
    if (known.size !== table.columns.length) table.columns = [...known];
    if (rows > offset) yield row as Row;
  }
}

async function* linesOf(texts: AsyncIterable<string>, path: string): AsyncGenerator<string> {
  let rest = '';
  for await (const text of texts) {
    const lines = text.split('\n');
    rest += lines[0];
    if (rest.length > MAX_LINE_CHARACTERS) {
      throw failed(
        `"${path}" has a line of more than ${MAX_LINE_CHARACTERS} characters: is it JSON, one object a line?`,
      );
    }
    for (const line of lines.slice(1)) {
      yield rest;
      rest = line;
    }
  }
  if (rest !== '') yield rest;
}

/** The rows that are asked for. @throws tool-failed when they are more than one call may return */
async function collected(
  { maxRows, maxRowsBytes }: RowLimits,
  { path, limit = Number.POSITIVE_INFINITY, columns, header = true }: RowsInput,
  found: AsyncIterable<Row>,
  table: Table,
): Promise<{ readonly rows: readonly Row[]; readonly columns: readonly string[]; readonly more: boolean }> {
  const rows: Row[] = [];
  const wanted = header ? columns : undefined;
  let bytes = 0;
  for await (const whole of found) {
    if (rows.length >= limit) return { rows, columns: wanted ?? table.columns, more: true };
    const row = wanted === undefined ? whole : picked(whole, wanted, table.columns, path);
    bytes += Buffer.byteLength(JSON.stringify(row)) + 1;
    if (rows.length >= maxRows || bytes > maxRowsBytes) throw tooMany(path, rows.length, maxRows, maxRowsBytes);
    rows.push(row);
  }
  return { rows, columns: wanted ?? table.columns, more: false };
}

const tooMany = (path: string, rows: number, maxRows: number, maxRowsBytes: number) =>
  failed(
    `"${path}" has more than the ${maxRows} rows or ${maxRowsBytes} bytes that are read at once (after ${rows} rows): give "limit" and "offset", or fewer "columns".`,
  );

function picked(row: Row, wanted: readonly string[], known: readonly string[], path: string): Row {
  for (const name of wanted) assertColumn(name, known, path);
  return Object.fromEntries(wanted.map((name) => [name, Object.hasOwn(row, name) ? row[name] : null]));
}

function assertColumn(name: string, known: readonly string[], path: string): void {
  if (known.includes(name)) return;
  throw failed(`"${path}" has no column ${JSON.stringify(name)}: it has ${known.slice(0, 50).join(', ')}.`);
}
