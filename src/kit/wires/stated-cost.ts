/** The cost of an answer as its endpoint states it: shown wherever one stands, and charged where the provider's file says so. */
import { type NanoUsd, usdToNano } from '../../core/money/money.ts';
import { asNumber, asRecord, type JsonRecord } from '../json/json-shape.ts';

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

/** What a provider's file says about the costs that its endpoint states. */
export interface CostStatement {
  /**
   * The field of usage with what the answer costs, which then settles it: in dollars, except for `cost_in_usd_ticks`.
   * @default none: a stated cost is only shown
   */
  readonly statedCost?: 'cost' | 'cost.total_cost' | 'estimated_cost' | 'cost_in_usd_ticks';
  /** The provider has models that cost nothing, so a stated cost of 0 can be true. @default false */
  readonly freeModels?: boolean;
}

/** The stated cost that settles the answer; undefined if none is declared or stated, or if it cannot be true. */
export function settledCost(usage: unknown, { statedCost: field, freeModels }: CostStatement): NanoUsd | undefined {
  if (field === undefined) return undefined;
  const fields = asRecord(usage);
  if (fields === undefined) return undefined;
  const [outer = '', inner] = field.split('.');
  const stated = asNumber(inner === undefined ? fields[outer] : asRecord(fields[outer])?.[inner]);
  if (stated === undefined) return undefined;
  const usd = field === 'cost_in_usd_ticks' ? stated / TICKS_PER_USD : stated + upstreamUsd(fields);
  if (!(usd >= 0 && usd <= MOST_USD) || (usd === 0 && freeModels !== true)) return undefined;
  return usdToNano(usd);
}

/** With a key of the caller's own, a router states its fee, and beside it what the key is charged. Not a number: unknown. */
function upstreamUsd({ is_byok: ownKey, cost_details: details }: JsonRecord): number {
  if (ownKey !== true) return 0;
  return asNumber(asRecord(details)?.upstream_inference_cost) ?? Number.NaN;
}
