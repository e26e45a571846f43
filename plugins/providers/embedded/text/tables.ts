/** Tables inside a text: lines with separators, rows between bars, and lists of flat JSON objects. */
import { asList, asRecord, tryParseJson } from 'polyphony/kit';

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const MOST_ROWS = 20_000;
const MOST_COLUMNS = 200;
/** Lines that are cut in search of a table, all attempts together. */
const MOST_TRIED = 60_000;
const LONGEST_TEXT = 2_000_000;
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
  return { columns, rows: rows.map((row) => columns.map((column) => cell((row as Record<string, unknown>)[column]))) };
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
  return shaped(cells(lines[start] ?? ''), body.map(cells));
}

/** Lines that one separator cuts into as many cells as their head has; text may stand before and behind them. */
function separated(lines: readonly string[]): Table | undefined {
  let budget = MOST_TRIED;
  for (const [index, line] of lines.entries()) {
    if (index > 200 || budget <= 0) return undefined;
    for (const separator of SEPARATORS) {
      const head = line.includes(separator) ? cut(line, separator) : [];
      if (head.length < 2 || head.some((cell) => cell === '' || cell.length > 60 || /[.!?]$/.test(cell))) continue;
      const rows: string[][] = [];
      for (const next of lines.slice(index + 1, index + 1 + MOST_ROWS)) {
        budget--;
        if (next.trim() === '') continue;
        const cells = cut(next, separator);
        if (cells.length !== head.length) break;
        rows.push(cells);
      }
      const table = shaped(head, rows);
      if (table !== undefined && looksLikeData(table)) return table;
    }
  }
  return undefined;
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
  return { columns, rows: rows.map((row) => columns.map((_, index) => row[index] ?? '')) };
}

/** The cells of a line; a cell in double quotes may contain the separator, and quotes that are doubled. */
function cut(line: string, separator: string): string[] {
  if (!line.includes('"')) return line.split(separator).map((cell) => cell.trim());
  const cells: string[] = [];
  let cell = '';
  let quoted = false;
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (character === '"') {
      if (quoted && line.charAt(at + 1) === '"') {
        cell += '"';
        at++;
      } else quoted = !quoted;
    } else if (character === separator && !quoted) {
      cells.push(cell.trim());
      cell = '';
    } else cell += character;
  }
  cells.push(cell.trim());
  return cells;
}
