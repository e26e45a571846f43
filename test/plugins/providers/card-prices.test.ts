/** Prices on the cards: against the arithmetic of the list that they cite, and against sums made by hand. */
import { calcPrice, findProvider } from '@pydantic/genai-prices';
import type { ModelCard, Provider, Usage } from 'polyphony';
import { costOf, type PriceTerms } from 'polyphony/kit';
import { describe, expect, test } from 'vitest';
import { anthropic } from '../../../plugins/providers/anthropic.ts';
import { bedrock } from '../../../plugins/providers/bedrock.ts';
import { deepseek } from '../../../plugins/providers/deepseek.ts';
import { google } from '../../../plugins/providers/google.ts';
import { groq } from '../../../plugins/providers/groq.ts';
import { mistral } from '../../../plugins/providers/mistral.ts';
import { openai } from '../../../plugins/providers/openai.ts';
import { openrouter } from '../../../plugins/providers/openrouter.ts';
import { perplexity } from '../../../plugins/providers/perplexity.ts';
import { qwen } from '../../../plugins/providers/qwen.ts';
import { together } from '../../../plugins/providers/together.ts';
import { xai } from '../../../plugins/providers/xai.ts';

const apiKey = 'k';
const LISTS: readonly (readonly [Provider, string])[] = [
  [openai({ apiKey }), 'openai'],
  [anthropic({ apiKey }), 'anthropic'],
  [google({ apiKey }), 'google'],
  [mistral(), 'mistral'],
  [together(), 'together'],
  [openrouter(), 'openrouter'],
  [groq(), 'groq'],
  [xai(), 'x-ai'],
  [perplexity(), 'perplexity'],
  [bedrock({ apiKey }), 'aws'],
];
const listed = ({ price }: ModelCard): boolean => price?.source?.startsWith('@pydantic/genai-prices') === true;
const cards = LISTS.flatMap(([{ id, models }, list]) =>
  models.filter(listed).map((card) => [id, card.id, list, card] as const),
);

/** Beta prices of the list that need a header which is never sent, and models that it has under another rate of its own. */
const USAGES: readonly Usage[] = [
  { input: 1000, output: 400 },
  { input: 150_000, output: 2000, cacheRead: 100_000, cacheWrite: 20_000 },
  { input: 5000, output: 900, audioInput: 3000 },
];
const MOMENTS = ['2026-12-02T02:30:00Z', '2027-01-02T12:00:00Z'];

test.each(cards)('%s/%s costs what its list says', (_, id, providerId, card) => {
  const provider = findProvider({ providerId });
  if (provider === undefined) throw new Error(`The list has no ${providerId}.`);
  for (const { input, output, cacheRead = 0, cacheWrite = 0, audioInput = 0 } of USAGES) {
    const told = {
      input_tokens: input,
      output_tokens: output,
      cache_read_tokens: cacheRead,
      input_audio_tokens: audioInput,
    };
    for (const moment of MOMENTS) {
      const timestamp = new Date(moment);
      const usd = calcPrice({ ...told, cache_write_tokens: cacheWrite }, id, { provider, timestamp })?.total_price;
      const ours = costOf(card, { input, output, cacheRead, cacheWrite, audioInput }, { at: timestamp.getTime() });
      expect(Math.abs((ours ?? -1) / 1e9 - (usd ?? -2)), `${id} ${moment} ${input}`).toBeLessThan(1e-8 + 1e-12 * input);
    }
  }
});

test('every list is cited by some card', () => {
  expect(new Set(cards.map(([, , list]) => list)).size).toBe(LISTS.length);
});

const cardOf = ({ models }: Provider, id: string) => models.find((card) => card.id === id) ?? { price: null };
const at = (moment: string, serviceTier?: string): PriceTerms => ({ at: Date.parse(moment), serviceTier });

describe('by hand', () => {
  const usage = { input: 1000, output: 100, cacheRead: 600 };

  test.each([
    // 400 × 0.66 + 600 × 0.022 + 100 × 1.98 USD a million
    ['deepseek-v4-pro', '2026-11-27T00:59:59Z', 264_000 + 13_200 + 198_000],
    ['deepseek-v4-pro', '2026-11-27T01:00:00Z', 2 * 475_200],
    ['deepseek-v4-pro', '2026-11-27T09:59:59Z', 2 * 475_200],
    ['deepseek-v4-pro', '2026-11-28T09:59:59Z', 475_200],
    // 400 × 0.15 + 600 × 0.003 + 100 × 0.6
    ['deepseek-flash', '2026-11-27T05:00:00Z', 60_000 + 1800 + 60_000],
  ])('%s at %s', (id, moment, cost) => {
    expect(costOf(cardOf(deepseek(), id), usage, at(moment))).toBe(cost);
  });

  test.each([
    // 400 × 0.4 + 600 × 0.08 + 100 × 1.2, and with thoughts 100 × 4
    ['qwen-plus', usage, 160_000 + 48_000 + 120_000],
    ['qwen-plus', { ...usage, reasoning: 20 }, 160_000 + 48_000 + 400_000],
    ['qwen-plus', { input: 256_001, output: 100, reasoning: 20 }, 256_001 * 1200 + 1_200_000],
    ['qwen3-max', { input: 32_000, output: 100 }, 32_000 * 1200 + 600_000],
    ['qwen3-max', { input: 32_001, output: 100 }, 32_001 * 2400 + 1_200_000],
    ['qwen3-max', { input: 128_001, output: 100 }, 128_001 * 3000 + 1_500_000],
    ['text-embedding-v4', { input: 1000, output: 0 }, 70_000],
  ])('%s in Singapore', (id, given, cost) => {
    expect(costOf(cardOf(qwen(), id), given)).toBe(cost);
    expect(costOf(cardOf(qwen({ region: 'cn-beijing' }), id), given)).toBeNull();
  });

  test.each([
    // 1000 in of which 600 from the cache, 100 out: 400 × 5 + 600 × 0.5 + 100 × 30 = 5,300
    [openai(), 'gpt-5.5', undefined, 5_300_000],
    [openai(), 'gpt-5.5', 'batch', 2_650_000],
    [openai(), 'gpt-5.5', 'flex', 2_650_000],
    [openai(), 'gpt-5.5', 'priority', 13_250_000],
    // 400 × 0.25 + 600 × 0.125 + 100 × 1
    [openai(), 'gpt-4o-mini', 'fast', 100_000 + 75_000 + 100_000],
    // 400 × 2 + 600 × 0.5 + 100 × 8 = 1,900, and 1.75 times that
    [openai(), 'gpt-4.1', 'priority', 3_325_000],
    [openai(), 'gpt-4.1', 'flex', 1_900_000],
    // 400 × 1 + 600 × 0.1 + 100 × 5 = 960
    [anthropic({ apiKey }), 'claude-haiku-4-5', 'batch', 480_000],
    // 400 × 1.5 + 600 × 0.15 + 100 × 9 = 1,590
    [google({ apiKey }), 'gemini-3.5-flash', 'batch', 795_000],
    [google({ apiKey }), 'gemini-3.5-flash', 'priority', 2_862_000],
    // 400 × 0.15 + 600 × 0.015 + 100 × 0.6 = 129
    [mistral(), 'mistral-small-2603', 'batch', 64_500],
  ] as const)('$id %s at %s', (provider, id, serviceTier, cost) => {
    expect(costOf(cardOf(provider, id), usage, at('2026-11-27T12:00:00Z', serviceTier))).toBe(cost);
  });

  test('audio costs more than text, and less from the cache', () => {
    const card = cardOf(google({ apiKey }), 'gemini-2.5-flash');
    const heard = { input: 1000, output: 100, audioInput: 600, cacheRead: 300, audioCacheRead: 200 };
    // 300 × 0.3 + 400 × 1 + 100 × 0.03 + 200 × 0.1 + 100 × 2.5
    expect(costOf(card, heard)).toBe(90_000 + 400_000 + 3000 + 20_000 + 250_000);
  });
});
