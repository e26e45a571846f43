/** What refusals of the Messages wire mean, and what its headers say of limits. */
import type { RateLimit } from 'polyphony';
import { describe, expect, test } from 'vitest';
import { anthropic } from '../../../plugins/providers/anthropic.ts';
import { answered, HELLO, sentFor } from './anthropic-answers.ts';
import { chat } from './attempts.ts';
import { failure } from './exchange.ts';
import { send } from './native-exchange.ts';

const refused = (status: number, type: string, message: string, headers: Record<string, string> = {}) =>
  failure(answered({ status, headers, text: JSON.stringify({ type: 'error', error: { type, message } }) }));

describe('refusals', () => {
  test.each([
    [400, 'invalid_request_error', 'messages: field required', 'invalid-request'],
    [400, 'invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum', 'context-window'],
    [
      400,
      'invalid_request_error',
      'input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000',
      'context-window',
    ],
    [400, 'invalid_request_error', 'Your credit balance is too low to access the API.', 'invalid-credential'],
    [400, 'invalid_request_error', 'You have reached your specified API usage limits.', 'invalid-credential'],
    [400, 'invalid_request_error', 'Output blocked by content filtering policy', 'content-policy'],
    [401, 'authentication_error', 'invalid x-api-key', 'invalid-credential'],
    [402, 'billing_error', 'Check your payment details.', 'invalid-credential'],
    [403, 'permission_error', 'Your API key may not use this resource.', 'invalid-credential'],
    [404, 'not_found_error', 'model: claude-nonexistent', 'model-not-found'],
    [413, 'request_too_large', 'Request exceeds the maximum size', 'context-window'],
    [500, 'api_error', 'Internal server error', 'overloaded'],
    [504, 'timeout_error', 'The request timed out', 'timeout'],
    [529, 'overloaded_error', 'Overloaded', 'overloaded'],
  ])('%i %s "%s" is %s', async (status, type, message, code) => {
    expect(await refused(status, type, message)).toMatchObject({ code, status });
  });

  test('429 says how long to wait', async () => {
    const error = await refused(429, 'rate_limit_error', 'Too many tokens a minute.', { 'retry-after': '7' });
    expect(error).toMatchObject({ code: 'rate-limited', retryAfterMs: 7000, retryable: true });
  });

  test('an error as the body of a good answer is one', async () => {
    const text = JSON.stringify({ type: 'error', error: { type: 'rate_limit_error', message: 'Slow down.' } });
    expect(await failure(answered(text))).toMatchObject({ code: 'rate-limited', status: 429 });
  });

  test('nothing to answer, no request', async () => {
    const error = await failure(sentFor(chat([{ role: 'system', content: 'Be brief.' }])));
    expect(error).toMatchObject({ code: 'invalid-request' });
  });

  test('no key, no request', async () => {
    const error = await failure(send((baseURL) => anthropic({ baseURL, apiKeys: [] }), HELLO));
    expect(error).toMatchObject({ code: 'invalid-credential' });
    expect(error.message).toContain('ANTHROPIC_API_KEY');
  });
});

test('limits are read with their moments of reset', async () => {
  const told: RateLimit[] = [];
  const onRateLimits = (limits: readonly RateLimit[]): void => void told.push(...limits);
  const headers = {
    'anthropic-ratelimit-requests-limit': '50',
    'anthropic-ratelimit-requests-remaining': '49',
    'anthropic-ratelimit-requests-reset': '2000-01-01T00:00:00Z',
    'anthropic-ratelimit-input-tokens-limit': '40000',
    'anthropic-ratelimit-input-tokens-remaining': '100',
    'anthropic-ratelimit-output-tokens-remaining': '8000',
  };
  await send((baseURL) => anthropic({ baseURL, apiKey: 'test-key', onRateLimits }), { text: HELLO, headers });
  expect(told).toEqual([
    { kind: 'requests', limit: 50, remaining: 49, resetMs: 0 },
    { kind: 'tokens', counts: 'input', limit: 40_000, remaining: 100 },
    { kind: 'tokens', counts: 'output', remaining: 8000 },
  ]);
});
