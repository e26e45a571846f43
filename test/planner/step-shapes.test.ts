import { describe, expect, it } from 'vitest';
import { inputShape, outputShape } from '../../src/planner/prompt/step-shapes.ts';

const shape = (field: object, required: readonly string[] = ['a']) =>
  (inputShape({ type: 'object', properties: { a: field }, required, additionalProperties: false }) as { a: string }).a;

describe('the schemas that a planner is shown', () => {
  it.each<[object, string]>([
    [{}, 'any'],
    [{ type: 'string', maxLength: 9 }, 'string'],
    [{ type: 'integer', minimum: 1, maximum: 100 }, 'integer 1..100'],
    [{ type: 'integer', minimum: 0 }, 'integer'],
    [{ type: 'integer', minimum: 100 }, 'integer 100..'],
    [{ type: ['string', 'null'] }, 'string|null'],
    [{ enum: ['low', 'high'] }, 'low|high'],
    [{ type: 'string', enum: [',', 'string', '1|2'] }, '","|"string"|"1|2"'],
    [{ type: 'array' }, 'any[]'],
    [{ type: 'array', items: { enum: ['a', 'b'] } }, '(a|b)[]'],
    [{ type: 'array', items: { type: 'integer', minimum: 1, maximum: 9 } }, '(integer 1..9)[]'],
    [{ type: 'object' }, 'object'],
    [{ type: 'object', additionalProperties: { type: 'string' } }, '{[name]: string}'],
    [
      { type: 'array', items: { type: 'object', properties: { b: { type: 'string' }, c: {} }, required: ['b'] } },
      '{b: string, c?: any}[]',
    ],
    [{ anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] }, 'string|string[]'],
    [{ type: 'object', properties: { type: { const: 'base64' }, data: {}, mediaType: {} } }, 'media'],
  ])('write %j as %s', (field, text) => {
    expect(shape(field)).toBe(text);
    expect(shape(field, [])).toBe(`${text}?`);
  });

  it('keep what inputs and their parts mean, and leave that out of outputs', () => {
    const list = { type: 'array', items: { type: 'string', description: 'A path.' }, description: 'Files.' };
    expect(shape(list)).toBe('string[] # Files. A path.');
    expect(outputShape({ type: 'object', properties: { a: list } })).toEqual({ a: 'string[]?' });
  });

  it('keep as it is what has no short form, with fields that are called as keywords are', () => {
    const schema = {
      type: 'object',
      properties: { maxLength: { type: 'integer', minimum: 1 }, additionalProperties: { const: { maxLength: 1 } } },
      additionalProperties: { type: 'string', minLength: 1 },
    };
    expect(inputShape(schema)).toEqual({ ...schema, additionalProperties: { type: 'string' } });
    const referring = { type: 'object', properties: { a: { $ref: '#/$defs/b' } }, $defs: { b: { type: 'string' } } };
    expect(inputShape(referring)).toEqual(referring);
    const pattern = { type: 'object', properties: { a: { type: 'string', pattern: 'x' } } };
    expect(inputShape(pattern)).toEqual(pattern);
  });

  it('end, however deep a schema is', () => {
    let deep: object = { type: 'string' };
    for (let level = 0; level < 50; level += 1) deep = { type: 'array', items: deep };
    const schema = { type: 'object', properties: { a: deep } };
    expect(inputShape(schema)).toEqual(schema);
  });
});
