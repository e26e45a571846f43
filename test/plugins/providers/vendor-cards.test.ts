/** Cards of the vendors on the chat-completions wire: what they cite, and that each provider holds to the suite. */
import { findProvider } from '@pydantic/genai-prices';
import type { ModelCard, Provider } from 'polyphony';
import { costOf } from 'polyphony/kit';
import { testProvider } from 'polyphony/testing';
import { describe, expect, test } from 'vitest';
import { azureOpenAI } from '../../../plugins/providers/azure-openai.ts';
import { deepseek } from '../../../plugins/providers/deepseek.ts';
import { groq } from '../../../plugins/providers/groq.ts';
import { mistral } from '../../../plugins/providers/mistral.ts';
import { openrouter } from '../../../plugins/providers/openrouter.ts';
import { perplexity } from '../../../plugins/providers/perplexity.ts';
import { qwen } from '../../../plugins/providers/qwen.ts';
import { together } from '../../../plugins/providers/together.ts';
import { xai } from '../../../plugins/providers/xai.ts';
import { createTransport } from '../../../src/gateway/transport/transport.ts';
import { loopback } from '../../kit/loopback.ts';
import { saying, stream } from './responses-exchange.ts';
import { hi } from './vendor-exchange.ts';

type Rate = number | { readonly base: number; readonly tiers: readonly { start: number; price: number }[] } | undefined;
type Rates = Readonly<Record<string, Rate>>;

const listed = ({ price }: ModelCard): boolean => price?.source?.startsWith('@pydantic/genai-prices') === true;
const base = (rate: Rate): number | undefined => (typeof rate === 'object' ? rate.base : rate);
const above = (rate: Rate): number | undefined => (typeof rate === 'object' ? rate.tiers[0]?.price : undefined);

function ratesOf(providerId: string, id: string): Rates {
  const prices: unknown = findProvider({ providerId })?.models.find((model) => model.id === id)?.prices;
  return (prices ?? {}) as Rates;
}

/** Our name and that of the list. */
const LISTED: readonly (readonly [Provider, string])[] = [
  [mistral(), 'mistral'],
  [together(), 'together'],
  [openrouter(), 'openrouter'],
  [groq(), 'groq'],
  [xai(), 'x-ai'],
  [perplexity(), 'perplexity'],
];
const cards = LISTED.flatMap(([{ models }, list]) =>
  models.filter(listed).map((card) => [list, card.id, card] as const),
);

describe('prices', () => {
  test.each(cards)('%s: %s costs what the list says', (list, id, { price }) => {
    const rates = ratesOf(list, id);
    expect(price).toMatchObject({ input: base(rates.input_mtok), output: base(rates.output_mtok) });
    expect(price?.cacheRead).toBe(base(rates.cache_read_mtok));
    expect(price?.cacheWrite).toBe(base(rates.cache_write_mtok));
    const fee = base(rates.requests_kcount);
    expect(price?.request).toBe(fee === undefined ? undefined : fee / 1000);
    const [tier] = price?.tiers ?? [];
    expect(tier?.input).toBe(above(rates.input_mtok));
    expect(tier?.output).toBe(above(rates.output_mtok));
    expect(tier?.cacheRead).toBe(above(rates.cache_read_mtok));
  });

  test('that are not known are null, never 0', () => {
    const models = [...LISTED.flatMap(([provider]) => provider.models), ...qwen().models, ...deepseek().models];
    for (const { price } of models) expect(price === null || price.input > 0).toBe(true);
  });

  test('hand-computed: a search model costs its tokens and its request', () => {
    const [card] = perplexity().models;
    // 1,000 × 1 + 500 × 1 USD a million, and 0.012 USD a request
    expect(costOf(card ?? { price: null }, { input: 1000, output: 500 })).toBe(1_500_000 + 12_000_000);
  });

  test('hand-computed: above its threshold a request is repriced whole', () => {
    const card = xai().models.find(({ id }) => id === 'grok-4.3') ?? { price: null };
    expect(costOf(card, { input: 199_999, output: 0 })).toBe(199_999 * 1250);
    expect(costOf(card, { input: 200_000, output: 0 })).toBe(200_000 * 2500);
  });

  test('hand-computed: DeepSeek at its peak', () => {
    const card = deepseek().models.find(({ id }) => id === 'deepseek-v4-pro') ?? { price: null };
    // 400 × 1.32 + 600 × 0.044 + 100 × 3.96 USD a million
    expect(costOf(card, { input: 1000, output: 100, cacheRead: 600 })).toBe(528_000 + 26_400 + 396_000);
  });
});

const VENDORS: readonly (readonly [string, (options: { baseURL: string; apiKey: string }) => Provider])[] = [
  ['azure-openai', azureOpenAI],
  ['deepseek', deepseek],
  ['groq', groq],
  ['mistral', mistral],
  ['openrouter', openrouter],
  ['perplexity', perplexity],
  ['qwen', qwen],
  ['together', together],
  ['xai', xai],
];

describe.each(VENDORS)('%s', (_, vendor) => {
  testProvider({
    test,
    async make() {
      const transport = createTransport();
      const server = await loopback(({ path }, response) => {
        response.end(path.endsWith('/responses') ? stream(saying('Hi', ' there')) : hi);
      });
      const secret = 'a-secret-key-of-ours';
      const provider = vendor({ baseURL: server.url, apiKey: secret });
      const rateLimitHeaders = { 'x-ratelimit-remaining-requests': '8', 'x-ratelimit-reset-requests': '6s' };
      return { provider, transport, secrets: [secret], rateLimitHeaders, close: () => transport.close() };
    },
  });
});
