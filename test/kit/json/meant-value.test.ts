import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meantValue, toJsonSchema, validateJson } from '../../../src/kit/json/json-schema.ts';

const out = (shape: object) => toJsonSchema(shape);
const cases: readonly (readonly [string, object, unknown, unknown])[] = [
  ['a field too many', { a: 'string' }, { a: 'x', why: 'because' }, { a: 'x' }],
  ['another case', { a: 'Low|High' }, { a: ' HIGH ' }, { a: 'High' }],
  ['a number as text', { a: 'number' }, { a: '-1.5e2' }, { a: -150 }],
  ['a whole number as text', { a: 'integer' }, { a: ' 7 ' }, { a: 7 }],
  ['a boolean as text', { a: 'boolean' }, { a: 'false' }, { a: false }],
  ['inside lists', { a: 'integer[]' }, { a: ['1', 2, '3'] }, { a: [1, 2, 3] }],
];
const kept: readonly (readonly [string, object, unknown])[] = [
  ['text that looks like a number', { a: 'string' }, { a: '7' }],
  ['a number with a unit', { a: 'number' }, { a: '7 km' }],
  ['a number in another notation', { a: 'number' }, { a: '0x10' }],
  ['a number of many digits', { a: 'integer' }, { a: '12345678901234567890' }],
  ['a number beyond all', { a: 'number' }, { a: '1e999' }],
  ['another word for yes', { a: 'boolean' }, { a: 'yes' }],
  ['a choice that two forms share', { a: 'ok|OK|no' }, { a: 'Ok' }],
  ['no choice', { a: 'low|high' }, { a: 'middle' }],
];

describe('the value that is meant', () => {
  it.each(cases)('%s', (_, shape, value, expected) => {
    const schema = out(shape);
    expect(validateJson(schema, value).ok).toBe(false);
    expect(meantValue(schema, value)).toEqual(expected);
    expect(validateJson(schema, expected).ok).toBe(true);
  });

  it.each(kept)('is not guessed: %s', (_, shape, value) => {
    expect(meantValue(out(shape), value)).toBe(value);
  });

  it('leaves fields alone where the object is open', () => {
    const value = { a: 'x', more: 1 };
    expect(meantValue({ type: 'object', properties: { a: { type: 'string' } } }, value)).toBe(value);
  });

  it('law: what fits already stays the very same', () => {
    const schema = out({ a: 'low|high', b: 'number', c: 'boolean', d: 'string[]' });
    const fitting = fc.record({
      a: fc.constantFrom('low', 'high'),
      b: fc.double({ noNaN: true, noDefaultInfinity: true }),
      c: fc.boolean(),
      d: fc.array(fc.string()),
    });
    fc.assert(fc.property(fitting, (value) => void expect(meantValue(schema, value)).toBe(value)));
  });

  it('law: any JSON is read without an error', () => {
    const schema = out({ a: 'low|high', b: 'integer', c: 'boolean', d: 'string[]' });
    fc.assert(fc.property(fc.jsonValue(), (value) => void meantValue(schema, value)));
  });
});
