/** What callers do: they leave, cancel, set deadlines, ask for second targets, and close everything while calls go on. */
import { abortError } from '../../../src/core/errors.ts';
import { before, good, inTurn, part, slowly, status } from '../plays.ts';
import type { Scenario, Seen, World } from '../scenario.ts';

/** Cancels after so many milliseconds on the clock. */
async function cancelled({ begin, driver, runtime }: World, afterMs: number): Promise<readonly Seen[]> {
  const controller = new AbortController();
  runtime.clock.schedule(afterMs, () => controller.abort());
  return [await driver.until(begin({ options: { signal: controller.signal } }), 60_000)];
}

export const CALLERS: readonly Scenario[] = [
  {
    name: 'cancel-before-headers',
    shows: 'a caller who cancels is free at once, and so is the socket',
    first: before('stall'),
    play: (world) => cancelled(world, 1000),
    expect: { ending: 'cancelled', attempts: 1, withinMs: 1000 },
  },
  {
    name: 'cancel-in-stream',
    shows: 'the same in the middle of an answer',
    first: part(2, 'stall'),
    play: (world) => cancelled(world, 1000),
    expect: { ending: 'cancelled', attempts: 1, withinMs: 1000 },
  },
  {
    name: 'cancel-in-pause',
    shows: 'a caller who cancels while a second try is waited for sends no second try',
    first: status(429, { 'retry-after': '4' }),
    play: (world) => cancelled(world, 1000),
    expect: { ending: 'cancelled', attempts: 1, withinMs: 1000 },
  },
  {
    name: 'cancel-in-injected-latency',
    shows: 'a wait of the plugin ends with the call',
    rules: [{ fault: { type: 'latency', ms: 4000 } }],
    play: (world) => cancelled(world, 1000),
    expect: { ending: 'cancelled', attempts: 1, withinMs: 1000 },
  },
  {
    name: 'cancel-in-injected-drip',
    shows: 'so does a body that the plugin slows down',
    rules: [{ fault: { type: 'drip', bytes: 1, everyMs: 100 } }],
    play: (world) => cancelled(world, 2000),
    expect: { ending: 'cancelled', attempts: 1, withinMs: 2000 },
  },
  {
    name: 'reader-leaves',
    shows: 'a reader who leaves the stream closes the socket',
    first: slowly(500),
    play: async ({ call }) => [await call({ leaveAfter: 2 })],
    expect: { ending: 'left', attempts: 1 },
  },
  {
    name: 'deadline-in-silence',
    shows: 'a deadline ends a call that nobody answers, whatever timeouts are set',
    first: before('stall'),
    request: { limits: { ms: 2000 } },
    expect: { ending: 'timeout', attempts: 1, withinMs: 2000 },
  },
  {
    name: 'deadline-before-the-delay',
    shows: 'a delay that would end after the deadline is not waited for',
    first: status(429, { 'retry-after': '4' }),
    request: { limits: { ms: 3000 } },
    expect: { ending: 'failover', withinMs: 0 },
  },
  {
    name: 'attempt-bound',
    shows: 'a caller’s own bound on an attempt leads to the next target',
    first: before('stall'),
    request: { limits: { attemptMs: 1000 } },
    expect: { ending: 'failover', withinMs: 2200 },
  },
  {
    name: 'continue',
    shows: 'a stream that breaks is continued by the next target where that is asked for',
    first: part(1, 'reset'),
    second: good({}, ['day ', 'to you.']),
    request: { onStreamFailure: 'continue' },
    expect: { ending: 'failover' },
  },
  {
    name: 'restart-twice',
    shows: 'a stream that breaks at both targets starts again, and fails in the end',
    first: part(2, 'reset'),
    second: part(1, 'reset'),
    request: { onStreamFailure: 'restart' },
    expect: { ending: 'network' },
  },
  {
    name: 'hedge',
    shows: 'a second target is asked beside one that is silent, and the first is cancelled',
    first: before('stall'),
    config: { hedge: { afterMs: 800, share: 1 } },
    expect: { ending: 'failover', attempts: 2, afterMs: 800, withinMs: 900 },
  },
  {
    name: 'hedge-both-silent',
    shows: 'where both are silent the call ends all the same',
    first: before('stall'),
    second: before('stall'),
    config: { hedge: { afterMs: 800, share: 1 } },
    expect: { ending: 'timeout', withinMs: 25_000 },
  },
  {
    name: 'close-while-calling',
    shows: 'what is closed while calls go on leaves none of them behind',
    first: part(1, 'stall'),
    async play({ begin, driver, polyphony, runtime }) {
      const calls = Array.from({ length: 5 }, () => begin());
      runtime.clock.schedule(500, () => void polyphony.close());
      return driver.until(Promise.all(calls), 60_000);
    },
    expect: { withinMs: 6000 },
  },
  {
    name: 'abort-with-a-reason',
    shows: 'the reason of an abort reaches the caller without another try',
    first: inTurn(before('stall'), good()),
    async play({ begin, driver, runtime }) {
      const controller = new AbortController();
      runtime.clock.schedule(300, () => controller.abort(abortError(AbortSignal.abort())));
      return [await driver.until(begin({ options: { signal: controller.signal } }), 60_000)];
    },
    expect: { ending: 'cancelled', attempts: 1, withinMs: 300 },
  },
];
