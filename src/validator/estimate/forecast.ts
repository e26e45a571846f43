/** A plan as a simulation draws from it: what its nodes do, how often, and at which models, with that of its workflows. */
import type { NanoUsd } from '../../core/money/money.ts';
import { workflowsOf } from '../../core/plan/offered-tools.ts';
import type { NodeEstimate, Plan, PlanNode } from '../../core/plan/plan.ts';
import { timeLimitsOf, waitsOutside } from '../../core/plan/steps.ts';
import type { Catalogue } from '../../core/plan/validation.ts';
import type { ForecastNode, ForecastPlan, ForecastRung, ForecastWork } from '../../core/run/simulation.ts';
import { registeredIn } from '../analysis/members.ts';
import { dependenciesOf } from '../analysis/order.ts';
import { type NodeAnalysis, type PlanAnalysis, workflowOf } from '../analysis/plan-analysis.ts';
import { resolvedPlan } from '../resolved-plan.ts';
import { CONCURRENCY, NESTED } from './assumptions.ts';
import { createEstimates, type Estimates, estimateAnalysis, estimatePlan } from './estimate.ts';
import { callsOf, createPools, expectedSize, type Pools } from './estimate-node.ts';
import { expectedTime } from './expected-ms.ts';
import { forecastConditions } from './forecast-conditions.ts';
import { type CallSize, DEFAULT_MS, likelyCost, type PricedCandidates } from './priced-candidates.ts';
import { createSizes, type NodeSize } from './sizes.ts';
import { times, toolWorkflows } from './tool-workflows.ts';

interface Forecasting {
  /** By level, because a plan beyond the allowed depth is not looked into. */
  readonly known: Map<Plan, (ForecastPlan | undefined)[]>;
  readonly estimates: Estimates;
}

/** @param plan valid; its nodes are in the order of the run */
export const forecast = (plan: Plan, catalogue: Catalogue): ForecastPlan =>
  forecastAt(plan, catalogue, 0, { known: new Map(), estimates: createEstimates() });

function forecastAt(plan: Plan, catalogue: Catalogue, level: number, forecasting: Forecasting): ForecastPlan {
  const levels = forecasting.known.get(plan) ?? [];
  forecasting.known.set(plan, levels);
  const before = levels[level];
  if (before !== undefined) return before;
  const made = openForecast(plan, catalogue, level, forecasting);
  levels[level] = made;
  return made;
}

function openForecast(plan: Plan, catalogue: Catalogue, level: number, forecasting: Forecasting): ForecastPlan {
  const analysis = resolvedPlan(plan, catalogue);
  const dependencies = dependenciesOf(analysis);
  const { priorities } = estimateAnalysis(analysis, dependencies, forecasting.estimates, level);
  const sizeOf = createSizes(analysis);
  const pools = createPools(analysis);
  const conditions = forecastConditions(analysis);
  const places = new Map(analysis.nodes.map(({ node }, place) => [node.id, place]));
  const inOutput = new Set(analysis.outputUses.map(({ head }) => head));
  const items: number[] = [];
  const inner = (nested: Plan): ForecastPlan | undefined =>
    level >= catalogue.bounds.nesting
      ? undefined
      : forecastAt(nested, registeredIn(analysis.catalogue), level + 1, forecasting);
  const estimateOf = (nested: Plan): NodeEstimate | undefined =>
    level >= catalogue.bounds.nesting
      ? undefined
      : estimatePlan(nested, registeredIn(analysis.catalogue), level + 1, forecasting.estimates);
  const nodes = analysis.nodes.map((nodeAnalysis, place): ForecastNode => {
    const { node } = nodeAnalysis;
    const size = sizeOf(nodeAnalysis);
    const itemsLike = items[likeOf(nodeAnalysis, places) ?? place] ?? place;
    items.push(itemsLike);
    const waiting = dependencies[place] ?? [];
    const quorum = node.wait === undefined || node.wait === 'all' ? 0 : node.wait === 'any' ? 1 : node.wait.atLeast;
    return {
      id: node.id,
      index: place,
      priority: priorities[place] ?? 0,
      dependencies: waiting,
      data: waiting.filter((other) => isRead(nodeAnalysis, analysis.nodes[other]?.node.id)),
      hasFallback: nodeAnalysis.hasFallback,
      quorum,
      inOutput: inOutput.has(node.id),
      finish: node.finish === true,
      when: conditions.get(node.id),
      items: node.each === undefined ? undefined : size.items,
      itemsLike,
      concurrency: node.limits?.concurrency ?? CONCURRENCY,
      mostRounds: node.repeat?.max ?? 1,
      isOutside: waitsOutside(node.use),
      limitMs: limitMsOf(node),
      work: workOf({ nodeAnalysis, size, pools, analysis, inner, estimateOf }),
    };
  });
  return { nodes };
}

function limitMsOf(node: PlanNode): number | undefined {
  const { seconds } = timeLimitsOf(node);
  return seconds === undefined ? undefined : seconds * 1000;
}

const isRead = ({ uses }: NodeAnalysis, id: string | undefined): boolean =>
  uses.some(({ head, place }) => head === id && place !== 'needs' && place !== 'undo');

/** The node over whose results it runs, once for each. */
function likeOf({ node, uses }: NodeAnalysis, places: ReadonlyMap<string, number>): number | undefined {
  if (node.each === undefined) return undefined;
  const over = uses.find(({ place }) => place === 'each');
  return over === undefined || over.path.length > 0 || over.isOperand === true ? undefined : places.get(over.head);
}

interface Working {
  readonly nodeAnalysis: NodeAnalysis;
  readonly size: NodeSize;
  readonly pools: Pools;
  readonly analysis: PlanAnalysis;
  readonly inner: (plan: Plan) => ForecastPlan | undefined;
  readonly estimateOf: (plan: Plan) => NodeEstimate | undefined;
}

function workOf(working: Working): ForecastWork {
  const { nodeAnalysis, pools, inner } = working;
  const { node, step, workflow } = nodeAnalysis;
  if (node.use.startsWith('workflow:') && workflow !== undefined) {
    const plan = inner(workflow);
    return plan === undefined ? unserved() : { type: 'workflow', plan };
  }
  if (step?.usesModel !== true) return { type: 'step', ms: stepMs(node, step?.expectedMs), isCertain: isCertain(node) };
  const pool = pools.of(nodeAnalysis);
  if (node.use === 'plan') return planWork(pool);
  const rungs = [
    rungOf(pool, working),
    ...(node.escalate?.to ?? []).map((target) => rungOf(pools.rung(node, target), working)),
  ];
  return { type: 'models', rungs, extra: calledWorkflows(working) };
}

/** What a `wait` says itself is waited for exactly. */
const isCertain = ({ use, in: inputs }: PlanNode): boolean =>
  use === 'value' || use === 'human' || (use === 'wait' && typeof inputs?.seconds === 'number');

function stepMs({ use, in: inputs }: PlanNode, expectedMs = 10): number {
  if (use === 'human') return 0;
  return use === 'wait' && typeof inputs?.seconds === 'number' ? inputs.seconds * 1000 : expectedMs;
}

/** Beyond the allowed nesting. */
const unserved = (): ForecastWork => ({
  type: 'models',
  rungs: [],
  extra: { ms: DEFAULT_MS, nanoUsd: null },
});

function rungOf(pool: PricedCandidates, { nodeAnalysis: { node }, size, analysis }: Working): ForecastRung {
  const { expected, high } = callsOf(node, analysis.catalogue.bounds);
  const { output } = size;
  const most = Math.min(output.high, pool.likely?.card.maxOutputTokens ?? output.high);
  const longest = output.expected > 0 ? Math.max(1, most / output.expected) : 1;
  return {
    ...pricedCall(pool, expectedSize(node, size)),
    longest,
    calls: expected,
    // The call that repairs a typed answer is the exception.
    mostCalls: expected > 1 ? high : 1,
  };
}

type PricedCall = Omit<ForecastRung, 'longest' | 'calls' | 'mostCalls'>;

function pricedCall(pool: PricedCandidates, size: CallSize): PricedCall {
  const { likely } = pool;
  const fixed = likelyCost(pool, { ...size, output: 0 });
  const whole = likelyCost(pool, size);
  const target = likely === undefined ? undefined : { provider: likely.provider, model: likely.card.id };
  const answerNanoUsd = fixed === null || whole === null ? null : whole - fixed;
  return { target, ...expectedTime(likely?.card), fixedNanoUsd: fixed, answerNanoUsd };
}

function planWork(pool: PricedCandidates): ForecastWork {
  const { planner, call, expected } = NESTED;
  const rung: ForecastRung = { ...pricedCall(pool, planner), longest: 4, calls: 1, mostCalls: 1 };
  const nanoUsd = times(likelyCost(pool, call), expected.calls);
  return { type: 'models', rungs: [rung], extra: { ms: 2 * rung.ms, nanoUsd } };
}

/** The workflows that the model of a node may call: one call of each. */
function calledWorkflows({ nodeAnalysis: { node }, analysis, estimateOf }: Working):
  | {
      readonly ms: number;
      readonly nanoUsd: NanoUsd | null;
    }
  | undefined {
  if (node.use !== 'llm' || workflowsOf(node).length === 0) return undefined;
  const called = toolWorkflows(node, analysis.catalogue.bounds, (name) => {
    const plan = workflowOf(name, analysis.catalogue);
    return plan === undefined ? undefined : estimateOf(plan);
  });
  return called === undefined ? undefined : { ms: called.ms, nanoUsd: called.expectedNanoUsd };
}
