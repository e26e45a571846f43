/** The models that a node may turn out to ask for, where data decides that: each is checked and estimated. */
import type { PlanNode } from '../../core/plan/plan.ts';
import { isTier } from '../analysis/candidates.ts';
import { MODEL_FIELDS } from '../analysis/collect-uses.ts';
import type { NodeAnalysis, PlanAnalysis } from '../analysis/plan-analysis.ts';
import { shown } from '../document/report.ts';
import type { InferredType } from '../inference/inferred-type.ts';

/** More cannot be checked in a time that anyone would wait. */
const MOST_VARIANTS = 64;

/** Whether a field of its `model` is a reference or an expression. */
export const isByData = ({ model }: PlanNode): boolean =>
  MODEL_FIELDS.some((field) => model?.[field]?.includes('{{') === true);

/** Undefined where no field of `model` is a reference, or where its values are not known; that is reported. */
export function modelVariants(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): readonly PlanNode[] | undefined {
  const { model } = nodeAnalysis.node;
  if (model === undefined) return undefined;
  const byData = MODEL_FIELDS.filter((field) => model[field]?.includes('{{') === true);
  if (byData.length === 0) return undefined;
  let choices: NonNullable<PlanNode['model']>[] = [model];
  for (const field of byData) {
    const values = valuesOf(field, nodeAnalysis, analysis);
    if (values === undefined) return undefined;
    choices = choices.flatMap((choice) => values.map((value) => ({ ...choice, [field]: value })));
    if (choices.length > MOST_VARIANTS) return tooMany(choices.length, nodeAnalysis, analysis);
  }
  return choices.map((choice) => ({ ...nodeAnalysis.node, model: choice }));
}

type ModelField = (typeof MODEL_FIELDS)[number];

/** The values that the field may have; undefined where it may have any, which is reported. */
function valuesOf(
  field: ModelField,
  nodeAnalysis: NodeAnalysis,
  analysis: PlanAnalysis,
): readonly string[] | undefined {
  const { node, pointer } = nodeAnalysis;
  const text = node.model?.[field] ?? '';
  const values = choicesOf(inferredOf(text, nodeAnalysis, analysis));
  const path = `${pointer}/model/${field}`;
  // What is wrong with the reference itself is reported where it is resolved.
  if (analysis.report.findings.some((finding) => finding.path === path)) return undefined;
  const words = field === 'tier' ? 'fast, balanced and premium' : 'names';
  if (values === undefined) {
    const message = `model.${field} of node "${node.id}" is ${shown(text)}, which may be anything, so neither its models nor its cost are known: take one of a few ${words}, from a field such as "fast|premium" or with ?: in an expression.`;
    analysis.report.add('model.open', path, message, { got: text });
    return undefined;
  }
  const wrong = field === 'tier' ? values.find((value) => !isTier(value)) : undefined;
  if (wrong === undefined) return values;
  const message = `model.tier of node "${node.id}" may be ${shown(wrong)}, which is no tier: it must always be one of fast, balanced, premium.`;
  analysis.report.add('model.unknown', path, message, { got: wrong, expected: ['fast', 'balanced', 'premium'] });
  return undefined;
}

function inferredOf(text: string, { inferredTypes }: NodeAnalysis, analysis: PlanAnalysis): InferredType {
  const { segments } = analysis.template(text);
  const [only] = segments;
  if (only?.type === 'expression') return inferredTypes.get(text) ?? 'any';
  if (segments.length !== 1 || only?.type !== 'reference') return 'any';
  const types = only.reference.alternatives.map((alternative): InferredType => {
    if (alternative.type === 'path') return inferredTypes.get(alternative.text) ?? 'any';
    return [{ schema: { enum: [alternative.value] }, root: {} }];
  });
  return types.includes('any') ? 'any' : types.flat().filter((leaf) => leaf !== 'any');
}

/** The texts that a value may be; null, which fails the call, is left out. Undefined: other values are possible. */
function choicesOf(inferred: InferredType): readonly string[] | undefined {
  if (inferred === 'any') return undefined;
  const choices = new Set<string>();
  for (const { schema } of inferred) {
    const values = schema.const === undefined ? schema.enum : [schema.const];
    if (schema.type === 'null') continue;
    if (!Array.isArray(values)) return undefined;
    for (const value of values) {
      if (typeof value === 'string') choices.add(value);
      else if (value !== null) return undefined;
    }
  }
  return choices.size === 0 ? undefined : [...choices];
}

function tooMany(count: number, { node, pointer }: NodeAnalysis, { report }: PlanAnalysis): undefined {
  const message = `"model" of node "${node.id}" may turn out to be ${count} or more models, but at most ${MOST_VARIANTS} are checked: let fewer values decide it.`;
  report.add('model.open', `${pointer}/model`, message, { expected: { atMost: MOST_VARIANTS }, got: count });
  return undefined;
}
