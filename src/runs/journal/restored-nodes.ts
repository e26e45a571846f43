/** What the events of a node leave of it: results, progress, failures and what was paid. */
import { addMoney } from '../../core/money/money.ts';
import { addUsage, NO_USAGE } from '../../core/money/usage.ts';
import type { NodeEnding, NodeResult, RunEvent } from '../../core/run/engine.ts';
import { DEPENDENCY_FAILED, keepApproved, NOT_NEEDED, noProgress } from '../state/task.ts';
import type { Counted, Restored, RestoredNode } from './restored.ts';
import { takeLoopAnswer, takeToolCall } from './restored-loops.ts';
import { bookEnd, bookResult, holdRetried, spend, subtract } from './restored-money.ts';
import { takeUndoable } from './restored-undo.ts';

export const emptyNode = (counted: Counted): RestoredNode => ({
  ending: undefined,
  result: undefined,
  error: undefined,
  failures: 0,
  started: false,
  phase: 'waiting',
  isHeld: false,
  progress: noProgress(),
  paid: 0,
  counted,
  retried: new Map(),
});

/** A fresh state under another key, so that the ledger keeps both runs of the node apart. */
export function freshNode(node: RestoredNode): RestoredNode {
  const failures = node.failures + (node.started ? 1 : 0);
  return { ...emptyNode(node.counted), failures };
}

export function takeOfNode(restored: Restored, node: RestoredNode, event: RunEvent): void {
  switch (event.type) {
    case 'node-started':
      node.started = true;
      node.phase = 'running';
      return;
    case 'node-retried':
      holdRetried(node, event);
      return;
    case 'model-answered':
      takeLoopAnswer(node.progress, event);
      spend(restored, node, event.costNanoUsd);
      return;
    case 'tool-call':
      takeToolCall(node.progress, event);
      spend(restored, node, event.costNanoUsd);
      return;
    case 'item-finished':
      takeItem(restored, node, event);
      takeUndoable(restored, node, event);
      return;
    case 'round-finished':
      takeRound(restored, node, event);
      return;
    case 'node-finished':
      finish(restored, node, 'done', event.result);
      restored.unheeded.add(event.nodeId);
      takeUndoable(restored, node, event);
      return;
    case 'node-skipped':
      node.ending = 'skipped';
      return;
    case 'node-failed':
      takeFailure(restored, node, event);
      return;
    case 'node-cancelled':
      bookEnd(restored, node, event);
      node.phase = 'cancelled';
      if (event.reason === NOT_NEEDED || event.reason === DEPENDENCY_FAILED) node.ending = 'cancelled';
      return;
    case 'node-suspended':
      node.progress.questions.set(event.item ?? -1, event.question);
      keepApproved(node.progress, event.item ?? -1, event.question);
      if (event.question.origin === undefined) node.progress.deadline ??= event.question.deadline;
      node.progress.answers.delete(event.item ?? -1);
      return;
    case 'answer':
      node.progress.answers.set(event.item ?? -1, event.answer);
      return;
    default:
  }
}

function takeItem(restored: Restored, node: RestoredNode, event: Extract<RunEvent, { type: 'item-finished' }>): void {
  const { item = -1, result } = event;
  const { items, rounds, loops } = node.progress;
  node.retried.delete(item);
  const counted = addMoney(rounds.get(item)?.costNanoUsd ?? 0, loops.get(item)?.costNanoUsd ?? 0);
  spend(restored, node, subtract(result.costNanoUsd, counted));
  loops.delete(item);
  items.set(item, result);
}

function takeRound(restored: Restored, node: RestoredNode, event: Extract<RunEvent, { type: 'round-finished' }>): void {
  const { item = -1, round = 1, result } = event;
  const before = node.progress.rounds.get(item);
  node.retried.delete(item);
  const cost = result.costNanoUsd;
  const costNanoUsd = cost === null || before?.costNanoUsd === null ? null : cost + (before?.costNanoUsd ?? 0);
  const usage = addUsage(before?.usage ?? NO_USAGE, result.usage);
  const { rounds, loops } = node.progress;
  rounds.set(item, { round, result, costNanoUsd, usage });
  // The next round asks anew.
  node.progress.questions.delete(item);
  node.progress.answers.delete(item);
  spend(restored, node, subtract(cost, loops.get(item)?.costNanoUsd));
  loops.delete(item);
}

function takeFailure(restored: Restored, node: RestoredNode, event: Extract<RunEvent, { type: 'node-failed' }>): void {
  node.error = event.error;
  if (event.handled === 'skip' || event.handled === 'value' || event.handled === 'keep') {
    const meta = { costUsd: null, ms: 0, warnings: [] };
    finish(restored, node, 'handled', event.result ?? { output: null, meta, costNanoUsd: event.costNanoUsd });
    return;
  }
  if (!node.isHeld) bookEnd(restored, node, event);
  if (event.handled === 'wait') node.ending = 'failed';
  else if (!node.isHeld) {
    node.failures += 1;
    node.started = false;
    node.phase = 'waiting';
    askAnew(node);
  }
  node.isHeld = event.handled === 'plan';
}

/** Its time was up, or it may be: it has all of it again. */
function askAnew({ progress }: RestoredNode): void {
  const { questions, answers, deadline } = progress;
  if (deadline === undefined) return;
  progress.deadline = undefined;
  for (const item of questions.keys()) if (!answers.has(item)) questions.delete(item);
}

function finish(restored: Restored, node: RestoredNode, ending: NodeEnding, result: NodeResult): void {
  bookResult(restored, node, result);
  node.ending = ending;
  node.result = result;
  if (ending === 'done') node.error = undefined;
}
