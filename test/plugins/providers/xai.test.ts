/** What xAI does differently, each quirk once. */
import { describe, expect, test } from 'vitest';
import { xai } from '../../../plugins/providers/xai.ts';
import { chat } from './attempts.ts';
import { codes, failure } from './exchange.ts';
import { send } from './native-exchange.ts';
import { saying, stream } from './responses-exchange.ts';
import { exchangeWith } from './vendor-exchange.ts';

const answer = stream(saying('Hi'));

describe('chats', () => {
  test('go over the Responses wire, system messages among the items', async () => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'x' },
    ] as const;
    const { path, body } = await exchangeWith(
      xai,
      'grok-4.3',
      chat(messages, { reasoning: { effort: 'low' } }),
      answer,
    );
    expect(path).toBe('/responses');
    expect(body).toEqual({
      model: 'grok-4.3',
      input: messages,
      reasoning: { effort: 'low' },
      include: ['reasoning.encrypted_content'],
      store: false,
      stream: true,
    });
  });

  test('go over the older wire where that is asked for', async () => {
    const older = (options: object) => xai({ ...options, api: 'chat-completions' });
    const { path, body, response } = await exchangeWith(
      older,
      'grok-4.6',
      chat('x', { stop: ['END'], maxOutputTokens: 5 }),
    );
    expect(path).toBe('/chat/completions');
    expect(body).toMatchObject({ max_completion_tokens: 5 });
    expect(body).not.toHaveProperty('stop');
    expect(codes(response)).toEqual(['parameter-dropped']);
  });
});

test('efforts are those of the model', async () => {
  const request = chat('x', { reasoning: { effort: 'none' } });
  expect((await exchangeWith(xai, 'grok-4.3', request, answer)).body.reasoning).toEqual({ effort: 'none' });
  expect((await exchangeWith(xai, 'grok-4.6', request, answer)).body.reasoning).toEqual({ effort: 'low' });
  expect((await exchangeWith(xai, 'grok-build-0.1', request, answer)).body).not.toHaveProperty('reasoning');
});

test('a wrong key, told with HTTP 400, is a wrong key', async () => {
  const text = JSON.stringify({ code: 'invalid-argument', error: 'Incorrect API key provided.' });
  const work = send((baseURL) => xai({ baseURL, apiKey: 'k' }), { text, status: 400 }, chat('x'), {
    model: 'grok-4.3',
  });
  expect(await failure(work)).toMatchObject({ code: 'invalid-credential', status: 400 });
});
