/** A run whose plan names what this process does not have: whoever resumes or forks it is told how to give it. */
import { PolyphonyError } from '../core/errors.ts';
import type { Plan, ValidPlan } from '../core/plan/plan.ts';
import { withNote } from '../runs/state/store-failure.ts';

const NOTE =
  'The run was started where these were known: give the workflow that it was started from to createPolyphony (workflows: [it]), or the plugins with its tools and steps, and go on there. The command takes plugins from its config.';

/** @throws invalid-plan, with what to give where a step, a tool or a workflow is unknown here */
export function validAgain(validPlan: (plan: Plan) => ValidPlan, plan: Plan): ValidPlan {
  try {
    return validPlan(plan);
  } catch (error) {
    throw error instanceof PolyphonyError && namesUnknown(error) ? withNote(error, NOTE, {}) : error;
  }
}

function namesUnknown({ code, details }: PolyphonyError): boolean {
  const issues = code === 'invalid-plan' && Array.isArray(details?.issues) ? details.issues : [];
  return issues.some((issue: unknown) => {
    if (typeof issue !== 'object' || issue === null || !('code' in issue)) return false;
    return issue.code === 'use.unknown';
  });
}
