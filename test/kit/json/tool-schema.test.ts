import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isClosable } from '../../../src/kit/json/closable-schema.ts';
import { validateJson } from '../../../src/kit/json/json-validation.ts';
import { toolSchema } from '../../../src/kit/json/tool-schema.ts';

const text = { type: 'string' };
const number = { type: 'number' };
const object = (properties: object, ...required: readonly string[]) => ({
  type: 'object',
  properties,
  ...(required.length === 0 ? {} : { required }),
});

describe('schemas of tools', () => {
  test('that are objects with properties are kept themselves', () => {
    const schema = object({ a: text }, 'a');
    expect(toolSchema(schema)).toEqual({ schema, folded: [] });
    expect(toolSchema(schema).schema).toBe(schema);
  });

  test.each([
    [{}, object({})],
    [{ type: 'object' }, object({})],
    [{ properties: { a: text } }, object({ a: text })],
    [{ type: ['object', 'null'], properties: { a: text } }, object({ a: text })],
    [{ type: 'string' }, object({})],
    [{ type: 'object', properties: {}, enum: [{}] }, object({})],
    [{ allOf: [object({ a: text }, 'a'), object({ b: text }, 'b')] }, object({ a: text, b: text }, 'a', 'b')],
    [{ anyOf: [object({ a: text }, 'a'), { type: 'null' }] }, object({ a: text }, 'a')],
    [
      {
        ...object({ c: text }, 'c'),
        oneOf: [object({ a: text, d: text }, 'a', 'd'), object({ b: text, d: number }, 'b', 'd')],
      },
      {
        ...object({ c: text, a: text, d: { anyOf: [text, number] }, b: text }, 'c', 'd'),
        description: 'Give a and d, or b and d.',
      },
    ],
    [
      { $ref: '#/$defs/in', $defs: { in: object({ a: text }, 'a') } },
      { ...object({ a: text }, 'a'), $defs: { in: object({ a: text }, 'a') } },
    ],
    [{ $ref: '#' }, object({})],
  ])('%j', (given, expected) => {
    expect(toolSchema(given).schema).toEqual(expected);
  });

  test('accept whatever one of their choices accepted, and have no choice at the root', () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', '__proto__'), { maxLength: 4 });
    const part = fc.record({ type: fc.constant('object'), required: names }).map(({ required }) => ({
      type: 'object',
      properties: Object.fromEntries(required.map((name, at) => [name, at % 2 === 0 ? text : number])),
      required,
    }));
    const keyword = fc.constantFrom('anyOf', 'oneOf', 'allOf');
    fc.assert(
      fc.property(
        keyword,
        fc.array(part, { minLength: 1, maxLength: 4 }),
        fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(fc.string(), fc.nat())),
        (kind, parts, value) => {
          const given = { [kind]: parts };
          const { schema } = toolSchema(given);
          expect(schema).toMatchObject({ type: 'object', properties: expect.any(Object) });
          for (const word of ['anyOf', 'oneOf', 'allOf']) expect(schema).not.toHaveProperty(word);
          const chosen = parts.some((one) => {
            const own = Object.keys(value).every((name) => Object.hasOwn(one.properties, name));
            return own && validateJson(one, value).ok;
          });
          if (kind !== 'allOf' && chosen) expect(validateJson(schema, value).ok).toBe(true);
        },
      ),
    );
  });
});

describe('schemas that strict output can express', () => {
  test.each([
    object({ a: text }),
    object({ a: { ...object({}), additionalProperties: false } }),
    object({ a: { type: ['array', 'null'], items: text } }),
    object({ t: { $ref: '#/$defs/t' } }),
    object({ a: { anyOf: [text, { type: 'null' }] } }),
    object({ a: { enum: ['x', 1] } }),
  ])('%j', (schema) => {
    expect(isClosable(schema)).toBe(true);
  });

  test.each([
    { type: 'object', additionalProperties: number },
    object({ m: { type: 'object', additionalProperties: true } }),
    object({ m: { type: ['object', 'null'], additionalProperties: { type: 'string' } } }),
    object({ m: { type: 'object', patternProperties: { '^x': text } } }),
    object({ m: { type: 'object' } }),
    object({ m: {} }),
    object({ m: { type: 'array' } }),
    object({ m: { type: 'array', items: { type: 'object', additionalProperties: text } } }),
    object({ m: { oneOf: [text, { type: 'object', additionalProperties: text }] } }),
    { ...object({ m: { $ref: '#/$defs/m' } }), $defs: { m: { type: 'object', additionalProperties: text } } },
  ])('not %j', (schema) => {
    expect(isClosable(schema)).toBe(false);
  });
});
