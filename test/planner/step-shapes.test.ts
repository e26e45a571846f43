import { describe, expect, it } from 'vitest';
import { inputShape, outputShape } from '../../src/planner/step-shapes.ts';

const text = { type: 'string', maxLength: 10, description: 'A text.' };

describe('the schemas that a planner is shown', () => {
  it('are short where the shorthand says all', () => {
    const schema = {
      type: 'object',
      properties: { a: text, b: { type: 'integer' } },
      required: ['a'],
      additionalProperties: false,
    };
    expect(outputShape(schema)).toEqual({ a: 'string', b: 'integer?' });
  });

  it('keep what inputs mean, and leave out bounds', () => {
    const schema = { type: 'object', properties: { a: text }, additionalProperties: false };
    expect(inputShape(schema)).toEqual({
      type: 'object',
      properties: { a: { type: 'string', description: 'A text.' } },
    });
  });

  it('keep fields with the names of keywords, values, and schemas of further fields', () => {
    const schema = {
      type: 'object',
      properties: { maxLength: { type: 'integer', minimum: 1 }, additionalProperties: { const: { maxLength: 1 } } },
      additionalProperties: { type: 'string', minLength: 1 },
    };
    expect(inputShape(schema)).toEqual({ ...schema, additionalProperties: { type: 'string' } });
  });
});
