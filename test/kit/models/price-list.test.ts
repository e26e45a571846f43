/** Prices from the public list: every one that we translate costs what the list's own calculation says. */
import { calcPrice, findProvider, type ModelInfo, type Provider } from '@pydantic/genai-prices';
import { describe, expect, it } from 'vitest';
import type { Usage } from '../../../src/core/model/model.ts';
import { costOf } from '../../../src/core/money/price.ts';
import { listedFacts, tokenPrice } from '../../../src/kit/models/price-list.ts';

const PROVIDERS = [
  'openai',
  'anthropic',
  'google',
  'mistral',
  'deepseek',
  'together',
  'openrouter',
  'groq',
  'x-ai',
].concat(['aws', 'azure', 'cohere', 'perplexity', 'fireworks']);
const MOMENTS = ['2026-11-28T02:30:00Z', '2026-11-27T12:00:00Z', '2026-11-27T23:45:00Z', '2027-02-01T09:59:59Z'];
const USAGES: readonly Usage[] = [
  { input: 1000, output: 400 },
  { input: 150_000, output: 2000, cacheRead: 100_000, cacheWrite: 20_000, cacheWriteLong: 5000 },
  { input: 300_000, output: 8000, cacheRead: 60_000, reasoning: 3000 },
  { input: 5000, output: 900, audioInput: 3000, audioOutput: 500, imageInput: 700 },
];

/** The list's calculation; undefined where the list refuses the usage. */
function theirs(model: ModelInfo, provider: Provider, usage: Usage, timestamp: Date): number | undefined {
  const told = {
    input_tokens: usage.input,
    output_tokens: usage.output,
    cache_read_tokens: usage.cacheRead,
    cache_write_tokens: usage.cacheWrite,
    cache_write_1h_tokens: usage.cacheWriteLong,
    output_reasoning_tokens: usage.reasoning,
    input_audio_tokens: usage.audioInput,
    output_audio_tokens: usage.audioOutput,
    input_image_tokens: usage.imageInput,
  };
  try {
    const one = { ...provider, models: [{ ...model, match: { equals: 'it' } }] };
    return calcPrice(told, 'it', { provider: one, timestamp })?.total_price;
  } catch {
    return undefined;
  }
}

describe.each(PROVIDERS)('%s', (providerId) => {
  const provider = findProvider({ providerId });
  const priced = (provider?.models ?? []).flatMap((model) => {
    const price = tokenPrice(model);
    return price === null ? [] : [{ model, price }];
  });

  it('costs what the list says, at every hour, length and kind', () => {
    if (provider === undefined) throw new Error(`The list has no ${providerId}.`);
    expect(priced.length).toBeGreaterThan(3);
    for (const { model, price } of priced) {
      for (const usage of USAGES) {
        for (const moment of MOMENTS) {
          const usd = theirs(model, provider, usage, new Date(moment));
          if (usd === undefined) continue;
          const ours = costOf({ price }, usage, { at: Date.parse(moment) }) ?? -1;
          // Ours is rounded up: rates to a pico-dollar a token, sums to a nano-dollar.
          const most = usd * 1e9 + 2 + (usage.input + usage.output) / 1000;
          const what = `${model.id} ${moment} ${JSON.stringify(usage)}`;
          expect(ours, what).toBeGreaterThan(usd * 1e9 - 0.01);
          expect(ours, what).toBeLessThan(most);
        }
      }
    }
  });
});

describe('a model that no card describes', () => {
  it('is found by the address of its server', () => {
    const { price, contextTokens } = listedFacts('https://api.openai.com/v1', 'gpt-4o-2024-11-20');
    expect(price).toMatchObject({ input: 2.5, output: 10, cacheRead: 1.25 });
    expect(price?.source).toBe('@pydantic/genai-prices, "gpt-4o"');
    expect(contextTokens).toBe(128_000);
  });

  it.each([
    ['http://localhost:8000/v1', 'gpt-4o'],
    ['http://192.168.1.7:8000/v1', 'gpt-4o'],
    ['https://models.example.com/v1', 'gpt-4o'],
    ['https://api.openai.com/v1', 'no-such-model'],
    ['https://api.openai.com/v1', `gpt-4o-${'x'.repeat(300)}`],
    ['not a url', 'gpt-4o'],
    // Paid by the hour of audio, which no usage of ours tells.
    ['https://api.openai.com/v1', 'whisper-1'],
  ])('has no price at %s as %s', (baseURL, id) => {
    expect(listedFacts(baseURL, id).price).toBeUndefined();
  });
});
