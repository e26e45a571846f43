/** A planner of which a test says only what it needs. */
import { PolyphonyError } from '../../src/core/errors.ts';
import type { ValidPlan } from '../../src/core/plan/plan.ts';
import type { Planner, PlanningResult } from '../../src/core/plan/planner.ts';
import { validPlan } from './valid-plan.ts';

const refuse = async (): Promise<never> => {
  throw new PolyphonyError('unsupported', 'This planner does not do that: give the test one that does.');
};

export const scriptedPlanner = (parts: Partial<Planner>): Planner => ({
  open: () => validPlan({ nodes: [] }),
  plan: refuse,
  revise: refuse,
  ...parts,
});

/** What planning comes to: in one round, for so much. */
export const planned = (plan: ValidPlan, costNanoUsd = 0): PlanningResult => ({
  plan,
  issues: [],
  repaired: [],
  rounds: 1,
  costNanoUsd,
});
