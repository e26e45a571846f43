import { describe, expect, test } from 'vitest';
import { parseExhaustedReset, parseRateLimits, parseReset, tellsDelay } from '../../../src/kit/http/rate-limits.ts';

const now = Date.parse('2026-01-01T00:00:00Z');

describe('a reset', () => {
  test.each([
    ['6ms', 6],
    ['0s', 0],
    ['12.5s', 12_500],
    ['1m2s', 62_000],
    ['1h0m0.5s', 3_600_500],
    ['2', 2000],
    ['0.25', 250],
    ['1767225610', 10_000],
    ['1767225610500', 10_500],
    ['2026-01-01T00:01:00Z', 60_000],
    ['2025-12-31T23:59:00Z', 0],
    ['', undefined],
    ['soon', undefined],
    ['999999999', 86_400_000],
    ['1e300', 86_400_000],
    ['Infinity', 86_400_000],
    ['400000000d', 86_400_000],
    ['9999-01-01T00:00:00Z', 86_400_000],
    ['-5', 0],
    ['1'.repeat(60_000), undefined],
  ])('%s is %s ms away', (text, expected) => {
    expect(parseReset(text, now)).toBe(expected);
  });
});

describe('limits', () => {
  test.each(['-1', '-1e308', '-0.5'])('what is left cannot be %s, so nothing is said', (left) => {
    expect(
      parseRateLimits({ 'x-ratelimit-limit-requests': '10', 'x-ratelimit-remaining-requests': left }, now),
    ).toEqual([{ kind: 'requests', limit: 10 }]);
  });

  test('named field first', () => {
    expect(
      parseRateLimits(
        {
          'x-ratelimit-limit-requests': '100',
          'x-ratelimit-remaining-requests': '99',
          'x-ratelimit-reset-requests': '6ms',
          'x-ratelimit-remaining-tokens': '0',
          'x-ratelimit-reset-tokens': '1m2s',
          'content-type': 'text/plain',
        },
        now,
      ),
    ).toEqual([
      { kind: 'requests', limit: 100, remaining: 99, resetMs: 6 },
      { kind: 'tokens', remaining: 0, resetMs: 62_000 },
    ]);
  });

  test('named kind first, input and output apart', () => {
    expect(
      parseRateLimits(
        {
          'some-ratelimit-requests-limit': '50',
          'some-ratelimit-requests-reset': '2026-01-01T00:00:30Z',
          'some-ratelimit-input-tokens-remaining': '7',
          'some-ratelimit-output-tokens-remaining': '8',
        },
        now,
      ),
    ).toEqual([
      { kind: 'requests', limit: 50, resetMs: 30_000 },
      { kind: 'tokens', counts: 'input', remaining: 7 },
      { kind: 'tokens', counts: 'output', remaining: 8 },
    ]);
  });

  test('by the minute, without a kind, and of what is neither requests nor tokens', () => {
    expect(
      parseRateLimits(
        {
          'x-ratelimit-limit-req-minute': '4',
          'x-ratelimit-remaining-req-minute': '3',
          'x-ratelimit-tokens-query-cost': '109',
          'x-ratelimit-limit': '2',
          'x-ratelimit-remaining': '1',
          'x-ratelimit-reset': '2',
          'x-ratelimit-limit-input-images': '500',
          'x-ratelimit-abusepenalty-active': 'False',
          'x-ratelimit-key': 'a',
        },
        now,
      ),
    ).toEqual([
      { kind: 'requests', limit: 4, remaining: 3, windowMs: 60_000 },
      { kind: 'requests', limit: 2, remaining: 1, resetMs: 2000 },
    ]);
  });
});

describe('other dialects', () => {
  const later = { date: 'Thu, 01 Jan 2026 01:00:00 GMT', 'x-ratelimit-remaining': '0', 'x-ratelimit-limit': '9' };

  test.each([
    [
      'one field with its policy',
      { ratelimit: '"a";r=50;t=30', 'ratelimit-policy': '"a";q=100;w=60' },
      { limit: 100, remaining: 50, resetMs: 30_000, windowMs: 60_000 },
    ],
    ['one field without a policy', { ratelimit: '"a";r=0' }, { remaining: 0 }],
    [
      'one field of the seventh draft',
      { ratelimit: 'limit=100, remaining=50, reset=5', 'ratelimit-policy': '100;w=60' },
      { limit: 100, remaining: 50, resetMs: 5000, windowMs: 60_000 },
    ],
    [
      'a limit with its policies',
      { 'ratelimit-limit': '100, 100;w=60', 'ratelimit-remaining': '7' },
      { limit: 100, remaining: 7 },
    ],
    [
      'a trial',
      { 'x-trial-endpoint-call-limit': '40', 'x-trial-endpoint-call-remaining': '38' },
      { limit: 40, remaining: 38, windowMs: 60_000 },
    ],
    [
      'tokens apart',
      { 'x-tokenlimit-limit': '40', 'x-tokenlimit-remaining': '38' },
      { kind: 'tokens', limit: 40, remaining: 38 },
    ],
    [
      'tokens of the answer',
      { 'x-ratelimit-remaining-tokens-generated': '3' },
      { kind: 'tokens', counts: 'output', remaining: 3 },
    ],
    [
      'a moment by a server whose clock is an hour ahead',
      { ...later, 'x-ratelimit-reset': '2026-01-01T01:00:02Z' },
      { limit: 9, remaining: 0, resetMs: 2000 },
    ],
  ])('%s', (_, headers, expected) => {
    expect(parseRateLimits(headers, now)).toEqual([{ kind: 'requests', ...expected }]);
  });

  test.each([
    [
      'units that are not counted',
      { ratelimit: '"a";r=50;t=30', 'ratelimit-policy': '"a";q=100;w=60;qu="content-bytes"' },
    ],
    ['nothing', { ratelimit: '' }],
    ['far too much', { ratelimit: '"a";r=50;t=30,'.repeat(1000) }],
    ['what is no number', { ratelimit: '"a";r=many;t=30' }],
  ])('%s: none', (_, headers) => {
    expect(parseRateLimits(headers, now)).toEqual([]);
  });
});

describe('the reset of what is used up', () => {
  const reset = (remaining: string | undefined, name: string, value: string) => ({
    ...(remaining === undefined ? {} : { [`x-ratelimit-remaining-${name}`]: remaining }),
    [`x-ratelimit-reset-${name}`]: value,
  });

  test.each([
    ['the one of which nothing is left', { ...reset('0', 'requests', '1.2s'), ...reset('9', 'tokens', '60s') }, 1200],
    [
      'the longest, where several are used up',
      { ...reset('0', 'requests', '2s'), ...reset('0', 'tokens', '3s') },
      3000,
    ],
    ['none, where something is left of all', reset('5', 'requests', '9s'), undefined],
    [
      'the shortest, where nobody says what is left',
      { ...reset(undefined, 'requests', '9s'), ...reset(undefined, 'tokens', '4s') },
      4000,
    ],
    ['none without headers', {}, undefined],
    ['none that cannot be read', reset('0', 'requests', 'soon'), undefined],
    ['a day at most', reset('0', 'requests', '90d'), 86_400_000],
  ])('%s', (_, headers, expected) => {
    expect(parseExhaustedReset(headers, now)).toBe(expected);
    expect(tellsDelay(headers)).toBe(expected !== undefined);
  });
});
