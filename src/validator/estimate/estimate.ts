/**
 * Estimates the cost and the time of a plan before any call. Low: the cheapest capable model, with branches that may be
 * skipped at no cost. Expected: the model that the router would likely choose. High: the most expensive capable model with
 * its longest answer on every rung and round.
 */
import type { NanoUsd } from '../../core/money/money.ts';
import { addMoney } from '../../core/money/money.ts';
import type { NodeEstimate, Plan } from '../../core/plan/plan.ts';
import type { Catalogue } from '../../core/plan/validation.ts';
import { registeredIn } from '../analysis/members.ts';
import { dependenciesOf } from '../analysis/order.ts';
import type { PlanAnalysis } from '../analysis/plan-analysis.ts';
import { resolvedPlan } from '../resolved-plan.ts';
import { RUN_SHARE } from './assumptions.ts';
import { cutByFinish } from './early-ends.ts';
import { createNodeEstimator, type EstimatedNode } from './estimate-node.ts';
import { boundedCap } from './priced-candidates.ts';

export interface PlanEstimate extends NodeEstimate {
  /** In the plan's order. */
  readonly nodes: readonly EstimatedNode[];
}

export interface AnalysisEstimate extends PlanEstimate {
  /** Expected milliseconds from the start of each node to the end of the longest path that starts with it. */
  readonly priorities: readonly number[];
}

/** What was estimated already: plans nest, so one may be used at many places. */
export type Estimates = Map<Plan, (NodeEstimate | undefined)[]>;

export const createEstimates = (): Estimates => new Map();

/**
 * Estimates a plan, valid or not; references that name nothing count as unknown values.
 *
 * @param level how many workflows the plan is inside of
 */
export function estimatePlan(
  plan: Plan,
  catalogue: Catalogue,
  level = 0,
  estimates: Estimates = createEstimates(),
): PlanEstimate {
  const analysis = resolvedPlan(plan, catalogue);
  const { priorities: _, ...estimate } = estimateAnalysis(analysis, dependenciesOf(analysis), estimates, level);
  return estimate;
}

export function estimateAnalysis(
  analysis: PlanAnalysis,
  dependencies: readonly (readonly number[])[],
  estimates: Estimates = createEstimates(),
  level = 0,
): AnalysisEstimate {
  const { catalogue } = analysis;
  const nested = (plan: Plan): NodeEstimate | undefined => {
    if (level >= catalogue.bounds.nesting) return undefined;
    const known = estimates.get(plan) ?? [];
    estimates.set(plan, known);
    known[level] ??= estimatePlan(plan, registeredIn(catalogue), level + 1, estimates);
    return known[level];
  };
  const estimateNode = createNodeEstimator(analysis, nested);
  const cut = cutByFinish(analysis, dependencies);
  const nodes = analysis.nodes.map((nodeAnalysis, place) => estimateNode(nodeAnalysis, cut?.has(place) === true));
  return { ...totalOf(nodes, dependencies, analysis), nodes, priorities: prioritiesOf(nodes, dependencies) };
}

function totalOf(
  nodes: readonly EstimatedNode[],
  dependencies: readonly (readonly number[])[],
  analysis: PlanAnalysis,
): NodeEstimate {
  let low: NanoUsd | null = 0;
  let expected: NanoUsd | null = 0;
  let high: NanoUsd | null = 0;
  for (const { estimate, mayBeSkipped } of nodes) {
    const share = mayBeSkipped ? RUN_SHARE : 1;
    const { expectedNanoUsd } = estimate;
    low = addMoney(low, estimate.lowNanoUsd);
    expected = addMoney(expected, expectedNanoUsd === null ? null : Math.ceil(expectedNanoUsd * share));
    high = addMoney(high, estimate.highNanoUsd);
  }
  const usd = analysis.plan.budget?.usd;
  const cap = usd === undefined ? undefined : boundedCap(usd);
  return {
    lowNanoUsd: low,
    expectedNanoUsd: expected,
    // The run stops at its budget, so it cannot cost more.
    highNanoUsd: cap === undefined ? high : high === null ? cap : Math.min(high, cap),
    expectedMs: longestPath(nodes, dependencies),
  };
}

function longestPath(nodes: readonly EstimatedNode[], dependencies: readonly (readonly number[])[]): number {
  const ends: number[] = [];
  let longest = 0;
  nodes.forEach(({ estimate }, place) => {
    let start = 0;
    for (const other of dependencies[place] ?? []) start = Math.max(start, ends[other] ?? 0);
    const end = start + estimate.expectedMs;
    ends.push(end);
    longest = Math.max(longest, end);
  });
  return longest;
}

function prioritiesOf(nodes: readonly EstimatedNode[], dependencies: readonly (readonly number[])[]): number[] {
  const behind = nodes.map(() => 0);
  for (let place = nodes.length - 1; place >= 0; place -= 1) {
    const priority = (behind[place] ?? 0) + (nodes[place]?.estimate.expectedMs ?? 0);
    behind[place] = priority;
    for (const other of dependencies[place] ?? []) {
      if (other < place) behind[other] = Math.max(behind[other] ?? 0, priority);
    }
  }
  return behind;
}
