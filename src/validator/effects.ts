/** What a plan may do outside its run: the effects of all its steps together, those of its workflows and agents included. */
import { ANY_EFFECTS, type Effects, effectsOfDeclared, type PlanEffects } from '../core/plan/effects.ts';
import { agentsOf, namesIn, stepOfTool, toolLists } from '../core/plan/offered-tools.ts';
import type { Plan, PlanNode } from '../core/plan/plan.ts';
import { threadSettings } from '../core/plan/thread.ts';
import type { Catalogue, StepType } from '../core/plan/validation.ts';
import { candidatesOf, rungCandidates } from './analysis/candidates.ts';
import { registeredIn } from './analysis/members.ts';
import { type NodeAnalysis, workflowOf } from './analysis/plan-analysis.ts';
import { isRecord } from './document/document.ts';
import { resolvedPlan } from './resolved-plan.ts';

interface Union {
  readonly reads: Set<string>;
  readonly writes: Set<string>;
  readonly reaches: Set<string>;
  readonly models: Set<string>;
  readonly openModels: Set<string>;
  readonly undeclared: Set<string>;
  /** Plans that are counted already: nested ones may be used at many places. */
  readonly plans: Set<Plan>;
  costs: Required<Effects>['costs'];
}

/**
 * The effects of all that the plan may run: its nodes, the workflows that they run, the tools that models may call, agents, and what
 * undoes a node. A plan that has issues is counted as far as it can be read. Lists are sorted.
 */
export function effectsOf(plan: Plan, catalogue: Catalogue): PlanEffects {
  const union: Union = {
    reads: new Set(),
    writes: new Set(),
    reaches: new Set(),
    models: new Set(),
    openModels: new Set(),
    undeclared: new Set(),
    plans: new Set(),
    costs: 'none',
  };
  addPlan(plan, registeredIn(catalogue), union);
  const { costs } = union;
  const sorted = (names: ReadonlySet<string>): readonly string[] => [...names].sort();
  return {
    reads: sorted(union.reads),
    writes: sorted(union.writes),
    reaches: sorted(union.reaches),
    costs,
    models: sorted(union.models),
    openModels: sorted(union.openModels),
    undeclared: sorted(union.undeclared),
  };
}

/** Workflows nest no deeper than the catalogue allows, so the recursion ends; `plans` keeps the work linear. */
function addPlan(plan: Plan, catalogue: Catalogue, union: Union): void {
  if (union.plans.has(plan)) return;
  union.plans.add(plan);
  const analysis = resolvedPlan(plan, catalogue);
  for (const nodeAnalysis of analysis.nodes) addNode(nodeAnalysis, analysis.catalogue, union);
}

function addNode(nodeAnalysis: NodeAnalysis, catalogue: Catalogue, union: Union): void {
  const { node, step } = nodeAnalysis;
  addStep(node.use, catalogue, union);
  if (step?.usesModel === true && !node.use.startsWith('workflow:')) addModels(nodeAnalysis, catalogue, union);
  addTools(node, catalogue, union);
  addOpenModels(node, union);
  if (node.thread !== undefined) add({ reads: ['store'], writes: ['store'] }, union);
  if (node.undo !== undefined) addStep(typeof node.undo === 'string' ? node.undo : node.undo.use, catalogue, union);
}

function addStep(use: string, catalogue: Catalogue, union: Union): void {
  const inner = workflowOf(use, catalogue);
  if (inner !== undefined) {
    addPlan(inner, catalogue, union);
    return;
  }
  const step: StepType | undefined = catalogue.steps.get(use);
  if (step?.effects === undefined) union.undeclared.add(use);
  add(effectsOfDeclared(step ?? {}), union);
}

/** Tools that models may call. Those that a value of the run names may be any. */
function addTools(node: PlanNode, catalogue: Catalogue, union: Union): void {
  for (const list of toolLists(node)) {
    for (const name of namesIn(list)) addStep(stepOfTool(name), catalogue, union);
    const names = Array.isArray(list.names) ? list.names : [undefined];
    for (const name of names) {
      if (isRecord(name)) addProviderTool(name, union);
      else if (typeof name !== 'string' || name.includes('{{')) {
        union.undeclared.add(`${node.id}: tools`);
        // It may be a workflow, with models of its own.
        if (list.place.endsWith('/tools')) union.openModels.add(`${node.id}: tools`);
        add(ANY_EFFECTS, union);
      }
    }
  }
}

/** Run by the provider: those for the web only read it, and code runs where it reaches nothing. Others may do anything. */
function addProviderTool({ name }: Readonly<Record<string, unknown>>, union: Union): void {
  if (name === 'web-search' || name === 'web-fetch') add({ reads: ['web'], reaches: ['*'] }, union);
  else if (name !== 'code-execution') {
    union.undeclared.add(`provider tool: ${String(name).slice(0, 120)}`);
    add(ANY_EFFECTS, union);
  }
}

/** Of the node, of what its `model` may turn out to be, of its rungs, its agents and what sums up its thread. */
function addModels({ node, variants }: NodeAnalysis, catalogue: Catalogue, union: Union): void {
  const candidates = candidatesOf(catalogue);
  const agents = node.use === 'llm' ? agentsOf(node.in?.agents) : [];
  const asked = [
    ...(variants ?? [withKnownModel(node, node.model)]).flatMap((variant) => candidates(variant)),
    ...(node.escalate?.to ?? []).flatMap((target) => rungCandidates(node, target, catalogue)),
    ...agents.flatMap(([, { model }]) => (isRecord(model) ? candidates(withKnownModel(node, model)) : [])),
    ...(summarises(node) ? rungCandidates(node, 'fast', catalogue) : []),
  ];
  for (const { provider, card } of asked) union.models.add(`${provider}/${card.id}`);
}

/** A plan that is still to be made, agents that are a value of the run, and agents whose model is one. */
function addOpenModels(node: PlanNode, { openModels }: Union): void {
  if (node.use === 'plan') openModels.add(`${node.id}: plan`);
  const agents = node.use === 'llm' ? node.in?.agents : undefined;
  if (agents === undefined || agents === null) return;
  const isKnown =
    isRecord(agents) && Object.values(agents).every((agent) => isRecord(agent) && hasKnownModel(agent.model));
  if (!isKnown) openModels.add(`${node.id}: agents`);
}

const hasKnownModel = (model: unknown): boolean =>
  model === undefined || (isRecord(model) && !(typeof model.id === 'string' && model.id.includes('{{')));

/** Without the name of a model that only the run knows: then it may be any that can. */
function withKnownModel(node: PlanNode, model: PlanNode['model']): PlanNode {
  if (model?.id?.includes('{{') !== true) return { ...node, ...(model === undefined ? {} : { model }) };
  const { id: _, ...known } = model;
  return { ...node, model: known };
}

const summarises = ({ thread }: PlanNode): boolean => thread !== undefined && threadSettings(thread).summarise;

const COSTS: readonly Required<Effects>['costs'][] = ['none', 'models', 'money'];

function add({ reads = [], writes = [], reaches = [], costs = 'none' }: Effects, union: Union): void {
  for (const place of reads) union.reads.add(place);
  for (const place of writes) union.writes.add(place);
  for (const place of reaches) union.reaches.add(place);
  if (COSTS.indexOf(costs) > COSTS.indexOf(union.costs)) union.costs = costs;
}
