/** The state of one run, shared by the rules. Nothing in it depends on what drives the run. */

import type { Runtime } from '../../core/clock.ts';
import type { PolyphonyError } from '../../core/errors.ts';
import type { Scope, Usage } from '../../core/model/model.ts';
import type { NanoUsd } from '../../core/money/money.ts';
import type { Approval } from '../../core/plan/approval.ts';
import type { PlanBounds, ValidPlan } from '../../core/plan/plan.ts';
import type { PlanRepair } from '../../core/plan/validation.ts';
import type { RunResult } from '../../core/run/engine.ts';
import type { CountedCall, RunLimits } from '../../core/run/run-limits.ts';
import type { ValueBounds } from '../../core/run/value-bounds.ts';
import type { RunJournal } from '../../core/stores.ts';
import type { Rendering } from '../../language/template.ts';
import type { WrittenBytes } from '../records/written.ts';
import type { Driver } from './driver.ts';
import type { ReadyQueue } from './ready-queue.ts';
import type { Recorder } from './recorder.ts';
import type { Task } from './task.ts';
import type { UndoState } from './undo.ts';
import type { RunValues } from './values.ts';

/** What an engine provides to each of its runs. */
export interface RunHost {
  readonly runtime: Runtime;
  readonly journal: RunJournal;
  /** How large values may become, for runs that begin. @default VALUE_BOUNDS */
  readonly valueBounds?: (() => ValueBounds) | undefined;
  /** What the operator allows a run that begins. @default RUN_LIMITS */
  readonly runLimits?: (() => RunLimits) | undefined;
}

/** Calls of models, and of the planner's model. */
export type Calls = Record<CountedCall, number>;

/** Shared by a run and those nested in it. */
export interface Counted extends Calls {
  readonly limits: RunLimits;
  /** Nested runs whose calls are counted. */
  readonly nested: Set<string>;
}

/** Money of a run; `cap` is undefined when nothing limits it. */
export interface Money {
  cap: NanoUsd | undefined;
  spent: NanoUsd;
  /** False as soon as one cost is unknown. */
  priced: boolean;
  reserved: NanoUsd;
  warned: boolean;
  usage: Usage;
}

export type Stopping =
  | { readonly type: 'failed'; readonly error: PolyphonyError; readonly nodeId?: string }
  | {
      readonly type: 'cancelled';
      readonly reason: string;
      /** This process lets go of the run: it may be resumed, so nothing is undone. @default false */
      readonly isLeft?: boolean;
    };

/** What runs at the same time in a run and those nested in it: see unit/slots.ts. */
export interface Slots {
  readonly limit: number;
  taken: number;
  /** Who has something to start and no slot for it, the one that waits longest first. */
  readonly waiting: Set<SlotWaiter>;
}

/** A run, or one of several things that a call does. */
export interface SlotWaiter {
  readonly driver: Pick<Driver, 'wake'>;
}

export interface RunState {
  readonly host: RunHost;
  readonly driver: Driver;
  readonly runId: string;
  readonly scopes: readonly Scope[];
  /** Those of the run that it is nested in, if it has none of its own. */
  readonly tags: Readonly<Record<string, string>> | undefined;
  readonly session: string | undefined;
  readonly requestId: string | undefined;
  readonly level: number;
  /** What the plans that a model writes in it need, unless the config decides. */
  readonly approval: Approval | undefined;
  readonly bounds: PlanBounds;
  readonly input: Readonly<Record<string, unknown>>;
  readonly money: Money;
  /** Shared with the runs that are nested in it. */
  readonly values: RunValues;
  readonly writtenBytes: WrittenBytes;
  readonly counted: Counted;
  /** Shared with the runs that are nested in it. */
  readonly slots: Slots;
  /** The run that this one, or one around it, was forked from: its own counterpart there. */
  readonly forkOf: string | undefined;
  /** The node that this run is nested in. */
  readonly within: { readonly run: RunState; readonly task: Task } | undefined;
  readonly queue: ReadyQueue<Task>;
  recorder: Recorder;
  plan: ValidPlan;
  /** What was changed in the plans of the run as they were given. */
  repaired: readonly PlanRepair[];
  tasks: Map<string, Task>;
  /** Ready nodes that wait for siblings to settle their money. */
  waitingForBudget: Task[];
  /** Units taken by the driver and not settled. */
  active: number;
  /** Units of these that wait for what is outside the run, and may take no other's place meanwhile. */
  standingBy: number;
  /** Nodes that have not ended. */
  alive: number;
  stopping: Stopping | undefined;
  /** The first failure of a run that goes on to its end before it fails (`failFast: false`). */
  failure: Stopping | undefined;
  /** Why nothing more can be recorded. */
  unrecorded: PolyphonyError | undefined;
  /** Somebody has cancelled, or the store is lost: the end of the run does not wait for the store. */
  mayLeave: boolean;
  /** The wait for the store is bounded already. */
  leaving: boolean;
  /** Settles the run with the end that is recorded but not committed. */
  closing: (() => void) | undefined;
  /** The output while its expressions are worked out, part by part. */
  output: Rendering | undefined;
  revision: Revision | undefined;
  readonly undo: UndoState;
  /** Set until the plan is whole. */
  streamingPlan: StreamingPlan | undefined;
  revisions: number;
  /** When its first record was made, in epoch milliseconds: the same in every process that goes on with it. */
  begunAt: number;
  /** Monotonic milliseconds; the time of earlier processes is in `activeMs`. */
  startedAt: number;
  activeMs: number;
  /** The part of `activeMs` before the plan was whole: its own limit in seconds begins then. */
  plannedMs: number;
  /** Set when the run is over in this process. */
  result: RunResult | undefined;
}

/** A replan in progress: nothing starts until it is applied. */
export interface Revision {
  readonly reason: string;
  /** The planner has not answered yet. */
  asking: boolean;
  plan: ValidPlan | undefined;
  /** Nodes of the plan that have the result of another one. */
  kept: Readonly<Record<string, string>> | undefined;
}

/** A plan that is being written: which of its nodes run already, and the whole plan once it is there. */
export interface StreamingPlan {
  /** The caller's cap; the plan's own budget may be lower. */
  readonly capNanoUsd: NanoUsd | undefined;
  /** Nodes that may run before the plan is whole. */
  readonly startable: Set<string>;
  /** Nodes that an earlier process started. */
  readonly started: ReadonlySet<string>;
  /** Failed nodes whose effect the whole plan decides. */
  readonly failed: Set<Task>;
  whole: ValidPlan | undefined;
  /** Nodes that the whole plan changes or drops. */
  changed: readonly Task[];
  /** Changed nodes that have not stopped yet. */
  readonly dropped: Set<Task>;
  isMerged: boolean;
  /** The whole plan comes from the plan cache. */
  isCached: boolean;
}
