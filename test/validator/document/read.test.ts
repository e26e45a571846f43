import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_BOUNDS } from '../../../src/core/plan/plan.ts';
import { PlanSchema } from '../../../src/core/plan/plan-schema.ts';
import { hasPlanShape } from '../../../src/validator/document/plan-shape.ts';
import { scanText } from '../../../src/validator/document/scan-text.ts';
import { validate } from '../../../src/validator/validate.ts';
import { catalogue, longPlan, TICKET } from '../catalogue.ts';

/** Values that sit on, inside and outside of every bound of the schema. */
const text = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'fast',
    'all',
    'any',
    'fail',
    'fresh',
    'tools',
    'personal',
    'use',
    'x'.repeat(40),
    'x'.repeat(41),
  ),
  fc.constantFrom(
    'x'.repeat(120),
    'x'.repeat(121),
    'x'.repeat(200),
    'x'.repeat(201),
    'x'.repeat(500),
    'x'.repeat(501),
    'x'.repeat(2000),
    'x'.repeat(2001),
  ),
);
const number = fc.constantFrom(-1, 0, 0.5, 1, 1.5, 2, 10, 11, 1000, 1001, 1e21, Number.MAX_VALUE);
const leaf = fc.oneof(text, number, fc.boolean(), fc.constant(null));
const json = fc.oneof(
  leaf,
  fc.array(leaf, { maxLength: 10 }),
  fc.dictionary(fc.constantFrom('a', 'value', 'usd'), leaf),
);

const fields = <T>(names: readonly string[], value: fc.Arbitrary<T>) =>
  fc.dictionary(fc.constantFrom(...names, 'other'), value, { maxKeys: 3 });
const node = fc.record(
  {
    id: fc.oneof(fc.constantFrom('a', 'b1', 'A', 'a b', ''), json),
    use: fc.oneof(fc.constant('llm'), json),
    in: json,
    needs: json,
    when: json,
    each: json,
    repeat: fc.oneof(json, fields(['until', 'max'], leaf)),
    wait: fc.oneof(json, fields(['atLeast'], leaf)),
    out: json,
    model: fc.oneof(json, fields(['id', 'tier', 'can', 'strengths', 'route'], json)),
    escalate: fc.oneof(json, fields(['evaluator', 'below', 'to', 'context'], json)),
    limits: fc.oneof(json, fields(['usd', 'seconds', 'retries', 'concurrency', 'tokens'], leaf)),
    onError: fc.oneof(json, fields(['value'], json)),
    session: json,
    thread: fc.oneof(json, fields(['key', 'last', 'tokens', 'summarise'], leaf)),
    sensitivity: json,
    cache: json,
    other: json,
  },
  { requiredKeys: [] },
);
const document = fc.record(
  {
    version: fc.constantFrom(1, 2, '1'),
    id: json,
    goal: json,
    input: json,
    budget: fc.oneof(json, fields(['usd', 'seconds'], leaf)),
    nodes: fc.oneof(json, fc.array(node, { maxLength: 2 })),
    output: json,
  },
  { requiredKeys: [] },
);

/** A plan with one field set to something: most of them come near to being valid. */
const nearPlan = fc
  .tuple(fc.constantFrom(...Object.keys(PlanSchema.shape.nodes.element.shape)), node)
  .map(([field, { [field as 'id']: value }]) => ({
    version: 1,
    nodes: [{ id: 'a', use: 'llm', ...(value === undefined ? {} : { [field]: value }) }],
  }));

describe('the quick look at the shape', () => {
  it('agrees with the schema', () => {
    fc.assert(
      fc.property(fc.oneof(document, nearPlan), (value) => {
        expect(hasPlanShape(value)).toBe(PlanSchema.safeParse(value).success);
      }),
      { numRuns: 4000 },
    );
  });

  it('takes whole plans', () => {
    expect([TICKET, longPlan(100)].map(hasPlanShape)).toEqual([true, true]);
  });
});

describe('the scan of a text', () => {
  it('finds the depth and no repeated key in what JSON.stringify wrote', () => {
    const depthOf = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        expect(scanText(JSON.stringify(value))).toEqual({ duplicates: [], depth: depthOf(value) });
      }),
    );
  });

  it('finds repeated keys at their places', () => {
    const text = '{"a":[{"b":1,"\\u0062":"{\\"b\\":[","c":{}}],"a":{"x/~":1,"y":[1,2],"x/~":2}}';
    expect(scanText(text).duplicates).toEqual(['/a/0/b', '/a', '/a/x~1~0']);
  });

  it('tells objects beside one another apart, and counts the keys of large ones', () => {
    const keys = Array.from({ length: 40 }, (_, index) => `"k${index}":{"a":1,"b":2}`);
    const text = (more: string): string => `{${[...keys, more].join()}}`;
    expect(scanText(text('"other":1'))).toEqual({ duplicates: [], depth: 2 });
    expect(scanText(text('"k3":1,"k39":{"a":1,"a":2}')).duplicates).toEqual(['/k3', '/k39', '/k39/a']);
  });
});

describe('bounds of reading', () => {
  it('refuses bytes before parsing, at the bound exactly', () => {
    const raw = JSON.stringify({ ...TICKET, goal: 'ä€😀' });
    const bytes = Buffer.byteLength(raw);
    const codes = (limit: number, value: unknown) =>
      validate(value, catalogue({ bounds: { bytes: limit } })).issues.map(({ code }) => code);
    expect(codes(bytes, raw)).toEqual([]);
    expect(codes(bytes - 1, raw)).toEqual(['size.bytes']);
    expect(codes(bytes, JSON.parse(raw))).toEqual([]);
    expect(codes(bytes - 1, JSON.parse(raw))).toEqual(['size.bytes']);
  });

  it('counts depth alike for text and for values', () => {
    const deep = (levels: number) => {
      let value: unknown = 1;
      for (let level = 0; level < levels; level += 1) value = { a: value };
      return { version: 1, nodes: [{ id: 'a', use: 'value', in: { a: value } }] };
    };
    for (const levels of [27, 28, 29, 30]) {
      const value = deep(levels);
      const fromValue = validate(value, catalogue()).issues.map(({ code }) => code);
      expect(validate(JSON.stringify(value), catalogue()).issues.map(({ code }) => code)).toEqual(fromValue);
      expect(fromValue).toEqual(levels + 4 <= DEFAULT_BOUNDS.depth ? [] : ['size.depth']);
    }
  });

  it('keeps a copy that nobody else can change', () => {
    const raw = structuredClone(TICKET);
    const { plan } = validate(raw, catalogue());
    Object.assign(raw.nodes[0] ?? {}, { use: 'tool:rm' });
    expect(plan?.plan).toEqual(TICKET);
  });
});

const valid = (raw: unknown) => validate(raw, catalogue()).plan;

describe('the same answer every time', () => {
  it('for a plan and its text', () => {
    for (const raw of [TICKET, longPlan(50)]) {
      const fromValue = valid(raw);
      const fromText = valid(JSON.stringify(raw, null, 2));
      expect(fromText).toEqual(fromValue);
      expect(fromValue?.hash).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  it('and a hash that does not depend on the order of keys', () => {
    const { nodes, ...rest } = TICKET;
    const turned = Object.fromEntries(Object.entries({ ...rest, nodes }).reverse());
    expect(valid(turned)?.hash).toBe(valid(TICKET)?.hash);
    expect(valid({ ...TICKET, goal: 'Another' })?.hash).not.toBe(valid(TICKET)?.hash);
  });
});
