import { describe, expect, it } from 'vitest';
import { assertId, assertKnownFields, assertScopes } from '../../src/core/checked-options.ts';
import type { Scope } from '../../src/core/model/model.ts';

const scopes = (scope: object): void => assertScopes([{ kind: 'tenant', id: 't', ...scope } as Scope]);

describe('ids', () => {
  it.each(['a', 'a:b', 'kunde/7', '世界', '👍🏽', ' ', 'a'.repeat(512)])('takes %j', (id) => assertId('An id', id));

  it.each([
    ['', '""'],
    ['a\0b', '"a\\u0000b"'],
    ['a\nb', '"a\\nb"'],
    ['\ud83d', '"\\ud83d"'],
    [7, '7'],
    [null, 'null'],
    [undefined, 'undefined'],
    [{}, 'an object'],
    ['x'.repeat(1_000_000), `"${'x'.repeat(60)}"…`],
  ])('refuses %j', (id, shown) => {
    expect(() => assertId('An id', id)).toThrow(
      `An id cannot be ${shown}: give a text of 1 to 512 characters without control characters and lone surrogates.`,
    );
  });
});

describe('scopes', () => {
  it.each([0, 1, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY])('takes a cap of %s', (capNanoUsd) =>
    scopes({ capNanoUsd }),
  );

  it.each([Number.NaN, -1, 0.5, Number.NEGATIVE_INFINITY, '5', null, 5n])('refuses a cap of %s', (amount) => {
    expect(() => scopes({ capNanoUsd: amount })).toThrow(
      /^The cap of tenant "t" cannot be .* nano-dollars: give a whole number/,
    );
    expect(() => scopes({ spentNanoUsd: amount })).toThrow(/^What tenant "t" has spent cannot be/);
  });

  it('refuses a kind that would share a counter with another kind', () => {
    expect(() => scopes({ kind: 'tenant:a' })).toThrow('A scope cannot be of the kind "tenant:a": use one of request,');
    expect(() => scopes({ kind: undefined })).toThrow('kind undefined');
    expect(() => scopes({ id: 'a\0' })).toThrow('The id of a scope (tenant) cannot be');
    expect(() => assertScopes('tenant' as unknown as Scope[])).toThrow('scopes must be a list, not "tenant".');
  });
});

const none = (): readonly string[] => [];
const unchecked = (given: object): { usd?: number } => given;

describe('names of fields', () => {
  it('refuses one that is misspelt, and takes one that is undefined', () => {
    const known = { usd: true, ms: true } as const;
    assertKnownFields('limits', { usd: 1 }, known, none);
    assertKnownFields<{ usd?: number; ms?: number }>(
      'limits',
      Object.assign({ ms: 1 }, { old: undefined }),
      known,
      none,
    );
    expect(() =>
      assertKnownFields<{ usd?: number; ms?: number }>('limits', unchecked({ budget: 1 }), known, none),
    ).toThrow('limits has no field "budget": it may have usd, ms.');
  });
});
