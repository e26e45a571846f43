import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import * as mini from 'zod/mini';
import { z as z3 } from 'zod3';
import { toJsonSchema } from '../../../src/kit/json/json-schema.ts';

const EXPECTED = {
  type: 'object',
  properties: { b: { type: 'string' }, a: { type: 'number' }, e: { type: 'string', enum: ['x', 'y'] } },
  required: ['b', 'e'],
  additionalProperties: false,
};

describe('toJsonSchema', () => {
  it('converts zod 4, zod 4 mini, zod 3 and shorthand to the same schema, keys in order', () => {
    const four = z.strictObject({ b: z.string(), a: z.number().optional(), e: z.enum(['x', 'y']) });
    const small = mini.strictObject({ b: mini.string(), a: mini.optional(mini.number()), e: mini.enum(['x', 'y']) });
    const three = z3.object({ b: z3.string(), a: z3.number().optional(), e: z3.enum(['x', 'y']) }).strict();
    for (const schema of [four, small, three, { b: 'string', a: 'number?', e: 'x|y' }]) {
      expect(toJsonSchema(schema)).toEqual(EXPECTED);
      expect(Object.keys(toJsonSchema(schema).properties as object)).toEqual(['b', 'a', 'e']);
    }
  });

  it('describes what a schema accepts, or what it gives', () => {
    const four = z.object({ a: z.string().default('x'), b: z.string().transform(Number) });
    expect(toJsonSchema(four)).toMatchObject({ required: ['b'], properties: { b: { type: 'string' } } });
    expect(toJsonSchema(four, { io: 'output' })).toMatchObject({ required: ['a', 'b'], properties: { b: {} } });
    const three = z3.object({ a: z3.string().default('x'), b: z3.string().transform(Number) });
    expect(toJsonSchema(three)).toMatchObject({ required: ['b'], properties: { b: { type: 'string' } } });
  });

  it('keeps what JSON cannot say open instead of throwing', () => {
    expect(toJsonSchema(z.object({ at: z.date(), big: z.bigint() }))).toMatchObject({
      properties: { at: {}, big: {} },
    });
  });

  it('converts recursive schemas', () => {
    const Tree = z.object({
      name: z.string(),
      get children() {
        return z.array(Tree);
      },
    });
    expect(JSON.stringify(toJsonSchema(Tree))).toContain('"$ref":"#"');
    const tree3: z3.ZodTypeAny = z3.lazy(() => z3.object({ children: z3.array(tree3) }));
    expect(JSON.stringify(toJsonSchema(tree3))).toContain('"$ref":"#"');
  });

  it('returns a JSON Schema itself', () => {
    for (const schema of [EXPECTED, { type: 'object' }, { enum: [1] }, { $ref: '#/$defs/a', $defs: { a: {} } }]) {
      expect(toJsonSchema(schema)).toBe(schema);
    }
    expect(toJsonSchema(true)).toEqual({});
  });

  it.each([undefined, null, 'string', 1, [], () => 1, new Date(), false])('refuses %s', (value) => {
    expect(() => toJsonSchema(value)).toThrow(expect.objectContaining({ code: 'invalid-request' }));
  });

  it('refuses shorthand with a mistake, naming it', () => {
    expect(() => toJsonSchema({ label: 'strng' })).toThrow(/"label" has the type "strng"/);
  });
});

describe('zod/mini', () => {
  it('is understood too, though its schemas cannot write themselves', async () => {
    const mini = await import('zod/mini');
    expect(toJsonSchema(mini.object({ a: mini.string() }))).toMatchObject({
      type: 'object',
      properties: { a: { type: 'string' } },
    });
  });
});
