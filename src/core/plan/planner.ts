/** The port of the planner: from a request, or from a plan that failed, to a valid plan. */
import type { ErrorRecord } from '../errors.ts';
import type { CallOptions } from '../gateway.ts';
import type { Paid } from '../money/usage.ts';
import type { DraftNode, Plan, ValidPlan } from './plan.ts';
import type { PlanIssue, PlanRepair } from './validation.ts';

export interface PlanningResult extends Paid {
  readonly plan: ValidPlan;
  readonly issues: readonly PlanIssue[];
  readonly repaired: readonly PlanRepair[];
  /** Calls to the planner model, repairs included. */
  readonly rounds: number;
}

/** One answer of the planner's model: of what was written, or why there is none. */
export interface PlannerAnswer extends Paid {
  /** From 1. */
  readonly round: number;
  /** Errors that keep the plan from running, at most 40; absent when it can. */
  readonly issues?: readonly PlanIssue[];
  /** The call failed, or was cancelled. */
  readonly error?: ErrorRecord;
}

/** Who hears of a plan while it is made. */
export interface PlanningListener {
  /** Text of the plan as it is written; makes the planner stream. */
  readonly onDelta?: (text: string) => void;
  /** What was written so far is void: another answer begins. */
  readonly onRestart?: () => void;
  /** Of every call that was paid for, whatever came of it. */
  readonly onAnswer?: (answer: PlannerAnswer) => void;
}

/** How a request is planned: who pays, the signal and the session of the planner's calls, and who listens. */
export interface PlanningOptions extends CallOptions, PlanningListener {
  /** What the plan will be run with: a plan that it does not fit is refused. @default not checked */
  readonly input?: Readonly<Record<string, unknown>>;
  /**
   * Takes nodes as they close, each once, with the budget as far as it is known; only nodes of the first answer, and none of
   * a plan that `input` does not fit. Makes the planner stream. @default nobody waits for parts
   */
  readonly onDraft?: (nodes: readonly DraftNode[], budget: Plan['budget']) => void;
}

/** What happened to a plan, for another one of the same goal. */
export interface PlanFailure {
  readonly plan: Plan;
  readonly failed: { readonly nodeId: string; readonly error: ErrorRecord };
  /** Outputs of the nodes that are finished, by id. */
  readonly finished: Readonly<Record<string, unknown>>;
}

/** Plans for a run, a `plan` node and `polyphony.plan` alike. */
export interface Planner {
  /**
   * Checks a request without planning it.
   *
   * @returns the plan as it is before anything of it is written: the goal and the bounds, no nodes
   * @throws invalid-request for what cannot be planned
   */
  open(request: string): ValidPlan;
  /**
   * Turns a request into a valid plan.
   *
   * @throws invalid-request for what cannot be planned, and when `input` does not fit the plan
   * @throws invalid-plan with every issue when its rounds are used up; unsupported, no-route, budget-exceeded
   */
  plan(request: string, options?: PlanningOptions): Promise<PlanningResult>;
  /**
   * Writes a plan that reaches the goal around a node that failed for good; finished nodes stay as they are.
   *
   * @throws invalid-plan with every issue when its rounds are used up; unsupported, no-route, budget-exceeded
   */
  revise(failure: PlanFailure, options?: CallOptions & PlanningListener): Promise<PlanningResult>;
}
