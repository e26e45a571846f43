/** Checks of `thread`: who may remember, and that the items of an `each` do not all write to one conversation. */
import { threadSettings } from '../../core/plan/thread.ts';
import type { NodeAnalysis, PlanAnalysis } from '../analysis/plan-analysis.ts';
import { shown } from '../document/report.ts';

export function checkThread(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { node, pointer, uses, step } = nodeAnalysis;
  if (node.thread === undefined || analysis.isBroken(nodeAnalysis, 'thread')) return;
  if (node.use !== 'llm') {
    if (step === undefined) return;
    const message = `Node "${node.id}" has a thread, but ${shown(node.use)} has no conversation: only "llm" nodes remember one. Remove "thread".`;
    analysis.report.add('thread.step', `${pointer}/thread`, message, { got: node.use, expected: 'llm' });
    return;
  }
  const isOfItem = uses.some(({ place, head }) => place === 'thread' && (head === 'item' || head === 'index'));
  if (node.each === undefined || isOfItem) return;
  const { key } = threadSettings(node.thread);
  const message = `All items of node "${node.id}" would write to the thread ${shown(key)} at the same time: name {{item}}, a field of it or {{index}} in the key.`;
  const path = typeof node.thread === 'string' ? `${pointer}/thread` : `${pointer}/thread/key`;
  analysis.report.add('thread.shared', path, message, { got: key });
}
