import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonSchema } from '../../../src/kit/json/json-schema.ts';
import { toDialect } from '../../../src/kit/json/schema-dialects.ts';
import { fromShorthand } from '../../../src/language/shorthand.ts';

const strict = (schema: JsonSchema) => toDialect(schema, 'strict-subset');
const openapi = (schema: JsonSchema) => toDialect(schema, 'openapi-subset');
/** As one field of an object, since the strict subset wants an object at its root. */
const field = (result: { schema: JsonSchema }) => (result.schema.properties as Record<string, unknown>).a;
const inObject = (schema: JsonSchema, required = ['a']) => ({ type: 'object', properties: { a: schema }, required });

describe('plain', () => {
  it('takes $schema away and keeps the rest to the byte', () => {
    const schema = { $schema: 'x', type: 'object', properties: { z: {}, a: { $schema: 'kept' } }, not: {} };
    const { $schema: _, ...rest } = schema;
    expect(JSON.stringify(toDialect(schema, 'plain'))).toBe(JSON.stringify({ schema: rest, warnings: [] }));
  });
});

describe('strict-subset', () => {
  it('closes objects, requires every property and makes optional ones nullable', () => {
    const schema = fromShorthand({ z: 'string?', a: 'x|y?', b: { c: 'string[]?' }, d: 'number' });
    const { schema: converted, warnings } = strict(schema);
    expect(warnings).toEqual([]);
    expect(JSON.stringify(converted)).toBe(
      JSON.stringify({
        type: 'object',
        properties: {
          z: { type: ['string', 'null'] },
          a: { type: ['string', 'null'], enum: ['x', 'y', null] },
          b: {
            type: 'object',
            properties: { c: { type: ['array', 'null'], items: { type: 'string' } } },
            required: ['c'],
            additionalProperties: false,
          },
          d: { type: 'number' },
        },
        required: ['z', 'a', 'b', 'd'],
        additionalProperties: false,
      }),
    );
  });

  it.each([
    [{ type: ['string', 'null'] }, { type: ['string', 'null'] }],
    [{ anyOf: [{ type: 'string' }] }, { anyOf: [{ type: 'string' }, { type: 'null' }] }],
    [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, { anyOf: [{ type: 'string' }, { type: 'null' }] }],
    [{ $ref: '#/$defs/x' }, { anyOf: [{ $ref: '#/$defs/x' }, { type: 'null' }] }],
    [{ type: 'string', const: 'k' }, { anyOf: [{ type: 'string', const: 'k' }, { type: 'null' }] }],
    [{ enum: ['a', 1] }, { anyOf: [{ enum: ['a', 1] }, { type: 'null' }] }],
  ])('makes %j nullable', (schema, expected) => {
    expect(field(strict(inObject(schema, [])))).toEqual(expected);
  });

  it.each([
    [{ type: 'string', minLength: 1 }, { type: 'string' }, 'minLength'],
    [
      { type: 'array', items: { type: 'string' }, uniqueItems: true },
      { type: 'array', items: { type: 'string' } },
      'uniqueItems',
    ],
    [{ oneOf: [{ type: 'string' }] }, { anyOf: [{ type: 'string' }] }, 'treated as anyOf'],
    [{ type: 'string', format: 'uri' }, { type: 'string' }, '"uri"'],
    [{}, { type: ['string', 'number', 'boolean', 'null'] }, 'any value'],
  ])('says what it had to change in %j', (schema, expected, warning) => {
    const result = strict(inObject(schema));
    expect(field(result)).toEqual(expected);
    expect(result.warnings).toEqual([expect.stringContaining(warning)]);
  });

  it('warns of open objects and of a root that is no object', () => {
    expect(strict({ type: 'object', additionalProperties: { type: 'string' } })).toMatchObject({
      schema: { additionalProperties: false, properties: {} },
      warnings: [expect.stringContaining('closed')],
    });
    expect(strict({ type: 'string' }).warnings).toEqual([expect.stringContaining('root')]);
  });

  it('leaves annotations out in silence and keeps references', () => {
    const schema = {
      $schema: 'x',
      type: 'object',
      default: {},
      properties: { a: { $ref: '#/$defs/b' } },
      required: ['a'],
      $defs: { b: { type: 'object', properties: { c: { type: 'string' } } } },
    };
    const { schema: converted, warnings } = strict(schema);
    expect(warnings).toEqual([]);
    expect(converted).toMatchObject({
      properties: { a: { $ref: '#/$defs/b' } },
      $defs: { b: { required: ['c'], additionalProperties: false } },
    });
    expect(Object.keys(converted)).not.toContain('default');
  });

  it('merges allOf of objects', () => {
    const base = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };
    const schema = { $defs: { base }, allOf: [{ $ref: '#/$defs/base' }, { properties: { b: { type: 'number' } } }] };
    expect(strict(schema).schema).toMatchObject({
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: ['number', 'null'] } },
      required: ['a', 'b'],
    });
    const torn = { allOf: [{ type: 'object' }, { type: 'string' }] };
    expect(strict(torn).warnings).toEqual([expect.stringContaining('differs')]);
  });
});

describe('openapi-subset', () => {
  it.each([
    [{ type: ['string', 'null'] }, { type: 'string', nullable: true }],
    [{ type: ['string', 'number'] }, { anyOf: [{ type: 'string' }, { type: 'number' }] }],
    [
      { anyOf: [{ type: 'string' }, { type: 'null' }], description: 'd' },
      { type: 'string', description: 'd', nullable: true },
    ],
    [{ const: 'k' }, { type: 'string', enum: ['k'] }],
    [
      { type: 'string', const: 'k' },
      { type: 'string', enum: ['k'] },
    ],
    [
      { type: 'string', enum: ['a', null] },
      { type: 'string', enum: ['a'], nullable: true },
    ],
    [
      { type: 'string', format: 'date-time' },
      { type: 'string', format: 'date-time' },
    ],
    [{ type: 'object', additionalProperties: false }, { type: 'object' }],
  ])('turns %j into %j', (schema, expected) => {
    expect(openapi(schema)).toEqual({ schema: expected, warnings: [] });
  });

  it.each([
    [{ type: 'integer', enum: [1, 2] }, { type: 'integer', description: 'One of 1, 2.' }, 'description'],
    [{ type: 'string', format: 'email' }, { type: 'string' }, '"email"'],
    [{ type: 'object', additionalProperties: true }, { type: 'object' }, 'additionalProperties'],
    [{ type: 'number', exclusiveMinimum: 0 }, { type: 'number' }, 'exclusiveMinimum'],
    [{ const: 5 }, { type: 'number' }, 'constants'],
  ])('says what %j loses', (schema, expected, warning) => {
    expect(openapi(schema)).toEqual({ schema: expected, warnings: [expect.stringContaining(warning)] });
  });

  it('replaces references, and stops at recursive ones', () => {
    const $defs = {
      a: { $ref: '#/$defs/b' },
      b: { type: 'string' },
      tree: { type: 'object', properties: { next: { $ref: '#/$defs/tree' } } },
    };
    expect(openapi({ type: 'object', properties: { x: { $ref: '#/$defs/a', description: 'd' } }, $defs })).toEqual({
      schema: { type: 'object', properties: { x: { type: 'string', description: 'd' } } },
      warnings: [],
    });
    const { schema, warnings } = openapi({ $ref: '#/$defs/tree', $defs });
    expect(schema).toEqual({ type: 'object', properties: { next: { type: 'object' } } });
    expect(warnings).toEqual([expect.stringContaining('recursive')]);
    expect(openapi({ $ref: '#/$defs/none' }).warnings).toEqual([expect.stringContaining('not in the schema')]);
  });

  it('bounds what references expand to', () => {
    const defs = Array.from({ length: 40 }, (_, index) => {
      const next = { $ref: `#/$defs/d${index + 1}` };
      return [`d${index}`, { type: 'object', properties: { l: next, r: next } }];
    });
    const { warnings } = openapi({ $ref: '#/$defs/d0', $defs: Object.fromEntries(defs) });
    expect(warnings).toHaveLength(100);
  });
});

describe('properties', () => {
  const type = fc.constantFrom('string', 'number', 'a|b', 'string[]', 'integer?', 'boolean?');
  const { map } = fc.letrec((tie) => ({
    map: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.oneof({ maxDepth: 3 }, type, tie('map')), { maxKeys: 5 }),
  }));

  it('keeps the order of keys and loses nothing of what shorthand says', () => {
    const order = (schema: unknown): unknown => {
      const { properties, items } = schema as { properties?: object; items?: unknown };
      if (items !== undefined) return order(items);
      return properties && Object.entries(properties).map(([key, child]) => [key, order(child)]);
    };
    fc.assert(
      fc.property(map, (shorthand) => {
        const schema = fromShorthand(shorthand as Record<string, unknown>);
        const before = JSON.stringify(schema);
        for (const result of [strict(schema), openapi(schema), toDialect(schema, 'plain')]) {
          expect(result.warnings).toEqual([]);
          expect(order(result.schema)).toEqual(order(schema));
        }
        expect(JSON.stringify(schema)).toBe(before);
      }),
    );
  });

  it('never throws on anything', () => {
    const keyword = fc.constantFrom(
      'type',
      'properties',
      'items',
      'anyOf',
      'allOf',
      'oneOf',
      'enum',
      'const',
      '$ref',
      'required',
    );
    const { schema } = fc.letrec((tie) => ({
      schema: fc.dictionary(
        keyword,
        fc.oneof(
          { maxDepth: 3, depthIdentifier: 'schema' },
          fc.jsonValue({ maxDepth: 1 }),
          tie('schema'),
          fc.array(tie('schema'), { maxLength: 2, depthIdentifier: 'schema' }),
          fc.constant('#'),
        ),
        { maxKeys: 3, depthIdentifier: 'schema' },
      ),
    }));
    fc.assert(
      fc.property(schema, (raw) => {
        for (const result of [strict(raw as JsonSchema), openapi(raw as JsonSchema)])
          expect(result.schema).toBeTypeOf('object');
      }),
    );
  });

  it('bounds what references are replaced with', () => {
    const names = Array.from({ length: 3000 }, (_, index) => `f${index}`);
    const big = { type: 'string', enum: names, description: 'x'.repeat(50_000) };
    const many = {
      type: 'object',
      properties: Object.fromEntries(names.map((name) => [name, { $ref: '#/$defs/big' }])),
    };
    const all = {
      type: 'object',
      allOf: names.map(() => ({ $ref: '#/$defs/big' })),
      properties: { a: { allOf: [big] } },
    };
    const chain = names.map((name, index) => [name, { $ref: `#/$defs/f${index + 1}`, title: name }] as const);
    const long = { type: 'object', properties: { a: { $ref: '#/$defs/f0' } }, $defs: Object.fromEntries(chain) };
    for (const schema of [{ ...many, $defs: { big } }, { ...all, $defs: { big } }, long]) {
      for (const { schema: converted, warnings } of [strict(schema), openapi(schema)]) {
        expect(JSON.stringify(converted).length).toBeLessThan(4_000_000);
        expect(warnings.join('').length).toBeLessThan(50_000);
      }
    }
  });
});
