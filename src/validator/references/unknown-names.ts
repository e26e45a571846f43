/** References to nodes, inputs and fields that do not exist: what is reported of them, and what was meant where that is clear. */

import { nearest } from '../../language/suggest.ts';
import type { NodeAnalysis, PlanAnalysis, Use } from '../analysis/plan-analysis.ts';
import { formatPath, renameFix } from '../analysis/rename.ts';
import type { IssueCode } from '../document/codes.ts';
import { type Fix, shown } from '../document/report.ts';
import { fieldNamesOf, type InferredType, stepInto, typesOf, typesOfInferred } from '../inference/inferred-type.ts';
import { foreignConditionFix, lengthFix, withoutField, withoutHead } from './foreign-forms.ts';

export const quoted = (use: Use): string => shown(use.text);
export const isCondition = (use: Use): boolean => use.place === 'when' || use.place === 'until';

export function reportUnknownNode(use: Use, nodeAnalysis: NodeAnalysis | undefined, analysis: PlanAnalysis): undefined {
  const names = headsFor(use, nodeAnalysis, analysis);
  const code: IssueCode = isCondition(use) ? 'condition.type' : 'ref.unknown_node';
  const viaInput = use.place === 'needs' ? undefined : inputField(use, analysis);
  const sameUse = analysis.nodes.filter(({ node }) => node.use === use.head || node.use === `tool:${use.head}`);
  const suggest = [
    ...(viaInput === undefined ? [] : [viaInput]),
    ...sameUse.map(({ node }) => node.id),
    ...nearest(use.head, names),
  ];
  const { naming } = analysis;
  const slip = naming.respelt(use.head, names, naming.isHarmless(nodeAnalysis));
  const target = slip === undefined ? viaInput : formatPath(slip, use.path);
  analysis.report.add(
    code,
    use.pointer,
    `${quoted(use)}: no node has the id ${shown(use.head)}: use the id of an earlier node.`,
    {
      got: use.text,
      expected: names.slice(0, 50),
      suggest: [...new Set(suggest)].slice(0, 3),
      fix: target === undefined ? unknownHeadFix(use, nodeAnalysis, analysis) : renameFix(use, target),
    },
  );
  return undefined;
}

/** A word of another language in a condition, or a detour to a node or an input. */
function unknownHeadFix(use: Use, nodeAnalysis: NodeAnalysis | undefined, analysis: PlanAnalysis): Fix | undefined {
  const direct = use.place === 'needs' ? undefined : withoutHead(use, nodeAnalysis, analysis);
  if (direct !== undefined) return renameFix(use, direct, 'reference.rewritten');
  const source = use.place === 'when' ? nodeAnalysis?.node.when : nodeAnalysis?.node.repeat?.until;
  return isCondition(use) && source !== undefined
    ? foreignConditionFix(source, use.pointer, nodeAnalysis, analysis)
    : undefined;
}

/** Names that are allowed at the place of the use. */
function headsFor(use: Use, nodeAnalysis: NodeAnalysis | undefined, analysis: PlanAnalysis): string[] {
  const earlier = analysis.nodes.filter(
    (other) => other.node.id !== '' && (nodeAnalysis === undefined || other.position < nodeAnalysis.position),
  );
  const names = earlier.map(({ node }) => node.id);
  if (use.place === 'needs') return names;
  if (analysis.input !== undefined) names.push('input');
  if (nodeAnalysis?.node.each !== undefined && (use.place === 'in' || use.place === 'undo'))
    names.push('item', 'index');
  return names;
}

/** The correction of `ticket` where `input.ticket` was meant. */
function inputField(use: Use, analysis: PlanAnalysis): string | undefined {
  if (analysis.input === undefined || analysis.input === 'any') return undefined;
  return stepInto(analysis.input, use.head) === undefined ? undefined : formatPath('input', [use.head, ...use.path]);
}

interface UnknownField {
  readonly use: Use;
  /** Of the step of its path that leads nowhere. */
  readonly index: number;
  readonly inferred: InferredType;
  readonly nodeAnalysis: NodeAnalysis | undefined;
}

export function reportField({ use, index, inferred, nodeAnalysis }: UnknownField, analysis: PlanAnalysis): void {
  const { naming } = analysis;
  const step = use.path[index];
  const names = typeof step === 'string' ? fieldNamesOf(inferred) : [];
  const owner = formatPath(use.head, use.path.slice(0, index));
  const types = typesOfInferred(inferred)?.join(' or ');
  const code = isCondition(use) ? 'condition.type' : use.head === 'input' ? 'ref.unknown_input' : 'ref.unknown_field';
  const has =
    names.length > 0
      ? `its fields are ${names.slice(0, 20).join(', ')}`
      : types === undefined
        ? 'its schema allows none'
        : `its type is ${types}`;
  const what = typeof step === 'number' ? `no item [${step}]` : `no field ${shown(step)}`;
  const item = itemStep(step, inferred);
  const slip =
    item ?? (typeof step === 'string' ? naming.respelt(step, names, naming.isHarmless(nodeAnalysis)) : undefined);
  const target = slip === undefined ? undefined : formatPath(use.head, use.path.with(index, slip));
  analysis.report.add(code, use.pointer, `${quoted(use)}: ${shown(owner).slice(1, -1)} has ${what}; ${has}.`, {
    got: use.text,
    ...(names.length > 0 ? { expected: names.slice(0, 50) } : { expected: types }),
    suggest:
      item !== undefined && target !== undefined ? [target] : typeof step === 'string' ? nearest(step, names) : [],
    fix: target === undefined ? detourFix(use, index, inferred, analysis) : renameFix(use, target),
  });
}

function detourFix(use: Use, index: number, inferred: InferredType, analysis: PlanAnalysis): Fix | undefined {
  const direct = withoutField(use, index, inferred, analysis);
  return direct === undefined ? lengthFix(use, index, inferred) : renameFix(use, direct, 'reference.rewritten');
}

/** The index that `list.0` means, where the value can only be a list. */
function itemStep(step: string | number | undefined, inferred: InferredType): number | undefined {
  const isList = inferred !== 'any' && inferred.every((leaf) => typesOf(leaf)?.join() === 'array');
  return isList && typeof step === 'string' && /^(?:0|[1-9][0-9]{0,8})$/.test(step) ? Number(step) : undefined;
}
