/** Tables inside a text: lines with separators, rows between bars, and lists of flat JSON objects. */
import { createRequire } from 'node:module';
import { asList, asRecord, tryParseJson } from 'polyphony/kit';

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What was left out of the rows, as a sentence; '' where nothing was. */
  readonly note: string;
}

const MOST_ROWS = 20_000;
const MOST_COLUMNS = 200;
/** Lines from which a table is read by trial. */
const MOST_ATTEMPTS = 8;
const LONGEST_RECORD = 65_536;
const LONGEST_TEXT = 2_000_000;
const cutNote = `Only the first ${MOST_ROWS} rows are read.`;
const SEPARATORS = [',', ';', '\t', '|'] as const;

/** The first table of a text; undefined where it has none with a head, two columns and a row. */
export function readTable(text: string): Table | undefined {
  const shown = text.slice(0, LONGEST_TEXT).trim();
  if (/^[[{]/.test(shown)) return fromJson(shown);
  const lines = shown.split(/\r?\n/);
  return barred(lines) ?? separated(lines);
}

function fromJson(text: string): Table | undefined {
  const parsed = tryParseJson(text);
  const list = asList(parsed) ?? Object.values(asRecord(parsed) ?? {}).flatMap((value) => asList(value) ?? []);
  const rows = list.slice(0, MOST_ROWS).flatMap((item) => asRecord(item) ?? []);
  const columns = Object.keys(rows[0] ?? {}).slice(0, MOST_COLUMNS);
  if (rows.length === 0 || columns.length < 2) return undefined;
  const cell = (value: unknown) =>
    typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);
  const note = list.length > MOST_ROWS ? cutNote : '';
  return { columns, rows: rows.map((row) => columns.map((column) => cell(Object(row)[column]))), note };
}

const isRuler = (line: string): boolean => line.includes('|') && line.includes('-') && /^[\s:|-]+$/.test(line);

/** Rows of Markdown, of which the second is a ruler. */
function barred(lines: readonly string[]): Table | undefined {
  const start = lines.findIndex((line, index) => line.includes('|') && isRuler(lines[index + 1] ?? ''));
  if (start === -1) return undefined;
  const cells = (line: string) =>
    line
      .trim()
      .replace(/^\||\|$/g, '')
      .split('|')
      .map((cell) => cell.replace(/[*`]/g, '').trim());
  const body: string[] = [];
  for (const line of lines.slice(start + 2, start + 2 + MOST_ROWS)) {
    if (!line.includes('|')) break;
    body.push(line);
  }
  const table = shaped(cells(lines[start] ?? ''), body.map(cells));
  const more = lines[start + 2 + MOST_ROWS]?.includes('|') === true;
  return table === undefined || !more ? table : { ...table, note: cutNote };
}

/** Lines that one separator cuts into as many cells as their head has; text may stand before and behind them. */
function separated(lines: readonly string[]): Table | undefined {
  let attempts = MOST_ATTEMPTS;
  for (const [index, line] of lines.slice(0, 200).entries()) {
    for (const separator of SEPARATORS) {
      if (!line.includes(separator) || !(lines[index + 1] ?? '').includes(separator)) continue;
      if (attempts-- <= 0) return undefined;
      const table = fromRecords(records(lines.slice(index), separator));
      if (table !== undefined && looksLikeData(table)) return table;
    }
  }
  return undefined;
}

/** Loaded at the first table: most requests have none. */
const load = createRequire(import.meta.url ?? __filename);

/** The records of the library; none where a quote stays open. */
function records(lines: readonly string[], delimiter: string): string[][] {
  const { parse } = load('csv-parse/sync') as typeof import('csv-parse/sync');
  const options = {
    delimiter,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    trim: true,
    to: MOST_ROWS + 2,
  };
  try {
    return parse(lines.join('\n'), { ...options, max_record_size: LONGEST_RECORD });
  } catch {
    return [];
  }
}

/** Records behind the last one that fits the head are text; those between are left out, and the table says how many. */
function fromRecords([head, ...body]: readonly string[][]): Table | undefined {
  if (head === undefined || head.some((cell) => cell === '' || cell.length > 60 || /[.!?]$/.test(cell)))
    return undefined;
  const end = body.findLastIndex((cells) => cells.length === head.length) + 1;
  if (body[0]?.length !== head.length) return undefined;
  const rows = body.slice(0, end).filter((cells) => cells.length === head.length);
  const left = end - rows.length;
  const cut = rows.length > MOST_ROWS ? cutNote : '';
  const odd = left === 0 ? '' : `${left} lines do not have ${head.length} cells and are left out.`;
  const table = shaped(head, rows.slice(0, MOST_ROWS));
  return table === undefined ? undefined : { ...table, note: [cut, odd].filter((part) => part !== '').join(' ') };
}

/** Sentences with as many commas are no table: a table has numbers below a head without any, or short cells in several rows. */
function looksLikeData({ columns, rows }: Table): boolean {
  const number = (cell: string) => /^[-−+$€£¥]?\s?\d[\d.,'’\s:/-]*\s?[%€£$]?$/.test(cell);
  if (columns.some(number)) return false;
  if (rows.some((row) => row.some(number))) return true;
  return rows.length > 1 && rows.every((row) => row.every((cell) => cell.length <= 40 && !/[.!?]$/.test(cell)));
}

function shaped(columns: readonly string[], rows: readonly (readonly string[])[]): Table | undefined {
  if (columns.length < 2 || columns.length > MOST_COLUMNS || rows.length === 0) return undefined;
  return { columns, rows: rows.map((row) => columns.map((_, index) => row[index] ?? '')), note: '' };
}
