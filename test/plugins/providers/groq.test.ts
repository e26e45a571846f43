/** What Groq does differently, each quirk once. */
import { describe, expect, test } from 'vitest';
import { groq } from '../../../plugins/providers/groq.ts';
import { sse } from '../../kit/loopback.ts';
import { chat } from './attempts.ts';
import { codes, delta, failure } from './exchange.ts';
import { called, exchangeWith } from './vendor-exchange.ts';

const OSS = 'openai/gpt-oss-120b';

test('usage may come under a name of its own', async () => {
  const answer = sse([
    delta({ content: 'Hi' }, 'stop'),
    delta({}, null, { x_groq: { id: 'r', usage: { prompt_tokens: 7, completion_tokens: 2 } } }),
  ]);
  expect((await exchangeWith(groq, OSS, chat('x'), answer)).response.usage).toMatchObject({ input: 7, output: 2 });
});

test('so may errors', async () => {
  const error = { message: 'Failed to call a function', type: 'invalid_request_error', code: 'tool_use_failed' };
  const answer = sse([delta({ content: 'Hi' }), delta({}, null, { x_groq: { error } })]);
  expect(await failure(exchangeWith(groq, OSS, chat('x'), answer))).toMatchObject({
    code: 'invalid-output',
    retryable: true,
  });
});

describe('reasoning', () => {
  test('has three efforts on one model', async () => {
    const { body } = await exchangeWith(groq, OSS, chat('x', { reasoning: { effort: 'minimal' } }));
    expect(body.reasoning_effort).toBe('low');
  });

  test('has one or none on another, apart from the text', async () => {
    const on = await exchangeWith(groq, 'qwen/qwen3-32b', chat('x', { reasoning: { effort: 'high' } }));
    expect(on.body).toMatchObject({ reasoning_effort: 'default', reasoning_format: 'parsed' });
    const off = await exchangeWith(groq, 'qwen/qwen3-32b', chat('x', { reasoning: { effort: 'none' } }));
    expect(off.body.reasoning_effort).toBe('none');
  });

  test('is not asked of models that do not reason', async () => {
    const { body } = await exchangeWith(groq, 'llama-3.3-70b-versatile', chat('x', { reasoning: { effort: 'high' } }));
    expect(body).not.toHaveProperty('reasoning_effort');
  });
});

test('what it refuses is left out, tiers and limits go by its names', async () => {
  const request = chat('x', { logprobs: 2, presencePenalty: 1, maxOutputTokens: 5, serviceTier: 'flex' });
  const { body, response } = await exchangeWith(groq, OSS, request);
  expect(body).toMatchObject({ max_completion_tokens: 5, service_tier: 'flex' });
  expect(Object.keys(body)).not.toContain('logprobs');
  expect(codes(response)).toEqual(['parameter-dropped', 'parameter-dropped', 'parameter-dropped']);
  expect(JSON.stringify((await exchangeWith(groq, OSS, called())).body.messages)).not.toContain('"ann"');
});
