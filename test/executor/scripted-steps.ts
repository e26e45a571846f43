/** Plans of steps that do what their input says. */
import { PolyphonyError } from '../../src/core/errors.ts';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import { sleep } from '../../src/system/clock.ts';
import { harness } from './harness.ts';
import { validPlan } from './valid-plan.ts';

export const plan = (nodes: readonly PlanNode[], output?: unknown) =>
  validPlan(output === undefined ? { nodes: [...nodes] } : { nodes: [...nodes], output });

/** Steps do what their input says: wait `ms`, fail, or give `value`. */
export function scripted(options: Parameters<typeof harness>[0] = {}) {
  const h = harness({
    ...options,
    step: async ({ inputs, signal }) => {
      if (typeof inputs.ms === 'number') await sleep(h.runtime.clock, inputs.ms, signal);
      if (inputs.fail === true) throw new PolyphonyError('tool-failed', 'it broke');
      return inputs.value === undefined ? inputs : inputs.value;
    },
  });
  return h;
}
export const started = (h: ReturnType<typeof scripted>) => h.calls.map(({ node }) => node.id);
export const states = (result: { nodes: readonly { id: string; state: string }[] }) =>
  Object.fromEntries(result.nodes.map(({ id, state }) => [id, state]));
