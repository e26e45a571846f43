import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isShorthand, toJsonSchema, toShorthand } from '../../src/kit/json/json-schema.ts';
import { fromShorthand } from '../../src/language/shorthand.ts';

const field = (type: unknown) => (fromShorthand({ a: type }).properties as Record<string, unknown>).a;

describe('fromShorthand', () => {
  it.each([
    ['string', { type: 'string' }],
    ['number', { type: 'number' }],
    ['integer', { type: 'integer' }],
    ['boolean', { type: 'boolean' }],
    ['any', {}],
    [' string ', { type: 'string' }],
    ['billing|tech', { type: 'string', enum: ['billing', 'tech'] }],
    ['a | b c', { type: 'string', enum: ['a', 'b c'] }],
    ['string[]', { type: 'array', items: { type: 'string' } }],
    ['a|b[]', { type: 'array', items: { type: 'string', enum: ['a', 'b'] } }],
    ['any[]', { type: 'array', items: {} }],
    ['number[][]', { type: 'array', items: { type: 'array', items: { type: 'number' } } }],
    ['string?[]', { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'null' }] } }],
    ['string[]?', { type: 'array', items: { type: 'string' } }],
  ])('reads %s', (text, schema) => {
    expect(field(text)).toEqual(schema);
  });

  it('requires every field that has no ?, in order, and closes objects', () => {
    expect(fromShorthand({ b: 'string', a: 'integer?', c: { d: 'string[]?' } })).toEqual({
      type: 'object',
      properties: {
        b: { type: 'string' },
        a: { type: 'integer' },
        c: {
          type: 'object',
          properties: { d: { type: 'array', items: { type: 'string' } } },
          required: [],
          additionalProperties: false,
        },
      },
      required: ['b', 'c'],
      additionalProperties: false,
    });
  });

  it('takes a JSON Schema for the type of a field', () => {
    const list = { type: 'array', items: { type: 'object', properties: { x: { type: 'string' } } } };
    expect(field(list)).toEqual(list);
  });

  it.each([
    '',
    '?',
    '[]',
    'strng',
    'String',
    'string|number',
    'string|null',
    'a|',
    'a||b',
    'a|a',
    1,
    null,
    true,
    ['string'],
  ])('refuses %j, naming the field and the types there are', (type) => {
    expect(() => fromShorthand({ outer: { a: type } })).toThrow(
      expect.objectContaining({ code: 'invalid-request', message: expect.stringContaining('"outer.a"') }),
    );
  });

  it('bounds nesting', () => {
    let map: Record<string, unknown> = { a: 'string' };
    for (let level = 0; level < 50; level++) map = { a: map };
    expect(() => fromShorthand(map)).toThrow(/nested deeper/);
    expect(() => field(`string${'[]'.repeat(1000)}`)).toThrow(/nests its type/);
  });

  it('never sets a prototype', () => {
    const { properties } = fromShorthand(JSON.parse('{"__proto__": "string"}'));
    expect(Object.keys(properties as object)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(properties)).toBe(Object.prototype);
  });
});

describe('isShorthand', () => {
  it.each([
    [{ label: 'string' }, true],
    [{ type: 'string' }, true],
    [{ type: 'string', title: 'string?' }, true],
    [{ type: 'a|b', anything: 'strng' }, true],
    [{ title: 'strng', description: 'string' }, true],
    [{}, true],
    [{ type: 'object', properties: {} }, false],
    [{ type: 'array', items: {} }, false],
    [{ type: ['object', 'null'], properties: {} }, false],
    [{ $ref: '#/$defs/a' }, false],
    [{ anyOf: [] }, false],
    [{ type: 'object' }, false],
    [{ type: 'object', additionalProperties: { type: 'number' } }, false],
    [{ enum: ['a', 'b'] }, false],
    [{ properties: 'string', type: 'money' }, true],
    ['string', false],
    [['string'], false],
    [null, false],
  ])('%j: %s', (value, expected) => {
    expect(isShorthand(value)).toBe(expected);
  });
});

/** Some inner map has a field `type` that is text, beside `items` or `properties`. */
function holdsSchemaWords(map: Record<string, unknown>): boolean {
  return Object.values(map).some((inner) => {
    if (typeof inner !== 'object' || inner === null) return false;
    const fields: Record<string, unknown> = { ...inner };
    const isLike = typeof fields.type === 'string' && ('items' in fields || 'properties' in fields);
    return isLike || holdsSchemaWords(fields);
  });
}

describe('toShorthand', () => {
  it('says what shorthand can say', () => {
    const schema = toJsonSchema(
      z.strictObject({
        label: z.enum(['billing', 'tech']),
        confidence: z.number(),
        tags: z.array(z.string()).optional(),
        count: z.int(),
        anything: z.unknown(),
        nested: z.strictObject({ ok: z.boolean() }),
      }),
    );
    expect(toShorthand(schema)).toEqual({
      label: 'billing|tech',
      confidence: 'number',
      tags: 'string[]?',
      count: 'integer',
      // A field that may be anything may be missing too, says zod.
      anything: (schema.required as string[]).includes('anything') ? 'any' : 'any?',
      nested: { ok: 'boolean' },
    });
  });

  it.each([
    { type: 'string' },
    { type: 'object', properties: { a: { type: 'string', description: 'why' } }, required: ['a'] },
    { type: 'object', properties: { a: { type: 'string', minLength: 1 } }, required: ['a'] },
    { type: 'object', properties: {}, additionalProperties: true },
    { type: 'object', properties: { a: { type: 'object', properties: {} } }, required: [] },
    {
      type: 'object',
      properties: { a: { type: 'array', items: { type: 'object', properties: {} } } },
      required: ['a'],
    },
    { type: 'object', properties: { a: { type: 'string', enum: ['one'] } }, required: ['a'] },
    { type: 'object', properties: { a: { type: 'string', enum: ['x|y', 'z'] } }, required: ['a'] },
    { type: 'object', properties: { a: { type: 'string', enum: ['x', 'y?'] } }, required: ['a'] },
    { type: 'object', properties: { a: { type: 'string', enum: ['x', 'y[]'] } }, required: ['a'] },
    { type: 'object', properties: { a: { type: 'string', enum: ['string', 'number'] } }, required: ['a'] },
    { type: 'object', properties: { a: { type: 'integer', minimum: 0 } }, required: ['a'] },
    {
      type: 'object',
      properties: { type: { type: 'string' }, items: { type: 'string' } },
      required: ['type', 'items'],
    },
    { type: 'object', properties: { a: { type: 'string' } }, required: ['a', 'b'] },
    { type: 'object', description: 'why', properties: {} },
    { $ref: '#/$defs/a' },
  ])('leaves %j as it is', (schema) => {
    expect(toShorthand(schema)).toBe(schema);
  });

  it('is undone by fromShorthand, and undoes it', () => {
    const scalar = fc.constantFrom('string', 'number', 'integer', 'boolean', 'any', 'a|b', 'x|y z|1');
    const type = fc.tuple(scalar, fc.nat(2), fc.boolean()).map(([base, depth, optional]) => {
      return `${base}${'[]'.repeat(depth)}${optional ? '?' : ''}`;
    });
    const key = fc.oneof(
      fc.stringMatching(/^[a-z]{1,6}$/),
      fc.constantFrom('type', 'items', 'properties', '__proto__', 'a/b'),
    );
    const { map } = fc.letrec((tie) => ({
      map: fc.dictionary(key, fc.oneof({ maxDepth: 3 }, type, tie('map')), { maxKeys: 4 }),
    }));
    fc.assert(
      fc.property(map, (raw) => {
        const shorthand = raw as Record<string, unknown>;
        if (!isShorthand(shorthand)) return;
        const schema = fromShorthand(shorthand);
        const written = toShorthand(schema);
        expect(isShorthand(written) ? fromShorthand(written) : written).toEqual(schema);
        // A field named like a keyword of JSON Schema makes an inner map read as one: then the schema itself is written.
        if (written === schema) expect(holdsSchemaWords(shorthand)).toBe(true);
        else expect(JSON.stringify(written)).toBe(JSON.stringify(shorthand));
      }),
    );
  });
});
