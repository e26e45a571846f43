/** Checks that an `each` is a reference to an array, and infers the type of `item`. */
import type { Reference } from '../../language/template.ts';
import { setText } from '../document/document.ts';
import { type Fix, shown } from '../document/report.ts';
import { type InferredType, itemsOf, typesOfInferred } from './inferred-type.ts';
import { whenNull } from './nullable.ts';
import type { NodeAnalysis, PlanAnalysis } from './plan-analysis.ts';

/** Sets the type of `item`, or reports an `each` that is not an array. Resolve the reference of `each` first. */
export function checkEach(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { node, pointer } = nodeAnalysis;
  const { each } = node;
  if (each === undefined) return;
  const path = `${pointer}/each`;
  const { segments } = analysis.template(each);
  const [only] = segments;
  if (only?.type === 'expression') {
    const inferred = nodeAnalysis.inferredTypes.get(each) ?? 'any';
    const items = itemsOf(inferred);
    if (items === undefined) reportNoArray(shown(each), inferred, nodeAnalysis, analysis);
    nodeAnalysis.item = items ?? 'any';
    return;
  }
  if (segments.length !== 1 || only?.type !== 'reference') {
    const message = `"each" of node "${node.id}" is ${shown(each)}: give exactly one reference to an array, such as "{{docs.hits}}".`;
    analysis.report.add('each.not_array', path, message, {
      got: each.slice(0, 200),
      fix: wrapFix(each, path, analysis),
    });
    return;
  }
  const { alternatives } = only.reference;
  let item: InferredType | undefined;
  for (const alternative of alternatives) {
    if (alternative.type === 'literal') {
      if (alternative.value !== null && !Array.isArray(alternative.value))
        reportNoArray(shown(alternative.value), undefined, nodeAnalysis, analysis);
      continue;
    }
    const inferred = nodeAnalysis.inferredTypes.get(alternative.text) ?? 'any';
    const items = itemsOf(inferred);
    if (items === undefined)
      reportNoArray(shown(`{{${alternative.text}}}`).slice(1, -1), inferred, nodeAnalysis, analysis);
    else item = item === undefined || items === 'any' ? items : item === 'any' ? 'any' : [...item, ...items];
  }
  nodeAnalysis.item = item ?? 'any';
  warnIfNullable(each, alternatives, nodeAnalysis, analysis);
}

/** Where every alternative may be null the node would fail, after what ran before it was paid. */
function warnIfNullable(
  each: string,
  alternatives: Reference['alternatives'],
  nodeAnalysis: NodeAnalysis,
  analysis: PlanAnalysis,
): void {
  const { node, pointer } = nodeAnalysis;
  let when: string | undefined;
  for (const alternative of alternatives) {
    const isNull = alternative.type === 'literal' && alternative.value === null;
    const why = alternative.type === 'path' ? whenNull(alternative, nodeAnalysis, analysis) : undefined;
    if (why === undefined && !isNull) return;
    when ??= why;
  }
  if (when === undefined) return;
  const paths = alternatives.filter(({ type }) => type === 'path');
  const written = paths.map((path) => (path.type === 'path' ? path.text : '')).join(' ?? ');
  const message = `"each" of node "${node.id}" iterates over ${shown(each)}, which is null when ${when}, and then the node fails: write {{${written} ?? []}} to run it for no item.`;
  analysis.report.add('each.nullable', `${pointer}/each`, message, { suggest: [`{{${written} ?? []}}`] });
}

function reportNoArray(
  name: string,
  inferred: InferredType | undefined,
  { node, pointer }: NodeAnalysis,
  analysis: PlanAnalysis,
): void {
  const types = inferred === undefined ? undefined : typesOfInferred(inferred);
  const message = `"each" of node "${node.id}" iterates over ${name}, which is ${types?.join(' or ') ?? 'not an array'}: refer to an array.`;
  analysis.report.add('each.not_array', `${pointer}/each`, message, { expected: 'array', got: types });
}

/** The fix for `docs.hits` where `{{docs.hits}}` was meant. */
function wrapFix(each: string, path: string, analysis: PlanAnalysis): Fix | undefined {
  const wrapped = `{{${each.trim()}}}`;
  if (each.includes('{') || each.length > 200) return undefined;
  const { segments, issues } = analysis.template(wrapped);
  const [only] = segments;
  if (issues.length > 0 || segments.length !== 1 || only?.type !== 'reference') return undefined;
  const [first] = only.reference.alternatives;
  if (first?.type !== 'path' || (first.head !== 'input' && !analysis.byId.has(first.head))) return undefined;
  const message = `${shown(each)} was replaced with ${shown(wrapped)}.`;
  return { code: 'reference.wrapped', message, edit: setText(path, wrapped) };
}
