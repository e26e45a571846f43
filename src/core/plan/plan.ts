/** The result of validating a plan: bounds, estimates and the compiled plan that engines run. */
import type { NanoUsd } from '../money/money.ts';
import type { Plan, PlanNode } from './plan-document.ts';
import type { PlanRepair } from './repair.ts';

export { NODE_ID, REFERENCE_HEADS, WORKFLOW_NAME } from './node-id.ts';
export type * from './plan-document.ts';

/** The bounds of plans: an operator can change them, a plan cannot. */
export interface PlanBounds {
  readonly nodes: number;
  readonly bytes: number;
  readonly depth: number;
  readonly items: number;
  readonly rounds: number;
  readonly toolRounds: number;
  readonly nesting: number;
}
export const DEFAULT_BOUNDS: PlanBounds = {
  nodes: 256,
  bytes: 1_048_576,
  depth: 32,
  items: 10_000,
  rounds: 20,
  toolRounds: 20,
  nesting: 4,
};

/** Expected and worst figures of a node, before it runs. `null`: a required price is unknown. */
export interface NodeEstimate {
  readonly lowNanoUsd: NanoUsd | null;
  readonly expectedNanoUsd: NanoUsd | null;
  readonly highNanoUsd: NanoUsd | null;
  readonly expectedMs: number;
}

/** A node with the facts that the validator found. */
export interface ValidNode {
  readonly node: PlanNode;
  readonly index: number;
  /** Ids that its references name, without duplicates. */
  readonly data: readonly string[];
  /** `data` and `needs`, without duplicates: the nodes that it waits for. */
  readonly dependencies: readonly string[];
  /** A reference of the node uses `??`, so the node runs even if all its inputs were skipped. */
  readonly hasFallback: boolean;
  /**
   * Its output has a field `meta` of its own: `always`, or where the step gives one. References read that one.
   *
   * @default it has none
   */
  readonly ownMeta?: OwnMeta | undefined;
  /**
   * What its `model` may turn out to be, where references decide it: any other value of them is refused.
   *
   * @default its `model` is as it is written
   */
  readonly models?: readonly NonNullable<PlanNode['model']>[];
  readonly estimate: NodeEstimate;
  /** Expected milliseconds from its start to the end of the longest path after it; ready nodes start in this order. */
  readonly priority: number;
}

export type OwnMeta = 'always' | 'maybe';

/** A node of a plan that is still being written: valid by itself and together with the nodes before it. */
export interface DraftNode {
  readonly valid: ValidNode;
  /** It has no side effects, so only its cost is lost if the finished plan does not use it. */
  readonly mayStart: boolean;
}

declare const valid: unique symbol;

/** A plan that passed validation, compiled for engines. Only the validator makes one (`markValid`). */
export interface ValidPlan {
  readonly [valid]: true;
  readonly plan: Plan;
  /** SHA-256 of the canonical JSON, hex; computed on first access. */
  readonly hash: string;
  /** In the plan's order, which is topological. */
  readonly nodes: readonly ValidNode[];
  readonly estimate: NodeEstimate;
  readonly bounds: PlanBounds;
  /** What the validator changed in the plan as it was given. @default nothing */
  readonly repaired?: readonly PlanRepair[];
}

/** True for a plan that was validated. A plan that was not may hold anything, so both fields are checked. */
export const isValidPlan = (candidate: Plan | ValidPlan): candidate is ValidPlan =>
  'hash' in candidate && 'plan' in candidate;

/** For the validator only. */
export function markValid(plan: Omit<ValidPlan, typeof valid>): ValidPlan {
  return plan as ValidPlan;
}

/** The plan with what was changed to make it one; for the validator only. Its hash stays uncomputed. */
export function markRepaired(plan: ValidPlan, repaired: readonly PlanRepair[]): ValidPlan {
  return Object.defineProperties({ repaired }, Object.getOwnPropertyDescriptors(plan)) as unknown as ValidPlan;
}
