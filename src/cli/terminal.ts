/** Where the command writes: answers to standard output, everything about them to standard error. */
import type { WriteStream } from 'node:tty';

export interface Terminal {
  /** The answer. */
  print(text: string): void;
  /** About the answer: progress, notes, errors. */
  say(text: string): void;
  /** Standard error is a terminal that can redraw. */
  readonly live: boolean;
  readonly colour: boolean;
  columns(): number;
  rows(): number;
  readonly paint: Paint;
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;
export type Paint = Readonly<Record<keyof typeof CODES, (text: string) => string>>;

function paintFor(colour: boolean): Paint {
  const painter = (code: number) => (text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
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

/**
 * Model output and file contents are untrusted: control sequences in them must not reach the terminal. Tabs and line
 * ends stay.
 */
export const printable = (text: string): string => text.replace(/[^\P{Cc}\n\t]/gu, '');

interface Output {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: Pick<WriteStream, 'write' | 'columns' | 'rows' | 'isTTY'>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export function createTerminal(output: Output, options: { readonly colour?: boolean } = {}): Terminal {
  const { stdout, stderr, environment } = output;
  const interactive = stderr.isTTY && environment.TERM !== 'dumb';
  // https://no-color.org: any non-empty value turns colours off.
  const colour = options.colour ?? ((interactive || Boolean(environment.FORCE_COLOR)) && !environment.NO_COLOR);
  return {
    print: (text) => void stdout.write(`${text}\n`),
    say: (text) => void stderr.write(`${text}\n`),
    live: interactive && !environment.CI,
    colour,
    columns: () => stderr.columns ?? 100,
    rows: () => stderr.rows ?? 40,
    paint: paintFor(colour),
  };
}
