/** Cards of Cohere and Bedrock, against the price list that they cite. */
import { findProvider } from '@pydantic/genai-prices';
import type { ModelCard } from 'polyphony';
import { costOf } from 'polyphony/kit';
import { expect, test } from 'vitest';
import { bedrock } from '../../../plugins/providers/bedrock.ts';
import { cohere } from '../../../plugins/providers/cohere.ts';

interface Rates {
  readonly input_mtok?: number;
  readonly output_mtok?: number;
  readonly cache_read_mtok?: number;
  readonly cache_write_mtok?: number;
}

/** The list names families of one provider and profiles of the other. */
function ratesOf(providerId: string, id: string): Rates | undefined {
  const models = findProvider({ providerId })?.models ?? [];
  const family = id.replace(/-\d\d-\d{4}$/, '');
  return models.find((model) => model.id === id || model.id === family)?.prices as Rates | undefined;
}

const listed = (models: readonly ModelCard[]) =>
  models.filter(({ price }) => price?.source?.startsWith('@pydantic/genai-prices') === true);
const cards = [
  ...listed(cohere({ apiKey: 'k' }).models).map((card) => ['cohere', card.id, card] as const),
  ...listed(bedrock({ apiKey: 'k' }).models).map((card) => ['aws', card.id, card] as const),
];

test.each(cards)('%s %s costs what the list says', (providerId, id, card) => {
  const rates = ratesOf(providerId, id);
  expect(card.price).toMatchObject({ input: rates?.input_mtok, output: rates?.output_mtok ?? 0 });
  if (rates?.cache_read_mtok !== undefined) expect(card.price?.cacheRead).toBe(rates.cache_read_mtok);
  if (rates?.cache_write_mtok !== undefined) expect(card.price?.cacheWrite).toBe(rates.cache_write_mtok);
});

test('there are some of both', () => {
  expect(new Set(cards.map(([provider]) => provider)).size).toBe(2);
});

test('hand-computed: a cached request to Claude on Bedrock, a search by Cohere', () => {
  const claude = bedrock({ apiKey: 'k' }).models.find(({ id }) => id.includes('haiku-4-5'));
  // (500 × 1 + 300 × 0.1 + 200 × 1.25 + 100 × 5) USD a million
  const usage = { input: 1000, output: 100, cacheRead: 300, cacheWrite: 200 };
  expect(costOf(claude ?? { price: null }, usage)).toBe((500 + 30 + 250 + 500) * 1000);
  const rerank = cohere({ apiKey: 'k' }).models.find(({ id }) => id === 'rerank-v3.5');
  expect(costOf(rerank ?? { price: null }, { input: 0, output: 0 })).toBe(2_000_000);
});
