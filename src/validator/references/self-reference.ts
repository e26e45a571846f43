/**
 * A node that refers to itself mostly means the node right before it, whose output nothing else uses. That is one meaning only where
 * no other earlier node waits to be used as well, and where no other node refers to the node itself: else the plan may count its
 * nodes from one. The figures are in docs/decisions/validation-repairs.md.
 */

import type { NodeAnalysis, PlanAnalysis, Use } from '../analysis/plan-analysis.ts';
import { formatPath, renameFix } from '../analysis/rename.ts';
import { isRecord, ownValue, valueAt } from '../document/document.ts';
import type { Fix } from '../document/report.ts';
import { shown } from '../document/report.ts';
import { canFit, type InferredType, inferredType, stepInto } from '../inference/inferred-type.ts';

/** The fix for a reference of a node to itself; undefined where more than one thing could be meant. */
export function selfFix(use: Use, nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): Fix | undefined {
  if (use.place === 'needs' || use.place === 'until') return undefined;
  const before = analysis.nodes.find((other) => other.position === nodeAnalysis.position - 1);
  if (before === undefined || before.node.id === '') return undefined;
  return shiftOf(use, before, nodeAnalysis, analysis) ?? dropOf(use, before, nodeAnalysis);
}

/** Refers to the previous node instead, if that fits and is the only one that nothing uses. */
function shiftOf(use: Use, before: NodeAnalysis, nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): Fix | undefined {
  if (!isOnlyUnused(before, nodeAnalysis, analysis)) return undefined;
  let inferred: InferredType | undefined = before.output;
  for (const step of use.path) inferred = inferred === undefined ? undefined : stepInto(inferred, step);
  if (inferred === undefined || !canFit(inferred, expectedAt(use, nodeAnalysis))) return undefined;
  const target = formatPath(before.node.id, use.path);
  return renameFix(
    use,
    target,
    'reference.shifted',
    ', because that node comes right before and is the only one that nothing uses',
  );
}

/** Users of each node, in the plan as it will be once every node before this one refers to what it means. */
function isOnlyUnused(before: NodeAnalysis, self: NodeAnalysis, { nodes, outputUses }: PlanAnalysis): boolean {
  const used = new Set(outputUses.map(({ head }) => head));
  const byPosition = new Map(nodes.map((node) => [node.position, node.node.id] as const));
  for (const { node, position, uses } of nodes) {
    for (const { head } of uses) {
      // A node that refers to itself will use the one before it.
      if (head !== node.id) used.add(head);
      else if (position < self.position) used.add(byPosition.get(position - 1) ?? '');
    }
  }
  if (used.has(self.node.id) && !isOutput(self, outputUses, nodes)) return false;
  const unused = nodes.filter(({ node, position }) => position < self.position && !used.has(node.id));
  return unused.length === 1 && unused[0] === before;
}

/** True when only the output of the plan uses the node. */
const isOutput = ({ node }: NodeAnalysis, outputUses: readonly Use[], nodes: readonly NodeAnalysis[]): boolean =>
  outputUses.some(({ head }) => head === node.id) &&
  !nodes.some((other) => other.node !== node && other.uses.some(({ head }) => head === node.id));

/**
 * Leaves out an input that is only the node's own output, where it has the output of the previous node besides and need not have
 * the other one.
 */
function dropOf(use: Use, before: NodeAnalysis, { node, pointer, step, uses }: NodeAnalysis): Fix | undefined {
  const isUsed = uses.some(({ place, head }) => place === 'in' && head === before.node.id);
  const name = use.pointer.slice(pointer.length + '/in/'.length);
  if (use.place !== 'in' || !isUsed || name.includes('/') || step === undefined) return undefined;
  const key = name.replaceAll('~1', '/').replaceAll('~0', '~');
  const value = ownValue(node.in, key);
  const isWhole = typeof value === 'string' && value.replaceAll(/[{}\s]/g, '') === use.text;
  const { required } = step.input;
  if (!isWhole || (Array.isArray(required) && required.includes(key))) return undefined;
  return {
    code: 'reference.dropped',
    message: `The input ${shown(key)} was left out, because it was the output of its own node, which has that of ${shown(before.node.id)} besides.`,
    edit(document) {
      const input = valueAt(document, `${pointer}/in`);
      if (isRecord(input)) delete input[key];
    },
  };
}

/** The type that the step expects at the place of the use. */
function expectedAt(use: Use, { pointer, step }: NodeAnalysis): InferredType {
  if (use.place !== 'in' || use.isOperand === true || step === undefined) return 'any';
  let inferred: InferredType | undefined = inferredType(step.input);
  for (const token of use.pointer.slice(pointer.length + '/in/'.length).split('/')) {
    inferred = inferred === undefined ? undefined : stepInto(inferred, /^\d+$/.test(token) ? Number(token) : token);
  }
  return inferred ?? 'any';
}
