/** The engine port: runs, their events and the runners of their nodes. */
import type { ErrorRecord } from '../errors.ts';
import type { Scope, Usage } from '../model/model.ts';
import type { NanoUsd } from '../money/money.ts';
import type { Plan, PlanNode, ValidPlan } from '../plan/plan.ts';
import type { PlannerAnswer, PlanningResult } from '../plan/planner.ts';
import type { HumanQuestion, NodeMeta, NodeProgress, Paid } from './node-call.ts';

export type * from './node-call.ts';
export { SuspendRun } from './node-call.ts';

// ---------------------------------------------------------------------------------------------------- events

export type RunStatus = 'running' | 'suspended' | 'done' | 'failed' | 'cancelled';

interface EventBase {
  /** Gapless within a run, from 0, over the whole stream; the journal keeps a subset. */
  readonly seq: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly runId: string;
}
interface NodeEventBase extends EventBase {
  readonly nodeId: string;
  /** Index within `each`. */
  readonly item?: number;
  /** Round of `repeat`, from 1. */
  readonly round?: number;
}
/** What a finished node, item or round left behind. */
export interface NodeResult {
  readonly output: unknown;
  readonly meta: NodeMeta;
  readonly usage?: Usage;
  readonly costNanoUsd: NanoUsd | null;
}

export type RunEvent =
  | (EventBase & {
      readonly type: 'run-started';
      /** Without nodes where there is a `request`. */
      readonly plan: Plan;
      readonly planHash: string;
      readonly input: unknown;
      /** What is being planned: the plan follows, its nodes in `plan-delta`, the whole of it in `plan-revised`. */
      readonly request?: string;
      readonly capNanoUsd?: NanoUsd;
      /** Before the first node: what the planner's calls came to. */
      readonly paid?: Paid;
      /** The run that this one was forked from, or whose node started it. */
      readonly parent?: { readonly runId: string; readonly nodeId?: string; readonly kind: 'fork' | 'nested' };
      readonly tags?: Readonly<Record<string, string>>;
      /** What the run's calls carry, kept for those made after a resume. */
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
      readonly reason: string;
      /** Nodes that stay as they are and run again all the same: one that they depend on has changed. */
      readonly again?: readonly string[];
      /** Of the run from now on. */
      readonly capNanoUsd?: NanoUsd;
    })
  | (NodeEventBase & { readonly type: 'node-ready' })
  | (NodeEventBase & { readonly type: 'node-started'; readonly idempotencyKey: string })
  | (NodeEventBase & {
      readonly type: 'node-delta';
      readonly text: string /** What was shown of the node so far is void. */;
      readonly restart?: true;
    })
  | (NodeEventBase & NodeProgress)
  | (NodeEventBase & { readonly type: 'item-finished'; readonly result: NodeResult; readonly error?: ErrorRecord })
  | (NodeEventBase & { readonly type: 'round-finished'; readonly result: NodeResult })
  | (NodeEventBase & { readonly type: 'node-finished'; readonly result: NodeResult })
  | (NodeEventBase & { readonly type: 'node-skipped'; readonly reason: string })
  | (NodeEventBase & {
      readonly type: 'node-failed';
      readonly error: ErrorRecord;
      /**
       * Why the run goes on. `skip` and `value` stand in for the output, by the node's onError; `wait`: all that depend on
       * it wait for any or for a quorum. `plan`: the plan is still being written, and the whole of it will decide, in
       * another `node-failed` where the node stays.
       */
      readonly handled?: 'skip' | 'value' | 'replan' | 'wait' | 'plan';
      readonly result?: NodeResult;
    } & Paid)
  | (NodeEventBase & { readonly type: 'node-cancelled'; readonly reason: string } & Paid)
  | (NodeEventBase & { readonly type: 'node-suspended'; readonly question: HumanQuestion })
  | (NodeEventBase & { readonly type: 'answer'; readonly answer: unknown })
  | (EventBase & { readonly type: 'budget-warning'; readonly spentNanoUsd: NanoUsd; readonly capNanoUsd: NanoUsd })
  | (EventBase & { readonly type: 'run-suspended'; readonly waiting: readonly string[] })
  | (EventBase & { readonly type: 'run-resumed' })
  | (EventBase & { readonly type: 'run-finished'; readonly output: unknown } & RunTotals)
  | (EventBase & { readonly type: 'run-failed'; readonly error: ErrorRecord; readonly nodeId?: string } & RunTotals)
  | (EventBase & { readonly type: 'run-cancelled'; readonly reason: string } & RunTotals);

export interface RunTotals {
  readonly usage: Usage;
  readonly costNanoUsd: NanoUsd | null;
  readonly ms: number;
}

/** Events that no journal keeps: they can be made again or only colour the stream. */
export const TRANSIENT_EVENTS: ReadonlySet<RunEvent['type']> = new Set(['node-ready', 'node-delta', 'budget-warning']);

/** How a node ended. `handled`: it failed and its onError let the run go on (its output is null or the given value). */
export type NodeEnding = 'done' | 'skipped' | 'failed' | 'handled' | 'cancelled';

// ---------------------------------------------------------------------------------------------------- runs

export interface RunSummary {
  readonly runId: string;
  readonly status: RunStatus;
  readonly goal: string;
  readonly startedAt: number;
  /** Of the last journalled event. */
  readonly updatedAt: number;
  readonly costNanoUsd: NanoUsd | null;
  readonly nodes: { readonly total: number; readonly finished: number };
}

/** Which runs are listed. */
export interface RunFilter {
  /** @default any */
  readonly status?: RunStatus;
  /** At most so many. @default all */
  readonly limit?: number;
  /** Also runs that a node of another run started. @default false */
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
  /** The plan's output; undefined unless the run is done. */
  readonly output?: unknown;
  readonly error?: ErrorRecord;
  readonly usage: Usage;
  readonly costNanoUsd: NanoUsd | null;
  readonly ms: number;
  readonly nodes: readonly NodeReport[];
  /** Of a suspended run: the nodes that wait, with what they ask. */
  readonly waiting?: readonly ({ readonly nodeId: string } & HumanQuestion)[];
}

export interface RequestOptions extends RunOptions {
  /** Called with the whole plan; nodes of it may run already. What it throws fails the run. */
  readonly onPlan?: (planning: PlanningResult) => void;
}

export interface RunOptions {
  readonly input?: Readonly<Record<string, unknown>>;
  /** @default a fresh one */
  readonly runId?: string;
  readonly signal?: AbortSignal;
  /** Nodes at once. @default 64 */
  readonly concurrency?: number;
  /** Caps the run below the plan's own budget. */
  readonly budgetUsd?: number;
  /** Paid for the run before its first node: the planner's calls. Part of its totals and of its budget. @default nothing */
  readonly paid?: Paid;
  /** Charged too: tenant, user, tags. */
  readonly scopes?: readonly Scope[];
  readonly session?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly level?: number;
  readonly parent?: { readonly runId: string; readonly nodeId?: string; readonly kind: 'fork' | 'nested' };
}

/** A run that this process drives. */
export interface RunHandle {
  readonly runId: string;
  /** From the first event on, for any number of readers; ends when the run does. */
  events(): AsyncIterable<RunEvent>;
  /** Never rejects: a failed run has a result too. */
  result(): Promise<RunResult>;
  cancel(reason?: string): void;
}

export interface ExecutionEngine {
  start(plan: ValidPlan, options?: RunOptions): RunHandle;
  /**
   * Plans a request within its run: nodes without side effects start while the plan is still being written. Absent: this
   * engine takes whole plans only.
   */
  startRequest?(request: string, options?: RequestOptions): RunHandle;
  /** Goes on from the journal: finished nodes are kept and not paid again. Throws not-found, store-busy when it is being run. */
  resume(runId: string, options?: Pick<RunOptions, 'signal' | 'concurrency'>): Promise<RunHandle>;
  /** Journals the answer of a suspended node; `resume` goes on with it. */
  answer(runId: string, nodeId: string, answer: unknown): Promise<void>;
  /** A new run with the finished nodes of an old one, but those from `from` on (and behind it) run again. */
  fork(
    runId: string,
    options: { readonly from: string; readonly with?: Readonly<Record<string, unknown>> } & RunOptions,
  ): Promise<RunHandle>;
  /** The journalled events, without any call. */
  replay(runId: string): AsyncIterable<RunEvent>;
  inspect(runId: string): Promise<RunResult>;
  /** Of a run in this process, or of one that no living process drives (its journal is closed as cancelled). */
  cancel(runId: string, reason?: string): Promise<boolean>;
  /** Newest first, without nested runs unless they are asked for. */
  list(filter?: RunFilter): Promise<readonly RunSummary[]>;
  close(): Promise<void>;
}
