/** The engine port: runs, their events and the runners of their nodes. */
import type { ErrorRecord } from '../errors.ts';
import type { Scope, Usage } from '../model/model.ts';
import type { NanoUsd } from '../money/money.ts';
import type { Plan, PlanNode, ValidPlan } from '../plan/plan.ts';
import type { PlannerAnswer, PlanningResult } from '../plan/planner.ts';
import type { PlanRepair } from '../plan/validation.ts';
import type {
  HumanQuestion,
  LoopAnswer,
  NodeMeta,
  NodeProgress,
  Paid,
  ToolCallRecord,
  WaitingQuestion,
} from './node-call.ts';

export type * from './node-call.ts';
export { SuspendRun } from './node-call.ts';

// ---------------------------------------------------------------------------------------------------- events

/** `running`: a living process drives it. `interrupted`: its process is gone, and `resume` continues it. */
export type RunStatus = StoredStatus | 'interrupted';

/** What a journal says of a run. It cannot say that the process that drives the run is gone. */
export type StoredStatus = 'running' | 'suspended' | 'done' | 'failed' | 'cancelled';

/** The node that a run is nested in, or the run that it was forked from. */
export interface EventParent {
  readonly runId: string;
  readonly nodeId?: string;
  /** Index within `each`. */
  readonly item?: number;
}

export interface RunParent extends EventParent {
  readonly kind: 'fork' | 'nested';
}

interface EventBase {
  /** Counts the events of a run from 0 without gaps; the journal keeps a subset. */
  readonly seq: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly runId: string;
  /** In the stream of a run: the node, and its item, whose nested run this event is of. Not journalled there. */
  readonly parent?: EventParent;
  /** Only in a journal: its value holds references to earlier events, which `fullEvents` resolves. */
  readonly refers?: true;
}
interface NodeEventBase extends EventBase {
  readonly nodeId: string;
  /** Index within `each`. */
  readonly item?: number;
  /** Round of `repeat`, from 1. */
  readonly round?: number;
  /** Calls of models that the process made for what ended, with the runs nested in it. @default 0 */
  readonly calls?: number;
  /** As `calls`, for the planner's model. @default 0 */
  readonly plannerCalls?: number;
}
/** Their `round` is that of the loop in which a model calls tools. */
interface LoopEventBase extends Omit<NodeEventBase, 'round'> {
  /** Round of `repeat`, from 1. */
  readonly repeat?: number;
}
/** The result of a finished node, item or round. */
export interface NodeResult {
  readonly output: unknown;
  readonly meta: NodeMeta;
  readonly usage?: Usage;
  readonly costNanoUsd: NanoUsd | null;
}

export type RunEvent =
  | (EventBase & {
      readonly type: 'run-started';
      /** Without nodes if there is a `request`. */
      readonly plan: Plan;
      readonly planHash: string;
      /** What the validator changed in the plan as it was given. @default nothing */
      readonly repaired?: readonly PlanRepair[];
      readonly input: unknown;
      /** The request that is being planned: nodes follow in `plan-delta`, the complete plan in `plan-revised`. */
      readonly request?: string;
      readonly capNanoUsd?: NanoUsd;
      /** Cost and usage before the first node: the planner's calls. */
      readonly paid?: PaidForPlan;
      /** The run that this one was forked from, or the run whose node started it. */
      readonly parent?: RunParent;
      readonly tags?: Readonly<Record<string, string>>;
      /** The scopes of the run's calls, also after a resume. */
      readonly scopes?: readonly Scope[];
      readonly session?: string;
      readonly level?: number;
    })
  | (EventBase & { readonly type: 'plan-delta'; readonly nodes: readonly PlanNode[] })
  | (EventBase & PlannerAnswer & { readonly type: 'plan-answered' })
  | (EventBase & {
      readonly type: 'plan-revised';
      readonly plan: Plan;
      readonly planHash: string;
      /** What the validator changed in what the planner wrote. @default nothing */
      readonly repaired?: readonly PlanRepair[];
      readonly reason: string;
      /** Unchanged nodes that run again, because a node that they depend on has changed. */
      readonly again?: readonly string[];
      /** Nodes that look different but have the result, or the progress, of a node of the plan before, by the id of that one. */
      readonly kept?: Readonly<Record<string, string>>;
      /** The cap of the run from now on. */
      readonly capNanoUsd?: NanoUsd;
    })
  | (NodeEventBase & { readonly type: 'node-ready' })
  | (NodeEventBase & { readonly type: 'node-started'; readonly idempotencyKey: string })
  | (NodeEventBase & {
      readonly type: 'node-delta';
      readonly text: string /** What was shown of the node so far is invalid. */;
      readonly restart?: true;
    })
  | (NodeEventBase & NodeProgress)
  | (LoopEventBase & LoopAnswer & { readonly type: 'model-answered' })
  | (LoopEventBase & ToolCallRecord & { readonly type: 'tool-call' })
  | (NodeEventBase & { readonly type: 'item-finished'; readonly result: NodeResult; readonly error?: ErrorRecord })
  | (NodeEventBase & { readonly type: 'round-finished'; readonly result: NodeResult })
  | (NodeEventBase & { readonly type: 'node-finished'; readonly result: NodeResult })
  | (NodeEventBase & { readonly type: 'node-skipped'; readonly reason: string })
  | (NodeEventBase & {
      readonly type: 'node-failed';
      readonly error: ErrorRecord;
      /**
       * Why the run goes on. `skip`, `value` and `keep` replace the output, by the node's onError; `wait`: all nodes that depend on it
       * wait for any or for a quorum. `branch`: the plan has `failFast: false`, and the run fails at its end. `plan`: the plan is still being written; if the complete plan keeps the node, another
       * `node-failed` decides.
       */
      readonly handled?: 'skip' | 'value' | 'keep' | 'replan' | 'wait' | 'branch' | 'plan';
      readonly result?: NodeResult;
    } & Paid)
  | (NodeEventBase & { readonly type: 'node-cancelled'; readonly reason: string } & Paid)
  | (NodeEventBase & { readonly type: 'node-suspended'; readonly question: HumanQuestion })
  | (NodeEventBase & { readonly type: 'answer'; readonly answer: unknown })
  | (EventBase & { readonly type: 'budget-warning'; readonly spentNanoUsd: NanoUsd; readonly capNanoUsd: NanoUsd })
  | (EventBase & { readonly type: 'run-suspended'; readonly waiting: readonly string[] })
  | (EventBase & {
      readonly type: 'run-resumed';
      /** What was under way when the process that drove the run died, and has been booked at its estimate since. */
      readonly booked?: Paid;
      /** Nodes that finished and run again, because their effects were undone, or those of nodes that they depend on. */
      readonly again?: readonly string[];
    })
  | (EventBase & {
      readonly type: 'undo-started';
      /** Why the run ends. */
      readonly reason: string;
      /** Of a run that failed. */
      readonly error?: ErrorRecord;
      /** The node that failed. */
      readonly failed?: string;
    })
  | (NodeEventBase & UndoneNode & Paid & { readonly type: 'node-undone' })
  | (EventBase & { readonly type: 'run-finished'; readonly output: unknown } & RunTotals)
  | (EventBase & { readonly type: 'run-failed'; readonly error: ErrorRecord; readonly nodeId?: string } & RunTotals)
  | (EventBase & { readonly type: 'run-cancelled'; readonly reason: string } & RunTotals);

/** What a plan cost before the run that it is for began. */
export interface PaidForPlan extends Paid {
  /** Calls of the planner's model. @default 0 */
  readonly plannerCalls?: number;
}

export interface RunTotals {
  readonly usage: Usage;
  readonly costNanoUsd: NanoUsd | null;
  readonly ms: number;
}

/** Events that no journal keeps: they can be computed again or are only for display. */
export const TRANSIENT_EVENTS: ReadonlySet<RunEvent['type']> = new Set(['node-ready', 'node-delta', 'budget-warning']);

/** How a node ended. `handled`: it failed, and the run goes on because of its onError (its output is null or the given value). */
export type NodeEnding = 'done' | 'skipped' | 'failed' | 'handled' | 'cancelled';

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

/** A node, or an item of it, that was undone when its run failed or was cancelled. */
export interface UndoneNode {
  readonly nodeId: string;
  /** Index within `each`. */
  readonly item?: number;
  /** The step that undid it. */
  readonly use: string;
  /** It could not be undone: its effects stand. @default it was undone */
  readonly error?: ErrorRecord;
}

export interface AnswerOptions {
  /** Index within `each` of the item that asks. @default the only one that does */
  readonly item?: number;
}

export interface EventOptions {
  /** Only this run, and those nested in it. @default every run of the store */
  readonly runId?: string;
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
  /** Mark the run and those nested in it; each is also a scope of the kind `tag`, `key=value`. @default none */
  readonly tags?: Readonly<Record<string, string>>;
  readonly level?: number;
  readonly parent?: RunParent;
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
