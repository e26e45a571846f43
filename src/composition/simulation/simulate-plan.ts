/** Simulates a plan with what is registered and what the gateway has observed. */
import { defined } from '../../core/defined.ts';
import type { Gateway } from '../../core/gateway.ts';
import type { ValidPlan } from '../../core/plan/plan.ts';
import type { Catalogue } from '../../core/plan/validation.ts';
import type { ObservedTarget, SimulateOptions, Simulation } from '../../core/run/simulation.ts';
import { readyQueue } from '../../runs/state/ready-queue.ts';
import { DEFAULT_CONCURRENCY } from '../../runs/turn/opening.ts';
import { simulate } from '../../simulation/simulate.ts';
import { forecast } from '../../validator/estimate/forecast.ts';

export function simulatePlan(
  { plan }: ValidPlan,
  catalogue: Catalogue,
  gateway: Gateway,
  options?: SimulateOptions,
): Simulation {
  const observed = observedTargets(gateway);
  const parts = {
    makeQueue: readyQueue,
    observedOf: (target: { readonly provider: string; readonly model: string }) =>
      observed.get(`${target.provider}/${target.model}`),
    concurrency: DEFAULT_CONCURRENCY,
    ...defined({ budget: plan.budget }),
  };
  return simulate(forecast(plan, catalogue), parts, options);
}

/** Of several regions of a model, the figures with the most attempts. */
function observedTargets(gateway: Gateway): ReadonlyMap<string, ObservedTarget> {
  const observed = new Map<string, ObservedTarget>();
  for (const { target, attempts, p50Ms, p95Ms, errorRate } of gateway.statistics()) {
    const key = `${target.provider}/${target.model}`;
    if ((observed.get(key)?.attempts ?? -1) < attempts) observed.set(key, { attempts, p50Ms, p95Ms, errorRate });
  }
  return observed;
}
