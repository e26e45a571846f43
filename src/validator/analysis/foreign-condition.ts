/** The repair of a condition or an expression that is written in another language. */
import { compileExpression } from '../../language/expression.ts';
import { fromForeign, type Holder } from '../../language/foreign-condition.ts';
import { editText, setText } from '../document/document.ts';
import { type Fix, shown } from '../document/report.ts';
import { type InferredType, stepInto, typesOfInferred } from '../inference/inferred-type.ts';
import { readCondition } from './collect-uses.ts';
import type { NodeAnalysis, PlanAnalysis } from './plan-analysis.ts';

const HEADS: ReadonlySet<string> = new Set(['input', 'item', 'index', 'prev', 'self']);

/** @param nodeAnalysis undefined for the output of the plan */
export function foreignConditionFix(
  source: string,
  path: string,
  nodeAnalysis: NodeAnalysis | undefined,
  analysis: PlanAnalysis,
): Fix | undefined {
  const bare = source.replaceAll('{{', '').replaceAll('}}', '');
  const target = fromForeign(bare, rulesOf(nodeAnalysis, analysis));
  if (target === undefined || !readCondition(target).ok) return undefined;
  return {
    code: 'condition.rewritten',
    message: `The condition ${shown(source)} was written as ${shown(target)}.`,
    edit: setText(path, target),
  };
}

/** The same of a string that is an expression: `{{= … }}`. */
export function foreignExpressionFix(
  text: string,
  path: string,
  nodeAnalysis: NodeAnalysis | undefined,
  analysis: PlanAnalysis,
): Fix | undefined {
  const source = /^\s*\{\{=([\s\S]*)\}\}\s*$/.exec(text)?.[1];
  const target = source === undefined ? undefined : fromForeign(source, rulesOf(nodeAnalysis, analysis));
  if (target === undefined || !compileExpression(target).ok) return undefined;
  return {
    code: 'condition.rewritten',
    message: `The expression ${shown(source)} was written as ${shown(target)}.`,
    edit: editText(path, (given) => (given === text ? `{{=${target}}}` : given)),
  };
}

const rulesOf = (nodeAnalysis: NodeAnalysis | undefined, analysis: PlanAnalysis) => ({
  isName: (word: string): boolean => HEADS.has(word) || analysis.byId.has(word),
  holderOf: (path: string): Holder => holderOf(path, nodeAnalysis, analysis),
});

function holderOf(path: string, nodeAnalysis: NodeAnalysis | undefined, analysis: PlanAnalysis): Holder {
  const [first] = analysis.template(`{{${path}}}`).segments;
  const alternative = first?.type === 'reference' ? first.reference.alternatives[0] : undefined;
  if (alternative?.type !== 'path') return undefined;
  let inferred: InferredType | undefined = startOf(alternative.head, nodeAnalysis, analysis);
  for (const step of alternative.path)
    inferred = inferred === undefined ? undefined : stepInto(inferred, step).inferred;
  const types = inferred === undefined || inferred === 'any' ? undefined : typesOfInferred(inferred);
  if (types === undefined || types.length === 0) return undefined;
  if (types.every((type) => type === 'string' || type === 'null')) return 'text';
  return types.every((type) => type === 'array' || type === 'null') ? 'list' : undefined;
}

function startOf(
  head: string,
  nodeAnalysis: NodeAnalysis | undefined,
  analysis: PlanAnalysis,
): InferredType | undefined {
  if (head === 'input') return analysis.input;
  if (head === 'self' || head === 'prev') return nodeAnalysis?.outputOnce;
  if (head === 'item') return nodeAnalysis?.node.each === undefined ? undefined : nodeAnalysis.item;
  return analysis.byId.get(head)?.output;
}
