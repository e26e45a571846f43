/** What a hostile case watches in its own process: blocked turns, warnings, errors that nobody expected. */
import { ERROR_CODES, PolyphonyError } from '../../../src/core/errors.ts';

/** What Node says where something of ours met a value that it did not expect. */
const FOREIGN = [
  'Maximum call stack',
  'Cannot read prop',
  'Cannot set prop',
  'Cannot convert',
  'is not a function',
  'is not iterable',
  'is not defined',
  'Invalid array length',
  'Invalid string length',
  'Invalid count value',
  'circular structure',
  'out of memory',
  'not valid UTF-8',
];

const EVERY_MS = 20;

export interface Watch {
  readonly problems: string[];
  /** Milliseconds of the longest turn, of those in which this process worked. */
  readonly blockedMs: () => number;
  /** Forgets the turns so far: those in which the program was loaded. */
  readonly begin: () => void;
  readonly stop: () => void;
}

export function watch(): Watch {
  const problems: string[] = [];
  let blockedMs = 0;
  let [wall, work] = [performance.now(), process.cpuUsage()];
  // A turn counts by the work of the process, because a busy machine may leave it waiting for a processor.
  const look = (): void => {
    const { user, system } = process.cpuUsage(work);
    const turnMs = Math.min(performance.now() - wall - EVERY_MS, (user + system) / 1000);
    blockedMs = Math.max(blockedMs, turnMs);
    [wall, work] = [performance.now(), process.cpuUsage()];
  };
  const timer = setInterval(look, EVERY_MS);
  timer.unref();
  process.on('warning', ({ name, message }) => problems.push(`Node warns: ${name}: ${message}`));
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => problems.push(`${event}: ${textOfError(error)}`));
  }
  const stop = (): void => {
    look();
    clearInterval(timer);
  };
  const begin = (): void => {
    look();
    blockedMs = 0;
  };
  return { problems, blockedMs: () => Math.round(blockedMs), begin, stop };
}

/**
 * The code of an error of ours; anything else is a problem.
 *
 * @param isPlugins a plugin that fails may be quoted: its words are its own
 */
export function codeOf(error: unknown, problems: string[], isPlugins = false): string {
  if (!(error instanceof PolyphonyError)) {
    problems.push(`a foreign error: ${textOfError(error)}`);
    return 'foreign';
  }
  if (!Object.hasOwn(ERROR_CODES, error.code)) problems.push(`an unknown code: ${error.code}`);
  if (isPlugins) expectShort(error.message, problems);
  else expectOurs(error.message, problems);
  return error.code;
}

/** A sentence that a user reads is ours, however it came about. */
export function expectOurs(message: string, problems: string[]): void {
  const found = FOREIGN.find((words) => message.includes(words));
  if (found !== undefined) problems.push(`a message of the language, not ours: ${message.slice(0, 200)}`);
  expectShort(message, problems);
}

function expectShort(message: string, problems: string[]): void {
  if (message.length > LONGEST_MESSAGE) problems.push(`a message of ${message.length} characters`);
}
const LONGEST_MESSAGE = 64 * 1024;

function textOfError(error: unknown): string {
  try {
    return (error instanceof Error ? (error.stack ?? error.message) : String(error)).slice(0, 400);
  } catch {
    return 'a value without a text';
  }
}
