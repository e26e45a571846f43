/**
 * What a revised plan keeps of the one that failed, so that no step that changed the world does so twice.
 *
 * K1. A step that has ended keeps its result in the revised plan where it means the same, whatever it is called there. Steps
 *     that may change something outside the run mean the same where they do the same with the same input; for all others
 *     the whole definition counts.
 * K2. A step that says that it has side effects, and has ended, is put back where the revised plan changes or drops it.
 * K3. So it is with the items and rounds that such a step has ended before it failed.
 */
import { canonicalJson } from '../core/json/canonical-json.ts';
import { stepOfTool, toolLists } from '../core/plan/offered-tools.ts';
import type { Plan, PlanNode } from '../core/plan/plan.ts';
import { memberPlan, workflowNameOf, workflowsUsedBy } from '../core/plan/plan-workflows.ts';
import type { PlanFailure } from '../core/plan/planner.ts';
import type { Catalogue } from '../core/plan/validation.ts';
import { expressionIn, listReferences } from '../language/template.ts';

export interface KeptSteps {
  /** The revised plan, with what was put back. The same object: nothing was. */
  readonly plan: Plan;
  /** Node of the revised plan → node of the failed one whose result it has. Those that are the same in both are left out. */
  readonly kept: Readonly<Record<string, string>>;
}

/** What a step may do outside the run: `none`, unknown, or what it says itself. */
type Effect = 'none' | 'possible' | 'declared';

interface Comparison {
  readonly steps: Catalogue['steps'];
  readonly effects: Map<Plan, Effect>;
  readonly failed: Plan;
  readonly revised: Plan;
  readonly before: ReadonlyMap<string, PlanNode>;
  readonly after: ReadonlyMap<string, PlanNode>;
  /** Nodes that have ended, or have ended items or rounds. */
  readonly ended: ReadonlySet<string>;
  readonly begun: ReadonlySet<string>;
  /** New name → old name, as far as they were found. */
  readonly names: Map<string, string>;
}

export function keptSteps(failure: PlanFailure, revised: Plan, { steps }: Catalogue): KeptSteps {
  const comparison: Comparison = {
    steps,
    effects: new Map(),
    failed: failure.plan,
    revised,
    before: byId(failure.plan),
    after: byId(revised),
    ended: new Set(Object.keys(failure.finished)),
    begun: new Set(failure.begun),
    names: new Map(),
  };
  for (const node of revised.nodes) {
    const old = counterpart(node, comparison);
    if (old !== undefined) comparison.names.set(node.id, old.id);
  }
  const changed = [...comparison.names].filter(([id, old]) => id !== old || isChanged(id, comparison));
  const back = missingSteps(comparison);
  const kept = [...changed, ...[...back.keys()].map((id) => [id, id] as const)];
  return { plan: withSteps(revised, back, comparison), kept: Object.fromEntries(kept) };
}

const byId = ({ nodes }: Plan): Map<string, PlanNode> => new Map(nodes.map((node) => [node.id, node]));

const isChanged = (id: string, { before, after }: Comparison): boolean =>
  canonicalJson(before.get(id)) !== canonicalJson(after.get(id));

/** The node of the failed plan that this one is: first the one of the same name, then one that the revised plan drops. */
function counterpart(node: PlanNode, comparison: Comparison): PlanNode | undefined {
  const { before, after, ended, begun } = comparison;
  const named = before.get(node.id);
  if (named !== undefined && isSame(named, node, comparison)) {
    const hasWork = ended.has(node.id) || begun.has(node.id);
    return hasWork ? named : undefined;
  }
  // A node of the failed plan that has not run is no second run of another one.
  if (named !== undefined && named.use === node.use && !ended.has(node.id)) return undefined;
  const taken = new Set(comparison.names.values());
  const found = [...before.values()].filter((old) => ended.has(old.id) && isSame(old, node, comparison));
  return found.find(({ id }) => !taken.has(id) && !after.has(id)) ?? found[0];
}

function isSame(old: PlanNode, node: PlanNode, comparison: Comparison): boolean {
  if (old.use !== node.use) return false;
  const { names, failed, revised } = comparison;
  const was = meaning(old, undefined, { plan: failed, effect: effectOf(old, { ...comparison, plan: failed }) });
  return was === meaning(node, names, { plan: revised, effect: effectOf(node, { ...comparison, plan: revised }) });
}

/** Equal for nodes that mean the same. References are read with the names of the failed plan. */
function meaning(
  { id: _id, needs: _needs, ...node }: PlanNode,
  names: ReadonlyMap<string, string> | undefined,
  { plan, effect }: { readonly plan: Plan; readonly effect: Effect },
): string {
  const { use, in: given = {}, each, repeat, out } = node;
  const what = effect === 'none' ? { ...node, in: given } : { use, in: given, each, repeat, out };
  // A workflow of the plan is what it does, whatever else has its name; the names in it are its own.
  const workflow = memberPlan(plan, workflowNameOf(use) ?? '');
  return canonicalJson(withNames(what, names)) + (workflow === undefined ? '' : canonicalJson(workflow));
}

const REFERENCE = /\{\{([^{}]{0,1000})\}\}/g;
const HEAD = /(?<![\w.[\]"'-])[a-zA-Z_]\w*/g;

/** The value with blanks removed from its references, and their nodes named as in the failed plan. */
function withNames(value: unknown, names: ReadonlyMap<string, string> | undefined): unknown {
  if (typeof value === 'string') {
    if (expressionIn(value) !== undefined) return names === undefined ? value : withNamesInside(value, names);
    return value.replaceAll(REFERENCE, (_whole, inside: string) => {
      const renamed = names === undefined ? inside : inside.replaceAll(HEAD, (head) => names.get(head) ?? head);
      return `{{${renamed.replaceAll(' ', '')}}}`;
    });
  }
  if (Array.isArray(value)) return value.map((item) => withNames(item, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, withNames(field, names)]));
}

const NAME_OR_TEXT = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?<![\w.])[a-zA-Z_]\w*/g;

/** An expression holds texts too, which name nothing. */
const withNamesInside = (text: string, names: ReadonlyMap<string, string>): string =>
  text.replaceAll(NAME_OR_TEXT, (part) => names.get(part) ?? part);

/** What a plan may use: its own workflows, and what is registered. */
interface Usable {
  readonly steps: Catalogue['steps'];
  readonly plan: Plan;
  /** Of workflows of plans: each is looked at once, however many nodes use it. */
  readonly effects: Map<Plan, Effect>;
}

function effectOf(node: PlanNode, usable: Usable): Effect {
  const all = [effectOfStep(node.use, usable)];
  for (const { names } of toolLists(node)) {
    if (Array.isArray(names)) all.push(...names.map((name: unknown) => effectOfStep(stepOfTool(String(name)), usable)));
    else all.push('possible');
  }
  return worst(all);
}

const worst = (all: readonly Effect[]): Effect =>
  all.find((effect) => effect === 'declared') ?? all.find((effect) => effect === 'possible') ?? 'none';

function effectOfStep(use: string, { steps, plan, effects }: Usable): Effect {
  const workflow = memberPlan(plan, workflowNameOf(use) ?? '');
  if (workflow !== undefined) {
    const inside = { steps, plan: workflow, effects };
    const effect = effects.get(workflow) ?? worst(workflow.nodes.map((node) => effectOf(node, inside)));
    effects.set(workflow, effect);
    return effect;
  }
  const sideEffects = steps.get(use)?.sideEffects;
  return sideEffects === undefined ? 'possible' : sideEffects ? 'declared' : 'none';
}

// ---------------------------------------------------------------------------------------------------- put back

/** Steps that have ended, say that they have side effects and are not in the revised plan, with what they read. */
function missingSteps(comparison: Comparison): ReadonlyMap<string, PlanNode> {
  const { before, after, ended, names, failed } = comparison;
  const known = new Set(names.values());
  const back = new Map<string, PlanNode>();
  const add = (node: PlanNode): void => {
    if (back.has(node.id)) return;
    back.set(node.id, endedStep(node));
    for (const id of nodesReadBy(node)) {
      const read = before.get(id);
      if (read !== undefined && !after.has(id)) add(read);
    }
  };
  for (const old of before.values()) {
    const isGone =
      ended.has(old.id) && !known.has(old.id) && effectOf(old, { ...comparison, plan: failed }) === 'declared';
    // Another step has taken its name: it stays out, and is not run again either.
    const isReplaced = after.has(old.id) && after.get(old.id)?.use !== old.use;
    if (isGone && !isReplaced) add(old);
  }
  return back;
}

/** Without what decides when it starts, because it has ended. */
function endedStep({ needs: _needs, when: _when, wait: _wait, session: _session, ...node }: PlanNode): PlanNode {
  return node;
}

const nodesReadBy = ({ in: inputs, each, model }: PlanNode): readonly string[] =>
  listReferences([inputs, each, model]).flatMap(({ reference }) =>
    reference.alternatives.flatMap((alternative) => (alternative.type === 'path' ? [alternative.head] : [])),
  );

/** Each before the steps of the revised plan, or in the place of the one that changes it. */
function withSteps(revised: Plan, back: ReadonlyMap<string, PlanNode>, { before, after, failed }: Comparison): Plan {
  if (back.size === 0) return revised;
  const first = [...before.keys()].flatMap((id) => (after.has(id) ? [] : (back.get(id) ?? [])));
  const nodes = [...first, ...revised.nodes.map((node) => back.get(node.id) ?? node)];
  const workflows = { ...usedWorkflows(failed, [...back.values()]), ...revised.workflows };
  return { ...revised, ...(Object.keys(workflows).length === 0 ? {} : { workflows }), nodes };
}

/** The workflows of the plan that the nodes use, with all that those use, in their order. */
function usedWorkflows(plan: Plan, nodes: readonly PlanNode[]): NonNullable<Plan['workflows']> {
  const needed = new Set<string>();
  for (const name of workflowsUsedBy(nodes)) {
    if (memberPlan(plan, name) !== undefined) needed.add(name);
    for (const inner of Object.keys(memberPlan(plan, name)?.workflows ?? {})) needed.add(inner);
  }
  return Object.fromEntries(Object.entries(plan.workflows ?? {}).filter(([name]) => needed.has(name)));
}
