import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extractJson, schemaInstruction } from '../../../src/kit/json/json-text.ts';

describe('extractJson', () => {
  it.each([
    ['the whole answer', ' {"a":1}\n', { a: 1 }],
    ['a scalar', '42', 42],
    ['a fence', 'Here:\n```json\n{"a": "```"}\n```\nDone.', { a: '```' }],
    ['prose around', 'Sure! {"a":{"b":[1,"}"]}} I hope {this} helps.', { a: { b: [1, '}'] } }],
    ['an array', 'The list: [1, 2, 3].', [1, 2, 3]],
    ['the longest of several', '[1] first, then {"a":1,"b":2}', { a: 1, b: 2 }],
    ['an opening in the prose', 'Use { to open. {"a":1}', { a: 1 }],
    ['a quote in the prose', 'He said "{ and left. {"a":1}', { a: 1 }],
    ['thoughts', '<think>{"draft": "long long long"}</think>{"a":1}', { a: 1 }],
    ['an escaped quote', 'x {"a":"\\"}"} y', { a: '"}' }],
  ])('finds %s', (_, text, value) => {
    expect(extractJson(text)).toMatchObject({ value, repaired: false });
  });

  it.each([
    ['single quotes and a trailing comma', "Here: {'a': 1, 'b': [1,2,],}", { a: 1, b: [1, 2] }],
    ['unquoted keys', '```json\n{a: 1}\n```', { a: 1 }],
    ['a comment', '{"a": 1 // one\n}', { a: 1 }],
    ['a cut answer', '{"a": [1, {"b": "c', { a: [1, { b: 'c' }] }],
  ])('repairs %s and says so', (_, text, value) => {
    expect(extractJson(text)).toMatchObject({ value, repaired: true });
  });

  it.each([
    ['nothing', ''],
    ['prose', 'no JSON here'],
    ['stray closings', 'a } b ]'],
    ['more than is repaired', `{'a': ${'"'.repeat(70_000)}}`],
  ])('finds nothing in %s', (_, text) => {
    expect(extractJson(text)).toBeUndefined();
  });

  it('takes work in proportion to the length', () => {
    // A scan to the end from every opening would need hours for these.
    for (const part of ['[', '{', '{"', '["', '{}', '"{', '[1,']) {
      expect(() => extractJson(`x ${part.repeat(500_000)}`)).not.toThrow();
    }
  });

  it('finds any object or array between any prose without brackets', () => {
    const prose = fc.string().map((text) => text.replaceAll(/[[\]{}]/g, ''));
    const json = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()));
    fc.assert(
      fc.property(prose, json, prose, (before, value, after) => {
        const found = extractJson(`${before}\n${JSON.stringify(value)}\n${after}`);
        expect(found).toEqual({
          value: JSON.parse(JSON.stringify(value)),
          text: JSON.stringify(value),
          repaired: false,
        });
      }),
    );
  });

  it('never throws', () => {
    const parts = fc.array(fc.constantFrom('{', '}', '[', ']', '"', "'", ':', ',', 'a', '1', ' ', '\\', '```', '\n'));
    fc.assert(
      fc.property(parts, (list) => {
        const found = extractJson(list.join(''));
        if (found !== undefined) expect(JSON.parse(found.text)).toEqual(found.value);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('schemaInstruction', () => {
  it('holds the schema to the byte', () => {
    const schema = { type: 'object', properties: { z: {}, a: {} } };
    expect(schemaInstruction(schema)).toContain(JSON.stringify(schema));
  });
});
