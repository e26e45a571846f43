/** Planner calls of a run, for its first plan and for revised ones. They count towards its cap and its totals. */
import { defined } from '../../core/defined.ts';
import type { Scope } from '../../core/model/model.ts';
import type { PlannerAnswer } from '../../core/plan/planner.ts';
import { chargeRun } from './money.ts';
import type { RunState } from './run-state.ts';

export function plannerScopes({ scopes, money: { cap, spent }, runId }: RunState): readonly Scope[] {
  const run: Scope = { kind: 'run', id: runId };
  return [...scopes, { ...run, ...defined({ capNanoUsd: cap }), ...(spent === 0 ? {} : { spentNanoUsd: spent }) }];
}

export function bookAnswer(run: RunState, answer: PlannerAnswer): void {
  run.recorder.record({ type: 'plan-answered', ...answer });
  chargeRun(run, answer);
}
