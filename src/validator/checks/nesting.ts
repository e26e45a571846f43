/** Checks workflows inside workflows: no cycles, and no more levels than allowed. */

import { workflowsOf } from '../../core/plan/offered-tools.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { memberPlan, workflowNameOf, workflowsUsedBy } from '../../core/plan/plan-workflows.ts';
import type { Catalogue } from '../../core/plan/validation.ts';
import { registeredIn } from '../analysis/members.ts';
import type { PlanAnalysis } from '../analysis/plan-analysis.ts';

export function checkNesting(analysis: PlanAnalysis): void {
  const heights = new Map<Plan, number>();
  const { nesting } = analysis.catalogue.bounds;
  const registered = registeredIn(analysis.catalogue);
  for (const { node, pointer } of analysis.nodes) {
    const uses = workflowsOf(node);
    if (uses.length === 0) continue;
    const place = node.use === 'llm' ? `${pointer}/in` : `${pointer}/use`;
    for (const use of new Set(uses)) {
      const name = workflowNameOf(use) ?? '';
      const workflow = analysis.catalogue.workflows.get(name);
      if (workflow === undefined) continue;
      const isOwn = registered.workflows.get(name) !== workflow;
      const path = cycleFrom([{ name: use, plan: workflow, isOwn }], analysis.plan.id, registered, new Set());
      if (path !== undefined) {
        const message = `A workflow uses itself, directly or through others (${path.join(' uses ')}): remove one of these uses.`;
        analysis.report.add('workflow.cycle', place, message, { got: path });
        continue;
      }
      const levels = heightOf(workflow, registered, heights);
      if (levels <= nesting) continue;
      const message = `"${use}" nests workflows ${levels} levels deep, but at most ${nesting} levels are allowed: flatten them.`;
      analysis.report.add('workflow.depth', place, message, { expected: { atMost: nesting }, got: levels });
    }
  }
}

interface Inner {
  readonly name: string;
  /** Undefined: nobody knows what it does. */
  readonly plan: Plan | undefined;
  /** It is a workflow of the plan that uses it, whose name means nothing elsewhere. */
  readonly isOwn: boolean;
}

/** What a plan uses: its own workflows, else those that are registered. */
function innerUses(plan: Plan, { workflows }: Catalogue): Inner[] {
  return [...workflowsUsedBy(plan.nodes)].map((name) => {
    const own = memberPlan(plan, name);
    return { name: `workflow:${name}`, plan: own ?? workflows.get(name), isOwn: own !== undefined };
  });
}

/** The names of a cycle, from the first workflow to the repeated one; visits each plan once. Undefined without a cycle. */
function cycleFrom(
  path: readonly Inner[],
  root: string | undefined,
  registered: Catalogue,
  cleared: Set<Plan>,
): string[] | undefined {
  const last = path.at(-1);
  if (last?.plan === undefined) return undefined;
  const names = path.map(({ name }) => name);
  const isRoot = ({ name, isOwn }: Inner): boolean => !isOwn && root !== undefined && name === `workflow:${root}`;
  if (isRoot(last)) return names;
  for (const inner of innerUses(last.plan, registered)) {
    if (isRoot(inner) || path.some(({ plan }) => plan !== undefined && plan === inner.plan)) {
      return [...names, inner.name];
    }
    if (inner.plan === undefined || cleared.has(inner.plan)) continue;
    const found = cycleFrom([...path, inner], root, registered, cleared);
    if (found !== undefined) return found;
    cleared.add(inner.plan);
  }
  return undefined;
}

/** Levels of nested workflows, this one included. The plans must have no cycle. */
function heightOf(plan: Plan, registered: Catalogue, heights: Map<Plan, number>): number {
  const known = heights.get(plan);
  if (known !== undefined) return known;
  let height = 1;
  for (const inner of innerUses(plan, registered)) {
    if (inner.plan !== undefined) height = Math.max(height, 1 + heightOf(inner.plan, registered, heights));
  }
  heights.set(plan, height);
  return height;
}
