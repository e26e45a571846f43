/** Fields of image requests that a model or an address refuses. */
import type { ModelRequest } from 'polyphony';
import { expect, test } from 'vitest';
import { azureOpenAI } from '../../../plugins/providers/azure-openai.ts';
import { openai } from '../../../plugins/providers/openai.ts';
import { openaiCompatible } from '../../../plugins/providers/openai-compatible.ts';
import { type Make, send } from './native-exchange.ts';

const request: ModelRequest = { operation: 'image', prompt: 'a boat' };
const answer = JSON.stringify({ data: [{ b64_json: 'AAAA' }] });
const own: Make = (baseURL) => openai({ baseURL, apiKey: 'k' });
const any: Make = (baseURL) => openaiCompatible({ baseURL });
const azure =
  (options: object = {}): Make =>
  (endpoint) =>
    azureOpenAI({ endpoint, apiKey: 'k', ...options });

test.each<readonly [Make, string, string | undefined]>([
  [own, 'gpt-image-2', undefined],
  [own, 'gpt-image-1-mini', undefined],
  [own, 'chatgpt-image-latest', undefined],
  [any, 'gpt-image-1', undefined],
  [any, 'openai/gpt-image-1.5', undefined],
  [any, 'flux', 'b64_json'],
  [any, 'dall-e-3', 'b64_json'],
  [azure(), 'gpt-image-1', undefined],
  [azure(), 'our-pictures', undefined],
  [azure({ models: [{ id: 'dall-e-3', wire: { imageFormat: 'b64_json' } }] }), 'dall-e-3', 'b64_json'],
])('%o %s is sent the format %s', async (make, model, format) => {
  const { body } = await send(make, answer, request, { model });
  expect(body).toEqual({ model, prompt: 'a boat', ...(format === undefined ? {} : { response_format: format }) });
});

test('the deployment is named once: in a dated path or in the body', async () => {
  const dated = await send(azure({ apiVersion: '2025-04-01-preview' }), answer, request, { model: 'pictures' });
  expect(dated.path).toBe('/openai/deployments/pictures/images/generations?api-version=2025-04-01-preview');
  expect(dated.body).toEqual({ prompt: 'a boat' });
  const image = { type: 'url', url: 'https://example.com/a.png' } as const;
  const edit = await send(azure({ apiVersion: '1' }), answer, { ...request, image }, { model: 'pictures' });
  expect(edit.body).not.toHaveProperty('model');
  const undated = await send(azure(), answer, request, { model: 'pictures' });
  expect(undated.body).toEqual({ model: 'pictures', prompt: 'a boat' });
});
