/** Null for an optional field that knows no null means that the field is absent. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { dropOptionalNulls, toJsonSchema } from '../../../src/kit/json/json-schema.ts';

const schema = toJsonSchema(
  z.object({
    name: z.string(),
    note: z.string().optional(),
    kind: z.enum(['a', 'b']).optional(),
    nullable: z.string().nullable().optional(),
    anything: z.unknown().optional(),
    either: z.union([z.string(), z.number()]).optional(),
    inner: z.object({ x: z.number().optional(), y: z.number() }).optional(),
    list: z.array(z.object({ x: z.string().optional() })).optional(),
  }),
);

describe('null for an optional field', () => {
  it.each([
    [{ name: 'n', note: null }, { name: 'n' }],
    [{ name: 'n', kind: null, either: null }, { name: 'n' }],
    [{ name: null }, { name: null }],
    [
      { name: 'n', nullable: null },
      { name: 'n', nullable: null },
    ],
    [
      { name: 'n', anything: null },
      { name: 'n', anything: null },
    ],
    [
      { name: 'n', unknown: null },
      { name: 'n', unknown: null },
    ],
    [
      { name: 'n', inner: { x: null, y: null } },
      { name: 'n', inner: { y: null } },
    ],
    [
      { name: 'n', list: [{ x: null }, { x: 'a' }] },
      { name: 'n', list: [{}, { x: 'a' }] },
    ],
  ])('%j is %j', (given, wanted) => {
    expect(dropOptionalNulls(schema, given)).toEqual(wanted);
  });

  it('ends in values that contain themselves', () => {
    const node = { type: 'object', properties: { next: { $ref: '#' }, label: { type: 'string' } } };
    const round: Record<string, unknown> = { label: null };
    round.next = round;
    expect(() => dropOptionalNulls(node, round)).not.toThrow();
  });
});
