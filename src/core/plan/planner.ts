/** The port of the planner: it turns a request, or a plan that failed, into a valid plan. */
import type { ErrorRecord } from '../errors.ts';
import type { CallOptions } from '../gateway.ts';
import type { Sensitivity, Warning } from '../model/model.ts';
import type { Paid } from '../money/usage.ts';
import type { Approval } from './approval.ts';
import type { DraftNode, Plan, ValidPlan } from './plan.ts';
import type { PlanIssue, PlanRepair } from './validation.ts';

export interface PlanningResult extends Paid {
  readonly plan: ValidPlan;
  readonly issues: readonly PlanIssue[];
  readonly repaired: readonly PlanRepair[];
  /** Calls to the planner model, repairs included. */
  readonly rounds: number;
  /** The model that wrote it, as `provider/model`. @default unknown */
  readonly model?: string;
  /** Why this model was asked, in sentences with the figures. @default unknown */
  readonly because?: readonly string[];
  /** Of a revised plan: nodes that have the result of a node of the plan before it, which do not run again. @default none */
  readonly kept?: Readonly<Record<string, string>>;
  /** `schema-refused`: a provider took no schema of plans, so its model was asked for plain JSON. @default none */
  readonly warnings?: readonly Warning[];
  /** It comes from the plan cache: no model was asked. @default the planner wrote it */
  readonly cached?: true;
}

/** One answer of the planner's model, or why there is none. */
export interface PlannerAnswer extends Paid {
  /** From 1. */
  readonly round: number;
  /** Errors that prevent the plan from running, at most 40; absent if it can run. */
  readonly issues?: readonly PlanIssue[];
  /** Why the call failed or was cancelled. */
  readonly error?: ErrorRecord;
  /** What happened on the way to this answer, as in `PlanningResult`. @default nothing */
  readonly warnings?: readonly Warning[];
}

/** Callbacks while a plan is made. Each is waited for; what one throws or rejects with ends the planning. */
export interface PlanningListener {
  /** Gets the text of the plan as it is written; makes the planner stream. */
  readonly onDelta?: (text: string) => unknown;
  /** What was written so far is invalid: another answer begins. */
  readonly onRestart?: () => unknown;
  /** Called before each call of the planner's model. */
  readonly onCall?: () => unknown;
  /** Called for every call that was paid for, whatever its outcome. */
  readonly onAnswer?: (answer: PlannerAnswer) => unknown;
}

/** How a request is planned: who pays, the signal and the session of the planner's calls, and the callbacks. */
export interface PlanningOptions extends CallOptions, PlanningListener {
  /** The input of the run: a plan that it does not fit is refused. @default not checked */
  readonly input?: Readonly<Record<string, unknown>>;
  /** The seconds that the run may take, which the planner is told. @default no limit */
  readonly seconds?: number;
  /** How sensitive the request is: only models that may have such data plan it. @default not restricted */
  readonly sensitivity?: Sensitivity;
  /**
   * Gets nodes as soon as they are complete, each once, with the budget if it is known; only nodes of the first answer, and
   * none of a plan that `input` does not fit. Makes the planner stream. @default not called
   */
  readonly onDraft?: (nodes: readonly DraftNode[], budget: Plan['budget']) => void;
  /** What the run says that its plans need. Planners of runs heed it. @default that of the config */
  readonly approval?: Approval;
  /** The caller decides about the plan itself, so side effects are allowed unless somebody says otherwise. @default false */
  readonly hasGate?: boolean;
  /** Plans anew, whatever the plan cache holds. @default false */
  readonly fresh?: boolean;
  /** The plan that was written before and is too dear: the planner is asked for a cheaper one. @default none */
  readonly dearer?: DearerPlan;
}

/** A plan whose expected cost is above what the run may spend. */
export interface DearerPlan {
  readonly plan: Plan;
  readonly expectedUsd: number;
  readonly capUsd: number;
}

/** How a failed plan is revised. Its own sensitive nodes restrict who may see it in any case. */
export type RevisionOptions = CallOptions &
  PlanningListener &
  Pick<PlanningOptions, 'seconds' | 'sensitivity' | 'approval'>;

/** How a plan failed, so that another plan can reach the same goal. */
export interface PlanFailure {
  readonly plan: Plan;
  readonly failed: { readonly nodeId: string; readonly error: ErrorRecord };
  /** The node has finished, and asks for another plan or makes no progress: `error` says why. @default it failed */
  readonly cause?: 'asked' | 'stalled';
  /** Outputs of the finished nodes, by id. */
  readonly finished: Readonly<Record<string, unknown>>;
  /** Nodes that have not finished, of which some items or rounds may have. @default none */
  readonly begun?: readonly string[];
}

/** What a planner would be told, and who would plan. */
export interface PlanningPreview {
  /** As they are told, each with its tokens by the product's own estimate. */
  readonly parts: readonly { readonly name: string; readonly text: string; readonly tokens: number }[];
  /** Tokens of the whole message, the request included. */
  readonly tokens: number;
  /**
   * How the plan would be written, and the tokens that are sent for it beside the message: with a schema that the provider
   * enforces, as the argument of a tool that has to be called, or as any JSON (0 tokens).
   */
  readonly form: { readonly name: 'schema' | 'tool' | 'json'; readonly tokens: number };
  /** Why this model would be asked, in sentences. */
  readonly because: readonly string[];
}

/** Makes plans for runs, for `plan` nodes and for `polyphony.plan`. */
export interface Planner {
  /**
   * Checks a request without planning it.
   *
   * @returns an empty plan: the goal and the bounds, no nodes
   * @throws invalid-request for a request that cannot be planned
   */
  open(request: string): ValidPlan;
  /**
   * What a planner would be told of the request, and who would plan. Asks no model; costs nothing.
   *
   * @throws invalid-request for a request that cannot be planned, budget-exceeded and context-window where nobody can plan it
   */
  preview?(request: string, options?: PlanningOptions): PlanningPreview;
  /**
   * Turns a request into a valid plan.
   *
   * @throws invalid-request for a request that cannot be planned, and when `input` does not fit the plan
   * @throws invalid-plan with every issue when its rounds are used up; unsupported, no-route, budget-exceeded
   */
  plan(request: string, options?: PlanningOptions): Promise<PlanningResult>;
  /**
   * Makes a plan that reaches the goal without a node that failed permanently; finished nodes stay unchanged.
   *
   * @throws invalid-plan with every issue when its rounds are used up; unsupported, no-route, budget-exceeded
   */
  revise(failure: PlanFailure, options?: RevisionOptions): Promise<PlanningResult>;
}
