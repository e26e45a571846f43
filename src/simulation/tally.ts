/** Counts what simulated runs did, node by node. */
import type { Outcome } from './machine.ts';
import type { SimulatedTask } from './state.ts';

export interface NodeTally {
  ran: number;
  ms: number;
  nanoUsd: number;
  critical: number;
  overLimit: number;
}

export interface Tally {
  readonly nodes: readonly NodeTally[];
  /** How often each critical path was one, by the places of its nodes. */
  readonly paths: Map<string, { readonly places: readonly number[]; count: number }>;
}

export const createTally = (nodes: number): Tally => ({
  nodes: Array.from({ length: nodes }, () => ({ ran: 0, ms: 0, nanoUsd: 0, critical: 0, overLimit: 0 })),
  paths: new Map(),
});

/** @returns what the run cost; NaN: a price is unknown */
export function addOutcome(tally: Tally, { run }: Outcome): number {
  let nanoUsd = 0;
  for (const task of run.tasks) {
    const node = tally.nodes[task.place];
    if (node === undefined || task.startedAt < 0) continue;
    const ms = task.endedAt - task.startedAt;
    const { limitMs } = task.prepared.node;
    node.ran += 1;
    node.ms += ms;
    node.nanoUsd += task.nanoUsd;
    nanoUsd += task.nanoUsd;
    if (limitMs !== undefined && ms > limitMs) node.overLimit += 1;
  }
  addPath(tally, run.lastDone, run.tasks.length);
  return nanoUsd;
}

/** From the last node back through what each waited for; nodes that were skipped pass it on and are not part of it. */
function addPath({ nodes, paths }: Tally, last: SimulatedTask | undefined, most: number): void {
  const places: number[] = [];
  let task = last;
  for (let steps = 0; task !== undefined && steps < most; steps += 1) {
    if (task.startedAt >= 0 && !places.includes(task.place)) places.push(task.place);
    task = task.cause;
  }
  places.reverse();
  for (const place of places) {
    const node = nodes[place];
    if (node !== undefined) node.critical += 1;
  }
  const key = places.join();
  const known = paths.get(key);
  if (known === undefined) paths.set(key, { places, count: 1 });
  else known.count += 1;
}
