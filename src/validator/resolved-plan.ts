/** A plan with what its references and expressions mean, where nobody asks for its issues. */
import type { Plan } from '../core/plan/plan.ts';
import type { Catalogue } from '../core/plan/validation.ts';
import { openPlan, type PlanAnalysis } from './analysis/plan-analysis.ts';
import { modelVariants } from './checks/model-variants.ts';
import { createReport } from './document/report.ts';
import { scopeOf } from './references/member-scope.ts';
import { resolvePlan } from './references/references.ts';

/** Its `catalogue` is the scope of the plan: what is registered, and its own workflows. */
export function resolvedPlan(plan: Plan, catalogue: Catalogue): PlanAnalysis {
  const analysis = openPlan({ plan, broken: new Set() }, scopeOf(plan, catalogue), createReport());
  resolvePlan(analysis);
  for (const nodeAnalysis of analysis.nodes) nodeAnalysis.variants = modelVariants(nodeAnalysis, analysis);
  return analysis;
}
