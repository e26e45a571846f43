/**
 * From a journal to where its run stands. A node that ended stays ended and paid; one that was started and did not end
 * runs again, without the items and rounds that it finished.
 */
import type { NodeResult, Paid, RunEvent, RunStatus } from '../core/engine.ts';
import { type ErrorRecord, PolyphonyError } from '../core/errors.ts';
import type { Usage } from '../core/model.ts';
import type { NanoUsd } from '../core/money.ts';
import type { Plan } from '../core/plan.ts';
import type { Ending } from '../core/schedule.ts';
import type { RunJournal } from '../core/stores.ts';
import { addUsage, NO_USAGE } from './charge.ts';
import { DEPENDENCY_FAILED, NOT_NEEDED } from './reasons.ts';
import { bookEnd, bookResult, bookRetried, holdRetried, spend, subtract, usageOf } from './restored-money.ts';
import { isSameNode } from './revision.ts';
import { noProgress, type Progress } from './task.ts';

export type RunStarted = Extract<RunEvent, { type: 'run-started' }>;

export interface RestoredNode {
  ending: Ending | undefined;
  result: NodeResult | undefined;
  error: ErrorRecord | undefined;
  failures: number;
  started: boolean;
  readonly progress: Progress;
  /** Counted so far of what its next end will tell as a sum. */
  paid: NanoUsd;
  /** Failed calls by item that the next end of the item, of its round or of the node will tell in its sum. */
  readonly retried: Map<number, Paid>;
}

export interface Restored {
  readonly started: RunStarted;
  plan: Plan;
  revisions: number;
  readonly nodes: Map<string, RestoredNode>;
  nextSeq: number;
  status: RunStatus;
  /** Milliseconds in which a process drove it. */
  activeMs: number;
  /** Epoch milliseconds of the last event of a process that drove it, and of the start of its last stretch. */
  lastAt: number;
  stretchAt: number;
  spent: NanoUsd;
  priced: boolean;
  usage: Usage;
  output: unknown;
  error: ErrorRecord | undefined;
}

/** Undefined when the journal does not know the run. */
export async function restore(events: AsyncIterable<RunEvent>): Promise<Restored | undefined> {
  let restored: Restored | undefined;
  for await (const event of events) {
    if (restored === undefined) restored = event.type === 'run-started' ? begin(event) : undefined;
    else take(restored, event);
  }
  if (restored === undefined) return undefined;
  restored.activeMs += restored.lastAt - restored.stretchAt;
  bookRetried(restored);
  for (const node of restored.nodes.values()) {
    if (node.ending === undefined) restored.usage = addUsage(restored.usage, usageOf(node.progress));
  }
  return restored;
}

/** @throws not-found when the journal does not know the run */
export async function knownRun(journal: RunJournal, runId: string): Promise<Restored> {
  const restored = await restore(journal.read(runId));
  if (restored !== undefined) return restored;
  throw new PolyphonyError('not-found', `The journal has no run ${runId}: list the runs to see which there are.`);
}

function begin(started: RunStarted): Restored {
  return {
    started,
    plan: started.plan,
    revisions: 0,
    nodes: new Map(),
    nextSeq: started.seq + 1,
    status: 'running',
    activeMs: 0,
    lastAt: started.at,
    stretchAt: started.at,
    spent: started.spentNanoUsd ?? 0,
    priced: true,
    usage: NO_USAGE,
    output: undefined,
    error: undefined,
  };
}

function take(restored: Restored, event: RunEvent): void {
  if (event.type === 'run-resumed') {
    bookRetried(restored);
    restored.activeMs += restored.lastAt - restored.stretchAt;
    restored.stretchAt = event.at;
  }
  restored.nextSeq = event.seq + 1;
  // People answer when they like: until somebody goes on, nobody drives the run.
  if (event.type !== 'answer') restored.lastAt = event.at;
  if ('nodeId' in event && event.type !== 'run-failed' && event.nodeId !== undefined) {
    takeOfNode(restored, nodeOf(restored, event.nodeId), event);
  } else takeOfRun(restored, event);
}

function nodeOf({ nodes }: Restored, id: string): RestoredNode {
  const known = nodes.get(id);
  if (known !== undefined) return known;
  const node: RestoredNode = {
    ending: undefined,
    result: undefined,
    error: undefined,
    failures: 0,
    started: false,
    progress: noProgress(),
    paid: 0,
    retried: new Map(),
  };
  nodes.set(id, node);
  return node;
}

function takeOfRun(restored: Restored, event: RunEvent): void {
  switch (event.type) {
    case 'plan-revised':
      revise(restored, event.plan);
      return;
    case 'run-resumed':
      restored.status = 'running';
      restored.error = undefined;
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

/** The end tells the time itself, and may be written long after the last process died. */
function settleTime(restored: Restored, { ms, at }: { readonly ms: number; readonly at: number }): void {
  restored.activeMs = ms;
  restored.stretchAt = at;
}

function revise(restored: Restored, plan: Plan): void {
  const before = new Map(restored.plan.nodes.map((node) => [node.id, node]));
  const after = new Map(plan.nodes.map((node) => [node.id, node]));
  for (const [id, node] of [...restored.nodes]) {
    const [old, revised] = [before.get(id), after.get(id)];
    if (old !== undefined && revised !== undefined && isSameNode(old, revised)) continue;
    if (revised === undefined) restored.nodes.delete(id);
    else restored.nodes.set(id, { ...node, ending: undefined, result: undefined, progress: noProgress(), paid: 0 });
  }
  restored.plan = plan;
  restored.revisions += 1;
}

function takeOfNode(restored: Restored, node: RestoredNode, event: RunEvent): void {
  switch (event.type) {
    case 'node-started':
      node.started = true;
      return;
    case 'node-retried':
      holdRetried(node, event);
      return;
    case 'item-finished':
      node.retried.delete(event.item ?? -1);
      spend(
        restored,
        node,
        subtract(event.result.costNanoUsd, node.progress.rounds.get(event.item ?? -1)?.costNanoUsd),
      );
      node.progress.items.set(event.item ?? -1, event.result);
      return;
    case 'round-finished':
      takeRound(restored, node, event);
      return;
    case 'node-finished':
      finish(restored, node, 'done', event.result);
      return;
    case 'node-skipped':
      node.ending = 'skipped';
      return;
    case 'node-failed':
      takeFailure(restored, node, event);
      return;
    case 'node-cancelled':
      bookEnd(restored, node, event);
      if (event.reason === NOT_NEEDED || event.reason === DEPENDENCY_FAILED) node.ending = 'cancelled';
      return;
    case 'node-suspended':
      node.progress.questions.set(event.item ?? -1, event.question);
      node.progress.answers.delete(event.item ?? -1);
      return;
    case 'answer':
      node.progress.answers.set(event.item ?? -1, event.answer);
      return;
    default:
  }
}

function takeRound(restored: Restored, node: RestoredNode, event: Extract<RunEvent, { type: 'round-finished' }>): void {
  const { item = -1, round = 1, result } = event;
  const before = node.progress.rounds.get(item);
  node.retried.delete(item);
  const cost = result.costNanoUsd;
  const costNanoUsd = cost === null || before?.costNanoUsd === null ? null : cost + (before?.costNanoUsd ?? 0);
  const usage = addUsage(before?.usage ?? NO_USAGE, result.usage);
  node.progress.rounds.set(item, { round, result, costNanoUsd, usage });
  spend(restored, node, cost);
}

function takeFailure(restored: Restored, node: RestoredNode, event: Extract<RunEvent, { type: 'node-failed' }>): void {
  node.error = event.error;
  if (event.handled === 'skip' || event.handled === 'value') {
    const meta = { costUsd: null, ms: 0, warnings: [] };
    finish(restored, node, 'handled', event.result ?? { output: null, meta, costNanoUsd: event.costNanoUsd });
    return;
  }
  bookEnd(restored, node, event);
  if (event.handled === 'wait') node.ending = 'failed';
  else node.failures += 1;
}

function finish(restored: Restored, node: RestoredNode, ending: Ending, result: NodeResult): void {
  bookResult(restored, node, result);
  node.ending = ending;
  node.result = result;
  if (ending === 'done') node.error = undefined;
}
