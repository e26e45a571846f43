/** The types of what workflows of plans give, which their steps cannot say. */
import type { StepType } from '../../core/plan/validation.ts';
import type { InferredType } from './inferred-type.ts';

const types = new WeakMap<StepType, InferredType>();

export function keepOutputType(step: StepType, type: InferredType): void {
  types.set(step, type);
}

export const outputTypeOf = (step: StepType): InferredType | undefined => types.get(step);
