/** The catalogue that the nodes of a plan see: what is registered, and the workflows of that plan. */
import type { Plan } from '../../core/plan/plan.ts';
import { memberPlan } from '../../core/plan/plan-workflows.ts';
import type { Catalogue } from '../../core/plan/validation.ts';
import { type Member, memberStep, registeredIn, withMembers } from '../analysis/members.ts';
import { openPlan } from '../analysis/plan-analysis.ts';
import { createReport } from '../document/report.ts';
import { resolvePlan } from './references.ts';

const scopes = new WeakMap<Catalogue, WeakMap<Plan, Catalogue>>();

/** For a plan that was checked before, or whose issues are nobody's here. */
export function scopeOf(plan: Plan, catalogue: Catalogue): Catalogue {
  const base = registeredIn(catalogue);
  if (plan.workflows === undefined) return base;
  const known = scopes.get(base) ?? new WeakMap<Plan, Catalogue>();
  scopes.set(base, known);
  const before = known.get(plan);
  if (before !== undefined) return before;
  const members = new Map<string, Member>();
  let scope = base;
  for (const name of Object.keys(plan.workflows)) {
    const inner = memberPlan(plan, name);
    if (inner === undefined) continue;
    const analysis = openPlan({ plan: inner, broken: new Set() }, scope, createReport());
    resolvePlan(analysis);
    members.set(name, { step: memberStep(name, analysis), plan: inner });
    scope = withMembers(base, members);
  }
  known.set(plan, scope);
  return scope;
}
