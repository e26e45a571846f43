/** What Together does differently, each quirk once. */
import { expect, test } from 'vitest';
import { together } from '../../../plugins/providers/together.ts';
import { exchangeWith, json } from './vendor-exchange.ts';

const images = json({ id: 'i', data: [{ index: 0, b64_json: 'aGk=' }] });

test('images are sized by width and height, and come inline', async () => {
  const request = { operation: 'image', prompt: 'A hat', size: '1024x768', count: 1, seed: 3 } as const;
  const { path, body, response } = await exchangeWith(together, 'black-forest-labs/FLUX.1-schnell', request, images);
  expect(path).toBe('/images/generations');
  expect(body).toEqual({
    model: 'black-forest-labs/FLUX.1-schnell',
    prompt: 'A hat',
    n: 1,
    width: 1024,
    height: 768,
    seed: 3,
    response_format: 'base64',
  });
  expect(response.output).toMatchObject({ images: [{ type: 'base64', data: 'aGk=' }] });
  expect(response.usage.images).toBe(1);
});

test('an image to edit goes by address, to the same path', async () => {
  const image = { type: 'url', url: 'https://example.com/a.png' } as const;
  const request = { operation: 'image', prompt: 'Bluer', image } as const;
  const { path, body } = await exchangeWith(together, 'black-forest-labs/FLUX.1-kontext-pro', request, images);
  expect(path).toBe('/images/generations');
  expect(body).toMatchObject({ image_url: 'https://example.com/a.png' });
});

test('embeddings without fields that it does not know', async () => {
  const answer = json({ object: 'list', data: [{ index: 0, embedding: [0.5] }], usage: { prompt_tokens: 2 } });
  const model = 'intfloat/multilingual-e5-large-instruct';
  const { body, response } = await exchangeWith(together, model, { operation: 'embed', input: ['a'] }, answer);
  expect(body).toEqual({ model, input: ['a'] });
  expect(response.output).toEqual({ operation: 'embed', vectors: [[0.5]] });
});
