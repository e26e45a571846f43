/** What an endpoint says that its answer cost. */
import { type NanoUsd, usdToNano } from '../../core/money/money.ts';
import { asNumber, asRecord } from '../json/json-shape.ts';

/** The unit in which one vendor states prices: so many are a dollar. */
const TICKS_PER_USD = 10_000_000_000;
/** More than any answer costs: such a number is no price in dollars. */
const MOST_USD = 1_000_000;

/**
 * The price in the usage of an answer: `cost` in dollars, `cost: { total_cost }`, `estimated_cost` or
 * `cost_in_usd_ticks`. Undefined where it states none, or none that can be one.
 */
export function statedCost(usage: unknown): NanoUsd | undefined {
  const told = asRecord(usage);
  if (told === undefined) return undefined;
  const ticks = asNumber(told.cost_in_usd_ticks);
  const usd =
    ticks === undefined
      ? (asNumber(told.cost) ?? asNumber(asRecord(told.cost)?.total_cost) ?? asNumber(told.estimated_cost))
      : ticks / TICKS_PER_USD;
  return usd === undefined || usd < 0 || usd > MOST_USD ? undefined : usdToNano(usd);
}
