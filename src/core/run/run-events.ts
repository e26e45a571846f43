/** The events of runs: what a run tells while it goes on, and what its journal keeps. */
import type { ErrorRecord } from '../errors.ts';
import type { Scope, Usage, Warning } from '../model/model.ts';
import type { NanoUsd } from '../money/money.ts';
import type { Approval } from '../plan/approval.ts';
import type { Plan, PlanNode } from '../plan/plan.ts';
import type { PlannerAnswer } from '../plan/planner.ts';
import type { PlanRepair } from '../plan/validation.ts';
import type { HumanQuestion, LoopAnswer, NodeMeta, NodeProgress, Paid, ToolCallRecord } from './node-call.ts';

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
      /** The caller's own id of what the run is for. */
      readonly requestId?: string;
      readonly level?: number;
      /** What the plans that a model writes within the run need. @default that of the config */
      readonly approval?: Approval;
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
      /** It comes from the plan cache. @default the planner wrote it */
      readonly cached?: true;
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
  /** What the planner warned of, as `schema-refused`. @default nothing */
  readonly warnings?: readonly Warning[];
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
