/** The polyphony command as a process: its streams, uncaught errors and exit code. */
import { commandLine, explain, type Flags, flagsOf } from './command-line.ts';
import { EXIT } from './input/exit-code.ts';
import { readerGone } from './process/reader.ts';
import { createTerminal, type Terminal } from './screen/terminal.ts';

/** Handles what no command can catch: a reader that closed early (`| head`), an uncaught error of a plugin. */
function onUncaught(terminal: Terminal, flags: Flags): void {
  const onError = (error: unknown): never => {
    explain(error, terminal, flags);
    process.exit(EXIT.failed);
  };
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
  const onBrokenPipe = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    readerGone();
  };
  process.stdout.on('error', onBrokenPipe);
  process.stderr.on('error', onBrokenPipe);
}

/** Runs the command that the arguments of the process name, and sets its exit code. */
export async function startProcess(): Promise<void> {
  const given = process.argv.slice(2);
  const flags = flagsOf(given);
  const output = { stdout: process.stdout, stderr: process.stderr, environment: process.env };
  const terminal = createTerminal(output, flags.plain ? { colour: false } : {});
  onUncaught(terminal, flags);
  process.exitCode = await commandLine(given, terminal);
}
