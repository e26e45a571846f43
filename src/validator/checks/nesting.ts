/** Checks workflows inside workflows: no cycles, and no more levels than allowed. */

import { workflowsOf } from '../../core/plan/offered-tools.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { Catalogue } from '../../core/plan/validation.ts';
import { type PlanAnalysis, workflowOf } from '../analysis/plan-analysis.ts';

export function checkNesting(analysis: PlanAnalysis): void {
  const heights = new Map<Plan, number>();
  const { nesting } = analysis.catalogue.bounds;
  for (const { node, pointer } of analysis.nodes) {
    const place = node.use === 'llm' ? `${pointer}/in` : `${pointer}/use`;
    for (const use of new Set(workflowsOf(node))) {
      const workflow = workflowOf(use, analysis.catalogue);
      if (workflow === undefined) continue;
      const path = cycleFrom(workflow, [use], analysis.plan.id, analysis.catalogue, new Set());
      if (path !== undefined) {
        const message = `A workflow uses itself, directly or through others (${path.join(' uses ')}): remove one of these uses.`;
        analysis.report.add('workflow.cycle', place, message, { got: path });
        continue;
      }
      const levels = heightOf(workflow, analysis.catalogue, heights);
      if (levels <= nesting) continue;
      const message = `"${use}" nests workflows ${levels} levels deep, but at most ${nesting} levels are allowed: flatten them.`;
      analysis.report.add('workflow.depth', place, message, { expected: { atMost: nesting }, got: levels });
    }
  }
}

const innerUses = (plan: Plan): string[] => [...new Set(plan.nodes.flatMap(workflowsOf))];

/** The names of a cycle, from the first workflow to the repeated one; visits each plan once. Undefined without a cycle. */
function cycleFrom(
  plan: Plan,
  path: readonly string[],
  root: string | undefined,
  catalogue: Catalogue,
  cleared: Set<Plan>,
): string[] | undefined {
  const last = path.at(-1);
  if (root !== undefined && last === `workflow:${root}`) return [...path];
  for (const use of innerUses(plan)) {
    if (path.includes(use) || use === `workflow:${root}`) return [...path, use];
    const inner = workflowOf(use, catalogue);
    if (inner === undefined || cleared.has(inner)) continue;
    const found = cycleFrom(inner, [...path, use], root, catalogue, cleared);
    if (found !== undefined) return found;
    cleared.add(inner);
  }
  return undefined;
}

/** Levels of nested workflows, this one included. The plans must have no cycle. */
function heightOf(plan: Plan, catalogue: Catalogue, heights: Map<Plan, number>): number {
  const known = heights.get(plan);
  if (known !== undefined) return known;
  let height = 1;
  for (const use of innerUses(plan)) {
    const inner = workflowOf(use, catalogue);
    if (inner !== undefined) height = Math.max(height, 1 + heightOf(inner, catalogue, heights));
  }
  heights.set(plan, height);
  return height;
}
