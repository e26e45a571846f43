/** A run as its journal tells of it. */

import type { ErrorRecord } from '../../core/errors.ts';
import type { NanoUsd } from '../../core/money/money.ts';
import type { Usage } from '../../core/money/usage.ts';
import type { Plan, PlanNode } from '../../core/plan/plan.ts';
import type { PlanRepair } from '../../core/plan/validation.ts';
import type { NodeEnding, NodeResult, Paid, RunEvent, RunStatus, UndoneNode } from '../../core/run/engine.ts';
import type { LargeValues } from '../records/large-values.ts';
import type { Calls, Stopping } from '../state/run-state.ts';
import type { TaskProgress } from '../state/task.ts';
import type { UndoEntry } from '../state/undo.ts';

export type RunStarted = Extract<RunEvent, { type: 'run-started' }>;

export interface RestoredNode {
  ending: NodeEnding | undefined;
  result: NodeResult | undefined;
  error: ErrorRecord | undefined;
  failures: number;
  /** Started and, as far as is known, neither failed nor abandoned: its idempotency key is in use. */
  started: boolean;
  /** What the process that drives the run, or drove it last, had it do; `cancelled` when the run stopped it, so a resume runs it. */
  phase: 'waiting' | 'running' | 'cancelled';
  /** It failed while the plan was being written: the failure is counted, its effect is not decided yet. */
  isHeld: boolean;
  readonly progress: TaskProgress;
  /** The part of its next recorded total that is already counted. */
  paid: NanoUsd;
  /** What the run has counted of it, whichever state it had. */
  readonly counted: Counted;
  /** Failed calls by item, which the next recorded total of the item, its round or the node will include. */
  readonly retried: Map<number, Paid>;
}

/** Cost whose amount is known, and usage. */
export interface Counted {
  costNanoUsd: NanoUsd;
  usage: Usage;
}

export interface Restored {
  readonly started: RunStarted;
  plan: Plan;
  /** What was changed in the plans of the run as they were given. */
  repaired: readonly PlanRepair[];
  /** The plan was never whole: `plan` holds the nodes that were recorded. */
  hasPartialPlan: boolean;
  capNanoUsd: NanoUsd | undefined;
  revisions: number;
  /** Nodes that finished after the last revision. */
  readonly unheeded: Set<string>;
  readonly nodes: Map<string, RestoredNode>;
  /** What was counted of every node that the run ever had, by its id. */
  readonly counted: Map<string, Counted>;
  nextSeq: number;
  status: RunStatus;
  /** Milliseconds in which a process drove it. */
  activeMs: number;
  /** The part of `activeMs` before the plan was whole. */
  plannedMs: number;
  /** Epoch milliseconds of the last event of a process that drove it, and of the start of its last active period. */
  lastAt: number;
  stretchAt: number;
  spent: NanoUsd;
  priced: boolean;
  usage: Usage;
  /** Calls of models that its records tell of. */
  calls: Calls;
  /** The part of what was spent and used that was booked for processes that died. */
  booked: Readonly<Counted>;
  readonly undo: RestoredUndo;
  output: unknown;
  error: ErrorRecord | undefined;
  /** What the journal holds, for those who write to it. */
  readonly values: LargeValues;
  /** Bytes of the journal; 0 for those who only look. */
  writtenBytes: number;
}

export interface RestoredUndo {
  /** Nodes that say how they are undone, by id. */
  nodes: ReadonlyMap<string, PlanNode>;
  /** What finished and is not undone, in order. */
  left: UndoEntry[];
  /** What could not be undone: its effects stand. */
  failed: UndoEntry[];
  undone: UndoneNode[];
  /** Undoing began, and this is why. */
  stopping: Stopping | undefined;
}
