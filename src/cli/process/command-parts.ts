/** What the definitions of all commands share. */
import type { Command } from 'commander';
import type { SharedOptions } from '../input/shared-options.ts';

export interface Outcome {
  code: number;
}

/** The command's options with those of the program. */
export const optionsOf = <T>(command: Command): T & SharedOptions => command.optsWithGlobals<T & SharedOptions>();

export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
