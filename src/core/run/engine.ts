/** The engine port: runs, their events and the runners of their nodes. */
import type { ErrorRecord } from '../errors.ts';
import type { Scope, Usage } from '../model/model.ts';
import type { NanoUsd } from '../money/money.ts';
import type { Approval } from '../plan/approval.ts';
import type { ValidPlan } from '../plan/plan.ts';
import type { PlanningResult } from '../plan/planner.ts';
import type { PlanRepair } from '../plan/validation.ts';
import type { NodeMeta, WaitingQuestion } from './node-call.ts';
import type { PaidForPlan, RunEvent, RunParent, UndoneNode } from './run-events.ts';

export type * from './node-call.ts';
export { SuspendRun } from './node-call.ts';
export type * from './run-events.ts';
export { TRANSIENT_EVENTS } from './run-events.ts';

/** `running`: a living process drives it. `interrupted`: its process is gone, and `resume` continues it. */
export type RunStatus = StoredStatus | 'interrupted';

/** What a journal says of a run. It cannot say that the process that drives the run is gone. */
export type StoredStatus = 'running' | 'suspended' | 'done' | 'failed' | 'cancelled';

// ---------------------------------------------------------------------------------------------------- runs

export interface RunSummary {
  readonly runId: string;
  readonly status: RunStatus;
  readonly goal: string;
  readonly startedAt: number;
  /** Epoch milliseconds of the last journalled event. */
  readonly updatedAt: number;
  readonly costNanoUsd: NanoUsd | null;
  readonly nodes: { readonly total: number; readonly finished: number };
}

/** Which runs are listed. */
export interface RunFilter {
  /** @default any */
  readonly status?: RunStatus;
  /** The most runs to return. @default all */
  readonly limit?: number;
  /** Includes runs that a node of another run started. @default false */
  readonly nested?: boolean;
}

export type NodeState = 'waiting' | 'ready' | 'running' | 'suspended' | 'done' | 'skipped' | 'failed' | 'cancelled';

export interface NodeReport {
  readonly id: string;
  readonly state: NodeState;
  readonly output?: unknown;
  readonly meta?: NodeMeta;
  readonly error?: ErrorRecord;
}

export interface RunResult {
  readonly runId: string;
  readonly status: RunStatus;
  /** The plan's output; undefined until the run is done. */
  readonly output?: unknown;
  readonly error?: ErrorRecord;
  readonly usage: Usage;
  readonly costNanoUsd: NanoUsd | null;
  readonly ms: number;
  /** What the validator changed in the plans that were run, in order. @default nothing */
  readonly repaired?: readonly PlanRepair[];
  readonly nodes: readonly NodeReport[];
  /** What was undone when the run failed or was cancelled, in that order. @default nothing */
  readonly undone?: readonly UndoneNode[];
  /**
   * What waits for an answer, a moment or an event: of a suspended run, or one that goes on meanwhile. Questions of nested runs
   * are among them.
   */
  readonly waiting?: readonly WaitingQuestion[];
}

export interface AnswerOptions {
  /** Index within `each` of the item that asks. @default the only one that does */
  readonly item?: number;
}

export interface EventOptions {
  /** Only this run, and those nested in it. @default every run of the store */
  readonly runId?: string;
  /**
   * How long runs that another process drives are waited for, in milliseconds, from 0 to 60000. A run whose process has died on another
   * host is free after ten seconds.
   *
   * @default 0: the event is refused for them at once
   */
  readonly waitMs?: number;
}

/** Where something waits, or waited, for an event. */
export interface EventPlace {
  /** The outermost run. */
  readonly runId: string;
  /** The id of the question in it, such as `paid` or `orders[2]/paid`. */
  readonly id: string;
}

/** What an event has come to. */
export interface EventReceipt {
  /** What has taken it. */
  readonly delivered: readonly EventPlace[];
  /** What waits on: the payload did not fit its schema (invalid-request), or another process drives the run (store-busy). */
  readonly refused: readonly (EventPlace & { readonly error: ErrorRecord })[];
}

export interface RequestOptions extends RunOptions {
  /**
   * Called with the complete plan, and waited for; nodes without side effects may already run, no others. An error or a
   * rejection fails the run.
   */
  readonly onPlan?: (planning: PlanningResult) => unknown;
  /** Nodes that cost something may start before the plan is whole. @default true */
  readonly startsPaid?: boolean;
  /** `onPlan` decides about the plan, so side effects are allowed unless somebody says otherwise. @default there is an `onPlan` */
  readonly hasGate?: boolean;
  /** Plans anew, whatever the plan cache holds. @default false */
  readonly fresh?: boolean;
}

export interface RunOptions {
  readonly input?: Readonly<Record<string, unknown>>;
  /** @default a new id */
  readonly runId?: string;
  readonly signal?: AbortSignal;
  /** Nodes that run at the same time, in the run and all runs nested in it. @default 64 */
  readonly concurrency?: number;
  /** A cap on the run in US dollars, besides the plan's own budget. @default only the plan's budget */
  readonly budgetUsd?: number;
  /** Cost and usage before the first node: the planner's calls. Counts towards its totals and its budget. @default nothing */
  readonly paid?: PaidForPlan;
  /** Further scopes that are charged, such as tenant, user and tags. @default none */
  readonly scopes?: readonly Scope[];
  readonly session?: string;
  /** The caller's own id of what the run is for: `requestId` of each of its calls, also after a resume and in nested runs. @default none */
  readonly requestId?: string;
  /** Mark the run and those nested in it; each is also a scope of the kind `tag`, `key=value`. @default none */
  readonly tags?: Readonly<Record<string, string>>;
  readonly level?: number;
  readonly parent?: RunParent;
  /** What the plans that a model writes within the run need, also after a resume. @default that of the config */
  readonly approval?: Approval;
}

/** A run that this process drives. */
export interface RunHandle {
  readonly runId: string;
  /**
   * Events from the first one on, for any number of readers; ends when the run ends. Those of nested runs come between them, with
   * `parent` and their own `runId` and `seq`; their text comes as that of the node.
   */
  events(): AsyncIterable<RunEvent>;
  /** Never rejects: a failed run also has a result. */
  result(): Promise<RunResult>;
  cancel(reason?: string): void;
}

export interface ExecutionEngine {
  start(plan: ValidPlan, options?: RunOptions): RunHandle;
  /**
   * Plans a request within its run: nodes without side effects start while the plan is still being written. Absent: this
   * engine takes only complete plans.
   */
  startRequest?(request: string, options?: RequestOptions): RunHandle;
  /** Continues a run from its journal: finished nodes are kept and not paid again. Throws not-found, and store-busy while another process drives it. */
  resume(runId: string, options?: Pick<RunOptions, 'signal' | 'concurrency'>): Promise<RunHandle>;
  /**
   * Records the answer to a suspended node; `resume` continues with it. `nodeId` may be the id of any question that `waiting`
   * lists, such as `review[2]` or `outer/review`. Throws not-found if that node or item asks nothing, or
   * the run has ended, and invalid-request if the answer does not fit the question. Without `item` it is for the first that asked.
   */
  answer(runId: string, nodeId: string, answer: unknown, options?: AnswerOptions): Promise<void>;
  /**
   * Records an event with every node that waits for one of this name and that the payload matches; `resume` continues the runs.
   * Nothing keeps it for those that begin to wait later. Absent: this engine takes no events.
   */
  event?(name: string, payload: unknown, options?: EventOptions): Promise<EventReceipt>;
  /** Starts a new run with the finished nodes of an old one; `from` and the nodes after it run again. */
  fork(
    runId: string,
    options: { readonly from: string; readonly with?: Readonly<Record<string, unknown>> } & RunOptions,
  ): Promise<RunHandle>;
  /**
   * The events as the journal holds them, in which a large value may be a reference to an earlier event: `fullEvents` resolves
   * that. Makes no calls.
   */
  replay(runId: string): AsyncIterable<RunEvent>;
  inspect(runId: string): Promise<RunResult>;
  /** Cancels a run of this process, or one that no living process drives (its journal is closed as cancelled). */
  cancel(runId: string, reason?: string): Promise<boolean>;
  /** Newest first, without nested runs unless the filter asks for them. */
  list(filter?: RunFilter): Promise<readonly RunSummary[]>;
  close(): Promise<void>;
}
