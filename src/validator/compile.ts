/** The plan that engines run: in topological order, with what the validator found out. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../core/canonical-json.ts';
import { markValid, type NodeEstimate, type Plan, type ValidNode, type ValidPlan } from '../core/plan/plan.ts';
import type { Study, Subject } from './analysis/plan-analysis.ts';
import type { StudyEstimate } from './estimate/estimate.ts';

/** The subjects of the study stand in the order of the run. */
export function compilePlan(study: Study, estimate: StudyEstimate): ValidPlan {
  const plan: Plan = { ...study.plan, nodes: study.subjects.map(({ node }) => node) };
  const { lowNanoUsd, expectedNanoUsd, highNanoUsd, expectedMs } = estimate;
  let hash: string | undefined;
  return markValid({
    plan,
    // Only runs need it, and it takes an eighth of a validation.
    get hash() {
      hash ??= hashOf(plan);
      return hash;
    },
    nodes: study.subjects.map((subject, index) =>
      validNode(subject, index, study, estimate.nodes[index]?.estimate, estimate.priorities[index]),
    ),
    estimate: { lowNanoUsd, expectedNanoUsd, highNanoUsd, expectedMs },
    bounds: study.catalogue.bounds,
  });
}

export function validNode(
  subject: Subject,
  index: number,
  study: Study,
  estimate: NodeEstimate | undefined,
  priority = 0,
): ValidNode {
  const data = new Set<string>();
  const dependencies = new Set<string>();
  for (const { head, place } of subject.uses) {
    if (head === subject.node.id || !study.byId.has(head)) continue;
    dependencies.add(head);
    if (place !== 'needs') data.add(head);
  }
  return {
    node: subject.node,
    index,
    data: [...data],
    dependencies: [...dependencies],
    hasFallback: subject.hasFallback,
    estimate: estimate ?? { lowNanoUsd: 0, expectedNanoUsd: 0, highNanoUsd: 0, expectedMs: 0 },
    priority,
  };
}

/** SHA-256 of the canonical JSON (RFC 8785: sorted keys, no spaces), hex. */
export const hashOf = (plan: Plan): string => createHash('sha256').update(canonicalJson(plan)).digest('hex');
