/** One call of the command: takes the arguments, writes to the terminal, returns the exit code. */

import { existsSync } from 'node:fs';
import { CommanderError } from 'commander';
import { defined } from '../core/defined.ts';
import { errorRecord, PolyphonyError } from '../core/errors.ts';
import { scrubText } from '../core/scrub.ts';
import { printable, safeJson } from '../drawing/plain-text.ts';
import type { Calling } from './command.ts';
import { EXIT, exitCodeOf, UsageError } from './input/exit-code.ts';
import { COMMANDS, createProgram, FIRST_REQUEST } from './program.ts';
import { errorText, type Terminal } from './screen/terminal.ts';

/** `polyphony "a request"` is short for run. Without arguments, the first request runs if its texts are there. */
function withDefaultCommand(given: readonly string[]): string[] {
  const first = firstOperand(given);
  const asksForHelp = isAskingForHelp(given);
  if (first === undefined && !asksForHelp && existsSync('examples/material/harbour.md')) {
    return ['run', FIRST_REQUEST, ...given];
  }
  if (first === undefined || first === 'help' || Object.hasOwn(COMMANDS, first)) return [...given];
  const isMeant = first === '' || /\s/.test(first) || first.includes('.json') || first.startsWith('workflow:');
  return isMeant ? ['run', ...given] : [...given];
}

const isAskingForHelp = (given: readonly string[]): boolean =>
  given.some((option) => ['-h', '--help', '-V', '--version'].includes(option));

const TAKING_VALUES: ReadonlySet<string> = new Set(['--config', '--store', '--log']);

/** The arguments from the first one that is neither an option of the program nor the value of one. */
function fromOperand(given: readonly string[]): readonly string[] {
  for (let index = 0; index < given.length; index += 1) {
    const argument = given[index] ?? '';
    if (!argument.startsWith('-')) return given.slice(index);
    if (TAKING_VALUES.has(argument)) index += 1;
  }
  return [];
}

const firstOperand = (given: readonly string[]): string | undefined => fromOperand(given)[0];

/** The parts of an error that are shown: its code, a sentence, details. The stack is shown only with --log debug. */
function factsOf(error: unknown): { readonly code: string; readonly message: string; readonly details?: unknown } {
  if (error instanceof PolyphonyError) {
    const { code, message, details } = errorRecord(error);
    return { code, message: scrubText(message), ...defined({ details }) };
  }
  if (error instanceof UsageError) return { code: 'usage', message: error.message };
  if (error instanceof CommanderError) return { code: 'usage', message: error.message.replace(/^error: /, '') };
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const remedy = 'This is a bug in polyphony: run the command again with --log debug and report what it prints.';
  return { code: 'internal', message: `${scrubText(text)}. ${remedy}` };
}

export function explain(error: unknown, terminal: Terminal, flags: Flags): void {
  const { code, message, details } = factsOf(error);
  if (flags.json) {
    terminal.print(safeJson({ status: 'error', error: { code, message, ...(details ? { details } : {}) } }, 2));
  } else if (!(error instanceof CommanderError)) {
    const hint = code === 'usage' ? ' (see --help)' : '';
    terminal.say(errorText({ code, message: `${message}${hint}` }, terminal));
  }
  if (flags.debug && error instanceof Error) terminal.say(printable(scrubText(error.stack ?? '')));
}

export interface Flags {
  readonly json: boolean;
  readonly debug: boolean;
  readonly plain: boolean;
  /** The version is asked for, which is in a file that no other command reads. */
  readonly version: boolean;
}

/** Flags that are needed before the arguments are parsed, because parsing may fail. */
export function flagsOf(given: readonly string[]): Flags {
  const end = given.indexOf('--');
  const options = end === -1 ? given : given.slice(0, end);
  const debug = options.some(
    (option, index) => option === '--log=debug' || (option === '--log' && given[index + 1] === 'debug'),
  );
  const has = (option: string): boolean => options.includes(option);
  return { json: has('--json'), debug, plain: has('--no-color'), version: has('-V') || has('--version') };
}

export async function commandLine(given: readonly string[], terminal: Terminal): Promise<number> {
  const flags = flagsOf(given);
  const operands = withDefaultCommand(given);
  const calling: Calling = { terminal, given: fromOperand(operands), code: EXIT.done };
  const program = await createProgram(calling, flags);
  if (operands.length === 0) {
    program.outputHelp();
    return EXIT.done;
  }
  try {
    if (firstOperand(operands) === undefined && !isAskingForHelp(operands)) {
      throw new UsageError('No command was given: name a command, or write a request in quotes');
    }
    await program.parseAsync(operands, { from: 'user' });
    return calling.code;
  } catch (error) {
    // Commander also throws for --help and --version, which are not errors.
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
    explain(error, terminal, flags);
    return error instanceof CommanderError ? EXIT.usage : exitCodeOf(error);
  }
}
