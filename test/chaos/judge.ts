/**
 * What has to hold whatever happens:
 *
 * H1. A call ends within its bound, with an answer or with an error of ours that has a code and says what to do.
 * H2. What was read of a broken stream is a beginning of the answer, and an answer is whole, or says that a piece of it was lost.
 *     Nothing that was read is read again, unless the stream says that it starts again.
 * H3. Every request has one row, every row one key; the counter of the cap is the sum of the rows, so nothing is held and nothing
 *     is booked twice. A complete answer costs what it states, once; a refusal costs nothing.
 * H4. After the calls no answer is open and no timer waits; after the polyphony is closed no connection is open.
 * H5. No key stands in what was thrown, told or booked.
 */
import { ERROR_CODES, PolyphonyError } from '../../src/core/errors.ts';
import { codeOf } from '../hostile/harness/watch.ts';
import { PROVIDER_KEY } from '../hostile/providers/wires.ts';
import type { Expected, Scenario, Seen } from './scenario.ts';
import { TEXT, TOKENS } from './wires.ts';
import { errorOfCall, type OpenWorld } from './world.ts';

const WITHIN_MS = 30_000;
/** 1 and 2 dollars for a million tokens. */
export const ANSWER_NANO_USD = TOKENS * 1000 + TOKENS * 2000;
/** Words of advice. */
const REMEDY =
  /\b(try|wait|raise|check|set|give|use|choose|add|register|correct|ask|correct|lower|shorten|remove|leave|create|make|allow|retry|replace|renew|send)\b/i;

export function judgeCall(seen: Seen, { expect }: Scenario, problems: string[]): void {
  const wrong = (problem: string): void => void problems.push(problem);
  judgeEnding(seen, expect, wrong);
  const failed = Object.hasOwn(ERROR_CODES, seen.ending) || seen.ending === 'foreign';
  if (failed) judgeError(errorOfCall(seen), problems);
  judgeText(seen, failed || seen.ending === 'left', expect, wrong);
  judgeReplay(seen, wrong);
}

function judgeEnding(seen: Seen, expect: Expected, wrong: (problem: string) => void): void {
  const { withinMs = WITHIN_MS, afterMs = 0 } = expect;
  if (expect.ending !== undefined && seen.ending !== expect.ending)
    wrong(`it ended with ${seen.ending}, not with ${expect.ending}`);
  if (seen.ms > withinMs) wrong(`it took ${seen.ms} ms, more than ${withinMs}`);
  if (seen.ms < afterMs) wrong(`it took ${seen.ms} ms, less than ${afterMs}`);
  if (expect.attempts !== undefined && seen.rows.length !== expect.attempts)
    wrong(`it made ${seen.rows.length} attempts, not ${expect.attempts}`);
}

function judgeError(error: unknown, problems: string[]): void {
  codeOf(error, problems);
  if (!(error instanceof PolyphonyError)) return;
  if (typeof error.retryable !== 'boolean') problems.push('the error does not say whether it helps to try again');
  if (error.code !== 'cancelled' && !REMEDY.test(error.message)) problems.push(`no remedy: ${error.message}`);
  if (JSON.stringify([error.message, error.details, String(error.stack)]).includes(PROVIDER_KEY))
    problems.push('the error shows the key');
}

function judgeText(
  { text, warnings }: Seen,
  isPart: boolean,
  { text: wanted }: Expected,
  wrong: (problem: string) => void,
): void {
  const whole = wanted ?? TEXT;
  if (!isPart && text.length < whole.length && warnings.includes('malformed-chunk')) return;
  if (isPart ? !whole.startsWith(text) : text !== whole) wrong(`the text is ${JSON.stringify(text.slice(0, 200))}`);
}

function judgeReplay({ events }: Seen, wrong: (problem: string) => void): void {
  let spoke = false;
  for (const event of events) {
    if (event.type === 'text-delta' && event.text !== '') spoke = true;
    else if (event.type === 'restart') spoke = false;
    else if (event.type === 'warning' && event.warning.code === 'stream-continued') spoke = false;
    else if (event.type === 'route' && spoke) wrong('a stream that spoke went to another target in silence');
  }
}

/** After all calls, while the polyphony is still open. */
export async function judgeMoney(
  world: OpenWorld,
  { resent = 0, anyCost }: Scenario,
  problems: string[],
): Promise<void> {
  const rows = await world.rows();
  const sum = rows.reduce((total, { costNanoUsd }) => total + (costNanoUsd ?? 0), 0);
  const counted = await world.counter();
  if (counted !== sum) problems.push(`the cap has counted ${counted}, the ledger ${sum}`);
  if (new Set(rows.map(({ key }) => key)).size !== rows.length) problems.push('two rows have the same key');
  const requests = world.first.requests.length + world.second.requests.length;
  if (requests > rows.length + resent)
    problems.push(`${requests} requests arrived, but only ${rows.length} are booked`);
  for (const { outcome, costNanoUsd, error, estimated } of rows) {
    const complete = outcome === 'ok' && estimated !== true && anyCost !== true;
    if (complete && costNanoUsd !== ANSWER_NANO_USD)
      problems.push(`a complete answer costs ${costNanoUsd} nano-dollars`);
    if (costNanoUsd !== null && (!Number.isSafeInteger(costNanoUsd) || costNanoUsd < 0))
      problems.push(`a row costs ${costNanoUsd}`);
    const refused =
      error?.code === 'rate-limited' || error?.code === 'overloaded' || error?.code === 'invalid-credential';
    if (refused && costNanoUsd !== 0 && estimated !== true)
      problems.push(`a refusal costs ${costNanoUsd} nano-dollars`);
  }
  if (JSON.stringify(rows).includes(PROVIDER_KEY)) problems.push('a row shows the key');
}

export async function judgeRest(world: OpenWorld, problems: string[]): Promise<void> {
  const { driver, first, second, runtime, polyphony } = world;
  await driver.quiet();
  if (first.answering() + second.answering() > 0) problems.push('an answer is still open after the call');
  if (world.awaited() > 0) problems.push(`${world.awaited()} timers wait after the call`);
  await driver.until(polyphony.close(), 10_000);
  await driver.quiet();
  if (first.connections() + second.connections() > 0) problems.push('a connection is open after close');
  if (runtime.clock.pending() > 0) problems.push(`${runtime.clock.pending()} timers wait after close`);
}
