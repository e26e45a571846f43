/** What code outside gives becomes JSON: the same as after a round through its text, or an error that says what and where. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copies, copyJson } from '../../../src/core/json/copy-json.ts';
import { plainJson } from '../../../src/core/run/plain-json.ts';

const name = () => ({ noun: 'The result of node n', code: 'invalid-output', details: { nodeId: 'n' } }) as const;
const plain = (value: unknown): unknown => plainJson(value, name);

function refusal(value: unknown): string {
  try {
    plain(value);
  } catch (error) {
    expect(error).toMatchObject({ details: { nodeId: 'n' } });
    return (error as Error).message;
  }
  return 'not refused';
}

class Point {
  readonly x = 1;
  readonly #hidden = 2;
  get sum(): number {
    return this.x + this.#hidden;
  }
}

const loop: { parts: unknown[] } = { parts: [{ name: 'a' }] };
loop.parts.push({ back: loop.parts });
let deep: unknown = 'bottom';
for (let level = 0; level < 700; level += 1) deep = [deep];
let wide: unknown = 1;
for (let level = 0; level < 40; level += 1) wide = [wide, wide];
const sparse: unknown[] = [1];
sparse[2] = 3;

describe('plain JSON', () => {
  it('is what its text would be read as, and shares nothing with what was given', () => {
    const json = fc.anything({ withNullPrototype: true, withSparseArray: true, maxDepth: 4 });
    fc.assert(
      fc.property(json, (value) => {
        let expected: unknown;
        try {
          expected = JSON.parse(JSON.stringify(value) ?? 'null');
          expect(plain(value)).toEqual(expected);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid-output' });
        }
      }),
    );
  });

  it.each([
    ['a date', { at: new Date(86_400_000) }, { at: '1970-01-02T00:00:00.000Z' }],
    ['undefined', undefined, null],
    ['undefined fields and items', { a: undefined, b: [undefined, 1] }, { b: [null, 1] }],
    ['holes', sparse, [1, null, 3]],
    ['a class instance', new Point(), { x: 1 }],
    [
      'toJSON',
      { u: new URL('https://example.org/a'), k: { toJSON: (key: string) => `key ${key}` } },
      { u: 'https://example.org/a', k: 'key k' },
    ],
    ['boxed values', [Object(1), Object('a'), Object(true)], [1, 'a', true]],
    ['minus zero', [-0], [0]],
    ['half a pair', 'a\ud800', 'a\ud800'],
    ['a field that would be a prototype', JSON.parse('{"__proto__":{"x":1}}'), JSON.parse('{"__proto__":{"x":1}}')],
  ])('has a form for %s', (_name, value, expected) => {
    const made = plain(value);
    expect(made).toEqual(expected);
    expect(JSON.stringify(made)).toBe(JSON.stringify(expected));
    expect(Object.is((made as unknown[])?.[0], -0)).toBe(false);
  });

  it.each([
    ['NaN', { rows: [{ price: Number.NaN }] }, 'holds the number NaN at /rows/0/price'],
    ['infinity', [Number.NEGATIVE_INFINITY], 'holds the number -Infinity at /0'],
    ['a bigint', { 'a/b': { '~': 2n ** 70n } }, 'holds a bigint at /a~1b/~0'],
    ['a boxed bigint', [Object(1n)], 'holds a bigint at /0'],
    ['a Map', { m: new Map([['a', 1]]) }, 'holds a Map at /m'],
    ['a Set', new Set([1]), 'holds a Set, which JSON does not have: give a list'],
    ['a Map out of toJSON', { t: { toJSON: () => new Map() } }, 'holds a Map at /t'],
    ['bytes', { b: Buffer.from('hi') }, 'holds bytes (Buffer) at /b'],
    ['typed numbers', new Float64Array(2), 'holds bytes (Float64Array), which'],
    ['a raw buffer', { b: new ArrayBuffer(2) }, 'holds bytes (ArrayBuffer) at /b'],
    ['a function', { f: () => 1 }, 'holds a function at /f'],
    ['a symbol', [Symbol('s')], 'holds a symbol at /0'],
    ['an error', { e: new RangeError('x') }, 'holds an error (RangeError) at /e'],
    ['a promise', { p: Promise.resolve(1) }, 'holds a Promise at /p, which JSON does not have: wait for it'],
    ['an invalid date', { d: new Date(Number.NaN) }, 'holds a date that is invalid at /d'],
    ['a pattern', [/x/], 'holds a RegExp at /0'],
    ['what contains itself', loop, 'holds a list or an object that contains itself at /parts/1/back'],
    ['what is too deep', deep, 'is nested more than 500 levels deep'],
    ['a list at too many places', wide, 'has more than 8388608 values'],
  ])('refuses %s by name and place', (_name, value, message) => {
    expect(refusal(value)).toContain(message);
  });

  it('says what its own code threw', () => {
    const throwing = () => {
      throw new Error('no such row');
    };
    expect(refusal({ a: [{ toJSON: throwing }] })).toMatch(
      /could not be read at \/a\/0, because it threw: no such row/,
    );
    expect(refusal({ a: Object.defineProperty({}, 'b', { enumerable: true, get: throwing }) })).toContain('at /a/b');
    expect(refusal(new Proxy({}, { ownKeys: throwing }))).toContain('no such row');
    const gone = Proxy.revocable({}, {});
    gone.revoke();
    expect(refusal([gone.proxy])).toContain('could not be read');
  });
});

describe('a copy of JSON', () => {
  it('is equal and shares no list and no object', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const copy = copyJson(value);
        expect(copy).toEqual(value);
        expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
        if (typeof value === 'object' && value !== null) expect(copy).not.toBe(value);
      }),
    );
    expect(JSON.stringify(copyJson(JSON.parse('{"__proto__":{"x":[1]}}')))).toBe('{"__proto__":{"x":[1]}}');
  });

  it('takes as much room as what it is made of, however often a part is shared', () => {
    const copy = copyJson(wide) as unknown[];
    let depth = 0;
    for (let part: unknown = copy; Array.isArray(part); part = part[0]) depth += 1;
    expect(depth).toBe(40);
    const large = Array.from({ length: 500 }, (_, index) => index);
    const own = copies();
    expect(own.of({ large }).large).toBe(own.of([large])[0]);
    expect(own.of(large)).not.toBe(large);
  });
});
