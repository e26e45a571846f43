/**
 * The planner of runs: the planner, with what a run asks of a plan beside being valid. One that is too dear goes back once; one
 * that a person has to approve gets its question. So everything that plans within a run comes through here, and in one order.
 */

import type { Scope, Warning } from '../../core/model/model.ts';
import { addMoney, nanoToUsd } from '../../core/money/money.ts';
import { addUsage, NO_USAGE, type Paid } from '../../core/money/usage.ts';
import type { Approval } from '../../core/plan/approval.ts';
import type { Plan, ValidPlan } from '../../core/plan/plan.ts';
import type { DearerPlan, Planner, PlannerAnswer, PlanningOptions, PlanningResult } from '../../core/plan/planner.ts';
import type { Catalogue } from '../../core/plan/validation.ts';
import { ofModel } from './approvals.ts';
import { gated } from './gate.ts';

export interface RunPlannerParts {
  readonly planner: Planner;
  readonly catalogue: () => Catalogue;
  /** Validates a plan in which nothing is repaired. Throws invalid-plan. */
  readonly validPlan: (plan: Plan) => ValidPlan;
  /** Of the config, which may be replaced. */
  readonly approval: () => Approval | undefined;
}

/** @throws what the planner throws; blocked where a plan has side effects that are denied */
export function runPlanner({ planner, catalogue, validPlan, approval }: RunPlannerParts): Planner {
  return {
    open: (request) => planner.open(request),
    async plan(request, { approval: ofRun, hasGate = false, ...options } = {}) {
      const made = await withinCap(planner, request, options);
      const { cached } = made;
      const plan = gated(made.plan, ofModel(ofRun, approval(), hasGate), {
        catalogue: catalogue(),
        validPlan,
        cached,
      });
      return plan === made.plan ? made : { ...made, plan };
    },
    async revise(failure, { approval: ofRun, ...options } = {}) {
      const made = await planner.revise(failure, options);
      const before = { failure, kept: made.kept ?? {} };
      const plan = gated(made.plan, ofModel(ofRun, approval()), { catalogue: catalogue(), validPlan, before });
      return plan === made.plan ? made : { ...made, plan };
    },
  };
}

/** A plan that is expected to cost more than the run may spend goes back once, with the figures. The cheaper of both is used. */
async function withinCap(planner: Planner, request: string, options: PlanningOptions): Promise<PlanningResult> {
  const first = await planner.plan(request, options);
  const dearer = tooDear(first, options.scopes ?? []);
  if (dearer === undefined) return first;
  const second = await cheaper(planner, request, { ...options, dearer });
  const chosen = second.made !== undefined && costOf(second.made.plan) <= costOf(first.plan) ? second.made : first;
  const warnings = [...(first.warnings ?? []), ...second.warnings];
  return {
    ...chosen,
    ...(warnings.length === 0 ? {} : { warnings }),
    rounds: first.rounds + second.rounds,
    costNanoUsd: addMoney(first.costNanoUsd, second.costNanoUsd),
    usage: addUsage(first.usage ?? NO_USAGE, second.usage),
  };
}

interface Cheaper extends Paid {
  /** Undefined: the planner gave none. */
  readonly made: PlanningResult | undefined;
  readonly rounds: number;
  readonly warnings: readonly Warning[];
}

/** Asks for a cheaper plan. One that does not come leaves the first; what it cost is counted all the same. */
async function cheaper(planner: Planner, request: string, options: PlanningOptions): Promise<Cheaper> {
  let paid: Paid = { costNanoUsd: 0, usage: NO_USAGE };
  let rounds = 0;
  let warnings: readonly Warning[] = [];
  const { onAnswer, onDraft: _onDraft, ...again } = options;
  const count = (answer: PlannerAnswer): unknown => {
    rounds += 1;
    warnings = [...warnings, ...(answer.warnings ?? [])];
    const usage = addUsage(paid.usage ?? NO_USAGE, answer.usage);
    paid = { costNanoUsd: addMoney(paid.costNanoUsd, answer.costNanoUsd), usage };
    return onAnswer?.(answer);
  };
  try {
    // Only nodes of the first answer start while it is written, and the whole of the second decides what stays of them.
    await again.onRestart?.();
    const made = await planner.plan(request, { ...again, onAnswer: count });
    return { made, rounds, warnings, ...paid };
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    return { made: undefined, rounds, warnings, ...paid };
  }
}

const costOf = ({ estimate }: ValidPlan): number => estimate.expectedNanoUsd ?? Number.POSITIVE_INFINITY;

/** An unknown cost is not compared: nobody can say what would be cheaper. */
function tooDear({ plan, costNanoUsd }: PlanningResult, scopes: readonly Scope[]): DearerPlan | undefined {
  const run = scopes.findLast(({ kind, capNanoUsd }) => kind === 'run' && capNanoUsd !== undefined);
  const { expectedNanoUsd } = plan.estimate;
  if (run?.capNanoUsd === undefined || expectedNanoUsd === null) return undefined;
  const left = Math.max(0, run.capNanoUsd - (run.spentNanoUsd ?? 0) - (costNanoUsd ?? 0));
  if (expectedNanoUsd <= left) return undefined;
  return { plan: plan.plan, expectedUsd: nanoToUsd(expectedNanoUsd), capUsd: nanoToUsd(left) };
}
