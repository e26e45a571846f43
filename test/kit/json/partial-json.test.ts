import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partialJson } from '../../../src/kit/json/partial-json.ts';

/** The values that are shown while the text arrives in pieces. */
function shownOf(text: string, size = 1): object[] {
  const partial = partialJson();
  const shown: object[] = [];
  for (let at = 0; at < text.length; at += size) {
    const value = partial.add(text.slice(at, at + size));
    if (value !== undefined) shown.push(value);
  }
  return shown;
}

/** True if `part` can become `whole` by more text. */
function grows(part: unknown, whole: unknown): boolean {
  if (typeof part === 'string' && typeof whole === 'string') return whole.startsWith(part);
  if (Array.isArray(part) && Array.isArray(whole)) return part.every((item, index) => grows(item, whole[index]));
  if (typeof part === 'object' && part !== null && typeof whole === 'object' && whole !== null)
    return Object.entries(part).every(([key, value]) => grows(value, (whole as Record<string, unknown>)[key]));
  return Object.is(part, whole);
}

describe('a value that is still being written', () => {
  it.each([
    ['{"name":"Li', { name: 'Li' }],
    ['{"na', {}],
    ['{"name"', {}],
    ['{"name":', {}],
    ['{"name":12', {}],
    ['{"name":12,', { name: 12 }],
    ['{"a":[1,tru', { a: [1] }],
    ['{"a":["x","y', { a: ['x', 'y'] }],
    ['{"a":{"b":null}', { a: { b: null } }],
    ['{"a":"line\\', { a: 'line' }],
    ['{"a":"\\u00e', { a: '' }],
    ['{"a":"x\\ud83d', { a: 'x' }],
    ['{"a":"x\ud83d', { a: 'x' }],
    ['{"a" : "x" , "b', { a: 'x' }],
    ['Here it is:\n```json\n{"a":"x', { a: 'x' }],
    ['<think>{"no":1}</think>{"a":"x', { a: 'x' }],
    ['{"a":1} and then }', { a: 1 }],
    ['["one","tw', ['one', 'tw']],
  ])('%j is shown as %j', (text, value) => {
    expect(shownOf(text, text.length)).toEqual([value]);
  });

  it.each(['', 'no brackets', '{"a":]', '{"a" "b"}', '"text"', '['.repeat(201)])('%j shows nothing', (text) => {
    expect(shownOf(text, Math.max(1, text.length))).toEqual([]);
  });

  it('only ever grows into the whole value, wherever the pieces end', () => {
    const value = fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()));
    fc.assert(
      fc.property(value, fc.integer({ min: 1, max: 9 }), fc.boolean(), (made, size, spaced) => {
        const text = JSON.stringify(made, null, spaced ? 1 : 0);
        const whole: unknown = JSON.parse(text);
        for (const part of shownOf(text, size)) expect(grows(part, whole)).toBe(true);
        // Read in one piece, the whole value is shown.
        expect(shownOf(text, text.length)).toEqual([whole]);
      }),
    );
  });

  it('begins again after a restart', () => {
    const partial = partialJson();
    partial.add('{"a":1,');
    partial.reset();
    expect(partial.add('{"b":2,')).toEqual({ b: 2 });
  });

  it('is read again ever more rarely, so that the work stays linear in the text', () => {
    const text = JSON.stringify(Array.from({ length: 1500 }, (_, index) => `item ${index}`));
    const partial = partialJson();
    let read = 0;
    for (let at = 0; at < text.length; at += 4) {
      if (partial.add(text.slice(at, at + 4)) !== undefined) read += at;
    }
    expect(read).toBeGreaterThan(text.length);
    expect(read).toBeLessThan(text.length * 80);
  });
});
