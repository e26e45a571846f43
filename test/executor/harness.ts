/** An engine on a clock driven by hand, with runners that do what a script says. */

import type { Plan, ValidPlan } from '../../src/core/plan/plan.ts';
import type { NodeCall, NodeOutput, NodeRunner, RunEvent, RunHandle, RunResult } from '../../src/core/run/engine.ts';
import { createEngine, type EngineOptions } from '../../src/executor/engine.ts';
import { humanRunner } from '../../src/runners/human.ts';
import { waitRunner } from '../../src/runners/wait.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { type FakeRuntime, fakeRuntime } from '../../src/testing/fakes.ts';
import { type ValidPlanOptions, validPlan } from './valid-plan.ts';

export interface Harness {
  readonly runtime: FakeRuntime;
  readonly engine: ReturnType<typeof createEngine>;
  readonly journal: EngineOptions['journal'];
  /** Calls of `step` runners in the order in which they began. */
  readonly calls: NodeCall[];
}

export type StepBehaviour = (call: NodeCall) => unknown | Promise<unknown>;

export interface HarnessOptions extends Partial<Omit<EngineOptions, 'runtime'>> {
  readonly runtime?: FakeRuntime;
  /** What `step` nodes give. @default their inputs */
  readonly step?: StepBehaviour;
  readonly plan?: ValidPlanOptions;
}

export function harness(options: HarnessOptions = {}): Harness {
  const { step = (call: NodeCall) => call.inputs, runtime = fakeRuntime(), runners, plan, ...rest } = options;
  const calls: NodeCall[] = [];
  const journal = options.journal ?? memoryStores({ clock: runtime.clock }).journal;
  const run: NodeRunner = async (call) => {
    calls.push(call);
    const value = await step(call);
    return isOutput(value) ? value : { value, costNanoUsd: 0 };
  };
  const engine = createEngine({
    validPlan: (stored: Plan) => validPlan(stored, plan),
    ...rest,
    runtime,
    journal,
    runners:
      runners ??
      new Map([
        ['step', run],
        ['tool:', run],
        ['human', humanRunner()],
        ['wait', waitRunner(runtime.clock)],
      ]),
  });
  return { runtime, engine, journal, calls };
}

const OUTPUT = Symbol('output');

/** An output with its money, told apart from a plain value. */
export function output(fields: Partial<NodeOutput> & { value: unknown }): unknown {
  return { [OUTPUT]: true, costNanoUsd: 0, ...fields };
}

function isOutput(value: unknown): value is NodeOutput {
  return typeof value === 'object' && value !== null && OUTPUT in value;
}

export async function finished(
  h: Harness,
  plan: ValidPlan,
  options?: Parameters<Harness['engine']['start']>[1],
): Promise<RunResult> {
  const handle = h.engine.start(plan, options);
  return settled(h, handle);
}

/** Drives the clock until the run has a result. */
export async function settled(h: Pick<Harness, 'runtime'>, handle: RunHandle): Promise<RunResult> {
  let result: RunResult | undefined;
  void handle.result().then((value) => {
    result = value;
  });
  for (let turn = 0; turn < 100_000 && result === undefined; turn += 1) await h.runtime.clock.runAll(1);
  if (result === undefined) throw new Error(`run ${handle.runId} does not end`);
  return result;
}

export async function collected(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const list: RunEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}
