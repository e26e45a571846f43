#!/usr/bin/env node
/** The polyphony command: arguments in, exit code out. */
import { existsSync } from 'node:fs';
import { CommanderError } from 'commander';
import { PolyphonyError } from '../core/errors.ts';
import { scrubText } from '../kit/scrub.ts';
import { EXIT, exitCodeOf, UsageError } from './exit-code.ts';
import { createProgram, FIRST_REQUEST, type Outcome } from './program.ts';
import { createTerminal, printable, type Terminal } from './terminal.ts';

/** `polyphony "a request"` is short for run; nothing at all runs the first request where its texts are. */
function withDefaultCommand(given: readonly string[], names: ReadonlySet<string>): string[] {
  if (given.length === 0 && existsSync('examples/material/harbour.md')) return ['run', FIRST_REQUEST];
  const first = firstOperand(given);
  if (first === undefined || names.has(first)) return [...given];
  const isMeant = /\s/.test(first) || first.includes('.json') || first.startsWith('workflow:');
  return isMeant ? ['run', ...given] : [...given];
}

const TAKING_VALUES: ReadonlySet<string> = new Set(['--config', '--store', '--log']);

function firstOperand(given: readonly string[]): string | undefined {
  for (let index = 0; index < given.length; index += 1) {
    const argument = given[index];
    if (argument === undefined || !argument.startsWith('-')) return argument;
    if (TAKING_VALUES.has(argument)) index += 1;
  }
  return undefined;
}

function explain(error: unknown, terminal: Terminal, debug: boolean): void {
  if (error instanceof PolyphonyError) {
    terminal.say(`${terminal.paint.red(error.code)}: ${printable(scrubText(error.message))}`);
    if (debug) terminal.say(scrubText(error.stack ?? ''));
    return;
  }
  if (error instanceof UsageError) {
    terminal.say(`${terminal.paint.red('usage')}: ${printable(error.message)} (see polyphony --help)`);
    return;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  terminal.say(
    `${terminal.paint.red('internal error')}: ${scrubText(text)}\nPlease report it: this is a fault of polyphony's own.`,
  );
}

export async function main(given: readonly string[]): Promise<number> {
  const colour = given.includes('--no-color') ? { colour: false } : {};
  const terminal = createTerminal({ stdout: process.stdout, stderr: process.stderr, environment: process.env }, colour);
  const outcome: Outcome = { code: EXIT.done };
  const program = createProgram(terminal, outcome);
  const names = new Set([...program.commands.map((command) => command.name()), 'help']);
  const operands = withDefaultCommand(given, names);
  if (operands.length === 0) {
    program.outputHelp();
    return EXIT.done;
  }
  try {
    await program.parseAsync(operands, { from: 'user' });
    return outcome.code;
  } catch (error) {
    // Commander has printed its message already; asking for help is no fault.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    explain(error, terminal, given.includes('debug'));
    return exitCodeOf(error);
  }
}

// A reader that closes early (`| head`) is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.done);
  throw error;
});
process.exitCode = await main(process.argv.slice(2));
