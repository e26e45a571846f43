/** Runs a random plan on a clock driven by hand and keeps all that its steps saw. */
import type { NodeCall, RunEvent, RunHandle, RunResult } from '../../src/core/run/engine.ts';
import { sleep } from '../../src/system/clock.ts';
import { type FakeRuntime, fakeRuntime } from '../../src/testing/fakes.ts';
import { collected, type Harness, type HarnessOptions, harness, settled } from '../executor/harness.ts';
import { RANDOM_INPUT, type RandomPlan } from './random-plans.ts';

export interface Step {
  readonly call: NodeCall;
  readonly key: string;
  readonly startedAt: number;
  /** Steps in flight when it began, itself included: of the run, and of its node. */
  readonly active: number;
  readonly activeOfNode: number;
  /** Events that had been shown when it began. */
  readonly seen: number;
  over: boolean;
}

export interface Observed {
  readonly h: Harness;
  readonly steps: Step[];
  readonly shown: RunEvent[];
}

export function observe(
  random: RandomPlan,
  options: HarnessOptions & { readonly runtime?: FakeRuntime } = {},
): Observed {
  const runtime = options.runtime ?? fakeRuntime();
  const steps: Step[] = [];
  const shown: RunEvent[] = [];
  const h = harness({
    runtime,
    onEvent: (event) => shown.push(event),
    ...options,
    step: async (call) => {
      const alive = steps.filter(({ over }) => !over);
      const step: Step = {
        call,
        key: call.idempotencyKey,
        startedAt: runtime.clock.now(),
        active: alive.length + 1,
        activeOfNode: alive.filter((other) => other.call.node.id === call.node.id).length + 1,
        seen: shown.length,
        over: false,
      };
      steps.push(step);
      const { ms, fails } = random.behaviours.get(call.node.id) ?? { ms: 1, fails: false };
      try {
        await sleep(runtime.clock, ms + (call.item ?? 0), call.signal);
      } finally {
        step.over = true;
      }
      if (fails) throw new Error(`${call.node.id} fails`);
      return { ...call.inputs, ok: ms % 2 === 0, round: call.round ?? 0, item: call.item ?? null };
    },
  });
  return { h, steps, shown };
}

export async function runThrough(
  observed: Observed,
  random: RandomPlan,
): Promise<{ handle: RunHandle; result: RunResult; events: RunEvent[] }> {
  const { h } = observed;
  const handle = h.engine.start(random.plan, { input: RANDOM_INPUT, concurrency: random.concurrency });
  const result = await settled(h, handle);
  return { handle, result, events: await collected(handle.events()) };
}
