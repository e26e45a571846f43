/** What this run may cost and how long it may take, as a planner is told it: with what a call of each tier costs. */
import type { CallOptions } from '../../core/gateway.ts';
import type { NanoUsd } from '../../core/money/money.ts';
import { formatUsd } from '../../core/money/money.ts';
import type { Catalogue } from '../../core/plan/validation.ts';
import { tierCosts } from './model-pool.ts';

export interface RunBounds {
  /** What is left of the cap of the run, planning included. @default no cap */
  readonly leftNanoUsd?: NanoUsd | undefined;
  /** The most seconds that the run may take. @default no limit */
  readonly seconds?: number | undefined;
}

/** The tightest cap of those who pay, less what they have spent. */
export function leftOf(scopes: CallOptions['scopes']): NanoUsd | undefined {
  let left: NanoUsd | undefined;
  for (const { capNanoUsd, spentNanoUsd = 0 } of scopes ?? []) {
    if (capNanoUsd === undefined) continue;
    const rest = Math.max(0, capNanoUsd - (spentNanoUsd ?? 0));
    left = left === undefined ? rest : Math.min(left, rest);
  }
  return left;
}

export function boundsLines(
  catalogue: Pick<Catalogue, 'models'>,
  { leftNanoUsd, seconds }: RunBounds,
): readonly string[] {
  const costs = tierCosts(catalogue);
  const calls = costs.map(
    ({ tier, nanoUsd }) => `${tier} ${nanoUsd === 0 ? 'nothing' : `about ${formatUsd(nanoUsd)}`}`,
  );
  const relation = calls.length === 0 ? [] : [`A call of 1,000 tokens costs: ${calls.join(', ')}.`];
  const money =
    leftNanoUsd === undefined
      ? 'This run has no cap: give the plan a "budget" only where the request names one.'
      : `This run has ${formatUsd(leftNanoUsd)} in all, planning included: choose tiers, items and rounds so that the plan stays below it; "budget" may only be lower.`;
  const time = seconds === undefined ? [] : [`It must end within ${seconds} seconds.`];
  return [money, ...time, ...relation];
}
