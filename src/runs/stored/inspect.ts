/** The result of a run, read from its journal without running anything. */
import { defined } from '../../core/defined.ts';
import type {
  HumanQuestion,
  NodeReport,
  NodeState,
  RunResult,
  RunStatus,
  WaitingQuestion,
} from '../../core/run/engine.ts';
import type { Restored, RestoredNode } from '../journal/restored.ts';
import { openQuestions } from '../state/task.ts';

/** @param asked what it asks, with the questions of nested runs */
export function inspectRun(restored: Restored, asked: readonly WaitingQuestion[] = []): RunResult {
  const { started, plan, status, output, error, usage, spent, priced, activeMs, repaired, undo } = restored;
  const waiting = status === 'suspended' || asked.length > 0 ? { waiting: asked } : {};
  return {
    runId: started.runId,
    status,
    ...(status === 'done' ? { output } : {}),
    ...defined({ error }),
    usage,
    costNanoUsd: priced ? spent : null,
    ms: activeMs,
    ...(repaired.length === 0 ? {} : { repaired }),
    nodes: plan.nodes.map(({ id }) => reportOf(id, restored.nodes.get(id), status)),
    ...(undo.undone.length === 0 ? {} : { undone: undo.undone }),
    ...waiting,
  };
}

/** Unanswered questions by item, in the order in which they were asked. */
export function questionsOf({ ending, progress }: RestoredNode): [number, HumanQuestion][] {
  return ending === undefined ? openQuestions(progress) : [];
}

function reportOf(id: string, node: RestoredNode | undefined, status: RunStatus): NodeReport {
  if (node === undefined) return { id, state: 'waiting' };
  const { result, error } = node;
  return {
    id,
    state: stateOf(node, status),
    ...(result === undefined ? {} : { output: result.output, meta: result.meta }),
    ...defined({ error }),
  };
}

function stateOf(node: RestoredNode, status: RunStatus): NodeState {
  const { ending, error, phase } = node;
  if (ending !== undefined) return ending === 'handled' ? 'failed' : ending;
  if (questionsOf(node).length > 0) return 'suspended';
  if (error !== undefined) return 'failed';
  // Nothing runs in a run that has ended: an engine that left the node between two of its items recorded no end of it.
  return phase === 'running' && (status === 'failed' || status === 'cancelled') ? 'waiting' : phase;
}
