/** Checks the workflows that a plan brings with it, each as a plan of its own with those before it. */
import type { Plan, PlanWorkflow } from '../../core/plan/plan.ts';
import { memberPlan, workflowNameOf, workflowsUsedBy } from '../../core/plan/plan-workflows.ts';
import type { Catalogue, PlanRepair } from '../../core/plan/validation.ts';
import { type Member, memberStep, withMembers } from '../analysis/members.ts';
import { cycleThrough, isOrdered, stableOrder } from '../analysis/order.ts';
import type { PlanAnalysis } from '../analysis/plan-analysis.ts';
import { isRecord, pointerToken } from '../document/document.ts';
import type { Fix, Report } from '../document/report.ts';
import type { ShapedPlan } from '../document/shape.ts';

/** What is left of the workflow when it is checked: its analysis, with its nodes in the order of the run. */
export interface CheckedMember {
  readonly analysis: PlanAnalysis;
  readonly moved: readonly PlanRepair[];
}

export interface MembersChecked {
  /** With the workflows of the plan, as its nodes see them. */
  readonly catalogue: Catalogue;
  /** As they run; undefined where the plan has none. */
  readonly workflows?: Readonly<Record<string, PlanWorkflow>>;
  readonly moved: readonly PlanRepair[];
}

export const memberPointer = (name: string): string => `/workflows/${pointerToken(name)}`;

/** @param check examines one workflow as a plan, and reports at its pointer */
export function checkMembers(
  { plan, members }: ShapedPlan,
  catalogue: Catalogue,
  report: Report,
  check: (name: string, shaped: ShapedPlan, seen: Catalogue) => CheckedMember,
): MembersChecked {
  if (members === undefined || members.size === 0) {
    return { catalogue, ...(plan.workflows === undefined ? {} : { workflows: plan.workflows }), moved: [] };
  }
  const names = [...members.keys()];
  reportUnused(names, [plan, ...[...members.values()].map((member) => member.plan)], report);
  const known = new Map<string, Member>();
  const moved: PlanRepair[] = [];
  let workflows: Record<string, PlanWorkflow> = {};
  let seen = catalogue;
  for (const name of orderOf(names, members, report)) {
    const shaped = members.get(name);
    if (shaped === undefined || report.isFull()) continue;
    const { analysis, moved: within } = check(name, shaped, seen);
    moved.push(...within.map((repair) => ({ ...repair, path: memberPointer(name) + repair.path })));
    const { version: _version, ...fields } = { ...analysis.plan, nodes: analysis.nodes.map(({ node }) => node) };
    workflows = { ...workflows, [name]: fields };
    const own = memberPlan({ workflows }, name);
    if (own === undefined) continue;
    known.set(name, { step: memberStep(name, analysis), plan: own });
    seen = withMembers(catalogue, known);
  }
  return { catalogue: seen, workflows, moved };
}

/** The names, each after those that it uses; a workflow that comes before one that it uses, or uses itself, is reported. */
function orderOf(
  names: readonly string[],
  members: ReadonlyMap<string, ShapedPlan>,
  report: Report,
): readonly string[] {
  const places = new Map(names.map((name, place) => [name, place]));
  const uses = names.map((name) =>
    [...workflowsUsedBy(members.get(name)?.plan.nodes ?? [])].flatMap((used) => places.get(used) ?? []),
  );
  if (isOrdered(uses)) return names;
  const sorted = stableOrder(uses);
  const isCyclic = reportCycles(names, uses, report);
  const order = sorted.flatMap((place) => names[place] ?? []);
  const fix = isCyclic ? undefined : moveFix(order);
  uses.forEach((used, place) => {
    const name = names[place] ?? '';
    const later = isCyclic ? [] : used.filter((other) => other > place).map((other) => names[other] ?? '');
    for (const other of later) {
      const message = `The workflow "${name}" uses "${other}", which comes after it: a workflow uses only those before it, so move "${other}" before "${name}".`;
      const path = useOf(name, other, members);
      report.add('workflow.forward', path, message, {
        got: `workflow:${other}`,
        fix: later[0] === other ? fix : undefined,
      });
    }
  });
  return order;
}

function reportCycles(names: readonly string[], uses: readonly (readonly number[])[], report: Report): boolean {
  const seen = new Set<number>();
  uses.forEach((used, place) => {
    if (seen.has(place) || !used.some((other) => other >= place)) return;
    const cycle = used.includes(place) ? [place, place] : cycleThrough(place, uses);
    if (cycle === undefined) return;
    for (const member of cycle) seen.add(member);
    const path = cycle.map((member) => `workflow:${names[member]}`);
    const message = `A workflow uses itself, directly or through others (${path.join(' uses ')}): remove one of these uses.`;
    report.add('workflow.cycle', memberPointer(names[place] ?? ''), message, { got: path });
  });
  return seen.size > 0;
}

/** Where the first workflow names the second. */
function useOf(name: string, used: string, members: ReadonlyMap<string, ShapedPlan>): string {
  const index = members.get(name)?.plan.nodes.findIndex(({ use }) => workflowNameOf(use) === used) ?? -1;
  return index === -1 ? memberPointer(name) : `${memberPointer(name)}/nodes/${index}/use`;
}

/** Writes the workflows of the document in another order. */
function moveFix(order: readonly string[]): Fix {
  return {
    code: 'workflow.moved',
    message: 'The workflows of the plan were put in the order in which they use each other.',
    edit(document) {
      const workflows = isRecord(document) ? document.workflows : undefined;
      if (!isRecord(workflows)) return;
      for (const name of order) {
        if (!Object.hasOwn(workflows, name)) continue;
        const member = workflows[name];
        delete workflows[name];
        workflows[name] = member;
      }
    },
  };
}

function reportUnused(names: readonly string[], plans: readonly Plan[], report: Report): void {
  const used = new Set(plans.flatMap(({ nodes }) => [...workflowsUsedBy(nodes)]));
  for (const name of names) {
    if (used.has(name)) continue;
    const message = `Nothing uses the workflow "${name}": use it as "workflow:${name}", or remove it.`;
    report.add('workflow.unused', memberPointer(name), message, { got: name });
  }
}
