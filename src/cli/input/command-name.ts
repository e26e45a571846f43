/** The name by which the user called the command, so that hints can be pasted and run. */
import { basename } from 'node:path';

export function commandName(environment: Readonly<Record<string, string | undefined>>, script = ''): string {
  if (environment.npm_lifecycle_event === 'start') return 'npm start --';
  if (environment.npm_lifecycle_event === 'npx') return 'npx polyphony';
  // When run from the sources, the npm script passes the conditions that Node needs.
  if (basename(script) === 'main.ts') return 'npm start --';
  return basename(script) === 'main.js' ? `node ${quoted(script)}` : 'polyphony';
}

export const thisCommand = (): string => commandName(process.env, process.argv[1]);

/** An argument quoted for a POSIX shell. */
export const quoted = (argument: string): string =>
  /^[\w./:@%+=-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
