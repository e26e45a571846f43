import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dropOptionalNulls, refuseUnsafeSchema, validateJson } from '../../../src/kit/json/json-schema.ts';
import { toDialect } from '../../../src/kit/json/schema-dialects.ts';
import { fromShorthand } from '../../../src/language/shorthand.ts';

const ticket = fromShorthand({ label: 'billing|tech', confidence: 'number', note: 'string?' });

describe('validateJson', () => {
  it('returns the value, or every issue with its place', () => {
    const value = { label: 'tech', confidence: 1 };
    expect(validateJson(ticket, value)).toEqual({ ok: true, value });
    expect(validateJson(ticket, { label: 'x', confidence: '1', extra: 0 })).toEqual({
      ok: false,
      issues: expect.arrayContaining([
        { path: '/label', message: 'must be equal to one of the allowed values: ["billing","tech"]' },
        { path: '/confidence', message: 'must be number' },
        { path: '', message: 'must NOT have additional properties: "extra"' },
      ]),
    });
    expect(validateJson(ticket, {})).toMatchObject({ ok: false, issues: [{ path: '' }, { path: '' }] });
  });

  it('changes nothing in the value', () => {
    const value = { a: '1', extra: true };
    const schema = { type: 'object', properties: { a: { type: 'number', default: 3 }, b: { default: 1 } } };
    expect(validateJson(schema, value).ok).toBe(false);
    expect(value).toEqual({ a: '1', extra: true });
  });

  it('knows 2020-12 and draft-07, and ignores keywords and formats that it does not know', () => {
    const tuple = { type: 'array', prefixItems: [{ type: 'string' }] };
    expect(validateJson(tuple, [1]).ok).toBe(false);
    const old = { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }] };
    expect(validateJson(old, [1]).ok).toBe(false);
    expect(validateJson({ items: [{ type: 'string' }] }, ['a']).ok).toBe(true);
    expect(validateJson({ type: 'string', format: 'colour', 'x-order': 1 }, 'red').ok).toBe(true);
    expect(validateJson({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'string' }, 'a').ok).toBe(
      true,
    );
  });

  it('takes two schemas with the same $id', () => {
    expect(validateJson({ $id: 'a', type: 'string' }, 'x').ok).toBe(true);
    expect(validateJson({ $id: 'a', type: 'number' }, 'x').ok).toBe(false);
  });

  it('runs a pattern only of a schema that the caller vouches for', () => {
    const schema = { type: 'string', pattern: '^(a+)+$' };
    expect(() => validateJson(schema, 'aaaa')).toThrow(expect.objectContaining({ code: 'invalid-request' }));
    expect(validateJson(schema, 'aaaa', { trusted: true }).ok).toBe(true);
    expect(() => validateJson(schema, 'aaaa')).toThrow(/pattern/);
  });

  it.each([{ type: 'strng' }, { required: 'a' }, { $ref: '#/$defs/missing' }])('refuses the schema %j', (schema) => {
    expect(() => validateJson(schema, 1)).toThrow(expect.objectContaining({ code: 'invalid-request' }));
  });

  it('ends on a schema that is nothing but a reference to itself', () => {
    expect(() => validateJson({ $ref: '#' }, 1)).toThrow(expect.objectContaining({ code: 'invalid-request' }));
    expect(() => validateJson({ allOf: [{ $ref: '#' }] }, 1)).toThrow(
      expect.objectContaining({ code: 'invalid-request' }),
    );
  });
});

describe('refuseUnsafeSchema', () => {
  it.each([
    [{ properties: { a: { pattern: 'x' } } }, '/properties/a'],
    [{ patternProperties: { '^x': {} } }, ''],
    [{ items: { $ref: 'https://example.com/schema' } }, '/items'],
    [{ $ref: 'other.json' }, ''],
    [{ $dynamicRef: '#node' }, ''],
  ])('refuses %j at "%s"', (schema, path) => {
    expect(refuseUnsafeSchema(schema)).toMatchObject([{ path }]);
  });

  it.each([
    [ticket],
    [{ $ref: '#/$defs/a', $defs: { a: { type: 'string' } } }],
    [{ type: 'object', properties: { pattern: { type: 'string' }, patternProperties: { type: 'object' } } }],
    [{ $defs: { tree: { properties: { left: { $ref: '#/$defs/tree' }, right: { $ref: '#/$defs/tree' } } } } }],
    [true],
  ])('lets %j pass', (schema) => {
    expect(refuseUnsafeSchema(schema)).toEqual([]);
  });

  it('bounds depth, size and what references expand to', () => {
    let deep: object = {};
    for (let level = 0; level < 200; level++) deep = { items: deep };
    expect(refuseUnsafeSchema(deep)).toHaveLength(1);
    expect(refuseUnsafeSchema({ anyOf: new Array(10_000).fill({ type: 'string' }) })).toHaveLength(1);
    const doubling = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => {
        const next = { $ref: `#/$defs/d${index + 1}` };
        return [`d${index}`, { anyOf: [next, next] }];
      }),
    );
    const schema = { $ref: '#/$defs/d0', $defs: { ...doubling, d40: { type: 'string' } } };
    expect(refuseUnsafeSchema(schema)).toMatchObject([{ message: expect.stringContaining('expand') }]);
    const cycle: Record<string, unknown> = {};
    cycle.items = cycle;
    expect(refuseUnsafeSchema(cycle)).toHaveLength(1);
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => Array.isArray(refuseUnsafeSchema(value))));
  });
});

describe('dropOptionalNulls', () => {
  it('leaves out what strict output had to answer null', () => {
    const schema = fromShorthand({ a: 'string?', b: 'string', c: { d: 'integer?' }, e: 'any?' });
    const value = { a: null, b: null, c: { d: null }, e: null, f: null };
    expect(dropOptionalNulls(schema, value)).toEqual({ b: null, c: {}, e: null, f: null });
    const list = { type: 'array', items: schema };
    expect(dropOptionalNulls(list, [{ a: null, b: 'x' }])).toEqual([{ b: 'x' }]);
    const nullable = {
      properties: { a: { type: ['string', 'null'] }, b: { anyOf: [{ type: 'null' }] }, c: { enum: [null] } },
    };
    expect(dropOptionalNulls(nullable, { a: null, b: null, c: null })).toEqual({ a: null, b: null, c: null });
    expect(dropOptionalNulls(schema, 'text')).toBe('text');
  });

  it('makes an answer to the strict schema valid for the original', () => {
    const schema = fromShorthand({ a: 'string?', b: { c: 'x|y?', d: 'number' } });
    const answer = { a: null, b: { c: null, d: 1 } };
    expect(validateJson(toDialect(schema, 'strict-subset').schema, answer).ok).toBe(true);
    expect(validateJson(schema, answer).ok).toBe(false);
    expect(validateJson(schema, dropOptionalNulls(schema, answer)).ok).toBe(true);
  });
});
