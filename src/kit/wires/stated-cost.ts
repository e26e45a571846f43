/** The cost of an answer as its endpoint states it. */
import { type NanoUsd, usdToNano } from '../../core/money/money.ts';
import { asNumber, asRecord } from '../json/json-shape.ts';

/** The unit in which one vendor states prices. */
const TICKS_PER_USD = 10_000_000_000;
/** More than any answer costs, so a larger number is not a price in dollars. */
const MOST_USD = 1_000_000;

/**
 * The price in the usage of an answer: `cost` in dollars, `cost: { total_cost }`, `estimated_cost` or
 * `cost_in_usd_ticks`. Undefined if it states none, or an impossible one.
 */
export function statedCost(usage: unknown): NanoUsd | undefined {
  const fields = asRecord(usage);
  if (fields === undefined) return undefined;
  const ticks = asNumber(fields.cost_in_usd_ticks);
  const usd =
    ticks === undefined
      ? (asNumber(fields.cost) ?? asNumber(asRecord(fields.cost)?.total_cost) ?? asNumber(fields.estimated_cost))
      : ticks / TICKS_PER_USD;
  return usd === undefined || usd < 0 || usd > MOST_USD ? undefined : usdToNano(usd);
}
