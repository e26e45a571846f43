import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JSON_DEPTH, jsonSize, jsonTextBytes, type KnownSizes } from '../../../src/core/json/json-size.ts';

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' });

describe('the size of a value', () => {
  it('is never below its JSON, and exact for texts', () => {
    fc.assert(
      fc.property(json, (value) => {
        const { bytes, added, fault } = jsonSize(value);
        expect(fault).toBeUndefined();
        expect(bytes).toBeGreaterThanOrEqual(bytesOf(value));
        expect(added).toBeGreaterThanOrEqual(bytes);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(jsonTextBytes(text)).toBe(bytesOf(text));
      }),
    );
    expect(jsonTextBytes('a"\\\u0000\n\ud800é漢🎼')).toBe(bytesOf('a"\\\u0000\n\ud800é漢🎼'));
  });

  it('counts what is shared in full in its JSON, and once in memory', () => {
    const part = { text: 'x'.repeat(1000) };
    const known: KnownSizes = new WeakMap();
    const first = jsonSize(part, known);
    const both = jsonSize([part, part], known);
    expect(both.bytes).toBe(bytesOf([part, part]));
    expect(both.added).toBeLessThan(200);
    expect(first.added).toBeGreaterThan(1000);
  });

  it('is found without walking what is shared more than once', () => {
    let value: unknown = { text: 'x'.repeat(1000) };
    for (let level = 0; level < 40; level += 1) value = [value, value];
    expect(jsonSize(value).bytes).toBeGreaterThan(2 ** 40);
    expect(jsonSize(value, new WeakMap(), 1e6).fault).toEqual({ type: 'size' });
  });

  it('ends at the limit', () => {
    const long = Array.from({ length: 100_000 }, () => 'word');
    const { fault, bytes } = jsonSize(long, new WeakMap(), 1000);
    expect(fault).toEqual({ type: 'size' });
    expect(bytes).toBeLessThan(1100);
    const sparse: unknown[] = [];
    sparse.length = 4_000_000_000;
    expect(jsonSize(sparse, new WeakMap(), 1000).fault).toEqual({ type: 'size' });
  });

  it('names what JSON does not have', () => {
    const circle: Record<string, unknown> = { a: 1 };
    circle.self = { circle };
    const wide: unknown[] = [];
    wide.push(wide, wide);
    const kinds = [1n, () => 1, Symbol('s'), Number.NaN, new Date(0), new Map(), new Uint8Array(2), new Error('e')];
    for (const value of [...kinds, circle, wide]) {
      expect(jsonSize({ value }, new WeakMap(), 10_000).fault).toMatchObject({ type: 'kind' });
    }
    class Point {
      x = 1;
    }
    expect(jsonSize({ left: undefined, list: [undefined], point: new Point(), bare: Object.create(null) }).fault).toBe(
      undefined,
    );
  });

  it('refuses what is nested too deeply, also when its parts were measured before', () => {
    const known: KnownSizes = new WeakMap();
    let value: unknown = { text: 'x'.repeat(1000) };
    for (let level = 1; level < JSON_DEPTH; level += 1) {
      value = [value];
      expect(jsonSize(value, known).fault).toBeUndefined();
    }
    expect(jsonSize([value], known).fault).toEqual({ type: 'depth' });
    expect(jsonSize([value]).fault).toEqual({ type: 'depth' });
  });
});
