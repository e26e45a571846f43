/** Whether a node changes nothing outside its run. */

import { stepOfTool, toolLists } from '../../core/plan/offered-tools.ts';
import type { PlanNode } from '../../core/plan/plan.ts';
import type { Catalogue, StepType } from '../../core/plan/validation.ts';

/**
 * True when it remembers nothing, and neither the step nor a tool that it gives to a model has side effects. A step that does not say may have some, as may a
 * workflow. A call that a person approves is none that may begin while a plan is written.
 */
export function changesNothing(
  node: PlanNode,
  step: StepType | undefined,
  { steps }: Pick<Catalogue, 'steps'>,
): boolean {
  if (step?.sideEffects !== false || node.thread !== undefined) return false;
  if (node.use === 'llm' && isGiven(node.in?.approve)) return false;
  return toolLists(node).every(
    ({ names }) =>
      Array.isArray(names) &&
      names.every((name: unknown) => steps.get(stepOfTool(String(name)))?.sideEffects === false),
  );
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;
