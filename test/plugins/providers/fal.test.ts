/** fal: one call, the input of each model, pictures in the answer. */
import type { ModelRequest } from 'polyphony';
import { describe, expect, test } from 'vitest';
import { fal } from '../../../plugins/providers/fal.ts';
import { loopback } from '../../kit/loopback.ts';
import { ask, chat } from './attempts.ts';
import { codes, failure, transport } from './exchange.ts';

const LARGE = 'fal-ai/stable-diffusion-v35-large';
const drawn = { images: [{ url: 'data:image/png;base64,AAAA', width: 8, height: 8 }], has_nsfw_concepts: [false] };
const prompt: ModelRequest = { operation: 'image', prompt: 'A ferry' };

async function answered(request: ModelRequest, model = LARGE, answer: unknown = drawn, status = 200) {
  const server = await loopback((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', 'x-fal-request-id': 'r1' });
    response.end(JSON.stringify(answer));
  });
  const provider = fal({ baseURL: server.url, apiKey: 'test-key' });
  return { server, work: ask(provider, transport, request, { target: { model } }) };
}

describe('a picture', () => {
  test('is asked for at the path of its model, with what that takes', async () => {
    const request = { ...prompt, negativePrompt: 'people', size: '1216x832', seed: 3, count: 2 } as const;
    const { server, work } = await answered(request);
    const response = await work;
    const [received] = server.received;
    expect(received?.path).toBe('/fal-ai/stable-diffusion-v35-large');
    expect(received?.headers).toMatchObject({ authorization: 'Key test-key' });
    expect(JSON.parse(received?.body ?? '')).toEqual({
      prompt: 'A ferry',
      negative_prompt: 'people',
      image_size: { width: 1216, height: 832 },
      num_images: 2,
      seed: 3,
      sync_mode: true,
    });
    expect(response.output).toEqual({
      operation: 'image',
      images: [{ type: 'base64', data: 'AAAA', mediaType: 'image/png' }],
    });
    expect(response).toMatchObject({ finishReason: 'stop', usage: { images: 1 }, costNanoUsd: null });
    expect(codes(response)).toEqual([]);
  });

  test('leaves out what its model does not take, with a warning', async () => {
    const request = { ...prompt, negativePrompt: 'people', size: 'wide', quality: 'high' } as const;
    const { server, work } = await answered(request, 'fal-ai/flux/schnell');
    expect(codes(await work)).toEqual(['parameter-dropped', 'parameter-dropped', 'parameter-dropped']);
    expect(JSON.parse(server.received[0]?.body ?? '')).toEqual({ prompt: 'A ferry', sync_mode: true });
  });

  test('may be an address, or one alone', async () => {
    const hosted = { image: { url: 'https://v3.example/a.jpeg', content_type: 'image/jpeg' } };
    const { work } = await answered(prompt, 'fal-ai/other', hosted);
    expect((await work).output).toMatchObject({
      images: [{ type: 'url', url: 'https://v3.example/a.jpeg', mediaType: 'image/jpeg' }],
    });
  });

  test('that the safety check found says so', async () => {
    const { work } = await answered(prompt, LARGE, { ...drawn, has_nsfw_concepts: [true] });
    expect((await work).finishReason).toBe('content-filter');
  });
});

describe('what fails', () => {
  test('is an answer without a picture', async () => {
    const { work } = await answered(prompt, LARGE, { images: [] });
    expect(await failure(work)).toMatchObject({ code: 'invalid-output' });
  });

  test.each([
    [401, 'invalid-credential', { detail: 'No user found for Key ID and Secret' }],
    [
      422,
      'invalid-request',
      { detail: [{ loc: ['body', 'prompt'], msg: 'field required', type: 'value_error.missing' }] },
    ],
    [
      422,
      'content-policy',
      {
        detail: [
          {
            loc: ['body', 'prompt'],
            msg: 'The content could not be processed because it contained material flagged by a content checker.',
            type: 'content_policy_violation',
          },
        ],
      },
    ],
    [429, 'rate-limited', { detail: 'Too many requests' }],
    [503, 'overloaded', { detail: 'Runner is not there' }],
  ])('is status %i, as %s', async (status, code, body) => {
    const { work } = await answered(prompt, LARGE, body, status);
    expect(await failure(work)).toMatchObject({ code });
  });

  test('is an edit, and a chat, before anything is sent', async () => {
    const image = { type: 'base64', data: 'AAAA', mediaType: 'image/png' } as const;
    for (const request of [{ ...prompt, image }, chat('Hello')] as const) {
      const { server, work } = await answered(request);
      expect(await failure(work)).toMatchObject({ code: 'unsupported' });
      expect(server.received).toEqual([]);
    }
  });
});
