/**
 * The budget of a run.
 *
 * M1. A node starts only when what is left of the cap, less the reservations of running nodes, covers its expected cost.
 * M2. Its worst case (or all that is left, if that is less) is then reserved until it ends; what it spends is taken from
 *     its reservation first. The gateway holds hard caps, because it sees every attempt: this only avoids starting in vain.
 */
import { PolyphonyError } from '../../core/errors.ts';
import type { Usage } from '../../core/model/model.ts';
import { formatUsd, type NanoUsd, usdToNano } from '../../core/money/money.ts';
import { addUsage } from '../../core/money/usage.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { Paid } from '../../core/run/node-call.ts';
import type { Money, RunState } from './run-state.ts';
import type { Task, Unit } from './task.ts';

const WARN_AT = 0.8;

export function createMoney(
  cap: NanoUsd | undefined,
  { spent, priced, usage }: Pick<Money, 'spent' | 'priced' | 'usage'>,
): Money {
  const warned = cap !== undefined && spent >= cap * WARN_AT && spent > 0;
  return { cap, spent, priced, reserved: 0, warned, usage };
}

/** The lower of the plan's budget and a cap. */
export function lowerCap(budget: Plan['budget'], cap: NanoUsd | undefined): NanoUsd | undefined {
  if (budget?.usd === undefined) return cap;
  const own = usdToNano(budget.usd);
  return cap === undefined ? own : Math.min(own, cap);
}

const limited = (task: Task, amount: NanoUsd | null): NanoUsd => {
  const { limits } = task.node;
  return limits?.usd === undefined ? (amount ?? 0) : Math.min(amount ?? 0, usdToNano(limits.usd));
};

/** Reserves the node's worst case when the run can pay its expected cost. */
export function reserveForNode(run: RunState, task: Task): boolean {
  const { money } = run;
  if (money.cap === undefined) return true;
  const { expectedNanoUsd, highNanoUsd } = task.valid.estimate;
  const expected = limited(task, expectedNanoUsd);
  const left = money.cap - money.spent - money.reserved;
  if (expected > 0 && expected > left) return false;
  task.reserved = Math.max(0, Math.min(left, Math.max(expected, limited(task, highNanoUsd))));
  money.reserved += task.reserved;
  return true;
}

export function releaseReservation(run: RunState, task: Task): void {
  run.money.reserved -= task.reserved;
  task.reserved = 0;
}

export function unaffordable(run: RunState, task: Task): PolyphonyError {
  const { cap = 0, spent } = run.money;
  const expected = formatUsd(task.valid.estimate.expectedNanoUsd);
  const left = formatUsd(Math.max(0, cap - spent));
  const message = `Node ${task.id} is expected to cost ${expected}, but only ${left} of the run's budget of ${formatUsd(cap)} is left: raise the budget, or choose a cheaper model.`;
  return new PolyphonyError('budget-exceeded', message, { details: { scope: 'run', capNanoUsd: cap } });
}

/** Charges a call to its unit, its node and the run; a cost of null is unknown. */
export function charge(run: RunState, unit: Unit, cost: NanoUsd | null, usage: Usage | undefined): void {
  const { money } = run;
  const { task } = unit;
  unit.costNanoUsd = cost === null || unit.costNanoUsd === null ? null : unit.costNanoUsd + cost;
  if (usage !== undefined) {
    unit.usage = addUsage(unit.usage, usage);
    task.usage = addUsage(task.usage, usage);
    money.usage = addUsage(money.usage, usage);
  }
  if (cost === null) {
    task.priced = false;
    money.priced = false;
  } else if (cost !== 0) spend(run, task, cost);
}

function spend(run: RunState, task: Task, cost: NanoUsd): void {
  const { money } = run;
  task.paid += cost;
  money.spent += cost;
  const covered = Math.min(cost, task.reserved);
  task.reserved -= covered;
  money.reserved -= covered;
  warn(run);
}

/** Charges a planner call to the run itself. */
export function chargeRun(run: RunState, { costNanoUsd, usage }: Paid): void {
  if (costNanoUsd === null) run.money.priced = false;
  else run.money.spent += costNanoUsd;
  run.money.usage = addUsage(run.money.usage, usage);
  warn(run);
}

function warn(run: RunState): void {
  const { money } = run;
  if (money.cap === undefined || money.warned || money.spent < money.cap * WARN_AT) return;
  money.warned = true;
  run.recorder.record({ type: 'budget-warning', spentNanoUsd: money.spent, capNanoUsd: money.cap });
}

/** @throws budget-exceeded when the limits of the node, or the run's cap, allow no further call of it */
export function assertFunds(run: RunState, task: Task): void {
  const { limits } = task.node;
  const { cap, spent } = run.money;
  if (cap !== undefined && spent >= cap && (task.valid.estimate.expectedNanoUsd ?? 0) > 0)
    throw unaffordable(run, task);
  if (limits === undefined) return;
  if (limits.usd !== undefined && task.paid > 0 && task.paid >= usdToNano(limits.usd)) {
    const message = `Node ${task.id} has spent ${formatUsd(task.paid)}, and its limit is ${limits.usd} USD (limits.usd): raise the limit.`;
    throw new PolyphonyError('budget-exceeded', message, { details: { scope: 'node' } });
  }
  const tokens = task.usage.input + task.usage.output;
  if (limits.tokens !== undefined && tokens >= limits.tokens) {
    const message = `Node ${task.id} has used ${tokens} tokens, and its limit is ${limits.tokens} (limits.tokens): raise the limit.`;
    throw new PolyphonyError('budget-exceeded', message, { details: { scope: 'node' } });
  }
}
