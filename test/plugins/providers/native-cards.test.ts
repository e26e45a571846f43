/** Cards of the providers with wires of their own, against the price list that they cite. */
import { findProvider } from '@pydantic/genai-prices';
import type { ModelCard } from 'polyphony';
import { costOf } from 'polyphony/kit';
import { describe, expect, test } from 'vitest';
import { anthropic } from '../../../plugins/providers/anthropic.ts';
import { google } from '../../../plugins/providers/google.ts';

const listed = ({ price }: ModelCard): boolean => price?.source?.startsWith('@pydantic/genai-prices') === true;

type Rate = number | { readonly base: number; readonly tiers: readonly { start: number; price: number }[] } | undefined;
interface Rates {
  readonly input_mtok?: Rate;
  readonly output_mtok?: Rate;
  readonly cache_read_mtok?: Rate;
  readonly cache_write_mtok?: Rate;
  readonly cache_write_1h_mtok?: Rate;
}

/** The rates of today: the last that have begun, so far as they say when. */
function ratesOf(providerId: string, id: string): Rates {
  const model = findProvider({ providerId })?.models.find((candidate) => candidate.id === id);
  const prices: unknown = model?.prices;
  if (!Array.isArray(prices)) return (prices ?? {}) as Rates;
  const begun = (prices as { constraint?: { start_date?: string }; prices: Rates }[]).filter(
    ({ constraint }) => (constraint?.start_date ?? '') < '2026-12-01',
  );
  return begun.at(-1)?.prices ?? {};
}

/** Tiers of the first provider's list belong to a preview header that we do not send. */
const base = (rate: Rate): number | undefined => (typeof rate === 'object' ? rate.base : rate);

const tierOf = (rate: Rate): number | undefined => (typeof rate === 'object' ? rate.tiers[0]?.price : undefined);

describe.each([anthropic({ apiKey: 'k' }), google({ apiKey: 'k' })])('cards of $id', ({ id: provider, models }) => {
  test.each(models.filter(listed).map((card) => [card.id, card] as const))(
    '%s costs what the list says',
    (id, card) => {
      const rates = ratesOf(provider, id);
      expect(card.price).toMatchObject({ input: base(rates.input_mtok), output: base(rates.output_mtok) ?? 0 });
      if (rates.cache_read_mtok !== undefined)
        expect(card.price?.cacheRead).toBeCloseTo(base(rates.cache_read_mtok) ?? 0);
      if (rates.cache_write_mtok === undefined) return;
      expect(card.price).toMatchObject({
        cacheWrite: base(rates.cache_write_mtok),
        cacheWriteLong: base(rates.cache_write_1h_mtok),
      });
    },
  );
});

test('long prompts are repriced whole where the list has a tier', () => {
  const [card] = google({ apiKey: 'k' }).models.filter(({ id }) => id === 'gemini-3.1-pro-preview');
  const rates = ratesOf('google', 'gemini-3.1-pro-preview');
  expect(card?.price?.tiers).toEqual([
    { aboveInputTokens: 200_000, input: tierOf(rates.input_mtok), output: tierOf(rates.output_mtok), cacheRead: 0.4 },
  ]);
});

test('hand-computed: cache reads and writes of both lives, in nano-dollars', () => {
  const [card] = anthropic({ apiKey: 'k' }).models.filter(({ id }) => id === 'claude-haiku-4-5');
  const usage = { input: 1000, output: 100, cacheRead: 300, cacheWrite: 200, cacheWriteLong: 50 };
  // (500 × 1 + 300 × 0.1 + 150 × 1.25 + 50 × 2 + 100 × 5) USD a million
  expect(costOf(card ?? { price: null }, usage)).toBe((500 + 30 + 187.5 + 100 + 500) * 1000);
});
