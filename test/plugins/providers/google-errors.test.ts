/** What refusals of the generateContent wire mean. */
import { describe, expect, test } from 'vitest';
import { google } from '../../../plugins/providers/google.ts';
import { chat } from './attempts.ts';
import { failure } from './exchange.ts';
import { answered, HELLO, sentFor } from './google-answers.ts';
import { type Json, send } from './native-exchange.ts';

const refused = (status: number, message: string, rest: Json = {}) =>
  failure(answered({ status, text: JSON.stringify({ error: { code: status, message, ...rest } }) }));

describe('refusals', () => {
  test.each([
    [400, 'Invalid value at contents', 'INVALID_ARGUMENT', 'invalid-request'],
    [400, 'API key not valid. Please pass a valid API key.', 'INVALID_ARGUMENT', 'invalid-credential'],
    [
      400,
      'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
      'INVALID_ARGUMENT',
      'context-window',
    ],
    [400, 'User location is not supported for the API use.', 'FAILED_PRECONDITION', 'unsupported'],
    [403, 'Permission denied on resource', 'PERMISSION_DENIED', 'invalid-credential'],
    [404, 'models/x is not found for API version v1beta', 'NOT_FOUND', 'model-not-found'],
    [429, 'Resource exhausted. Please try again later.', 'RESOURCE_EXHAUSTED', 'rate-limited'],
    [
      429,
      'You exceeded your current quota, please check your plan and billing details.',
      'RESOURCE_EXHAUSTED',
      'rate-limited',
    ],
    [429, 'Quota exceeded for metric: free_tier_requests, limit: 0', 'RESOURCE_EXHAUSTED', 'rate-limited'],
    [429, 'Your project has exceeded its monthly spending cap.', 'RESOURCE_EXHAUSTED', 'rate-limited'],
    [500, 'An internal error has occurred.', 'INTERNAL', 'overloaded'],
    [503, 'The model is overloaded.', 'UNAVAILABLE', 'overloaded'],
    [504, 'Deadline expired', 'DEADLINE_EXCEEDED', 'timeout'],
  ])('%i "%s" (%s) is %s', async (status, message, word, code) => {
    expect(await refused(status, message, { status: word })).toMatchObject({ code, status });
  });

  test('details say how long to wait', async () => {
    const details = [
      { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [] },
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.4s' },
    ];
    const error = await refused(429, 'You exceeded your current quota.', { status: 'RESOURCE_EXHAUSTED', details });
    expect(error).toMatchObject({ code: 'rate-limited', retryAfterMs: 34_400, retryable: true });
  });

  test('an error inside a list, as streams answer, is read', async () => {
    const text = JSON.stringify([{ error: { code: 429, message: 'Slow down', status: 'RESOURCE_EXHAUSTED' } }]);
    expect(await failure(answered({ status: 429, text }))).toMatchObject({ code: 'rate-limited' });
    expect(await failure(answered(text))).toMatchObject({ code: 'rate-limited', status: 429 });
  });

  test('nothing to answer, no request', async () => {
    const error = await failure(sentFor(chat([{ role: 'system', content: 'Be brief.' }])));
    expect(error).toMatchObject({ code: 'invalid-request' });
  });

  test('no key, no request', async () => {
    const error = await failure(send((baseURL) => google({ baseURL, apiKeys: [] }), HELLO));
    expect(error).toMatchObject({ code: 'invalid-credential' });
    expect(error.message).toContain('GEMINI_API_KEY');
  });
});
