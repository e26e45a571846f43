/** The plan that engines run: in topological order, with dependencies, estimates and priorities. */
import { createHash } from 'node:crypto';
import type { Growing } from '../core/defined.ts';
import { canonicalJson } from '../core/json/canonical-json.ts';
import { markValid, type NodeEstimate, type Plan, type ValidNode, type ValidPlan } from '../core/plan/plan.ts';
import { isNodeName } from './analysis/built-in-names.ts';
import { ownMetaOf } from './analysis/own-meta.ts';
import type { NodeAnalysis, PlanAnalysis } from './analysis/plan-analysis.ts';
import type { AnalysisEstimate } from './estimate/estimate.ts';

/** The nodes of the analysis, their `dependencies` by place, and its workflows must be in the order of the run. */
export function compilePlan(
  analysis: PlanAnalysis,
  dependencies: readonly (readonly number[])[],
  estimate: AnalysisEstimate,
  workflows?: Plan['workflows'],
): ValidPlan {
  const nodes = analysis.nodes.map(({ node }) => node);
  const plan: Plan = { ...analysis.plan, ...(workflows === undefined ? {} : { workflows }), nodes };
  const { lowNanoUsd, expectedNanoUsd, highNanoUsd, expectedMs } = estimate;
  return withHash({
    plan,
    nodes: analysis.nodes.map((nodeAnalysis, index) =>
      validNode(
        nodeAnalysis,
        index,
        dependencies[index] ?? [],
        analysis,
        estimate.nodes[index]?.estimate,
        estimate.priorities[index],
      ),
    ),
    estimate: { lowNanoUsd, expectedNanoUsd, highNanoUsd, expectedMs },
    bounds: analysis.catalogue.bounds,
  });
}

/** Without those that it only needs, or that only undoing it reads. */
function dataOf(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): readonly string[] {
  const data = new Set<string>();
  for (const use of nodeAnalysis.uses) {
    const { head, place } = use;
    if (place === 'needs' || place === 'undo' || head === nodeAnalysis.node.id || !analysis.byId.has(head)) continue;
    if (isNodeName(use, nodeAnalysis, analysis)) data.add(head);
  }
  return [...data];
}

type Unhashed = Omit<Parameters<typeof markValid>[0], 'hash'>;

/** With its hash, which is computed when it is first read: only runs need it, and it takes an eighth of the time of a validation. */
export const withHash = (plan: Unhashed): ValidPlan =>
  markValid(Object.defineProperty(plan, 'hash', HASH) as Unhashed & Pick<ValidPlan, 'hash'>);

const hashes = new WeakMap<Plan, string>();

/**
 * One function for all plans: `get hash()` in an object literal is a new one for each, so V8 makes a shape for each object, and that
 * holds all that the function can reach until a full collection.
 */
const HASH: PropertyDescriptor = {
  get(this: ValidPlan): string {
    const known = hashes.get(this.plan) ?? hashOf(this.plan);
    hashes.set(this.plan, known);
    return known;
  },
  enumerable: true,
  configurable: true,
};

/** @param places of the nodes that it waits for */
export function validNode(
  nodeAnalysis: NodeAnalysis,
  index: number,
  places: readonly number[],
  analysis: PlanAnalysis,
  estimate: NodeEstimate | undefined,
  priority = 0,
): ValidNode {
  const { node, variants } = nodeAnalysis;
  const dependencies = places.map((place) => analysis.nodes[place]?.node.id ?? '');
  const ownMeta = ownMetaOf(nodeAnalysis.output);
  const compiled: Growing<ValidNode> = {
    node,
    index,
    data: node.needs === undefined && node.undo === undefined ? dependencies : dataOf(nodeAnalysis, analysis),
    dependencies,
    hasFallback: nodeAnalysis.hasFallback,
    estimate: estimate ?? { lowNanoUsd: 0, expectedNanoUsd: 0, highNanoUsd: 0, expectedMs: 0 },
    priority,
  };
  if (ownMeta !== undefined) compiled.ownMeta = ownMeta;
  if (variants !== undefined) compiled.models = variants.flatMap(({ model }) => model ?? []);
  return compiled;
}

/** SHA-256 of the canonical JSON (RFC 8785: sorted keys, no spaces), hex. */
const hashOf = (plan: Plan): string => createHash('sha256').update(canonicalJson(plan)).digest('hex');
