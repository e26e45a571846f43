/** What a run has to undo when it fails or is cancelled, and what it has undone. */
import type { PlanNode } from '../../core/plan/plan.ts';
import type { UndoneNode } from '../../core/run/engine.ts';

/** A node, or an item of one, that finished and says how it is undone. */
export interface UndoEntry {
  /** As it ran: a later plan of the run may lack it. */
  readonly node: PlanNode;
  /** -1: the node itself. */
  readonly item: number;
  readonly output: unknown;
  /** Of the call that is undone. */
  readonly idempotencyKey: string;
}

export interface UndoState {
  /** In the order in which they finished: the last one is undone first. */
  readonly left: UndoEntry[];
  readonly undone: UndoneNode[];
  /** Its beginning is recorded: from then on a resume only goes on with undoing. */
  began: boolean;
  /** One at a time, because a later effect may rest on an earlier one. */
  current: UndoEntry | undefined;
  /** Monotonic: the first call of this process. */
  since: number | undefined;
  /** What each node with `each` ran over, made when its first item is undone. */
  readonly lists: Map<PlanNode, readonly unknown[]>;
}

export const newUndoState = (left: readonly UndoEntry[] = [], undone: readonly UndoneNode[] = []): UndoState => ({
  left: [...left],
  undone: [...undone],
  began: false,
  current: undefined,
  since: undefined,
  lists: new Map(),
});

/** The step that undoes the node, and the inputs that the plan gives it; undefined: what the node took and gave. */
export function undoOf({ undo }: PlanNode): { readonly use: string; readonly in?: PlanNode['in'] } | undefined {
  return typeof undo === 'string' ? { use: undo } : undo;
}

export const placeOfEntry = ({ node, item }: UndoEntry): { nodeId: string; item?: number } =>
  item === -1 ? { nodeId: node.id } : { nodeId: node.id, item };

export const isSamePlace = (entry: UndoEntry, nodeId: string, item = -1): boolean =>
  entry.node.id === nodeId && entry.item === item;
