/** Which nodes of a plan change something outside the run, and through what: the steps that a person is asked about. */
import { effectsOfDeclared } from '../core/plan/effects.ts';
import { namesIn, stepOfTool, toolLists } from '../core/plan/offered-tools.ts';
import type { Plan, PlanNode } from '../core/plan/plan.ts';
import { isBuiltIn } from '../core/plan/steps.ts';
import type { Catalogue } from '../core/plan/validation.ts';
import { registeredIn } from './analysis/members.ts';
import { workflowOf } from './analysis/plan-analysis.ts';
import { isRecord } from './document/document.ts';
import { resolvedPlan } from './resolved-plan.ts';

interface Counting {
  /** Steps count that declare nothing, because they may do anything. */
  readonly undeclared: boolean;
  /** Of plans that are used as workflows: each is looked at once, however many nodes use it. */
  readonly known: Map<Plan, boolean>;
}

/** Tools that a provider runs itself, and that only read. */
const READING_TOOLS: ReadonlySet<unknown> = new Set(['web-search', 'web-fetch', 'code-execution']);

/**
 * Node id → the steps by which it changes something: its own step, tools that its model may call, what undoes it. A step counts
 * that says that it has side effects, and with `undeclared` one that says nothing; tools that only the run names count where there is such a step. Calls that a person approves one by one (`approve`)
 * do not count, and neither does `plan`: what it plans is asked about when it is written.
 */
export function changesOf(
  plan: Plan,
  catalogue: Catalogue,
  undeclared: boolean,
): ReadonlyMap<string, readonly string[]> {
  const changes = new Map<string, readonly string[]>();
  const counting: Counting = { undeclared, known: new Map() };
  const analysis = resolvedPlan(plan, registeredIn(catalogue));
  for (const { node } of analysis.nodes) {
    const found = changesOfNode(node, analysis.catalogue, counting);
    if (found.length > 0) changes.set(node.id, found);
  }
  return changes;
}

function changesOfNode(node: PlanNode, catalogue: Catalogue, counting: Counting): readonly string[] {
  const found = new Set<string>();
  const add = (use: string): void => {
    if (stepChanges(use, catalogue, counting)) found.add(use);
  };
  add(node.use);
  if (node.undo !== undefined) add(typeof node.undo === 'string' ? node.undo : node.undo.use);
  const approve = node.use === 'llm' ? node.in?.approve : undefined;
  const approved: ReadonlySet<unknown> = new Set(Array.isArray(approve) ? approve : []);
  for (const list of toolLists(node)) {
    for (const name of namesIn(list)) if (!approved.has(name)) add(stepOfTool(name));
    for (const name of Array.isArray(list.names) ? list.names : [undefined]) {
      if (isRecord(name)) {
        if (counting.undeclared && !READING_TOOLS.has(name.name))
          found.add(`provider tool ${String(name.name).slice(0, 60)}`);
      } else if ((typeof name !== 'string' || name.includes('{{')) && anyChanges(catalogue, counting))
        found.add('tools that the run names');
    }
  }
  return [...found];
}

function stepChanges(use: string, catalogue: Catalogue, counting: Counting): boolean {
  const inner = workflowOf(use, catalogue);
  if (inner !== undefined) return planChanges(inner, catalogue, counting);
  const step = catalogue.steps.get(use);
  if (step === undefined) return counting.undeclared;
  if (use === 'plan' && isBuiltIn(step)) return false;
  return step.sideEffects ?? (counting.undeclared && effectsOfDeclared(step).writes.length > 0);
}

/** A tool that only the run names may be any, and so may what a workflow does: one that says that it has side effects is enough. */
const anyChanges = ({ steps }: Catalogue, { undeclared }: Counting): boolean =>
  undeclared || [...steps.values()].some((step) => step.sideEffects === true && !isBuiltIn(step));

/** Workflows nest no deeper than the catalogue allows, so the recursion ends. */
function planChanges(plan: Plan, catalogue: Catalogue, counting: Counting): boolean {
  const { known } = counting;
  const before = known.get(plan);
  if (before !== undefined) return before;
  known.set(plan, false);
  const analysis = resolvedPlan(plan, registeredIn(catalogue));
  const changes = analysis.nodes.some(({ node }) => changesOfNode(node, analysis.catalogue, counting).length > 0);
  known.set(plan, changes);
  return changes;
}
