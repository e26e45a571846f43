/** Stability AI: two wires, one for each generation of models. */
import type { ModelRequest } from 'polyphony';
import { costOf } from 'polyphony/kit';
import { describe, expect, test } from 'vitest';
import { stability } from '../../../plugins/providers/stability.ts';
import { loopback } from '../../kit/loopback.ts';
import { ask, chat } from './attempts.ts';
import { codes, failure, transport } from './exchange.ts';
import type { Answer } from './native-exchange.ts';

const drawn = JSON.stringify({ image: 'AAAA', finish_reason: 'SUCCESS', seed: 7 });
const prompt: ModelRequest = { operation: 'image', prompt: 'A "cat"' };

async function answered(request: ModelRequest, model: string, answer: Answer = { text: drawn }) {
  const server = await loopback((_, response) => {
    response.writeHead(answer.status ?? 200, answer.headers);
    response.end(answer.text);
  });
  const provider = stability({ baseURL: server.url, apiKey: 'test-key' });
  const response = await ask(provider, transport, request, { target: { model } });
  return { provider, response, received: server.received[0] };
}

/** The fields of a multipart body, read by the platform and not by our writer. */
async function formOf(received: Awaited<ReturnType<typeof answered>>['received']): Promise<Record<string, unknown>> {
  const type = received?.headers['content-type'] ?? '';
  const form = await new Response(received?.body, { headers: { 'content-type': type } }).formData();
  const entries = await Promise.all(
    [...form].map(async ([name, value]) => [
      name,
      typeof value === 'string' ? value : `${value.type}:${await value.text()}`,
    ]),
  );
  return Object.fromEntries(entries) as Record<string, unknown>;
}

describe('Stable Diffusion 3.5 and Stable Image', () => {
  test('a form with the shape that is nearest to the size', async () => {
    const request: ModelRequest = { ...prompt, negativePrompt: 'dogs', size: '1920x1080', seed: 7 };
    const { received, response } = await answered(request, 'sd3.5-large');
    expect(received?.path).toBe('/v2beta/stable-image/generate/sd3');
    expect(received?.headers).toMatchObject({ authorization: 'Bearer test-key', accept: 'application/json' });
    expect(await formOf(received)).toEqual({
      prompt: 'A "cat"',
      negative_prompt: 'dogs',
      model: 'sd3.5-large',
      mode: 'text-to-image',
      aspect_ratio: '16:9',
      seed: '7',
      output_format: 'png',
    });
    expect(response.output).toEqual({
      operation: 'image',
      images: [{ type: 'base64', data: 'AAAA', mediaType: 'image/png' }],
    });
    expect(codes(response)).toEqual([]);
  });

  test('another size, several images and a quality are answered with a warning', async () => {
    const { received, response } = await answered(
      { ...prompt, size: '1000x700', count: 2, quality: 'hd' },
      'stable-image-core',
    );
    expect(received?.path).toBe('/v2beta/stable-image/generate/core');
    expect(await formOf(received)).toEqual({ prompt: 'A "cat"', aspect_ratio: '3:2', output_format: 'png' });
    expect([...codes(response)].sort()).toEqual(['parameter-changed', 'parameter-changed', 'parameter-dropped']);
  });

  test('an image to edit goes along, and keeps its shape', async () => {
    const image = { type: 'base64', data: Buffer.from('bytes').toString('base64'), mediaType: 'image/jpeg' } as const;
    const edit: ModelRequest = {
      ...prompt,
      image,
      size: '1024x1024',
      providerOptions: { stability: { strength: 0.2 } },
    };
    expect(await formOf((await answered(edit, 'sd3.5-medium')).received)).toMatchObject({
      mode: 'image-to-image',
      strength: '0.2',
      image: 'image/jpeg:bytes',
    });
    const elsewhere: ModelRequest = { ...prompt, image: { type: 'url', url: 'https://a.example/x.png' } };
    expect(await failure(answered(elsewhere, 'sd3.5-medium'))).toMatchObject({ code: 'unsupported' });
  });

  test('a filtered image is told by the reason', async () => {
    const text = JSON.stringify({ image: 'AAAA', finish_reason: 'CONTENT_FILTERED', seed: 7 });
    expect((await answered(prompt, 'sd3.5-large', { text })).response.finishReason).toBe('content-filter');
  });
});

describe('SDXL', () => {
  const artifacts = JSON.stringify({
    artifacts: [
      { base64: 'AA', seed: 1, finishReason: 'SUCCESS' },
      { base64: 'BB', seed: 2 },
    ],
  });

  test('JSON, one of the sizes that it makes, several images', async () => {
    const request: ModelRequest = { ...prompt, negativePrompt: 'dogs', size: '1600x900', count: 2 };
    const { received, response } = await answered(request, 'stable-diffusion-xl-1024-v1-0', { text: artifacts });
    expect(received?.path).toBe('/v1/generation/stable-diffusion-xl-1024-v1-0/text-to-image');
    expect(JSON.parse(received?.body ?? '')).toEqual({
      text_prompts: [
        { text: 'A "cat"', weight: 1 },
        { text: 'dogs', weight: -1 },
      ],
      width: 1344,
      height: 768,
      samples: 2,
    });
    expect(response.usage.images).toBe(2);
    expect(codes(response)).toEqual(['parameter-changed']);
  });

  test('edits no image', async () => {
    const image = { type: 'base64', data: 'AA', mediaType: 'image/png' } as const;
    expect(await failure(answered({ ...prompt, image }, 'stable-diffusion-xl-1024-v1-0'))).toMatchObject({
      code: 'unsupported',
    });
  });
});

test('a price by the image, and none where it is not known beforehand', async () => {
  const { provider, response } = await answered(prompt, 'sd3.5-large');
  const cost = (id: string) =>
    costOf(provider.models.find((card) => card.id === id) ?? { price: null }, response.usage);
  expect(cost('sd3.5-large')).toBe(65_000_000);
  expect(cost('stable-diffusion-xl-1024-v1-0')).toBeNull();
});

test('chat is refused, and so is an answer without an image', async () => {
  expect(await failure(answered(chat('Hi'), 'sd3.5-large'))).toMatchObject({ code: 'unsupported' });
  expect(await failure(answered(prompt, 'sd3.5-large', { text: '{}' }))).toMatchObject({ code: 'invalid-output' });
});

test.each([
  [
    403,
    { name: 'content_moderation', errors: ['Your request was flagged by our content moderation system.'] },
    'content-policy',
  ],
  [402, { name: 'payment_required', errors: ['You lack sufficient credits.'] }, 'invalid-credential'],
  [429, { name: 'rate_limit_exceeded', errors: ['Too many requests.'] }, 'rate-limited'],
  [400, { name: 'bad_request', message: 'height: must be a multiple of 64' }, 'invalid-request'],
])('HTTP %i %o is %s', async (status, body, code) => {
  expect(await failure(answered(prompt, 'sd3.5-large', { status, text: JSON.stringify(body) }))).toMatchObject({
    code,
    status,
  });
});
