/** Models that no card describes: priced by the public list, which is read when the first of them is named. */
import { createRequire } from 'node:module';
import { createPolyphony } from 'polyphony';
import { expect, test } from 'vitest';
import { azureOpenAI } from '../../../plugins/providers/azure-openai.ts';
import { openai } from '../../../plugins/providers/openai.ts';
import { openaiCompatible } from '../../../plugins/providers/openai-compatible.ts';
import { qwen } from '../../../plugins/providers/qwen.ts';

const isLoaded = (): boolean =>
  Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('genai-prices'));

test('the list is read when the first such model is named, and never for a server of one’s own', async () => {
  const own = openaiCompatible({ baseURL: 'http://localhost:8000/v1' });
  const polyphony = await createPolyphony({ providers: [openai({ apiKey: 'k' }), own, qwen({ apiKey: 'k' })] });
  const cardOf = (model: string) =>
    polyphony.gateway.explain({ operation: 'chat', messages: [{ role: 'user', content: 'Hi' }], model }).candidates[0]
      ?.card;
  expect(polyphony.gateway.models().length).toBeGreaterThan(5);
  expect(polyphony.catalogue().models.length).toBeGreaterThan(5);
  expect(cardOf('openai/gpt-5.5')?.price).toMatchObject({ input: 5 });
  expect(cardOf('openai-compatible/gpt-4o')?.price).toBeNull();
  expect(isLoaded()).toBe(false);
  expect(cardOf('openai/gpt-4o-2024-11-20')).toMatchObject({
    price: { input: 2.5, output: 10 },
    contextTokens: 128_000,
  });
  expect(isLoaded()).toBe(true);
  expect(cardOf('qwen/some-model')?.price).toBeNull();
  await polyphony.close();
});

test('a deployment of one’s own is not priced by its name', () => {
  const azure = azureOpenAI({ endpoint: 'https://x.openai.azure.com', apiKey: 'k' });
  expect(azure.unlisted?.('gpt-4o')?.price).toBeNull();
});

test('a price that a provider gives its unlisted models stays', () => {
  const unlisted = (id: string) => ({ ...(openai().models[0] ?? {}), id, price: { input: 7, output: 7 } }) as never;
  expect(openai({ unlisted }).unlisted?.('gpt-4o-2024-11-20')?.price).toEqual({ input: 7, output: 7 });
});
