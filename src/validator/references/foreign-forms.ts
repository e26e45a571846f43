/**
 * What other formats and languages write where a reference or a condition of ours should stand: `a.output.label`, `nodes.a.label`,
 * `inputs.ticket`, `a.list.length`, `a.label === 'x'`. Each is repaired only where it leads nowhere as it is written, and where the direct
 * way exists.
 */
import { fromForeign, type Holder } from '../../language/foreign-condition.ts';
import { readCondition } from '../analysis/collect-uses.ts';
import type { NodeAnalysis, PlanAnalysis, Use } from '../analysis/plan-analysis.ts';
import { formatPath, renameFix } from '../analysis/rename.ts';
import { editText, isRecord, setText } from '../document/document.ts';
import { type Fix, shown } from '../document/report.ts';
import { type InferredType, stepInto, typesOf, typesOfInferred } from '../inference/inferred-type.ts';

/** Where other formats keep what nodes gave. */
const NODES: ReadonlySet<string> = new Set([
  ...[
    'nodes',
    'node',
    'steps',
    'step',
    'outputs',
    'output',
    'results',
    'result',
    'tasks',
    'task',
    'context',
    'ctx',
    'state',
  ],
]);
/** Where other formats keep what the plan was given. */
const INPUTS: ReadonlySet<string> = new Set([
  ...['inputs', 'parameters', 'params', 'args', 'arguments', 'variables', 'vars', 'request', 'context'],
]);
/** What other formats call the whole output of a node. */
const WHOLE: ReadonlySet<string> = new Set(['output', 'outputs', 'result', 'results', 'response', 'returns']);
/** What the text of a model is called elsewhere. */
const TEXT: ReadonlySet<string> = new Set([...WHOLE, 'text', 'content', 'answer', 'message', 'completion']);

/** For a head that names nothing: the same reference without it. */
export function withoutHead(
  { head, path }: Use,
  nodeAnalysis: NodeAnalysis | undefined,
  { byId, input }: PlanAnalysis,
): string | undefined {
  const [first, ...rest] = path;
  if (typeof first !== 'string') return undefined;
  const target = byId.get(first);
  const isEarlier = target !== undefined && target !== nodeAnalysis && isBefore(target, nodeAnalysis);
  const asNode = NODES.has(head) && isEarlier ? formatPath(first, rest) : undefined;
  const isInput = INPUTS.has(head) && input !== undefined && input !== 'any' && stepInto(input, first) !== undefined;
  if (asNode !== undefined && isInput) return undefined;
  return asNode ?? (isInput ? formatPath('input', path) : undefined);
}

const isBefore = (target: NodeAnalysis, nodeAnalysis: NodeAnalysis | undefined): boolean =>
  nodeAnalysis === undefined || target.position < nodeAnalysis.position;

/**
 * For a field that a node does not have.
 *
 * @param index of the step in the path that leads nowhere
 * @param inferred what has no such field
 */
export function withoutField(
  use: Use,
  index: number,
  inferred: InferredType,
  { byId }: PlanAnalysis,
): string | undefined {
  const step = use.path[index];
  const node = byId.get(use.head)?.node;
  if (index !== 0 || typeof step !== 'string' || node === undefined) return undefined;
  if (!(node.use === 'llm' ? TEXT : WHOLE).has(step)) return undefined;
  const rest = use.path.slice(1);
  if (rest.length === 0) {
    const only = onlyField(inferred);
    return only === undefined ? use.head : formatPath(use.head, [only]);
  }
  let direct: InferredType | undefined = inferred;
  for (const next of rest) direct = direct === undefined ? undefined : stepInto(direct, next);
  return direct === undefined ? undefined : formatPath(use.head, rest);
}

/** The field that is all of an output. */
export function onlyField(inferred: InferredType): string | undefined {
  const [leaf, another] = inferred === 'any' ? [] : inferred;
  if (leaf === undefined || another !== undefined || !isRecord(leaf.schema.properties)) return undefined;
  const [name, second] = Object.keys(leaf.schema.properties);
  return second === undefined && leaf.schema.additionalProperties !== true ? name : undefined;
}

const LENGTHS: ReadonlySet<string> = new Set(['length', 'size', 'count']);

/** `a.list.length`, where a list has no fields: `size(a.list)`. */
export function lengthFix(use: Use, index: number, inferred: InferredType): Fix | undefined {
  const step = use.path[index];
  const isCounted = inferred !== 'any' && inferred.every((leaf) => isCountable(typesOf(leaf)));
  if (!isCounted || typeof step !== 'string' || !LENGTHS.has(step) || index !== use.path.length - 1) return undefined;
  const size = `size(${formatPath(use.head, use.path.slice(0, index))})`;
  if (use.place === 'when' || use.place === 'until' || use.isOperand === true)
    return renameFix(use, size, 'condition.rewritten');
  return {
    code: 'condition.rewritten',
    message: `${shown(`{{${use.text}}}`)} was written as ${shown(`{{= ${size}}}`)}.`,
    edit: editText(use.pointer, (text) => (text.replaceAll(/[{}\s]/g, '') === use.text ? `{{= ${size}}}` : text)),
  };
}

const isCountable = (types: readonly string[] | undefined): boolean =>
  types !== undefined && types.length > 0 && types.every((type) => type === 'array' || type === 'string');

// ---------------------------------------------------------------------------------------------------- conditions

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

const rulesOf = (nodeAnalysis: NodeAnalysis | undefined, analysis: PlanAnalysis) => ({
  isName: (word: string): boolean => HEADS.has(word) || analysis.byId.has(word),
  holderOf: (path: string): Holder => holderOf(path, nodeAnalysis, analysis),
});

function holderOf(path: string, nodeAnalysis: NodeAnalysis | undefined, analysis: PlanAnalysis): Holder {
  const [first] = analysis.template(`{{${path}}}`).segments;
  const alternative = first?.type === 'reference' ? first.reference.alternatives[0] : undefined;
  if (alternative?.type !== 'path') return undefined;
  let inferred: InferredType | undefined = startOf(alternative.head, nodeAnalysis, analysis);
  for (const step of alternative.path) inferred = inferred === undefined ? undefined : stepInto(inferred, step);
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
