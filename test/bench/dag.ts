/**
 * What the scheduler costs, against a bare in-degree runner in the same process, and how close its order comes to the
 * lower bound of the makespan: max(longest path, work / slots).
 *
 *   npm run bench -- dag
 */

import { DEFAULT_BOUNDS, markValid, type Plan, type ValidNode, type ValidPlan } from '../../src/core/plan/plan.ts';
import type { Step } from '../../src/core/plugin.ts';
import type { NodeCall, NodeOutput, NodeRunner } from '../../src/core/run/engine.ts';
import { createEngine } from '../../src/executor/engine.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sleep, systemClock, systemRuntime } from '../../src/system/clock.ts';
import { seededRandom } from '../../src/testing/fakes.ts';
import type { Measurement } from './measurement.ts';
import { simulatedRuntime } from './simulated-clock.ts';

interface Shape {
  readonly nodes: number;
  readonly seed: number;
  /** Expected milliseconds are known to the scheduler. */
  readonly known: boolean;
}

/** Random layers of `narrowest` to `widest` nodes; each node waits for one to three of the layer before. */
export function layeredPlan(shape: Shape, narrowest = 8, widest = 40): { plan: ValidPlan; times: Map<string, number> } {
  const { nodes: count, seed, known } = shape;
  const random = seededRandom(seed);
  const nodes: ValidNode[] = [];
  const times = new Map<string, number>();
  let before: string[] = [];
  while (nodes.length < count) {
    const size = Math.min(count - nodes.length, narrowest + Math.floor(random() * (widest - narrowest + 1)));
    const layer = Array.from({ length: size }, (_, index) => `n${nodes.length + index}`);
    for (const id of layer) {
      const picks = Math.min(before.length, 1 + Math.floor(random() * 3));
      const needs = new Set(Array.from({ length: picks }, () => before[Math.floor(random() * before.length)] ?? ''));
      times.set(id, 1 + Math.floor(random() * 9));
      nodes.push(validNode(id, nodes.length, [...needs], times.get(id) ?? 1));
    }
    before = layer;
  }
  const ranked = known ? withPriorities(nodes) : nodes;
  const plan = markValid({
    plan: { version: 1, nodes: ranked.map(({ node }) => node), output: {} },
    hash: `${count}-${seed}`,
    nodes: ranked,
    estimate: FREE,
    bounds: { ...DEFAULT_BOUNDS, nodes: count },
  });
  return { plan, times };
}

const FREE = { lowNanoUsd: 0, expectedNanoUsd: 0, highNanoUsd: 0, expectedMs: 1 };

function validNode(id: string, index: number, needs: readonly string[], ms: number): ValidNode {
  const estimate = { ...FREE, expectedMs: ms };
  const node = { id, use: 'step', needs: [...needs] };
  return { node, index, data: [], dependencies: needs, hasFallback: false, estimate, priority: 0 };
}

function withPriorities(nodes: readonly ValidNode[]): ValidNode[] {
  const paths = longestPaths(nodes);
  return nodes.map((node) => ({ ...node, priority: paths.get(node.node.id) ?? 0 }));
}

function longestPaths(nodes: readonly ValidNode[]): Map<string, number> {
  const behind = new Map<string, number>();
  for (const { node, dependencies, estimate } of [...nodes].reverse()) {
    const path = estimate.expectedMs + (behind.get(node.id) ?? 0);
    behind.set(node.id, path);
    for (const id of dependencies) behind.set(id, Math.max(behind.get(id) ?? 0, path));
  }
  return behind;
}

const DONE: NodeOutput = { value: null, costNanoUsd: 0 };
const noop: NodeRunner = async () => DONE;

/** The floor: counters, an array and a promise a node; no events, no journal, no signals, no money. */
function bareRunner(plan: ValidPlan, work: (id: string) => Promise<unknown>, limit: number): Promise<void> {
  const open = new Map(plan.nodes.map(({ node, dependencies }) => [node.id, dependencies.length]));
  const dependents = new Map<string, string[]>(plan.nodes.map(({ node }) => [node.id, []]));
  for (const { node, dependencies } of plan.nodes) for (const id of dependencies) dependents.get(id)?.push(node.id);
  const ready = plan.nodes.filter(({ dependencies }) => dependencies.length === 0).map(({ node }) => node.id);
  let next = 0;
  let active = 0;
  let left = plan.nodes.length;
  return new Promise((resolve, reject) => {
    const settle = (id: string): void => {
      active -= 1;
      left -= 1;
      for (const dependent of dependents.get(id) ?? []) {
        const count = (open.get(dependent) ?? 0) - 1;
        open.set(dependent, count);
        if (count === 0) ready.push(dependent);
      }
      if (left === 0) resolve();
      else start();
    };
    const start = (): void => {
      for (let id = ready[next]; id !== undefined && active < limit; id = ready[next]) {
        next += 1;
        active += 1;
        const started = id;
        work(started).then(() => settle(started), reject);
      }
    };
    start();
  });
}

function engineFor(runner: NodeRunner, runtime = systemRuntime) {
  return createEngine({
    runtime,
    journal: memoryStores({ clock: runtime.clock }).journal,
    runners: new Map([['step', runner]]),
    validPlan: () => {
      throw new Error('nothing is resumed here');
    },
  });
}

const LIMIT = 64;

async function runOnce(plan: ValidPlan, runner: NodeRunner, runtime = systemRuntime): Promise<number> {
  const engine = engineFor(runner, runtime);
  const began = runtime.clock.monotonic();
  const result = await engine.start(plan, { concurrency: LIMIT }).result();
  const took = runtime.clock.monotonic() - began;
  if (result.status !== 'done') throw new Error(`the run ended as ${result.status}: ${result.error?.message}`);
  return took;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

async function overheadOf(nodes: number, rounds: number): Promise<Measurement> {
  const floors: number[] = [];
  const ours: number[] = [];
  const shapes = Array.from({ length: 5 }, (_, seed) => layeredPlan({ nodes, seed, known: true }).plan);
  for (let round = 0; round < rounds; round += 1) {
    const plan = shapes[round % shapes.length];
    if (plan === undefined) continue;
    const began = systemClock.monotonic();
    await bareRunner(plan, async () => DONE, LIMIT);
    floors.push(systemClock.monotonic() - began);
    ours.push(await runOnce(plan, noop));
  }
  // The best of many: what the work takes when nothing else has the processor.
  const [floorMs, engineMs] = [Math.min(...floors), Math.min(...ours)];
  return {
    name: `no-op ${nodes} nodes, over the floor`,
    value: engineMs / floorMs,
    unit: '×',
    target: { below: nodes > 1000 ? 15 : 5 },
    details: { floorMs, engineMs },
  };
}

const STEP: Step = {
  type: { use: 'step', description: 'Does nothing.', input: { type: 'object' }, output: {}, sideEffects: true },
  run: noop,
};

/** What users run: a plan object through `polyphony.run`, again and again, with the step of a plugin. */
async function publicOverheadOf(nodes: number, rounds: number): Promise<Measurement> {
  const { plan: valid } = layeredPlan({ nodes, seed: 1, known: true });
  const polyphony = await createPolyphony({
    plugins: [{ name: 'noop', steps: [STEP] }],
    defaults: false,
    config: { bounds: { nodes, bytes: 100_000_000 } },
    stores: memoryStores({ endedRuns: 1 }),
  });
  const runPublic = async (plan: Plan | ValidPlan): Promise<number> => {
    const began = systemClock.monotonic();
    await polyphony.run(plan, {}, { concurrency: LIMIT });
    return systemClock.monotonic() - began;
  };
  const firstMs = await runPublic(valid.plan);
  const floors: number[] = [];
  const ours: number[] = [];
  const engines: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const began = systemClock.monotonic();
    await bareRunner(valid, async () => DONE, LIMIT);
    floors.push(systemClock.monotonic() - began);
    engines.push(await runOnce(valid, noop));
    ours.push(await runPublic(valid.plan));
  }
  await polyphony.close();
  const [floorMs, engineMs, againMs] = [Math.min(...floors), Math.min(...engines), Math.min(...ours)];
  return {
    name: `no-op ${nodes} nodes by polyphony.run of a plan that was run before, over the floor`,
    value: againMs / floorMs,
    unit: '×',
    target: { below: 12 },
    details: { floorMs, engineMs, againMs, firstMs },
  };
}

function lowerBound(plan: ValidPlan, times: ReadonlyMap<string, number>): number {
  const work = [...times.values()].reduce((sum, ms) => sum + ms, 0);
  return Math.max(work / LIMIT, ...longestPaths(plan.nodes).values());
}

async function simulatedMakespan(known: boolean, seeds: number): Promise<Measurement> {
  const ratios: number[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { plan, times } = widePlan({ nodes: 1000, seed, known });
    const runtime = simulatedRuntime();
    const took = await runtime.drive(runOnce(plan, sleeper(runtime.clock, times), runtime));
    ratios.push(took / lowerBound(plan, times));
  }
  const name = `makespan at 64, times ${known ? 'known' : 'unknown'}, simulated clock`;
  return {
    name,
    value: Math.max(...ratios),
    unit: '× the bound',
    target: { below: known ? 1.05 : 1.1 },
    details: { median: median(ratios), seeds },
  };
}

function sleeper(clock: typeof systemClock, times: ReadonlyMap<string, number>): NodeRunner {
  return async (call: NodeCall) => {
    await sleep(clock, times.get(call.node.id) ?? 1);
    return DONE;
  };
}

/** So wide that work over slots and the longest path are about the same: the hardest shape for an order. */
const widePlan = (shape: Shape) => layeredPlan(shape, 40, 100);

async function realMakespan(known: boolean): Promise<Measurement> {
  const ratios: number[] = [];
  const floors: number[] = [];
  const { plan, times } = widePlan({ nodes: 1000, seed: 1, known });
  const bound = lowerBound(plan, times);
  for (let round = 0; round < 15; round += 1) {
    ratios.push((await runOnce(plan, sleeper(systemClock, times))) / bound);
    const began = systemClock.monotonic();
    await bareRunner(plan, (id) => sleep(systemClock, times.get(id) ?? 1), LIMIT);
    floors.push((systemClock.monotonic() - began) / bound);
  }
  const name = `makespan at 64, times ${known ? 'known' : 'unknown'}, real timers`;
  return {
    name,
    value: Math.min(...ratios),
    unit: '× the bound',
    target: { below: known ? 1.05 : 1.1 },
    details: { bareRunner: Math.min(...floors) },
  };
}

export async function run(): Promise<Measurement[]> {
  await overheadOf(1000, 50);
  return [
    await overheadOf(1000, 200),
    await overheadOf(10_000, 20),
    await publicOverheadOf(10_000, 20),
    await simulatedMakespan(true, 10),
    await simulatedMakespan(false, 10),
    await realMakespan(true),
    await realMakespan(false),
  ];
}
