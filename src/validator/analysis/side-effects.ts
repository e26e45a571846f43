/** Whether a node changes nothing outside its run. */
import type { PlanNode } from '../../core/plan/plan.ts';
import type { Catalogue, StepType } from '../../core/plan/validation.ts';

/** True when it remembers nothing, and neither the step nor a tool that it gives to a model has side effects. A step that does not say may have some. */
export function changesNothing(
  { in: inputs, thread }: PlanNode,
  step: StepType | undefined,
  { steps }: Pick<Catalogue, 'steps'>,
): boolean {
  if (step?.sideEffects !== false || thread !== undefined) return false;
  const tools: unknown = inputs?.tools;
  if (tools === undefined || tools === null) return true;
  if (!Array.isArray(tools)) return false;
  return tools.every((name: unknown) => steps.get(`tool:${String(name)}`)?.sideEffects === false);
}
