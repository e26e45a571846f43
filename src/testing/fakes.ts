/** Fakes for tests: a clock that the test advances, seeded random numbers, counted ids, and a scripted provider. */
import type { Clock, Ids, Random, Runtime } from '../core/clock.ts';
import { abortError } from '../core/errors.ts';
import type { Attempt, Capability, FinishEvent, ModelEvent } from '../core/model/model.ts';
import type { EndpointReport, ModelCard, Provider, ProviderContext } from '../core/model/provider.ts';
import { onAbort } from '../core/on-abort.ts';
import { sleep } from '../system/clock.ts';

export interface FakeClock extends Clock {
  /** Advances the time and fires due timers in order; promises settle in between. */
  advance(milliseconds: number): Promise<void>;
  /** The number of waiting timers: none may be left when their owner is closed. */
  pending(): number;
  /** Advances from timer to timer until none waits or `limit` timers have fired. @default 10000 */
  runAll(limit?: number): Promise<void>;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Lets promises settle: several rounds of the macrotask queue. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

export function fakeClock(start = 1_700_000_000_000): FakeClock {
  const timers = new Set<Timer>();
  let now = start;
  let order = 0;
  const earliest = (): Timer | undefined => [...timers].sort((a, b) => a.at - b.at || a.order - b.order)[0];
  const fire = async (timer: Timer): Promise<void> => {
    now = Math.max(now, timer.at);
    timers.delete(timer);
    timer.callback();
    await settle();
  };
  return {
    now: () => now,
    monotonic: () => now - start,
    schedule(delayMs, callback) {
      const timer = { at: now + Math.max(0, delayMs), order: order++, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    async advance(milliseconds) {
      const end = now + milliseconds;
      await settle();
      for (let next = earliest(); next !== undefined && next.at <= end; next = earliest()) await fire(next);
      now = end;
    },
    pending: () => timers.size,
    async runAll(limit = 10_000) {
      await settle();
      let fired = 0;
      for (let next = earliest(); next !== undefined && fired < limit; next = earliest(), fired += 1) await fire(next);
    },
  };
}

/** mulberry32: the same numbers for the same seed, uniform in [0, 1). */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** `run_1`, `call_2`, … */
export function countedIds(): Ids {
  let count = 0;
  return (prefix) => `${prefix}_${++count}`;
}

export interface FakeRuntime extends Runtime {
  readonly clock: FakeClock;
}

export function fakeRuntime(seed = 1): FakeRuntime {
  return { clock: fakeClock(), random: seededRandom(seed), ids: countedIds() };
}

export function fakeCard(card: Partial<ModelCard> & Pick<ModelCard, 'id'>): ModelCard {
  const capabilities: readonly Capability[] = [
    'text',
    'streaming',
    'tools',
    'parallel-tools',
    'tool-choice',
    'json-mode',
    'json-schema',
    'system',
    'stop',
    'temperature',
    'top-p',
    'seed',
    'penalties',
  ];
  return {
    operations: ['chat'],
    tier: 'fast',
    strengths: { general: 0.5 },
    capabilities,
    contextTokens: 128_000,
    maxOutputTokens: 4096,
    price: { input: 1, output: 2 },
    retention: 'none',
    ...card,
  };
}

export const finish = (fields: Partial<FinishEvent> = {}): FinishEvent => ({
  type: 'finish',
  reason: 'stop',
  usage: { input: 10, output: 5 },
  ...fields,
});

/** One step of a script: an event, a report, a wait on the runtime's clock, an error to throw, or a wait until cancelled. */
export type ScriptStep =
  | ModelEvent
  | { readonly report: EndpointReport }
  | ScriptWait
  | { readonly fail: Error }
  | { readonly hang: true };

type ScriptWait =
  | {
      /** Milliseconds. */
      readonly waitMs: number;
    }
  | {
      /** @deprecated Write `waitMs`. */
      readonly wait: number;
      readonly waitMs?: never;
    };

export interface FakeProvider extends Provider {
  /** Every attempt that arrived, in order. */
  readonly seen: readonly Attempt[];
  /** Streams that are open now. */
  open(): number;
}

/** Runs the steps that `script` returns for each attempt; a string is short for that text and a finish. */
export function fakeProvider(
  options: Partial<Provider> & {
    readonly runtime?: Runtime;
    readonly script?: (attempt: Attempt) => readonly ScriptStep[] | string;
  },
): FakeProvider {
  const { runtime, script = () => 'ok', ...rest } = options;
  const seen: Attempt[] = [];
  let open = 0;
  return {
    id: 'fake',
    models: [fakeCard({ id: 'one' })],
    ...rest,
    seen,
    open: () => open,
    async *stream(attempt, context) {
      seen.push(attempt);
      open += 1;
      try {
        const steps = script(attempt);
        yield* play(
          typeof steps === 'string' ? [{ type: 'text-delta', text: steps }, finish()] : steps,
          attempt,
          context,
          runtime,
        );
      } finally {
        open -= 1;
      }
    },
  };
}

async function* play(
  steps: readonly ScriptStep[],
  attempt: Attempt,
  context: ProviderContext,
  runtime?: Runtime,
): AsyncGenerator<ModelEvent> {
  for (const step of steps) {
    if (attempt.signal.aborted) throw abortError(attempt.signal);
    if ('type' in step) yield step;
    else if ('report' in step) context.report(step.report);
    else if ('fail' in step) throw step.fail;
    else if ('hang' in step) await aborted(attempt.signal);
    else if (runtime) await sleep(runtime.clock, step.waitMs ?? step.wait, attempt.signal);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(abortError(signal));
    onAbort(signal, () => reject(abortError(signal)));
  });
}
