/** Models whose provider refused the schema of plans: they are asked for plain JSON from then on. */
import { type ErrorCode, PolyphonyError } from '../../core/errors.ts';
import type { Target, Warning } from '../../core/model/model.ts';
import type { PlanForm } from './plan-form.ts';

/** The longest known are asked again first. */
const MOST_KEPT = 256;

export interface RefusedForms {
  has(target: Target): boolean;
  /** @returns what the caller is told */
  add(target: Target, form: PlanForm): Warning;
}

export function refusedForms(): RefusedForms {
  const names = new Set<string>();
  return {
    has: (target) => names.has(nameOf(target)),
    add(target, form) {
      const name = nameOf(target);
      names.add(name);
      const [oldest] = names;
      if (names.size > MOST_KEPT && oldest !== undefined) names.delete(oldest);
      const what = form === 'tool' ? 'the tool that takes the plan' : 'the schema of plans';
      return { code: 'schema-refused', message: `${name} refused ${what}, so it was asked for plain JSON.` };
    },
  };
}

const nameOf = ({ provider, model }: Target): string => `${provider}/${model}`;

/** The request is wrong for the provider: without the schema it may be right. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof PolyphonyError && (error.code === 'invalid-request' || error.code === 'unsupported');

/** What is wrong with one model or its provider, and not with the request or its caller. */
const ONE_MODEL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...(['rate-limited', 'overloaded', 'timeout', 'network', 'truncated', 'invalid-credential'] as const),
  ...(['context-window', 'content-policy', 'model-not-found', 'no-route', 'invalid-output'] as const),
]);

export const mayAnotherHelp = (error: unknown): boolean => error instanceof PolyphonyError && ONE_MODEL.has(error.code);
