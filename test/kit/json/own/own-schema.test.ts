import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { z as mini } from 'zod/mini';
import { z as z3 } from 'zod3';
import { jsonForm, sharedJsonForm } from '../../../../src/core/run/plain-json.ts';
import { refuseUnsafeSchema, validateJson } from '../../../../src/kit/json/json-schema.ts';
import { ownSchema } from '../../../../src/kit/json/own/own-schema.ts';
import { withoutPatterns } from '../../../../src/kit/json/own/without-patterns.ts';

const at = '2026-05-17T08:30:00.000Z';

describe('a schema of a program', () => {
  it.each([
    ['zod 4', z.object({ at: z.date(), list: z.array(z.date()).optional() })],
    ['zod 3', z3.object({ at: z3.date(), list: z3.array(z3.date()).optional() })],
    ['the small zod', mini.object({ at: mini.date(), list: mini.optional(mini.array(mini.date())) })],
  ])('of %s reads a date from its text, and keeps it as its text', async (_name, given) => {
    const schema = ownSchema(given);
    expect(schema.input).toMatchObject({ properties: { at: { type: 'string', format: 'date-time' } } });
    const value = { at, list: [at, at] };
    expect(await schema.read(value)).toEqual({
      ok: true,
      value: { at: new Date(at), list: [new Date(at), new Date(at)] },
    });
    expect(await schema.keep(value)).toEqual({ ok: true, value });
    expect(await schema.keep({ at: new Date(at), list: null })).toEqual({ ok: true, value: { at } });
    expect(await schema.read({ at: 'tomorrow' })).toMatchObject({ ok: false, issues: [{ path: '/at' }] });
    expect(await schema.read({ at: '2026-99-99' })).toMatchObject({ ok: false, issues: [{ path: '/at' }] });
    expect(value).toEqual({ at, list: [at, at] });
  });

  it.each([
    ['zod 4', z.object({ list: z.array(z.union([z.object({ at: z.date() }), z.object({ n: z.number() })])) })],
    ['zod 3', z3.object({ list: z3.array(z3.union([z3.object({ at: z3.date() }), z3.object({ n: z3.number() })])) })],
    [
      'the small zod',
      mini.object({
        list: mini.array(mini.union([mini.object({ at: mini.date() }), mini.object({ n: mini.number() })])),
      }),
    ],
  ])('of %s reads the date of a choice of a union', async (_name, given) => {
    const schema = ownSchema(given);
    const list = [{ n: 1 }, { at }];
    expect(await schema.read({ list })).toEqual({ ok: true, value: { list: [{ n: 1 }, { at: new Date(at) }] } });
    expect(await schema.keep({ list })).toEqual({ ok: true, value: { list } });
    for (const wrong of [{ at: 'soon' }, { at: 5 }, { n: at }]) {
      expect(await schema.read({ list: [{ at }, wrong] })).toMatchObject({ ok: false });
    }
  });

  it('reads back what it kept, wherever its dates are', async () => {
    const leaf = fc.oneof(
      fc.constant([z.date(), new Date(at)] as const),
      fc.constant([z.number(), 3] as const),
      fc.constant([z.union([z.date(), z.number()]), new Date(at)] as const),
      fc.constant([z.date().nullable(), null] as const),
    );
    type Typed = readonly [schema: z.ZodType, value: unknown];
    const { any } = fc.letrec<{ any: Typed }>((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        leaf,
        tie('any').map(([schema, value]): Typed => [z.array(schema), [value, value]]),
        tie('any').map(([schema, value]): Typed => [z.object({ a: schema }), { a: value }]),
        tie('any').map(([schema, value]): Typed => [z.record(z.string(), schema), { k: value }]),
        tie('any').map(([schema, value]): Typed => [z.tuple([schema, z.number()]), [value, 1]]),
        tie('any').map(([schema, value]): Typed => [schema.or(z.null()), value]),
        tie('any').map(([schema, value]): Typed => [z.union([z.boolean(), z.lazy(() => schema)]), value]),
        tie('any').map(
          ([schema, value]): Typed => [
            z.discriminatedUnion('k', [z.object({ k: z.literal('a'), v: schema }), z.object({ k: z.literal('b') })]),
            { k: 'a', v: value },
          ],
        ),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(any, async ([given, value]) => {
        const schema = ownSchema(given);
        const kept = await schema.keep(value);
        if (!kept.ok) throw new Error(JSON.stringify(kept.issues));
        expect(await schema.read(kept.value)).toEqual({ ok: true, value });
      }),
    );
  });

  it('names everything else that is wrong beside a date', async () => {
    const schema = ownSchema(z.object({ at: z.date(), n: z.number() }));
    const reading = await schema.read({ at, n: 'x' });
    expect(reading).toMatchObject({ ok: false, issues: [{ path: '/n' }] });
  });

  it('reads many dates with work in proportion', async () => {
    const schema = ownSchema(z.array(z.date()));
    const texts = Array.from({ length: 20_000 }, () => at);
    const started = performance.now();
    expect(await schema.keep(texts)).toEqual({ ok: true, value: texts });
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('leaves a text that the schema takes as a text', async () => {
    const schema = ownSchema(z.object({ at: z.union([z.string(), z.date()]) }));
    expect(await schema.read({ at })).toEqual({ ok: true, value: { at } });
  });

  it('says what it takes and what it gives, and the same where these are the same', () => {
    const both = ownSchema(z.object({ a: z.string(), b: z.array(z.object({ c: z.number() })) }));
    expect(both.output).toEqual(both.input);
    const changed = z.object({ n: z.string().transform(Number).pipe(z.number()), d: z.string().default('x') });
    expect(ownSchema(changed).input).toMatchObject({ properties: { n: { type: 'string' } }, required: ['n'] });
    expect(ownSchema(changed).output).toMatchObject({ properties: { n: { type: 'number' } }, required: ['n', 'd'] });
    const three = z3.object({ n: z3.string().transform(Number), r: z3.string().refine(() => true) });
    expect(ownSchema(three).output).toMatchObject({ properties: { n: {}, r: { type: 'string' } } });
    expect(ownSchema(three).output.properties).toMatchObject({ n: expect.not.objectContaining({ type: 'string' }) });
  });
});

describe('the JSON form of a value', () => {
  it('is what JSON gives back, for whatever JSON can hold', () => {
    fc.assert(
      fc.property(fc.object({ withDate: true, withNullPrototype: true, maxDepth: 4 }), (value) => {
        // What JSON would silently replace is left for the check of the value.
        fc.pre(!hasInvalidNumber(value));
        const json = JSON.parse(JSON.stringify(value));
        expect(jsonForm(value)).toEqual(json);
        expect(sharedJsonForm(value)).toEqual(json);
        expect(sharedJsonForm(json)).toBe(json);
      }),
    );
  });

  it('shares nothing that can change with what it was made of', () => {
    const given = { list: [{ a: 1 }], at: new Date(at), none: undefined };
    const made = jsonForm(given) as typeof given;
    expect(made).toEqual({ list: [{ a: 1 }], at });
    expect(made.list).not.toBe(given.list);
  });

  it('keeps what JSON does not have, so that it can be named, and ends for what contains itself', () => {
    const itself: { self?: unknown; other?: unknown } = {};
    itself.self = itself;
    itself.other = [itself, itself];
    expect(jsonForm({ map: new Map([[1, 1]]), big: 1n })).toEqual({ map: new Map([[1, 1]]), big: 1n });
    expect(jsonForm(itself)).toHaveProperty('self');
    const bytes = Buffer.from('x');
    expect(jsonForm({ bytes, never: new Date(Number.NaN) })).toEqual({ bytes, never: new Date(Number.NaN) });
    expect(sharedJsonForm([-0, 1])).toEqual([0, 1]);
    let shared: unknown = 1;
    for (let level = 0; level < 200; level += 1) shared = [shared, shared];
    expect(jsonForm(shared)).toHaveLength(2);
  });
});

function hasInvalidNumber(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  if (value instanceof Date) return Number.isNaN(value.getTime());
  return typeof value === 'object' && value !== null && Object.values(value).some(hasInvalidNumber);
}

describe('a schema without its patterns', () => {
  const text = fc.constantFrom({ type: 'string', pattern: '^a' }, { type: 'string' }, { type: 'string', minLength: 1 });
  const { schema } = fc.letrec((tie) => ({
    schema: fc.oneof(
      { maxDepth: 3 },
      text,
      fc.record({ type: fc.constant('array'), items: tie('schema') }),
      fc.record({
        type: fc.constant('object'),
        properties: fc.dictionary(fc.constantFrom('pattern', 'b'), tie('schema')),
      }),
      fc.record({
        type: fc.constant('object'),
        patternProperties: fc.constant({ '^a': { type: 'string' } }),
        additionalProperties: fc.constant(false),
      }),
      fc.record({ anyOf: fc.tuple(tie('schema'), tie('schema')) }),
      fc.record({ oneOf: fc.tuple(tie('schema'), tie('schema')) }),
      fc.record({ not: tie('schema') }),
      fc.record({ if: tie('schema'), else: tie('schema') }),
    ),
  }));
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom('', 'a', 'b', 1, null),
      fc.array(tie('value'), { maxLength: 2 }),
      fc.dictionary(fc.constantFrom('pattern', 'a1', 'b'), tie('value')),
    ),
  })).value;

  it('is safe, takes all that the schema takes, and is the schema itself where that has none', () => {
    fc.assert(
      fc.property(schema, value, (given, sample) => {
        const before = given as Record<string, unknown>;
        const stripped = withoutPatterns(before);
        expect(refuseUnsafeSchema(stripped)).toEqual([]);
        if (refuseUnsafeSchema(before).length === 0) expect(stripped).toBe(before);
        if (validateJson(before, sample, { trusted: true }).ok) expect(validateJson(stripped, sample).ok).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
