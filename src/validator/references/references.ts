/** Resolves every reference to the type of its value, and reports references to nothing. */

import { handledAs } from '../../core/plan/stand-in.ts';
import { builtInType, shadowing } from '../analysis/built-in-names.ts';
import type { FoundExpression } from '../analysis/collect-uses.ts';
import { checkEach } from '../analysis/each.ts';
import { ownMetaOf } from '../analysis/own-meta.ts';
import type { NodeAnalysis, PlanAnalysis, Use } from '../analysis/plan-analysis.ts';
import { shown } from '../document/report.ts';
import { typeOfExpression } from '../inference/expression-type.ts';
import { arrayOf, type InferredType, inferredType, inferredTypeOfValue, stepInto } from '../inference/inferred-type.ts';
import { META, META_WITH_ERROR, META_WITH_ERRORS } from '../inference/meta-type.ts';
import { selfFix } from './self-reference.ts';
import { isCondition, quoted, reportField, reportUnknownNode } from './unknown-names.ts';

const INTEGER = inferredType({ type: 'integer' });

/** Resolves every use in the plan, node by node in the order of the run, and keeps the type of each reference. */
export function resolvePlan(analysis: PlanAnalysis): void {
  for (const nodeAnalysis of analysis.nodes) resolveNodeUses(nodeAnalysis, analysis);
  const types = analysis.outputTypes;
  for (const use of analysis.outputUses) keepType(use, types, undefined, analysis);
  for (const expression of analysis.outputExpressions) typeExpression(expression, types, analysis);
}

/** Resolves the uses of one node. The nodes that it refers to must have been resolved before. */
export function resolveNodeUses(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { node } = nodeAnalysis;
  if (node.each !== undefined) {
    // The type of `item` depends on the reference of the `each` itself.
    resolvePlaces(true, nodeAnalysis, analysis);
    checkEach(nodeAnalysis, analysis);
  }
  resolvePlaces(false, nodeAnalysis, analysis);
  if (node.use === 'value' && node.out === undefined) setValueOutput(nodeAnalysis, analysis);
}

/** Either the `each` of the node, or all its other places. */
function resolvePlaces(isEach: boolean, nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { uses, expressions, inferredTypes } = nodeAnalysis;
  for (const use of uses) {
    if ((use.place === 'each') === isEach) keepType(use, inferredTypes, nodeAnalysis, analysis);
  }
  for (const expression of expressions) {
    if ((expression.place === 'each') === isEach) typeExpression(expression, inferredTypes, analysis);
  }
}

/** Keeps the type of what an expression results in. The references that it reads must have been resolved before. */
function typeExpression(
  { text, pointer, parsed }: FoundExpression,
  types: Map<string, InferredType>,
  { report }: PlanAnalysis,
): void {
  const told = new Set<string>();
  const inferred = typeOfExpression(parsed.root, {
    source: parsed.source,
    typeOfReference: (path) => types.get(path),
    problem(code, message, details) {
      if (told.has(message) || report.isFull()) return;
      told.add(message);
      report.add(code, pointer, `In the expression ${shown(parsed.source)}, ${message}`, details);
    },
  });
  types.set(text, inferred);
}

/** The output of a `value` step is its rendered input. */
function setValueOutput(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  nodeAnalysis.outputOnce = inferredTypeOfValue(nodeAnalysis.node.in ?? {}, (text) => {
    const { segments } = analysis.template(text);
    const [only] = segments;
    if (only?.type === 'expression') return nodeAnalysis.inferredTypes.get(text) ?? 'any';
    if (segments.length !== 1 || only?.type !== 'reference') return 'text';
    const [first, second] = only.reference.alternatives;
    return first?.type === 'path' && second === undefined
      ? (nodeAnalysis.inferredTypes.get(first.text) ?? 'any')
      : 'any';
  });
  nodeAnalysis.output =
    nodeAnalysis.node.each === undefined ? nodeAnalysis.outputOnce : arrayOf(nodeAnalysis.outputOnce);
}

function keepType(
  use: Use,
  types: Map<string, InferredType>,
  nodeAnalysis: NodeAnalysis | undefined,
  analysis: PlanAnalysis,
): void {
  if (!analysis.report.isFull()) types.set(use.text, resolveUse(use, nodeAnalysis, analysis) ?? 'any');
}

/** Undefined when the use names nothing; that is reported. */
function resolveUse(
  use: Use,
  nodeAnalysis: NodeAnalysis | undefined,
  analysis: PlanAnalysis,
): InferredType | undefined {
  const start = resolveHead(use, nodeAnalysis, analysis);
  if (start === undefined) return undefined;
  let inferred = start;
  let index = 0;
  for (const step of use.path) {
    const next = index === 0 && step === 'meta' ? metaStep(use, inferred, analysis) : stepInto(inferred, step);
    if (next === undefined) {
      reportField({ use, index, inferred, nodeAnalysis }, analysis);
      return undefined;
    }
    inferred = next;
    index += 1;
  }
  return inferred;
}

/** `meta` is what the run says of a node, unless its output has such a field of its own. */
function metaStep(use: Use, inferred: InferredType, analysis: PlanAnalysis): InferredType | undefined {
  const own = analysis.byId.has(use.head) ? ownMetaOf(inferred) : 'always';
  if (own === undefined) return metaTypeOf(use, analysis);
  if (own === 'always') return stepInto(inferred, 'meta');
  const message = `${quoted(use)} reads the field "meta" that ${use.head} gives, where it gives one, and else what the run keeps of ${use.head} (model, cost, time): declare what the step gives, or rename its field.`;
  analysis.report.add('ref.meta', use.pointer, message, { got: use.text });
  return 'any';
}

function metaTypeOf({ head, pointer, path, text }: Use, { byId, report }: PlanAnalysis): InferredType {
  const node = byId.get(head)?.node;
  if (node !== undefined && handledAs(node) !== undefined)
    return node.each === undefined ? META_WITH_ERROR : META_WITH_ERRORS;
  if (path[1] !== 'error' && path[1] !== 'errors') return META;
  const message = `${shown(text)} reads why node "${head}" failed, but where it fails nothing that reads it runs: give it "onError": {"keep": true}.`;
  report.add('ref.no_error', pointer, message, { got: text });
  return 'any';
}

function resolveHead(
  use: Use,
  nodeAnalysis: NodeAnalysis | undefined,
  analysis: PlanAnalysis,
): InferredType | undefined {
  switch (use.head) {
    case 'input':
      return resolveInput(use, analysis);
    case 'item':
    case 'index':
      if (
        nodeAnalysis?.node.each === undefined ||
        use.place === 'each' ||
        use.place === 'when' ||
        use.place === 'needs'
      ) {
        return reportScope(
          use,
          'is available only in a node with "each", and not in its "each", "when" or "needs": add "each", or refer to an earlier node',
          analysis,
        );
      }
      return use.head === 'item' ? nodeAnalysis.item : INTEGER;
    case 'prev':
      if (
        nodeAnalysis?.node.repeat === undefined ||
        use.place === 'each' ||
        use.place === 'when' ||
        use.place === 'needs'
      ) {
        return reportScope(
          use,
          'is the output of the previous round and is available only in a node with "repeat", and not in its "each", "when" or "needs": add "repeat", or refer to an earlier node',
          analysis,
        );
      }
      return nodeAnalysis.outputOnce;
    case 'self':
      if (nodeAnalysis === undefined || (use.place !== 'until' && use.place !== 'undo')) {
        return reportScope(
          use,
          'is the output of the current round, or what is undone, and is available only in "repeat.until" and "undo": refer to an earlier node, or use "prev" in a node with "repeat"',
          analysis,
        );
      }
      return nodeAnalysis.outputOnce;
    default:
      return resolveNode(use, nodeAnalysis, analysis);
  }
}

function resolveInput(use: Use, analysis: PlanAnalysis): InferredType | undefined {
  if (use.place === 'needs') {
    return reportScope(
      use,
      'is available from the start, so nothing has to wait for it: list only ids of nodes in "needs"',
      analysis,
    );
  }
  if (analysis.input !== undefined) return analysis.input;
  const rule = 'but the plan declares none: add "input": { … } to the plan, or write the value here';
  analysis.report.add(
    isCondition(use) ? 'condition.type' : 'ref.unknown_input',
    use.pointer,
    `${quoted(use)} refers to an input, ${rule}.`,
  );
  return undefined;
}

function reportScope(use: Use, rule: string, analysis: PlanAnalysis): undefined {
  analysis.report.add('ref.scope', use.pointer, `${quoted(use)}: "${use.head}" ${rule}.`, { got: use.text });
  return undefined;
}

function resolveNode(
  use: Use,
  nodeAnalysis: NodeAnalysis | undefined,
  analysis: PlanAnalysis,
): InferredType | undefined {
  const builtIn = builtInType(use, nodeAnalysis, analysis);
  if (builtIn !== undefined) return builtIn;
  warnOfShadow(use, nodeAnalysis, analysis);
  const target = analysis.byId.get(use.head);
  if (target === undefined) return reportUnknownNode(use, nodeAnalysis, analysis);
  if (nodeAnalysis !== undefined && target === nodeAnalysis) {
    if (use.place === 'undo') return nodeAnalysis.outputOnce;
    const fix = analysis.naming.isHarmless(nodeAnalysis) ? selfFix(use, nodeAnalysis, analysis) : undefined;
    const rule = 'which is not available to it: refer to an earlier node, or use "repeat" with {{prev}}';
    analysis.report.add('ref.self', use.pointer, `${quoted(use)} refers to the output of its own node, ${rule}.`, {
      got: use.text,
      fix,
    });
    return undefined;
  }
  if (nodeAnalysis !== undefined && target.position > nodeAnalysis.position) {
    const rule = `node "${use.head}" comes after node "${nodeAnalysis.node.id}", and references may point only to earlier nodes: move it before`;
    analysis.report.add('ref.forward', use.pointer, `${quoted(use)}: ${rule}.`, { got: use.text });
    return undefined;
  }
  return target.output;
}

function warnOfShadow(use: Use, nodeAnalysis: NodeAnalysis | undefined, analysis: PlanAnalysis): void {
  if (shadowing(use, nodeAnalysis, analysis) === undefined) return;
  const value = use.head === 'run' ? 'the time at which the run began' : 'the number of the round';
  const message = `${quoted(use)} reads node "${use.head}", not ${value}, because a node has that name: rename the node if the other is meant.`;
  analysis.report.add('ref.shadowed', use.pointer, message, { got: use.text });
}
