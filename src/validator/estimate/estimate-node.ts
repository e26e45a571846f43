/** The estimate of one node: calls × tokens × price, based on the estimates of the nodes before it. */
import type { Growing } from '../../core/defined.ts';
import { addMoney, type NanoUsd } from '../../core/money/money.ts';
import { agentsOf } from '../../core/plan/offered-tools.ts';
import type { NodeEstimate, Plan, PlanBounds, PlanNode } from '../../core/plan/plan.ts';
import { timeLimitsOf } from '../../core/plan/steps.ts';
import { THREAD_FOLD_TOKENS, THREAD_SUMMARY_TOKENS, threadSettings } from '../../core/plan/thread.ts';
import { isNodeName } from '../analysis/built-in-names.ts';
import { type CatalogueModel, candidatesOf, operationOf, rungCandidates } from '../analysis/candidates.ts';
import { type NodeAnalysis, type PlanAnalysis, workflowOf } from '../analysis/plan-analysis.ts';
import { isRecord } from '../document/document.ts';
import { CONCURRENCY, ESCALATION_SHARE, NESTED, ROUNDS, SUMMARY_SHARE, TOOL_CALLS } from './assumptions.ts';
import {
  boundedCap,
  type CallSize,
  type Counts,
  cheapestCost,
  dearestCost,
  expectedMsOf,
  likelyCost,
  likelyInput,
  type PricedCandidates,
  poolOf,
} from './priced-candidates.ts';
import { createSizes, type NodeSize, type Range } from './sizes.ts';
import { roundsOf, times, toolWorkflows } from './tool-workflows.ts';

export interface EstimatedNode {
  readonly id: string;
  readonly estimate: NodeEstimate;
  /** `provider/model` that the first rung would likely take. */
  readonly model?: string;
  /** Expected tokens of one call. */
  readonly tokens: { readonly input: number; readonly output: number };
  /** Expected runs of the node: items times rounds. */
  readonly runs: number;
  /** It has a `when`, every node that it reads may be skipped, or the run may have ended before. */
  readonly mayBeSkipped: boolean;
}

type Nested = (plan: Plan) => NodeEstimate | undefined;

type Costs = Pick<NodeEstimate, 'lowNanoUsd' | 'expectedNanoUsd' | 'highNanoUsd'>;

const FREE: Costs = { lowNanoUsd: 0, expectedNanoUsd: 0, highNanoUsd: 0 };

/** @param nested returns the estimate of a workflow's plan; undefined beyond the allowed nesting */
export function createNodeEstimator(analysis: PlanAnalysis, nested: Nested) {
  const pools = createPools(analysis);
  const sizeOf = createSizes(analysis);
  const skippable = new Set<string>();
  const racers = racersOf(analysis);
  return function estimateNode(nodeAnalysis: NodeAnalysis, mayBeCut = false): EstimatedNode {
    const { node } = nodeAnalysis;
    const mayBeSkipped = mayBeCut || maySkip(nodeAnalysis, skippable, analysis);
    if (mayBeSkipped) skippable.add(node.id);
    const size = sizeOf(nodeAnalysis);
    const isCapped = analysis.plan.budget?.usd !== undefined || node.limits?.usd !== undefined;
    const within = { isCapped, bounds: analysis.catalogue.bounds };
    const once = onceOf(nodeAnalysis, size, pools, within, analysis, nested);
    const runs = runsOf(node, size.items);
    const certain = !mayBeSkipped && !racers.has(node.id);
    const estimate: NodeEstimate = {
      lowNanoUsd: certain ? times(once.costs.lowNanoUsd, runs.low) : 0,
      expectedNanoUsd: limited(times(once.costs.expectedNanoUsd, runs.expected), node),
      highNanoUsd: limited(times(once.costs.highNanoUsd, runs.high), node),
      expectedMs: timeOf(node, once.ms, size.items.expected),
    };
    const { likely } = once;
    const estimated: Growing<EstimatedNode> = {
      id: node.id,
      estimate,
      tokens: { input: once.input ?? size.input.expected, output: size.output.expected },
      runs: runs.expected,
      mayBeSkipped,
    };
    if (likely !== undefined) estimated.model = `${likely.provider}/${likely.card.id}`;
    return estimated;
  };
}

/** Nodes that may be cancelled because another node waits for only some of several nodes. */
function racersOf({ nodes }: PlanAnalysis): ReadonlySet<string> {
  const racers = new Set<string>();
  for (const { node, uses } of nodes) {
    if (node.wait !== undefined && node.wait !== 'all') for (const { head } of uses) racers.add(head);
  }
  return racers;
}

function maySkip(nodeAnalysis: NodeAnalysis, skippable: ReadonlySet<string>, analysis: PlanAnalysis): boolean {
  const { node, uses, hasFallback } = nodeAnalysis;
  if (node.when !== undefined) return true;
  if (hasFallback || skippable.size === 0) return false;
  let readsNode = false;
  for (const use of uses) {
    const { head, place } = use;
    const target = place === 'needs' || place === 'undo' ? undefined : analysis.byId.get(head);
    if (target === undefined || target === nodeAnalysis || !isNodeName(use, nodeAnalysis, analysis)) continue;
    if (!skippable.has(head)) return false;
    readsNode = true;
  }
  return readsNode;
}

function limited(cost: NanoUsd | null, { limits }: PlanNode): NanoUsd | null {
  if (limits?.usd === undefined || cost === null) return cost;
  return Math.min(cost, boundedCap(limits.usd));
}

function runsOf({ repeat }: PlanNode, items: Range): Range {
  const max = repeat?.max ?? 1;
  return { low: items.low, expected: items.expected * Math.min(ROUNDS, max), high: items.high * max };
}

function timeOf(node: PlanNode, ms: number, items: number): number {
  const { each, repeat, limits } = node;
  const waves = each === undefined ? 1 : Math.ceil(items / (limits?.concurrency ?? CONCURRENCY));
  const { seconds, attemptSeconds } = timeLimitsOf(node);
  const once = attemptSeconds === undefined ? ms : Math.min(ms, attemptSeconds * 1000);
  const total = once * waves * Math.min(ROUNDS, repeat?.max ?? 1);
  return seconds === undefined ? total : Math.min(total, seconds * 1000);
}

// ---------------------------------------------------------------------------------------------------- one run

/** What bounds the node: whether a cap refuses models without a price, and what the operator allows. */
interface Within {
  readonly isCapped: boolean;
  readonly bounds: PlanBounds;
}

interface Once {
  readonly costs: Costs;
  readonly ms: number;
  readonly likely?: CatalogueModel | undefined;
  /** Tokens of one call, as the likely model counts them. @default the size of the node says it */
  readonly input?: number;
}

export interface Pools {
  of(nodeAnalysis: NodeAnalysis): PricedCandidates;
  /** The pool of an escalation rung; `target` is a tier or a model. */
  rung(node: PlanNode, target: string): PricedCandidates;
}

export function createPools({ catalogue }: PlanAnalysis): Pools {
  const candidates = candidatesOf(catalogue);
  const counts: Counts = { tokenRatios: catalogue.tokenRatios?.(), tokenCounter: catalogue.tokenCounter };
  return {
    of({ node, variants }) {
      if (variants === undefined) return poolOf(candidates(node), node.model?.strengths, counts);
      // Which of them it will be is not known, so it may be any of all their models.
      return poolOf([...new Set(variants.flatMap((variant) => candidates(variant)))], node.model?.strengths, counts);
    },
    rung: (node, target) => poolOf(rungCandidates(node, target, catalogue), node.model?.strengths, counts),
  };
}

function onceOf(
  nodeAnalysis: NodeAnalysis,
  size: NodeSize,
  pools: Pools,
  within: Within,
  analysis: PlanAnalysis,
  nested: Nested,
): Once {
  const { node, step } = nodeAnalysis;
  const inner = node.use.startsWith('workflow:') ? nodeAnalysis.workflow : undefined;
  if (inner !== undefined) return workflowOnce(nested(inner));
  if (step?.usesModel !== true) return { costs: FREE, ms: step?.expectedMs ?? 10 };
  const pool = pools.of(nodeAnalysis);
  if (node.use === 'plan') return planOnce(pool, within);
  const asking = ofAgents(callCosts(pool, node, size, within), nodeAnalysis, size, pools, within);
  const own = withSummary(asking, nodeAnalysis, pools, within);
  const ms = expectedMsOf(pool.likely);
  const input = likelyInput(pool, expectedSize(node, size));
  const asked = { costs: own, ms: ms * callsOf(node, within.bounds).expected, likely: pool.likely, input };
  return withWorkflows(escalated(asked, node, size, pools, within), node, analysis, nested);
}

/** At most, all calls are those of the dearest agent that has a model of its own. */
function ofAgents(own: Costs, nodeAnalysis: NodeAnalysis, size: NodeSize, pools: Pools, within: Within): Costs {
  const { node } = nodeAnalysis;
  const agents = node.use === 'llm' ? node.in?.agents : undefined;
  if (agents === undefined) return own;
  let { highNanoUsd } = own;
  for (const [, { model }] of agentsOf(agents)) {
    if (!isRecord(model)) continue;
    const other = callCosts(
      pools.of({ ...nodeAnalysis, node: { ...node, model }, variants: undefined }),
      node,
      size,
      within,
    ).highNanoUsd;
    highNanoUsd = highNanoUsd === null || other === null ? null : Math.max(highNanoUsd, other);
  }
  return { ...own, highNanoUsd };
}

/** With the workflows that the model may call. */
function withWorkflows(once: Once, node: PlanNode, { catalogue }: PlanAnalysis, nested: Nested): Once {
  const called = toolWorkflows(node, catalogue.bounds, (name) => {
    const plan = workflowOf(name, catalogue);
    return plan === undefined ? undefined : nested(plan);
  });
  if (called === undefined) return once;
  const expectedNanoUsd = addMoney(once.costs.expectedNanoUsd, called.expectedNanoUsd);
  const highNanoUsd = addMoney(once.costs.highNanoUsd, called.highNanoUsd);
  return { ...once, costs: { ...once.costs, expectedNanoUsd, highNanoUsd }, ms: once.ms + called.ms };
}

function workflowOnce(estimate: NodeEstimate | undefined): Once {
  if (estimate === undefined)
    return { costs: { lowNanoUsd: 0, expectedNanoUsd: null, highNanoUsd: null }, ms: expectedMsOf(undefined) };
  return { costs: estimate, ms: estimate.expectedMs };
}

/** Model calls of one run: tools take rounds, a typed answer may take one repair. */
export function callsOf(node: PlanNode, bounds: PlanBounds): { readonly expected: number; readonly high: number } {
  const { tools, agents } = node.in ?? {};
  // Those that only the run names are some, too.
  const hasTools = isGiven(tools) || isGiven(agents);
  // The model answers once more after the last round that it may take.
  const high = hasTools ? roundsOf(node, bounds) + 1 : 1;
  return { expected: hasTools ? TOOL_CALLS : 1, high: high + (node.out === undefined ? 0 : 1) };
}

const isGiven = (value: unknown): boolean =>
  value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);

export const expectedSize = (node: PlanNode, { input, output, written }: NodeSize): CallSize => ({
  input: input.expected,
  output: output.expected,
  images: imagesOf(node),
  written,
});

function callCosts(pool: PricedCandidates, node: PlanNode, size: NodeSize, within: Within): Costs {
  const images = imagesOf(node);
  const calls = callsOf(node, within.bounds);
  const { input, output, written } = size;
  const high: CallSize = { input: input.high, output: output.high, images, written };
  return {
    lowNanoUsd: cheapestCost(pool, { input: input.low, output: output.low, images, written }),
    expectedNanoUsd: times(likelyCost(pool, expectedSize(node, size)), calls.expected),
    highNanoUsd: times(dearestCost(pool, high, within.isCapped), calls.high),
  };
}

/** The call that sums up the older messages of a thread, at a model of the lowest tier unless the node names its model. */
function withSummary(costs: Costs, nodeAnalysis: NodeAnalysis, pools: Pools, within: Within): Costs {
  const { node } = nodeAnalysis;
  if (node.thread === undefined || !threadSettings(node.thread).summarise) return costs;
  const isNamed = node.model !== undefined && (node.model.id ?? node.model.route ?? node.model.task) !== undefined;
  const pool = isNamed ? pools.of(nodeAnalysis) : pools.rung(node, 'fast');
  const size: CallSize = { input: THREAD_FOLD_TOKENS, output: THREAD_SUMMARY_TOKENS, images: 0 };
  return {
    lowNanoUsd: costs.lowNanoUsd,
    expectedNanoUsd: addMoney(costs.expectedNanoUsd, times(likelyCost(pool, size), SUMMARY_SHARE)),
    highNanoUsd: addMoney(costs.highNanoUsd, dearestCost(pool, size, within.isCapped)),
  };
}

function imagesOf(node: PlanNode): number {
  if (operationOf(node.use) !== 'image') return 0;
  const count = node.in?.count;
  return typeof count === 'number' && count >= 1 ? Math.min(count, 100) : 1;
}

function escalated(first: Once, node: PlanNode, size: NodeSize, pools: Pools, within: Within): Once {
  if (node.escalate === undefined) return first;
  let { expectedNanoUsd, highNanoUsd } = first.costs;
  let { ms } = first;
  let share = 1;
  for (const target of node.escalate.to) {
    share *= ESCALATION_SHARE;
    const pool = pools.rung(node, target);
    const rung = callCosts(pool, node, size, within);
    expectedNanoUsd = addMoney(expectedNanoUsd, times(rung.expectedNanoUsd, share));
    highNanoUsd = addMoney(highNanoUsd, rung.highNanoUsd);
    ms += share * expectedMsOf(pool.likely);
  }
  return { ...first, costs: { ...first.costs, expectedNanoUsd, highNanoUsd }, ms };
}

function planOnce(pool: PricedCandidates, within: Within): Once {
  const { planner, call, expected, high } = NESTED;
  const both = (cost: (size: CallSize) => NanoUsd | null, counts: { plannings: number; calls: number }) =>
    addMoney(times(cost(planner), counts.plannings), times(cost(call), counts.calls));
  return {
    costs: {
      lowNanoUsd: cheapestCost(pool, { ...planner, output: 1 }),
      expectedNanoUsd: both((size) => likelyCost(pool, size), expected),
      highNanoUsd: both(
        (size) => dearestCost(pool, { ...size, output: Number.MAX_SAFE_INTEGER }, within.isCapped),
        high,
      ),
    },
    ms: expectedMsOf(pool.likely) * 3,
    likely: pool.likely,
  };
}
