/** What a journal says of the money and the tokens of a run, each counted once although sums repeat their parts. */
import type { NodeResult, Paid, RunEvent } from '../core/engine.ts';
import type { Usage } from '../core/model.ts';
import { addMoney, type NanoUsd } from '../core/money.ts';
import { addUsage, NO_USAGE, subtractUsage } from '../core/usage.ts';
import type { Restored, RestoredNode } from './restored.ts';
import type { Progress } from './task.ts';

export function spend(restored: Restored, node: RestoredNode, cost: NanoUsd | null): void {
  if (cost === null) restored.priced = false;
  else {
    restored.spent += cost;
    node.paid += cost;
  }
}

export const subtract = (sum: NanoUsd | null, counted: NanoUsd | null | undefined): NanoUsd | null =>
  sum === null ? null : Math.max(0, sum - (counted ?? 0));

/** Books a node that will not run again. */
export function bookResult(restored: Restored, node: RestoredNode, result: NodeResult): void {
  node.retried.clear();
  spend(restored, node, subtract(result.costNanoUsd, node.paid));
  restored.usage = addUsage(restored.usage, result.usage);
}

/** Books the end of a node that may run again: what its finished items and rounds came to stays part of its next sum. */
export function bookEnd(restored: Restored, node: RestoredNode, { costNanoUsd, usage }: Paid): void {
  node.retried.clear();
  spend(restored, node, subtract(costNanoUsd, node.paid));
  node.paid = keptCost(node.progress);
  if (usage !== undefined) restored.usage = addUsage(restored.usage, subtractUsage(usage, usageOf(node.progress)));
}

/** A failed call counts by itself only when its process died before the sum that includes it. */
export function holdRetried(node: RestoredNode, event: Extract<RunEvent, { type: 'node-retried' }>): void {
  const { item = -1, costNanoUsd = 0, usage } = event;
  const before = node.retried.get(item);
  node.retried.set(item, {
    costNanoUsd: addMoney(before?.costNanoUsd ?? 0, costNanoUsd),
    usage: addUsage(before?.usage ?? NO_USAGE, usage),
  });
}

/** The process died here: no sum will tell of the failed calls of what was running. */
export function bookRetried(restored: Restored): void {
  for (const { retried } of restored.nodes.values()) {
    for (const { costNanoUsd, usage } of retried.values()) {
      if (costNanoUsd === null) restored.priced = false;
      else restored.spent += costNanoUsd;
      restored.usage = addUsage(restored.usage, usage);
    }
    retried.clear();
  }
}

function keptCost({ items, rounds }: Progress): NanoUsd {
  let cost = 0;
  for (const result of items.values()) cost += result.costNanoUsd ?? 0;
  for (const [item, round] of rounds) if (!items.has(item)) cost += round.costNanoUsd ?? 0;
  return cost;
}

export function usageOf({ items, rounds }: Progress): Usage {
  let usage = NO_USAGE;
  for (const result of items.values()) usage = addUsage(usage, result.usage);
  for (const [item, round] of rounds) if (!items.has(item)) usage = addUsage(usage, round.usage);
  return usage;
}
