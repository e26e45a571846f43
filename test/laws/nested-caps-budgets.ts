/** The budgets of the law of nested caps. */
import type { Config } from '../../src/core/config.ts';
import { usdToNano } from '../../src/core/money/money.ts';

/** Of both processes together. */
export const CALLS = Number(process.env.POLYPHONY_NESTED_CALLS ?? (process.env.CI === 'true' ? 10_000 : 300));
/** What so many calls cost at most times this: some calls find every cap spent. */
const scale = (usd: number): number => (usd * CALLS) / 300;

export const RUN_CAP = usdToNano(scale(0.0012));

export const NESTED_BUDGETS: NonNullable<Config['budgets']> = [
  { scope: 'tenant', usd: scale(0.02), period: 'month' },
  { scope: 'team', usd: scale(0.0068), period: 'week' },
  { scope: 'user', usd: scale(0.002), period: 'day' },
  { scope: 'tag', id: 'tier=free', usd: scale(0.008), period: 'month', startsOn: 15 },
  { scope: 'provider', id: 'acme', usd: scale(0.009), period: 'month', alerts: [0.5, 1], shiftAt: 0.8 },
  { scope: 'provider', usd: scale(0.02) },
  { scope: 'tenant', usd: scale(0.001), dryRun: true },
];
