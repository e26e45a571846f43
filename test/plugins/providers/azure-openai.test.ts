/** What Azure OpenAI does differently, each quirk once. */
import { textOf } from 'polyphony/kit';
import { describe, expect, test, vi } from 'vitest';
import { azureOpenAI } from '../../../plugins/providers/azure-openai.ts';
import { sse } from '../../kit/loopback.ts';
import { chat } from './attempts.ts';
import { delta, failure } from './exchange.ts';
import { type Make, send } from './native-exchange.ts';
import { saying, stream } from './responses-exchange.ts';
import { hi, json } from './vendor-exchange.ts';

const target = { model: 'my-gpt' };
const make =
  (options: object = {}): Make =>
  (endpoint) =>
    azureOpenAI({ endpoint, apiKey: 'azure-key', ...options });

describe('addresses', () => {
  test('are the undated ones, the deployment in the body', async () => {
    const { path, headers, body } = await send(make(), hi, chat('x', { maxOutputTokens: 5 }), target);
    expect(path).toBe('/openai/v1/chat/completions');
    expect(headers['api-key']).toBe('azure-key');
    expect(headers.authorization).toBeUndefined();
    expect(body).toMatchObject({ model: 'my-gpt', max_completion_tokens: 5 });
  });

  test('hold the deployment and the version where one is given', async () => {
    const { path } = await send(make({ apiVersion: '2024-10-21' }), hi, chat('x'), target);
    expect(path).toBe('/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21');
  });

  test('are made of an endpoint with or without its path', async () => {
    const { path } = await send(
      (url) => azureOpenAI({ endpoint: `${url}/openai/v1/`, apiKey: 'k' }),
      hi,
      chat('x'),
      target,
    );
    expect(path).toBe('/openai/v1/chat/completions');
  });

  test('are read from the environment at each request', async () => {
    const make = (url: string) => {
      vi.stubEnv('AZURE_OPENAI_ENDPOINT', url);
      vi.stubEnv('AZURE_OPENAI_API_KEY', 'from-environment');
      return azureOpenAI();
    };
    const { headers } = await send(make, hi, chat('x'), target).finally(() => vi.unstubAllEnvs());
    expect(headers['api-key']).toBe('from-environment');
  });

  test('are missed with a word on how to name them', async () => {
    const error = await failure(send(() => azureOpenAI({ apiKey: 'k', endpoint: '' }), hi, chat('x'), target));
    expect(error).toMatchObject({ code: 'invalid-config', message: expect.stringContaining('AZURE_OPENAI_ENDPOINT') });
  });
});

test('a token of Entra ID takes the place of the key, asked for at each request', async () => {
  const token = vi.fn(async () => 'entra-token');
  const { headers } = await send((endpoint) => azureOpenAI({ endpoint, token }), hi, chat('x'), target);
  expect(headers.authorization).toBe('Bearer entra-token');
  expect(headers['api-key']).toBeUndefined();
  expect(token).toHaveBeenCalledTimes(1);
});

describe('the content filter', () => {
  test('speaks first, in a chunk without choices', async () => {
    const first = { id: '', model: '', choices: [], prompt_filter_results: [{ prompt_index: 0 }] };
    const { response } = await send(make(), sse([first, delta({ content: 'Hi' }, 'stop')]), chat('x'), target);
    expect(textOf(response)).toBe('Hi');
    expect(response.model).toBe('m-1');
  });

  test('ends an answer', async () => {
    const { response } = await send(
      make(),
      sse([delta({ content: 'Hi' }), delta({}, 'content_filter')]),
      chat('x'),
      target,
    );
    expect(response.finishReason).toBe('content-filter');
  });

  test('refuses a prompt', async () => {
    const innererror = { code: 'ResponsibleAIPolicyViolation', content_filter_result: { hate: { filtered: true } } };
    const message = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.";
    const text = json({
      error: { message, type: null, param: 'prompt', code: 'content_filter', status: 400, innererror },
    });
    const error = await failure(send(make(), { text, status: 400 }, chat('x'), target));
    expect(error).toMatchObject({ code: 'content-policy', status: 400 });
  });
});

describe('the Responses wire', () => {
  test('has the same key and the same base', async () => {
    const { path, headers } = await send(make({ api: 'responses' }), stream(saying('Hi')), chat('x'), target);
    expect(path).toBe('/openai/v1/responses');
    expect(headers['api-key']).toBe('azure-key');
  });

  test('is not there in dated versions', () => {
    expect(() => azureOpenAI({ api: 'responses', apiVersion: '2024-10-21' })).toThrow(/leave apiVersion out/);
  });
});
