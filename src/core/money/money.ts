/**
 * Money. Amounts are integer nano-dollars (1 USD = 1e9), rounded up, so that sums are exact and rounding never makes a call
 * free. An unknown price is null, never 0.
 */
import { PolyphonyError } from '../errors.ts';
import { shown } from '../json/cut-text.ts';

export type NanoUsd = number;

export const NANO_PER_USD = 1_000_000_000;

/** $9,000,000, the largest amount, in US dollars: sums of it are still exact. */
export const MOST_USD = 9_000_000;
export const MOST_NANO_USD: NanoUsd = MOST_USD * NANO_PER_USD;

export const isUsd = (usd: unknown): usd is number => typeof usd === 'number' && usd >= 0 && usd <= MOST_USD;

/** @throws invalid-request when the amount is no number, negative, not finite or above 9,000,000 */
export function usdToNano(usd: number): NanoUsd {
  if (!isUsd(usd)) throw noAmount('An amount of US dollars', usd);
  const nano = usd * NANO_PER_USD;
  // Writing a number takes longer than all else here.
  return Number.isInteger(nano) ? nano : Math.ceil(Number(nano.toFixed(3)));
}

/** Says of what is written as a text what is missing: `"0.1"` looks right otherwise. */
export function noAmount(what: string, usd: unknown): PolyphonyError {
  const isQuoted = typeof usd === 'string' && usd.trim() !== '' && Number(usd) >= 0;
  const how = isQuoted ? `, such as ${Number(usd)} without quotes` : '';
  const message = `${what} cannot be ${shown(usd)}: give a number from 0 to 9,000,000${how}.`;
  return new PolyphonyError('invalid-request', message);
}

export const nanoToUsd = (nano: NanoUsd): number => nano / NANO_PER_USD;

/** For people: `$1.25`, `$0.0004`, `$0`, `unknown`. At most 9 decimals, trailing zeros dropped, cents kept. */
export function formatUsd(nano: NanoUsd | null): string {
  if (nano === null) return 'unknown';
  const sign = nano < 0 ? '-' : '';
  const whole = Math.floor(Math.abs(nano) / NANO_PER_USD);
  const fraction = String(Math.abs(nano) % NANO_PER_USD)
    .padStart(9, '0')
    .replace(/0+$/, '');
  if (fraction === '') return `${sign}$${whole}`;
  return `${sign}$${whole}.${fraction.length === 1 ? `${fraction}0` : fraction}`;
}

/** The sum; null if one part is unknown. */
export function addMoney(a: NanoUsd | null, b: NanoUsd | null): NanoUsd | null {
  return a === null || b === null ? null : a + b;
}
