/** What a journal says was paid: each amount counts once, although later totals repeat it. */

import { addMoney, type NanoUsd } from '../../core/money/money.ts';
import { addUsage, NO_USAGE, subtractUsage, type Usage } from '../../core/money/usage.ts';
import type { NodeResult, Paid, RunEvent } from '../../core/run/engine.ts';
import type { TaskProgress } from '../state/task.ts';
import type { Restored, RestoredNode } from './restored.ts';

export function spend(restored: Restored, node: RestoredNode, cost: NanoUsd | null): void {
  if (cost === null) restored.priced = false;
  else {
    restored.spent += cost;
    node.counted.costNanoUsd += cost;
    node.paid += cost;
  }
}

export function countUsage(restored: Restored, { counted }: RestoredNode, usage: Usage | undefined): void {
  restored.usage = addUsage(restored.usage, usage);
  counted.usage = addUsage(counted.usage, usage);
}

export const subtract = (sum: NanoUsd | null, counted: NanoUsd | null | undefined): NanoUsd | null =>
  sum === null ? null : Math.max(0, sum - (counted ?? 0));

/** Counts the total of a node that will not run again. */
export function bookResult(restored: Restored, node: RestoredNode, result: NodeResult): void {
  node.retried.clear();
  spend(restored, node, subtract(result.costNanoUsd, node.paid));
  countUsage(restored, node, result.usage);
}

/** Counts the end of a node that may run again: the cost of its finished items and rounds stays part of its next total. */
export function bookEnd(restored: Restored, node: RestoredNode, { costNanoUsd, usage }: Paid): void {
  node.retried.clear();
  spend(restored, node, subtract(costNanoUsd, node.paid));
  node.paid = keptCost(node.progress);
  if (usage !== undefined) countUsage(restored, node, subtractUsage(usage, usageOfProgress(node.progress)));
}

/** A failed call counts by itself only when its process died before it recorded the total that includes it. */
export function holdRetried(node: RestoredNode, event: Extract<RunEvent, { type: 'node-retried' }>): void {
  const { item = -1, costNanoUsd = 0, usage } = event;
  const before = node.retried.get(item);
  node.retried.set(item, {
    costNanoUsd: addMoney(before?.costNanoUsd ?? 0, costNanoUsd),
    usage: addUsage(before?.usage ?? NO_USAGE, usage),
  });
}

export function takeBooked(restored: Restored, { costNanoUsd, usage = NO_USAGE }: Paid): void {
  if (costNanoUsd === null) restored.priced = false;
  else restored.spent += costNanoUsd;
  restored.usage = addUsage(restored.usage, usage);
  const { booked } = restored;
  restored.booked = {
    costNanoUsd: booked.costNanoUsd + (costNanoUsd ?? 0),
    usage: addUsage(booked.usage, usage),
  };
}

/** The process died here, so no later total includes the failed calls of what was running. */
export function bookRetried(restored: Restored): void {
  for (const node of restored.nodes.values()) {
    for (const { costNanoUsd, usage } of node.retried.values()) {
      if (costNanoUsd === null) restored.priced = false;
      else {
        restored.spent += costNanoUsd;
        node.counted.costNanoUsd += costNanoUsd;
      }
      countUsage(restored, node, usage);
    }
    node.retried.clear();
  }
}

export function keptCost({ items, rounds, loops }: TaskProgress): NanoUsd {
  let cost = 0;
  for (const result of items.values()) cost += result.costNanoUsd ?? 0;
  for (const [item, round] of rounds) if (!items.has(item)) cost += round.costNanoUsd ?? 0;
  for (const loop of loops.values()) cost += loop.costNanoUsd ?? 0;
  return cost;
}

export function usageOfProgress({ items, rounds, loops }: TaskProgress): Usage {
  let usage = NO_USAGE;
  for (const result of items.values()) usage = addUsage(usage, result.usage);
  for (const [item, round] of rounds) if (!items.has(item)) usage = addUsage(usage, round.usage);
  for (const loop of loops.values()) usage = addUsage(usage, loop.usage);
  return usage;
}
