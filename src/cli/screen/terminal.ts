/** The output of the command: answers go to standard output, progress and errors to standard error. */
import type { WriteStream } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';
import { displayWidth, printable, wrapText } from '../../drawing/plain-text.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Terminal {
  /** Writes to standard output. The text must be printable already. */
  print(text: string): void;
  /** Writes progress, notes and errors to standard error, above the status area. The text must be printable already. */
  say(text: string): void;
  /** Replaces the status area, the lines at the bottom that are redrawn in place. Each must fit into one row. */
  status(lines: readonly string[]): void;
  /** Leaves the content of the status area on the screen as normal text. */
  keepStatus(): void;
  /** Standard error is a terminal that can redraw. */
  readonly live: boolean;
  readonly colour: boolean;
  columns(): number;
  rows(): number;
  /** Breaks sentences at blanks to the width of the terminal that shows them; what goes to a file or pipe stays as it is. */
  wrap(text: string, to: 'stdout' | 'stderr'): string;
  readonly paint: Paint;
  /** The variables that the command was started with. */
  readonly environment: Environment;
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;
export type Paint = Readonly<Record<keyof typeof CODES, (text: string) => string>>;

export function paintFor(colour: boolean): Paint {
  const painter = (code: number) => (text: string) =>
    colour && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text;
  const { bold, dim, red, green, yellow, blue, magenta, cyan } = CODES;
  return {
    bold: painter(bold),
    dim: painter(dim),
    red: painter(red),
    green: painter(green),
    yellow: painter(yellow),
    blue: painter(blue),
    magenta: painter(magenta),
    cyan: painter(cyan),
  };
}

interface Output {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Pick<WriteStream, 'write' | 'columns' | 'rows' | 'isTTY'>;
  readonly environment: Environment;
}

// Terminals that support it show everything up to the end mark at once, without flicker; others ignore it.
const BEGIN_UPDATE = '\u001b[?2026h';
const END_UPDATE = '\u001b[?2026l';

/** Columns of a text that may be painted. */
const shownWidth = (text: string): number => displayWidth(stripVTControlCharacters(text));

/** The lines at the bottom. Each redraw counts their rows again, because a narrower window wraps them. */
function statusArea(stderr: Output['stderr'], columns: () => number) {
  let drawn: readonly string[] = [];
  const backToTop = (): string => {
    const rowsOf = (line: string): number => Math.max(1, Math.ceil(shownWidth(line) / columns()));
    const rows = drawn.reduce((sum, line) => sum + rowsOf(line), 0);
    return rows === 0 ? '' : `\u001b[${rows}A\r`;
  };
  const render = (lines: readonly string[], above = ''): void => {
    const rows = lines.map((line) => `${line}\u001b[K\n`).join('');
    stderr.write(`${BEGIN_UPDATE}${backToTop()}${above}${rows}\u001b[J${END_UPDATE}`);
    drawn = lines;
  };
  return {
    render,
    isEmpty: () => drawn.length === 0,
    say: (text: string) => render(drawn, `${text.replaceAll('\n', '\u001b[K\n')}\u001b[K\n`),
    keep: () => {
      drawn = [];
    },
  };
}

export function createTerminal(output: Output, options: { readonly colour?: boolean } = {}): Terminal {
  const { stdout, stderr, environment } = output;
  const interactive = stderr.isTTY && environment.TERM !== 'dumb';
  // https://no-color.org: any non-empty value turns colours off.
  const colour = options.colour ?? ((interactive || Boolean(environment.FORCE_COLOR)) && !environment.NO_COLOR);
  const columns = (): number => stderr.columns || 100;
  const area = statusArea(stderr, columns);
  const live = interactive && !environment.CI;
  return {
    print: (text) => void stdout.write(`${text}\n`),
    say: (text) => {
      if (area.isEmpty()) stderr.write(`${text}\n`);
      else area.say(text);
    },
    // A file or a pipe never gets control sequences.
    status: (lines) => {
      if (live) area.render(lines);
    },
    keepStatus: () => area.keep(),
    live,
    colour,
    columns,
    rows: () => stderr.rows || 40,
    wrap: (text, to) => {
      const { isTTY, columns: width } = output[to];
      return isTTY ? wrapText(text, width || 80, shownWidth) : text;
    },
    paint: paintFor(colour),
    environment,
  };
}

/** The code and the sentence of an error, in lines that fit. */
export function errorText(
  { code, message }: { readonly code: string; readonly message: string },
  terminal: Terminal,
): string {
  const text = terminal.wrap(`${code}: ${printable(message)}`, 'stderr');
  return `${terminal.paint.red(code)}${text.slice(code.length)}`;
}
