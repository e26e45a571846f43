/** Refusals: which target is asked next, when, and what the refusal costs. */
import { good, inTurn, status } from '../plays.ts';
import type { Scenario } from '../scenario.ts';

const error = (message: string, fields: object = {}): object => ({ error: { message, type: 'error', ...fields } });
const minute = error('Rate limit reached: 3 requests per minute. Check your plan and billing details.', {
  type: 'requests',
  code: 'rate_limit_exceeded',
});

export const REFUSALS: readonly Scenario[] = [
  {
    name: '429-with-delay',
    shows: 'a refusal that names two seconds is tried again after two seconds',
    first: inTurn(status(429, { 'retry-after': '2' }, minute), good()),
    expect: { ending: 'answer', attempts: 2, afterMs: 2000, withinMs: 2200 },
  },
  {
    name: '429-without-delay',
    shows: 'a refusal that names no delay is tried again after the usual pause',
    first: inTurn(status(429, {}, minute), good()),
    expect: { ending: 'answer', attempts: 2, withinMs: 200 },
  },
  {
    name: '429-by-the-plugin',
    shows: 'the refusals that the plugin makes are obeyed like real ones',
    rules: [{ provider: 'first', most: 1, fault: { type: 'status', status: 429, retryAfterMs: 1500 } }],
    expect: { ending: 'answer', attempts: 2, afterMs: 1500, withinMs: 2100 },
  },
  {
    name: '429-date-as-delay',
    shows: 'a delay may be a date: the clock of the scenario stands at 14 November 2023, 22:13:20',
    first: inTurn(status(429, { 'retry-after': 'Tue, 14 Nov 2023 22:13:23 GMT' }, minute), good()),
    expect: { ending: 'answer', attempts: 2, afterMs: 3000, withinMs: 3200 },
  },
  {
    name: '429-delay-of-an-hour',
    shows: 'a delay that nobody waits for leads to the next target at once',
    first: status(429, { 'retry-after': '3600' }, minute),
    expect: { ending: 'failover', attempts: 2, withinMs: 0 },
  },
  {
    name: '429-senseless-delay',
    shows: 'a delay that is no time is no delay',
    first: inTurn(status(429, { 'retry-after': 'soon; -5' }, minute), good()),
    expect: { ending: 'answer', attempts: 2, withinMs: 200 },
  },
  {
    name: '429-negative-delay',
    shows: 'a delay below zero is none',
    first: inTurn(status(429, { 'retry-after': '-30' }, minute), good()),
    expect: { ending: 'answer', attempts: 2, withinMs: 200 },
  },
  {
    name: '429-the-second-delay-counts',
    shows: 'the delay of the latest refusal counts, not that of the first',
    first: inTurn(status(429, { 'retry-after': '4' }, minute), status(429, { 'retry-after': '1' }, minute), good()),
    config: { retry: { retries: 2, baseMs: 100, maxMs: 5000 } },
    expect: { ending: 'answer', attempts: 3, afterMs: 5000, withinMs: 5400 },
  },
  {
    name: '429-request-above-the-limit',
    shows: 'a request that is larger than the limit is not sent again',
    first: status(
      429,
      {},
      error('Request too large for m on tokens per min (TPM): Limit 100, Requested 400.', {
        code: 'rate_limit_exceeded',
      }),
    ),
    expect: { ending: 'failover', attempts: 2, withinMs: 0 },
  },
  {
    name: '429-quota-used-up',
    shows: 'an account without money is left at once',
    first: status(429, {}, error('You exceeded your current quota.', { code: 'insufficient_quota' })),
    expect: { ending: 'failover', attempts: 2, withinMs: 0 },
  },
  {
    name: '429-everywhere',
    shows: 'when both refuse, the error says so, in the end',
    first: status(429, {}, minute),
    second: status(429, {}, minute),
    expect: { ending: 'rate-limited', attempts: 4, withinMs: 1000 },
  },
  {
    name: '529-everywhere',
    shows: 'when both are overloaded, the error says so',
    rules: [{ fault: { type: 'status', status: 529 } }],
    expect: { ending: 'overloaded', attempts: 4, withinMs: 1000 },
  },
  {
    name: '401-other-key',
    shows: 'a key that is refused gives way to the next key, without a pause',
    keys: ['refused-key-of-a-test', 'good-key-of-a-test'],
    first: (asked) =>
      asked.headers.authorization?.includes('good-key') === true
        ? good()(asked)
        : status(401, {}, error('Incorrect API key provided'))(asked),
    expect: { ending: 'answer', withinMs: 0 },
  },
  {
    name: '401-no-key-left',
    shows: 'when the only key is refused, the next provider answers',
    first: status(401, {}, error('Incorrect API key provided')),
    expect: { ending: 'failover', attempts: 2, withinMs: 0 },
  },
  {
    name: '401-alone',
    shows: 'when the only key of the only provider is refused, the error says so',
    alone: true,
    first: status(401, {}, error('Incorrect API key provided')),
    expect: { ending: 'invalid-credential', attempts: 1, withinMs: 0 },
  },
  {
    name: '403-one-model',
    shows: 'a model that an account may not use leads to the next',
    first: status(403, {}, error('Your project does not have access to model m', { code: 'model_not_found' })),
    expect: { ending: 'failover', attempts: 2, withinMs: 0 },
  },
  {
    name: '404-model',
    shows: 'a model that is gone leads to the next',
    first: status(404, {}, error('The model m does not exist', { code: 'model_not_found' })),
    expect: { ending: 'failover', attempts: 2, withinMs: 0 },
  },
  {
    name: '400-window',
    shows: 'a text that is too long for one model goes to one with a larger window',
    first: status(
      400,
      {},
      error('This model has a maximum context length of 10 tokens.', { code: 'context_length_exceeded' }),
    ),
    card: { contextTokens: 8000 },
    expect: { ending: 'failover', attempts: 2, withinMs: 0 },
  },
  {
    name: '400-policy',
    shows: 'a text that one provider refuses goes to the model that is named for it',
    first: status(400, {}, error('The response was filtered', { code: 'content_filter' })),
    config: { fallbacks: { contentPolicy: ['second/m'] } },
    expect: { ending: 'failover', attempts: 2, withinMs: 0 },
  },
  {
    name: '400-wrong-request',
    shows: 'a request that is wrong is the caller’s: nobody else is asked',
    first: status(400, {}, error('messages: must not be empty', { type: 'invalid_request_error' })),
    expect: { ending: 'invalid-request', attempts: 1, withinMs: 0 },
  },
  {
    name: '500-without-body',
    shows: 'a failure without a word leads to the next target',
    first: status(500, {}, ''),
    expect: { ending: 'failover', attempts: 3, withinMs: 200 },
  },
  {
    name: '502-web-page',
    shows: 'the error page of a proxy leads to the next target',
    first: status(502, { 'content-type': 'text/html' }, '<html><h1>502 Bad Gateway</h1></html>'),
    expect: { ending: 'failover', attempts: 3, withinMs: 200 },
  },
  {
    name: '503-then-good',
    shows: 'a short outage is over with the second try',
    first: inTurn(status(503), good()),
    expect: { ending: 'answer', attempts: 2, withinMs: 200 },
  },
];
