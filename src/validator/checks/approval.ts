/** Warns where a refused approval does not stop what waits for it. */
import { isApproval } from '../../language/human-output.ts';
import type { NodeAnalysis, PlanAnalysis } from '../analysis/plan-analysis.ts';

/** A node that only `needs` an approval runs after a refusal too. */
export function checkApprovals(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { node, uses, pointer } = nodeAnalysis;
  if (node.needs === undefined) return;
  const needed = uses.filter(({ place, head }) => place === 'needs' && asksForApproval(analysis.byId.get(head)));
  if (needed.length === 0) return;
  const read = new Set(uses.flatMap(({ place, head }) => (place === 'needs' ? [] : [head])));
  const stopping = stoppingHeads(nodeAnalysis, read, analysis);
  for (const { head, pointer: at } of needed) {
    if (read.has(head) || stopping.has(head)) continue;
    const message = `Node "${node.id}" needs "${head}", but it runs after a refusal too: add "when": "${head}.approved", or leave it out of "needs".`;
    analysis.report.add('approval.unheeded', at === '' ? pointer : at, message, { got: head });
  }
}

/** What the conditions of the nodes that it reads look at: it is skipped with those nodes, unless it can do without them. */
function stoppingHeads(
  { node, hasFallback }: NodeAnalysis,
  read: Iterable<string>,
  { byId }: PlanAnalysis,
): Set<string> {
  const heads = new Set<string>();
  if (node.when !== undefined || hasFallback) return heads;
  for (const id of read) for (const head of conditionHeads(byId.get(id))) heads.add(head);
  return heads;
}

const known = new WeakMap<NodeAnalysis, ReadonlySet<string>>();

function conditionHeads(other: NodeAnalysis | undefined): ReadonlySet<string> {
  if (other?.node.when === undefined) return new Set();
  const found = known.get(other) ?? new Set(other.uses.flatMap(({ place, head }) => (place === 'when' ? [head] : [])));
  known.set(other, found);
  return found;
}

/** One of its choices approves. */
function asksForApproval(asked: NodeAnalysis | undefined): boolean {
  if (asked?.node.use !== 'human') return false;
  const { approve, choices } = asked.node.in ?? {};
  if (approve !== undefined && approve !== null) return true;
  return Array.isArray(choices) && choices.some((choice) => isApproval(String(choice)));
}
