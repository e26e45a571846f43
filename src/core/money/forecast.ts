/**
 * What will be spent by the end of a period, from what was spent on each day before. The rest of the period is forecast by the
 * mean of each day of the week where at least two whole weeks are known, else by the mean of all days; the interval follows from how
 * far the days lay from these means (the mean method with its prediction interval: Hyndman and Athanasopoulos, "Forecasting:
 * Principles and Practice", 3rd edition, 5.2 and 5.5, here for a sum of days). It takes the days as independent and the level as
 * constant: a rise that has just begun shows in the expected sum only as far as it is in the days already.
 */
import { DAY_MS, dayOf } from './calendar.ts';
import { formatUsd, NANO_PER_USD, type NanoUsd, nanoToUsd } from './money.ts';
import { weekday } from './period.ts';

/** What was spent on a day; days that are not named had no spending. */
export interface DaySpending {
  /** Since the epoch. */
  readonly day: number;
  readonly costNanoUsd: NanoUsd;
}

export interface Forecast {
  /** Of the whole period, what is spent already included. */
  readonly expectedNanoUsd: NanoUsd;
  /** The interval that holds the sum in nine of ten cases; null while fewer than four whole days are known. */
  readonly lowNanoUsd: NanoUsd | null;
  readonly highNanoUsd: NanoUsd | null;
}

/** Days before today that are looked at. */
const FORECAST_DAYS = 28;
const TWO_WEEKS = 14;
const LEAST_DAYS = 4;
/** The 95th percentile of the normal distribution: one of ten cases lies outside, half of them on each side. */
const NORMAL_95 = 1.6448536269514722;

/** From when the days of a ledger are needed, in epoch milliseconds. */
export const forecastFrom = (period: { readonly from: number }, nowMs: number): number =>
  Math.min(period.from, (dayOf(nowMs) - FORECAST_DAYS) * DAY_MS);

/** The totals of a ledger by `day`. */
export const daysOfTotals = (
  totals: readonly { readonly group: string; readonly costNanoUsd: NanoUsd }[],
): readonly DaySpending[] => totals.map(({ group, costNanoUsd }) => ({ day: dayOf(Date.parse(group)), costNanoUsd }));

/** null before the first whole day. Days without any spending before the first one with some are not counted. */
export function forecast(
  days: readonly DaySpending[],
  period: { readonly from: number; readonly to: number },
  nowMs: number,
): Forecast | null {
  const today = dayOf(nowMs);
  const costs = new Map(days.map(({ day, costNanoUsd }) => [day, costNanoUsd]));
  const first = Math.max(today - FORECAST_DAYS, Math.min(...costs.keys(), today));
  const known: DaySpending[] = [];
  for (let day = first; day < today; day += 1) known.push({ day, costNanoUsd: costs.get(day) ?? 0 });
  if (known.length === 0) return null;
  let spent = 0;
  for (const [day, cost] of costs) if (day * DAY_MS >= period.from && day <= today) spent += cost;
  const { expected, variance, freedom } = restOf(known, period.to, nowMs);
  const expectedNanoUsd = Math.round(spent + expected);
  if (known.length < LEAST_DAYS) return { expectedNanoUsd, lowNanoUsd: null, highNanoUsd: null };
  const margin = studentT95(freedom) * Math.sqrt(variance);
  return {
    expectedNanoUsd,
    lowNanoUsd: Math.round(spent + Math.max(0, expected - margin)),
    highNanoUsd: Math.round(spent + expected + margin),
  };
}

/** A forecast is not exact to the nano-dollar: cents, or three digits below a dollar. */
export function formatAbout(amount: NanoUsd): string {
  const usd = nanoToUsd(amount);
  const rounded = usd >= 1 ? Number(usd.toFixed(2)) : Number(usd.toPrecision(3));
  return formatUsd(Math.round(rounded * NANO_PER_USD));
}

interface Rest {
  readonly expected: number;
  readonly variance: number;
  /** Degrees of freedom of the variance. */
  readonly freedom: number;
}

/** From now until the end of the period; what is left of today counts as a part of a day. */
function restOf(known: readonly DaySpending[], to: number, nowMs: number): Rest {
  const groupOf = known.length >= TWO_WEEKS ? weekday : () => 0;
  const groups = new Map<number, { count: number; sum: number; ahead: number }>();
  const group = (day: number) => {
    const of = groupOf(day);
    const found = groups.get(of) ?? { count: 0, sum: 0, ahead: 0 };
    groups.set(of, found);
    return found;
  };
  for (const { day, costNanoUsd } of known) {
    const of = group(day);
    of.count += 1;
    of.sum += costNanoUsd;
  }
  for (let at = nowMs; at < to; ) {
    const end = Math.min(to, (dayOf(at) + 1) * DAY_MS);
    group(dayOf(at)).ahead += (end - at) / DAY_MS;
    at = end;
  }
  const freedom = Math.max(1, known.length - groups.size);
  const squares = known.reduce((sum, { day, costNanoUsd }) => {
    const { sum: total, count } = group(day);
    return sum + (costNanoUsd - total / count) ** 2;
  }, 0);
  let expected = 0;
  let days = 0;
  for (const { count, sum, ahead } of groups.values()) {
    expected += (ahead * sum) / count;
    // The days themselves vary, and so does the mean that they are taken for.
    days += ahead + ahead ** 2 / count;
  }
  return { expected, variance: (squares / freedom) * days, freedom };
}

/** The 95th percentile of Student's t, from three degrees of freedom on: Abramowitz and Stegun, 26.7.5. */
function studentT95(freedom: number): number {
  const z = NORMAL_95;
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return z + first / freedom + second / freedom ** 2 + third / freedom ** 3;
}
