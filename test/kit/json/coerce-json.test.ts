import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coerceJson } from '../../../src/kit/json/coerce-json.ts';
import { validateJson } from '../../../src/kit/json/json-validation.ts';

const closed = (properties: object) => ({ type: 'object', properties, additionalProperties: false });
const LEVEL = { type: 'string', enum: ['low', 'high'] };

describe('values that mean what is wanted', () => {
  test.each([
    [{ type: 'number' }, ' 3.50 ', 3.5],
    [{ type: 'integer' }, '3', 3],
    [{ type: 'integer' }, '-3.0', -3],
    [{ type: ['integer', 'null'] }, '3', 3],
    [{ type: 'boolean' }, 'True', true],
    [{ type: 'string' }, 3, '3'],
    [LEVEL, ' HIGH', 'high'],
    [{ const: 'done' }, 'DONE', 'done'],
    [{ enum: [1, 2] }, '2', 2],
    [{ enum: ['1', '2'] }, 2, '2'],
    [closed({ a: { type: 'number' } }), { a: '1', note: 'x' }, { a: 1 }],
    [{ type: 'array', items: LEVEL }, ['Low', 'high'], ['low', 'high']],
    [{ type: 'object', additionalProperties: { type: 'number' } }, { a: '1' }, { a: 1 }],
    [{ type: 'object', properties: { a: { type: 'array' } } }, { a: '[1]' }, { a: [1] }],
    [{ anyOf: [{ type: 'null' }, { type: 'number' }] }, '3', 3],
    [
      { oneOf: [closed({ k: { const: 'a' } }), closed({ k: { const: 'b' }, n: { type: 'number' } })] },
      { k: 'b', n: '1' },
      { k: 'b', n: 1 },
    ],
    [{ $ref: '#/$defs/n', $defs: { n: { type: 'number' } } }, '3', 3],
    [{ allOf: [{ properties: { a: { type: 'number' } } }] }, { a: '3' }, { a: 3 }],
  ])('%j of %j', (schema, given, expected) => {
    const { value, changes } = coerceJson(schema, given);
    expect(value).toEqual(expected);
    expect(changes.length).toBeGreaterThan(0);
    expect(validateJson(schema, value).ok).toBe(true);
  });
});

describe('values that could mean several things, or none', () => {
  test.each([
    [{ type: 'number' }, 'three'],
    [{ type: 'number' }, '1,234'],
    [{ type: 'number' }, ''],
    [{ type: 'number' }, null],
    [{ type: 'number' }, true],
    [{ type: 'integer' }, '3.5'],
    [{ type: 'integer' }, '99999999999999999999'],
    [{ type: 'boolean' }, 'yes'],
    [{ type: 'boolean' }, 1],
    [{ enum: ['Us', 'US'] }, 'us'],
    [{ type: 'object' }, '[1]'],
    [{ type: 'object', properties: {} }, { extra: 1 }],
  ])('%j of %j', (schema, given) => {
    expect(coerceJson(schema, given)).toEqual({ value: given, changes: [] });
  });
});

test('a value that is valid is returned itself', () => {
  const part = fc.constantFrom(
    { type: 'number' },
    { type: 'string' },
    LEVEL,
    { type: ['string', 'null'] },
    {},
    { anyOf: [LEVEL, { type: 'number' }] },
  );
  fc.assert(
    fc.property(fc.dictionary(fc.string(), part), fc.jsonValue(), fc.boolean(), (properties, value, isClosed) => {
      const schema = { type: 'object', properties, ...(isClosed ? { additionalProperties: false } : {}) };
      for (const tried of [schema, { type: 'array', items: schema }, ...Object.values(properties)]) {
        if (validateJson(tried, value).ok) expect(coerceJson(tried, value).value).toBe(value);
        else expect(() => coerceJson(tried, value)).not.toThrow();
      }
    }),
  );
});

test('recursive schemas and deep values end', () => {
  const schema = { $ref: '#/$defs/t', $defs: { t: { anyOf: [{ $ref: '#/$defs/t' }, { $ref: '#/$defs/t' }] } } };
  expect(coerceJson(schema, 'x')).toEqual({ value: 'x', changes: [] });
  let deep: unknown = '1';
  for (let level = 0; level < 900; level += 1) deep = [deep];
  expect(coerceJson({ $ref: '#/x', x: { items: { $ref: '#/x' } } }, deep).changes).toEqual([]);
});
