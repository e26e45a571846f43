/** The options of a run, and how their values are read. */
import type { Command } from 'commander';
import { UsageError } from './exit-code.ts';
import type { SharedOptions } from './shared-options.ts';

export interface RunCommandOptions extends SharedOptions {
  readonly input: readonly string[];
  readonly budget?: number;
  readonly concurrency?: number;
  readonly session?: string;
  readonly tag: readonly string[];
  readonly events?: boolean;
  readonly quiet?: boolean;
}

export const collectValues = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new UsageError(`"${text}" must be a number above 0`);
  return value;
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new UsageError(`"${text}" must be a whole number above 0`);
  return value;
}

/** The run's own options. */
export function withRunOptions(command: Command): Command {
  return command
    .option('-i, --input <value>', 'key=value, a JSON object, @file.json, or key=@file (repeatable)', collectValues, [])
    .option('-b, --budget <usd>', 'stop the run before it costs more than this, planning included', positiveNumber)
    .option('-c, --concurrency <n>', 'nodes at once', wholeNumber)
    .option('--session <id>', 'keep calls of one session with one model')
    .option('--tag <key=value>', 'mark the run and its costs (repeatable)', collectValues, [])
    .option('--events', 'print every event as a JSON line instead of the result')
    .option('-q, --quiet', 'print the answer alone');
}
