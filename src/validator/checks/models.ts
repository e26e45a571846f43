/** Checks the models that a node asks for: whether they exist, are capable, and may receive the data. */
import type { Tier } from '../../core/model/model.ts';
import type { PlanNode } from '../../core/plan/plan.ts';
import { thrownText } from '../../core/user-code/thrown-text.ts';
import { intentBounds } from '../../kit/requests/intent.ts';
import { nearest } from '../../language/suggest.ts';
import {
  type CatalogueModel,
  candidatesOf,
  type Demand,
  demandOf,
  isTier,
  keepsNothing,
  lacks,
  modelNames,
  modelsNamed,
  ofTier,
  rungCandidates,
  withoutStandIns,
} from '../analysis/candidates.ts';
import type { NodeAnalysis, PlanAnalysis } from '../analysis/plan-analysis.ts';
import { correction, shown } from '../document/report.ts';
import { isByData, modelVariants } from './model-variants.ts';

export function checkModels(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { node, step } = nodeAnalysis;
  if (step?.usesModel !== true) return;
  checkIntent(nodeAnalysis, analysis);
  if (isByData(node)) {
    nodeAnalysis.variants = modelVariants(nodeAnalysis, analysis);
    checkVariants(nodeAnalysis, analysis);
  } else checkChoice(nodeAnalysis, analysis);
  if (node.escalate !== undefined) checkEscalation(node.escalate, nodeAnalysis, analysis);
}

/** Each model that data may decide for has to serve the node. Names that an expression holds are not repaired. */
function checkVariants(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const told = new Set<string>();
  const report: PlanAnalysis['report'] = {
    ...analysis.report,
    add(code, path, message, details) {
      if (told.has(message)) return;
      told.add(message);
      analysis.report.add(code, path, message, { ...details, fix: undefined });
    },
  };
  for (const node of nodeAnalysis.variants ?? []) checkChoice({ ...nodeAnalysis, node }, { ...analysis, report });
}

/** An intent that the gateway would refuse is known before the node has cost anything. */
function checkIntent({ node, pointer }: NodeAnalysis, { report }: PlanAnalysis): void {
  const intent = node.model?.intent;
  if (intent === undefined) return;
  try {
    intentBounds(intent);
  } catch (error) {
    const message = `Node "${node.id}": ${thrownText(error)}`;
    report.add('model.intent', `${pointer}/model/intent`, message, { got: intent });
  }
}

function checkChoice(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { node, pointer } = nodeAnalysis;
  const { catalogue } = analysis;
  const { model } = node;
  if (model !== undefined) checkOneName(model, nodeAnalysis, analysis);
  if (model?.route !== undefined) {
    if (catalogue.routes.includes(model.route)) return;
    const unknown = { name: model.route, names: catalogue.routes, path: `${pointer}/model/route`, nodeAnalysis };
    reportUnknown(unknown, 'route of the config', analysis);
    return;
  }
  if (model?.task !== undefined && catalogue.tasks?.includes(model.task) !== true) {
    const unknown = { name: model.task, names: catalogue.tasks ?? [], path: `${pointer}/model/task`, nodeAnalysis };
    reportUnknown(unknown, 'task of the config', analysis);
    return;
  }
  if (model?.id !== undefined && modelsNamed(model.id, catalogue).length === 0) {
    const unknown = { name: model.id, names: modelNames(catalogue), path: `${pointer}/model/id`, nodeAnalysis };
    reportUnknown(unknown, 'model', analysis);
    return;
  }
  const candidates = candidatesOf(catalogue)(node);
  if (candidates.length > 0) {
    if (model?.tier !== undefined && isTier(model.tier))
      checkTier(model.tier, candidates, `${pointer}/model/tier`, `Node "${node.id}"`, analysis);
    return;
  }
  const named = model?.id === undefined ? catalogue.models : modelsNamed(model.id, catalogue);
  const path = model === undefined ? pointer : `${pointer}/model`;
  checkAble(named, demandOf(node, model, catalogue.toolsInPrompt), path, `node "${node.id}"`, node, analysis);
}

function checkOneName(
  model: NonNullable<PlanNode['model']>,
  { node, pointer }: NodeAnalysis,
  { report }: PlanAnalysis,
): void {
  const [first, second] = (['id', 'route', 'task'] as const).filter((field) => model[field] !== undefined);
  if (second === undefined) return;
  const message = `Node "${node.id}" has both model.${first} and model.${second}: keep only one of them.`;
  report.add('model.ambiguous', `${pointer}/model`, message);
}

/** A tier is a preference: where no capable model has it, the nearest one answers. */
function checkTier(
  tier: Tier,
  [first]: readonly CatalogueModel[],
  path: string,
  who: string,
  { report }: PlanAnalysis,
  more = '',
): void {
  if (first === undefined || first.card.tier === tier) return;
  const nearest = `tier ${first.card.tier} (such as ${nameOf(first)})`;
  const message = `${who} asks for tier ${tier}, which no registered model that can serve it has, so the nearest answers, ${nearest}${more}: register a model of that tier, or set "strict" to refuse.`;
  report.add('model.tier', path, message, { got: tier, expected: first.card.tier });
}

/** At least one model must be capable, and at least one of the capable models must be allowed to receive the data. */
function checkAble(
  named: readonly CatalogueModel[],
  demand: Demand,
  path: string,
  who: string,
  node: PlanNode,
  analysis: PlanAnalysis,
): void {
  const capable = withoutStandIns(named, demand).filter((model) => lacks(model, demand).length === 0);
  const able = ofTier(capable, { ...demand, privately: false });
  if (able.length === 0) {
    const { operation, tier, strict, can } = demand;
    const wanted = [operation, ...(tier === undefined || !strict ? [] : [`tier ${tier}`]), ...can].join(', ');
    const result = isOptional(operation, node) ? ' Without one its "onError" takes effect.' : '';
    const message = `No model can serve ${who}, which needs ${wanted}: ${reasonsOf(named, demand)}.${result}`;
    const code = isOptional(operation, node) ? 'model.stand_in' : 'model.no_capable';
    analysis.report.add(code, path, message, { expected: { operation, tier, can } });
  } else if (demand.privately && !able.some(keepsNothing)) {
    const names = able.slice(0, 5).map(nameOf).join(', ');
    const message = `The data of ${who} is ${node.sensitivity}, but every model that can serve it may keep data (${names}): choose a model with retention "none".`;
    analysis.report.add('model.privacy', path, message, {
      expected: { retention: 'none' },
      got: able.slice(0, 20).map(nameOf),
    });
  }
}

/** What a plan can do without, and says so: the run goes on as after any other failure of the node. */
const isOptional = (operation: Demand['operation'], { onError }: PlanNode): boolean =>
  (operation === 'embed' || operation === 'rerank') &&
  onError !== undefined &&
  onError !== 'fail' &&
  onError !== 'replan';

const nameOf = ({ provider, card }: CatalogueModel): string => `${provider}/${card.id}`;

/** Why the models that come nearest do not fit. */
function reasonsOf(named: readonly CatalogueModel[], demand: Demand): string {
  if (named.length === 0) return 'no model is registered. Add a provider that has models';
  const reasons = named
    .map((model) => ({ name: nameOf(model), missing: lacks(model, demand) }))
    .sort((a, b) => a.missing.length - b.missing.length)
    .slice(0, 3)
    .map(({ name, missing }) => `${name} ${missing.join(' and ')}`);
  return `${reasons.join('; ')}. Ask for less, or register a model that fits`;
}

interface UnknownName {
  readonly name: string;
  readonly names: readonly string[];
  readonly path: string;
  readonly nodeAnalysis: NodeAnalysis;
}

function reportUnknown({ name, names, path, nodeAnalysis }: UnknownName, what: string, analysis: PlanAnalysis): void {
  const isHarmless = analysis.naming.isHarmless(nodeAnalysis);
  const slip = analysis.naming.respelt(name, names, isHarmless);
  const message = `No ${what} is called ${shown(name)}: use a name from the catalogue, or constraints such as a tier instead of a name.`;
  analysis.report.add('model.unknown', path, message, {
    got: name,
    suggest: nearest(name, names),
    fix: slip === undefined ? undefined : correction(name, slip, path),
  });
}

function checkEscalation(
  escalate: NonNullable<PlanNode['escalate']>,
  nodeAnalysis: NodeAnalysis,
  analysis: PlanAnalysis,
): void {
  const { node, pointer } = nodeAnalysis;
  const { catalogue, report, naming } = analysis;
  if (catalogue.escalates === false) {
    const message = `Node "${node.id}" has "escalate", but no plugin acts on it: add escalation() of "polyphony/plugins/escalation/escalation" to the plugins, or remove "escalate".`;
    report.add('escalate.evaluator', `${pointer}/escalate`, message);
    return;
  }
  if (!catalogue.evaluators.includes(escalate.evaluator)) {
    const path = `${pointer}/escalate/evaluator`;
    const slip = naming.respelt(escalate.evaluator, catalogue.evaluators, naming.isHarmless(nodeAnalysis));
    report.add(
      'escalate.evaluator',
      path,
      `No evaluator is called ${shown(escalate.evaluator)}: use a registered evaluator.`,
      {
        got: escalate.evaluator,
        expected: catalogue.evaluators.slice(0, 50),
        suggest: nearest(escalate.evaluator, catalogue.evaluators),
        fix: slip === undefined ? undefined : correction(escalate.evaluator, slip, path),
      },
    );
  }
  escalate.to.forEach((target, rung) => {
    const path = `${pointer}/escalate/to/${rung}`;
    const candidates = rungCandidates(node, target, catalogue);
    if (candidates.length > 0) {
      const who = `Rung ${rung + 1} of node "${node.id}"`;
      const more = '; if that model has already answered, the rung is left out';
      if (isTier(target)) checkTier(target, candidates, path, who, analysis, more);
      return;
    }
    const named = modelsNamed(target, catalogue);
    if (isTier(target)) {
      const demand = { ...demandOf(node, node.model, catalogue.toolsInPrompt), tier: target };
      checkAble(catalogue.models, demand, path, `rung ${rung + 1} of node "${node.id}"`, node, analysis);
    } else if (named.length > 0) {
      const demand = { ...demandOf(node, node.model, catalogue.toolsInPrompt), tier: undefined };
      checkAble(named, demand, path, `rung ${rung + 1} of node "${node.id}"`, node, analysis);
    } else reportUnknownRung(target, path, naming.isHarmless(nodeAnalysis), analysis);
  });
}

function reportUnknownRung(target: string, path: string, isHarmless: boolean, analysis: PlanAnalysis): void {
  const names = ['fast', 'balanced', 'premium', ...modelNames(analysis.catalogue)];
  const slip = analysis.naming.respelt(target, names, isHarmless);
  analysis.report.add(
    'escalate.target',
    path,
    `${shown(target)} is neither a tier nor a model: use fast, balanced, premium, or the name of a model.`,
    {
      got: target,
      suggest: nearest(target, names),
      fix: slip === undefined ? undefined : correction(target, slip, path),
    },
  );
}
