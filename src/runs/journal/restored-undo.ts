/** What a journal says of undoing: what would have to be undone, what was, and what runs again after that. */
import { type ErrorRecord, PolyphonyError } from '../../core/errors.ts';
import type { Plan, PlanNode, ValidPlan } from '../../core/plan/plan.ts';
import type { RunEvent } from '../../core/run/engine.ts';
import { idempotencyKey } from '../state/task.ts';
import { isSamePlace } from '../state/undo.ts';
import type { Restored, RestoredNode, RestoredUndo } from './restored.ts';

export const noUndo = (plan: Plan): RestoredUndo => ({
  nodes: undoNodesOf(plan),
  left: [],
  failed: [],
  undone: [],
  stopping: undefined,
});

const NONE: ReadonlyMap<string, PlanNode> = new Map();

export function undoNodesOf({ nodes }: Plan): ReadonlyMap<string, PlanNode> {
  const found = nodes.filter(({ undo }) => undo !== undefined);
  return found.length === 0 ? NONE : new Map(found.map((node) => [node.id, node]));
}

/** A node that the run did not start itself was taken over by a fork: the first run owns its effects. */
export function takeUndoable(
  restored: Restored,
  known: RestoredNode,
  event: Extract<RunEvent, { type: 'item-finished' | 'node-finished' }>,
): void {
  const { nodeId, item = -1, result } = event;
  const node = restored.undo.nodes.get(nodeId);
  if (node === undefined || !known.started) return;
  if (node.each !== undefined && (item === -1 || ('error' in event && event.error !== undefined))) return;
  const { runId } = restored.started;
  const key = idempotencyKey(runId, { id: nodeId, failures: known.failures }, item);
  restored.undo.left.push({ node, item, output: result.output, idempotencyKey: key });
}

export function takeUndoStarted({ undo }: Restored, event: Extract<RunEvent, { type: 'undo-started' }>): void {
  const { error, failed, reason } = event;
  undo.stopping =
    error === undefined
      ? { type: 'cancelled', reason }
      : { type: 'failed', error: errorOf(error), ...(failed === undefined ? {} : { nodeId: failed }) };
}

const errorOf = (error: ErrorRecord): PolyphonyError => new PolyphonyError(error.code, error.message, error);

export function takeUndone({ undo }: Restored, event: Extract<RunEvent, { type: 'node-undone' }>): void {
  const { nodeId, item, use, error } = event;
  undo.undone.push({
    nodeId,
    use,
    ...(item === undefined ? {} : { item }),
    ...(error === undefined ? {} : { error }),
  });
  const at = undo.left.findLastIndex((entry) => isSamePlace(entry, nodeId, item));
  const [entry] = at === -1 ? [] : undo.left.splice(at, 1);
  if (entry !== undefined && error !== undefined) undo.failed.unshift(entry);
}

/** The run has ended with undoing, and goes on: what could not be undone stands, and may have to be undone again. */
export function forgetUndoing({ undo }: Restored): void {
  undo.left = [...undo.left, ...undo.failed];
  undo.failed = [];
  undo.undone = [];
  undo.stopping = undefined;
}

/** Nodes whose effects are gone, with all that depend on them: they run again when the run goes on. */
export function nodesToRunAgain({ undo }: Restored, { nodes }: ValidPlan): readonly string[] {
  const again = new Set(undo.undone.flatMap(({ nodeId, error }) => (error === undefined ? [nodeId] : [])));
  if (again.size === 0) return [];
  for (const { node, dependencies } of nodes) if (dependencies.some((id) => again.has(id))) again.add(node.id);
  return nodes.flatMap(({ node }) => (again.has(node.id) ? [node.id] : []));
}
