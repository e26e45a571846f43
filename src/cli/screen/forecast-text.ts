/** What will be spent by the end of the month, for `polyphony spend`. */
import { daysOfTotals, type Forecast, forecast, forecastFrom, formatAbout } from '../../core/money/forecast.ts';
import { type NanoUsd, nanoToUsd } from '../../core/money/money.ts';
import { type Period, periodAt } from '../../core/money/period.ts';
import type { UsageLedger } from '../../core/stores.ts';

export interface MonthForecast {
  readonly month: Period;
  /** null where nothing is known of a whole day. */
  readonly ahead: Forecast | null;
}

export async function monthForecast(ledger: UsageLedger, nowMs: number): Promise<MonthForecast> {
  const month = periodAt('month', nowMs);
  const totals = await ledger.totals('day', { from: forecastFrom(month, nowMs) });
  return { month, ahead: forecast(daysOfTotals(totals), month, nowMs) };
}

export function forecastText({ month, ahead }: MonthForecast): string {
  if (ahead === null) return `\nno forecast for ${month.name}: not one whole day of spending is known`;
  const { expectedNanoUsd, lowNanoUsd, highNanoUsd } = ahead;
  const about = `\nabout ${formatAbout(expectedNanoUsd)} by the end of ${month.name}`;
  if (lowNanoUsd === null || highNanoUsd === null) return `${about}, from fewer than four whole days`;
  return `${about}, in nine of ten cases ${formatAbout(lowNanoUsd)} to ${formatAbout(highNanoUsd)}`;
}

export function forecastJson({ month, ahead }: MonthForecast): object {
  if (ahead === null) return { month: month.name, expectedUsd: null, lowUsd: null, highUsd: null };
  const { expectedNanoUsd, lowNanoUsd, highNanoUsd } = ahead;
  const usd = (amount: NanoUsd | null): number | null => (amount === null ? null : nanoToUsd(amount));
  return { month: month.name, expectedUsd: usd(expectedNanoUsd), lowUsd: usd(lowNanoUsd), highUsd: usd(highNanoUsd) };
}
