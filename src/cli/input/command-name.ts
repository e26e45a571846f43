/** How the user called the command, for hints that work when they are pasted back. */
import { basename } from 'node:path';

export function commandName(environment: Readonly<Record<string, string | undefined>>, script = ''): string {
  if (environment.npm_lifecycle_event === 'start') return 'npm start --';
  if (environment.npm_lifecycle_event === 'npx') return 'npx polyphony';
  // From the sources npm knows the conditions that Node needs.
  if (basename(script) === 'main.ts') return 'npm start --';
  return basename(script) === 'main.js' ? `node ${quoted(script)}` : 'polyphony';
}

export const thisCommand = (): string => commandName(process.env, process.argv[1]);

/** An argument as a POSIX shell takes it for what it is. */
export const quoted = (argument: string): string =>
  /^[\w./:@%+=-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
