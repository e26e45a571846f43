/**
 * Restores the state of a run from its journal. A node that ended stays ended and paid; one that was started and did not
 * end runs again, without the items and rounds that it finished.
 */

import { PolyphonyError } from '../../core/errors.ts';
import { jsonSize } from '../../core/json/json-size.ts';
import { addUsage, NO_USAGE } from '../../core/money/usage.ts';
import type { Paid, RunEvent } from '../../core/run/engine.ts';
import { eventReader } from '../../core/run/full-events.ts';
import type { RunJournal } from '../../core/stores.ts';
import { createLargeValues } from '../records/large-values.ts';
import { learnRecord } from '../records/written.ts';
import { isSameNode } from '../state/task.ts';
import type { Restored, RestoredNode, RunStarted } from './restored.ts';
import { createCallCounter } from './restored-calls.ts';
import { bookRetried, countUsage, keptCost, takeBooked, usageOfProgress } from './restored-money.ts';
import { emptyNode, freshNode, takeOfNode } from './restored-nodes.ts';
import { forgetUndoing, noUndo, takeUndone, takeUndoStarted, undoNodesOf } from './restored-undo.ts';

/** `look`: nothing will be written, so what is there is not weighed. */
export type Purpose = 'continue' | 'look';

/** Undefined when the journal does not know the run. Throws store-corrupt for references that lead nowhere. */
export async function restore(
  recorded: AsyncIterable<RunEvent>,
  purpose: Purpose = 'continue',
): Promise<Restored | undefined> {
  let restored: Restored | undefined;
  const full = eventReader();
  const counter = createCallCounter();
  for await (const record of recorded) {
    const event = full(record);
    counter.take(event);
    const isDouble = restored !== undefined && event.seq < restored.nextSeq;
    if (restored === undefined) restored = event.type === 'run-started' ? begin(event) : undefined;
    else take(restored, event);
    if (restored === undefined || purpose === 'look') continue;
    // Nothing new refers to a number that two events have.
    restored.writtenBytes += isDouble ? jsonSize(record).bytes : learnRecord(restored.values, record);
  }
  if (restored === undefined) return undefined;
  restored.activeMs += restored.lastAt - restored.stretchAt;
  restored.calls = counter.total();
  bookRetried(restored);
  for (const node of restored.nodes.values()) {
    if (node.ending === undefined) countUsage(restored, node, usageOfProgress(node.progress));
  }
  return restored;
}

/** @throws not-found when the journal does not know the run */
export async function knownRun(journal: RunJournal, runId: string, purpose?: Purpose): Promise<Restored> {
  const restored = await restore(journal.read(runId), purpose);
  if (restored !== undefined) return restored;
  throw new PolyphonyError('not-found', `The journal has no run ${runId}: list the runs to find the right id.`);
}

function begin(started: RunStarted): Restored {
  return {
    started,
    plan: started.request === undefined ? started.plan : { ...started.plan, nodes: [...started.plan.nodes] },
    repaired: started.repaired ?? [],
    hasPartialPlan: started.request !== undefined,
    capNanoUsd: started.capNanoUsd,
    revisions: 0,
    unheeded: new Set(),
    nodes: new Map(),
    counted: new Map(),
    nextSeq: started.seq + 1,
    status: 'running',
    activeMs: 0,
    plannedMs: 0,
    lastAt: started.at,
    stretchAt: started.at,
    spent: started.paid?.costNanoUsd ?? 0,
    priced: started.paid?.costNanoUsd !== null,
    usage: started.paid?.usage ?? NO_USAGE,
    calls: { calls: 0, plannerCalls: 0 },
    booked: { costNanoUsd: 0, usage: NO_USAGE },
    undo: noUndo(started.plan),
    output: undefined,
    error: undefined,
    values: createLargeValues(),
    writtenBytes: 0,
  };
}

function take(restored: Restored, event: RunEvent): void {
  if (event.type === 'run-resumed') {
    bookRetried(restored);
    restored.activeMs += restored.lastAt - restored.stretchAt;
    restored.stretchAt = event.at;
  }
  // Two writers of an earlier release may have written in turns.
  restored.nextSeq = Math.max(restored.nextSeq, event.seq + 1);
  // An answer may come long after the last process stopped, so it does not extend the active time.
  if (event.type !== 'answer') restored.lastAt = event.at;
  if (event.type === 'node-undone') {
    takeUndone(restored, event);
    takePaid(restored, event);
  } else if ('nodeId' in event && event.type !== 'run-failed' && event.nodeId !== undefined) {
    takeOfNode(restored, nodeOf(restored, event.nodeId), event);
  } else takeOfRun(restored, event);
}

function nodeOf({ nodes, counted }: Restored, id: string): RestoredNode {
  const known = nodes.get(id);
  if (known !== undefined) return known;
  const before = counted.get(id) ?? { costNanoUsd: 0, usage: NO_USAGE };
  counted.set(id, before);
  const node = emptyNode(before);
  nodes.set(id, node);
  return node;
}

function takeOfRun(restored: Restored, event: RunEvent): void {
  switch (event.type) {
    case 'plan-delta':
      restored.plan = { ...restored.plan, nodes: [...restored.plan.nodes, ...event.nodes] };
      restored.undo.nodes = undoNodesOf(restored.plan);
      return;
    case 'plan-answered':
      takePaid(restored, event);
      return;
    case 'undo-started':
      takeUndoStarted(restored, event);
      return;
    case 'plan-revised':
      revise(restored, event);
      return;
    case 'run-resumed':
      restored.status = 'running';
      restored.error = undefined;
      for (const node of restored.nodes.values()) node.phase = 'waiting';
      if (event.again !== undefined) runAgain(restored, event.again);
      if (event.booked !== undefined) takeBooked(restored, event.booked);
      return;
    case 'run-suspended':
      restored.status = 'suspended';
      return;
    case 'run-finished':
      restored.status = 'done';
      settleTime(restored, event);
      restored.output = event.output;
      return;
    case 'run-failed':
      restored.status = 'failed';
      settleTime(restored, event);
      restored.error = event.error;
      return;
    case 'run-cancelled':
      restored.status = 'cancelled';
      settleTime(restored, event);
      return;
    default:
  }
}

function takePaid(restored: Restored, { costNanoUsd, usage }: Paid): void {
  if (costNanoUsd === null) restored.priced = false;
  else restored.spent += costNanoUsd;
  restored.usage = addUsage(restored.usage, usage);
}

/** After the run was undone: nodes lose their results, an `each` only those of the items that were undone. */
export function runAgain(restored: Restored, again: readonly string[]): void {
  const { failed } = restored.undo;
  for (const id of again) {
    const node = restored.nodes.get(id);
    if (node === undefined) continue;
    const fresh = freshNode(node);
    for (const { item } of failed.filter((entry) => entry.node.id === id)) {
      const kept = node.progress.items.get(item);
      if (kept !== undefined) fresh.progress.items.set(item, kept);
    }
    fresh.paid = keptCost(fresh.progress);
    restored.nodes.set(id, fresh);
  }
  forgetUndoing(restored);
}

/** The final event carries the active time itself, because it may be written long after the last process died. */
function settleTime(restored: Restored, { ms, at }: { readonly ms: number; readonly at: number }): void {
  restored.activeMs = ms;
  restored.stretchAt = at;
}

function revise(restored: Restored, event: Extract<RunEvent, { type: 'plan-revised' }>): void {
  const { plan, again = [], kept = {}, capNanoUsd = restored.capNanoUsd } = event;
  const known = new Map(restored.nodes);
  const before = new Map(restored.plan.nodes.map((node) => [node.id, node]));
  const after = new Map(plan.nodes.map((node) => [node.id, node]));
  for (const [id, node] of [...restored.nodes]) {
    const [old, revised] = [before.get(id), after.get(id)];
    if (old !== undefined && isSameNode(old, revised) && !again.includes(id)) continue;
    if (revised !== undefined && Object.hasOwn(kept, id) && kept[id] === id) continue;
    if (node.ending === undefined) countUsage(restored, node, usageOfProgress(node.progress));
    if (revised === undefined) restored.nodes.delete(id);
    else restored.nodes.set(id, freshNode(node));
  }
  for (const [id, from] of Object.entries(kept)) {
    const node = known.get(from);
    if (node !== undefined && id !== from && after.has(id)) restored.nodes.set(id, node);
  }
  restored.plan = plan;
  restored.undo.nodes = undoNodesOf(plan);
  if (event.repaired !== undefined) restored.repaired = [...restored.repaired, ...event.repaired];
  restored.capNanoUsd = capNanoUsd;
  if (restored.hasPartialPlan) restored.plannedMs = restored.activeMs + event.at - restored.stretchAt;
  else {
    restored.revisions += 1;
    restored.unheeded.clear();
  }
  restored.hasPartialPlan = false;
}
