import { describe, expect, it } from 'vitest';
import { forecastJson, forecastText, monthForecast } from '../../../src/cli/screen/forecast-text.ts';
import { memoryStores } from '../../../src/stores/memory.ts';
import { ledgerRow } from '../../../src/testing/ledger-suite.ts';

const now = Date.parse('2026-11-16T00:00:00Z');
const DAY_MS = 86_400_000;

async function monthAfter(days: number) {
  const { ledger } = memoryStores();
  const rows = Array.from({ length: days }, (_, index) =>
    ledgerRow({ key: `k${index}/1`, startedAt: now - (days - index) * DAY_MS, costNanoUsd: 1_000_000_000 }),
  );
  await ledger.append(rows);
  return monthForecast(ledger, now);
}

describe('the forecast of polyphony spend', () => {
  it('says what the month will cost, how sure that is, and where nothing is known', async () => {
    expect(forecastText(await monthAfter(15))).toBe(
      '\nabout $30 by the end of 2026-11, in nine of ten cases $30 to $30',
    );
    expect(forecastText(await monthAfter(2))).toContain('about $17 by the end of 2026-11, from fewer than four');
    expect(forecastText(await monthAfter(0))).toContain('no forecast for 2026-11');
    expect(forecastJson(await monthAfter(15))).toEqual({ month: '2026-11', expectedUsd: 30, lowUsd: 30, highUsd: 30 });
    expect(forecastJson(await monthAfter(0))).toMatchObject({ expectedUsd: null });
  });
});
