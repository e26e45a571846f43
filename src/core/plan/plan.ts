/** What the validator makes of a plan: bounds, estimates and the compiled plan that engines run. */
import type { NanoUsd } from '../money/money.ts';
import type { Plan, PlanNode } from './plan-document.ts';

export { NODE_ID, REFERENCE_HEADS } from './node-id.ts';
export type * from './plan-document.ts';

/** What an operator may move, up or down; a plan never can. */
export interface PlanBounds {
  readonly nodes: number;
  readonly bytes: number;
  readonly depth: number;
  readonly items: number;
  readonly rounds: number;
  readonly nesting: number;
}
export const DEFAULT_BOUNDS: PlanBounds = {
  nodes: 256,
  bytes: 1_048_576,
  depth: 32,
  items: 10_000,
  rounds: 20,
  nesting: 4,
};

/** Expected and worst figures of a node, before it runs. `null`: a price that is needed is unknown. */
export interface NodeEstimate {
  readonly lowNanoUsd: NanoUsd | null;
  readonly expectedNanoUsd: NanoUsd | null;
  readonly highNanoUsd: NanoUsd | null;
  readonly expectedMs: number;
}

/** A node with what the validator found out about it. */
export interface ValidNode {
  readonly node: PlanNode;
  readonly index: number;
  /** Ids that its references name, without duplicates. */
  readonly data: readonly string[];
  /** `data` and `needs`, without duplicates: what it waits for. */
  readonly dependencies: readonly string[];
  /** A reference of the node uses `??`, so an all-skipped input does not skip it. */
  readonly hasFallback: boolean;
  readonly estimate: NodeEstimate;
  /** Expected milliseconds from its start to the end of the longest path behind it: what goes first when many are ready. */
  readonly priority: number;
}

/** A node of a plan that is still being written: valid by itself and with those that were written before it. */
export interface DraftNode {
  readonly valid: ValidNode;
  /** It has no side effects, so nothing is lost but its cost when the plan turns out otherwise. */
  readonly mayStart: boolean;
}

declare const valid: unique symbol;

/** A plan that the validator let pass, compiled for engines. Only the validator makes one (`markValid`). */
export interface ValidPlan {
  readonly [valid]: true;
  readonly plan: Plan;
  /** SHA-256 of the canonical JSON, hex; made when first read. */
  readonly hash: string;
  /** In the plan's order, which is topological. */
  readonly nodes: readonly ValidNode[];
  readonly estimate: NodeEstimate;
  readonly bounds: PlanBounds;
}

/** Tells it from a plan, which may hold anything before it is validated. */
export const isValidPlan = (candidate: Plan | ValidPlan): candidate is ValidPlan =>
  'hash' in candidate && 'plan' in candidate;

/** For the validator alone. */
export function markValid(plan: Omit<ValidPlan, typeof valid>): ValidPlan {
  return plan as ValidPlan;
}
