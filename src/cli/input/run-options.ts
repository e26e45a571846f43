/** The options of a run, and how their values are read. */
import { type Command, InvalidArgumentError } from 'commander';
import { UsageError } from './exit-code.ts';
import type { SharedOptions } from './shared-options.ts';

export interface RunCommandOptions extends SharedOptions {
  readonly input: readonly string[];
  readonly budget?: number;
  readonly concurrency?: number;
  readonly session?: string;
  /** Commander's `--no-streaming`. */
  readonly streaming?: boolean;
  readonly tag: readonly string[];
  readonly events?: boolean;
  readonly quiet?: boolean;
}

export const collectValues = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export function amount(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0 && value <= 9_000_000) return value;
  throw new InvalidArgumentError('Give a number above 0 and up to 9000000, such as 0.25.');
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 10_000) return value;
  throw new InvalidArgumentError('Give a whole number from 1 to 10000.');
}

export function tagsOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((tag) => {
      const equals = tag.indexOf('=');
      if (equals < 1) throw new UsageError(`--tag "${tag}" must be key=value`);
      return [tag.slice(0, equals), tag.slice(equals + 1)];
    }),
  );
}

/** Both write to standard output, so only one of them can be asked for. */
export function assertOneFormat(options: { readonly json?: boolean; readonly events?: boolean }): void {
  if (options.json && options.events) {
    throw new UsageError('--json prints one document and --events many lines: choose one of them');
  }
}

/** The run's own options. */
export function withRunOptions(command: Command): Command {
  return command
    .option('-i, --input <value>', 'key=value, a JSON object, @file.json, or key=@file (repeatable)', collectValues, [])
    .option('-b, --budget <usd>', 'stop the run before it costs more than this, planning included', amount)
    .option('-c, --concurrency <n>', 'nodes at once (default: 64)', wholeNumber)
    .option('--session <id>', 'keep calls of one session with one model')
    .option('--tag <key=value>', 'mark the run and its costs (repeatable)', collectValues, [])
    .option('--events', 'print every event as a JSON line instead of the result')
    .option('-q, --quiet', 'print the answer alone');
}
