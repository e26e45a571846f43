/**
 * The schemas of a plan.
 *
 * S1. A schema by which no value could be checked, or that could take for ever, is an issue of the plan: nothing was paid.
 * S2. For every other schema and every value a check ends within its steps, and reads no more of the value than it counts.
 * S3. A schema that refers to itself takes steps in proportion to schema and value, also through choices.
 * S4. No issue prints more than a beginning of a value, a key or a choice.
 * S5. Reading a value as what it means, where it does not fit, ends within its steps too, and reads no more of schema and value.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonSchema } from '../../src/core/model/model.ts';
import { countedCoercion } from '../../src/kit/json/coerce-json.ts';
import { countedValidation, MOST_STEPS, refuseUnsafeSchema } from '../../src/kit/json/json-validation.ts';
import { validate } from '../../src/validator/validate.ts';
import { jsonSchemas, jsonValues } from '../kit/json/json-schemas.ts';
import { catalogue } from '../validator/catalogue.ts';

const codesOf = (out: unknown): string[] => {
  const plan = { version: 1, nodes: [{ id: 'a', use: 'llm', in: { prompt: 'x' }, out }] };
  return validate(plan, catalogue())
    .issues.filter(({ severity }) => severity === 'error')
    .map(({ code }) => code);
};

const repeated = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const SELF = { $ref: '#' };
const under = (keyword: string, schema: JsonSchema): JsonSchema => Object.fromEntries([[keyword, schema]]);

/** A chain in which each definition refers to the next one twice. */
const doubling = {
  ...{ type: 'object', properties: { a: { $ref: '#/$defs/d0' } } },
  $defs: Object.fromEntries(
    repeated(40, (index) => [`d${index}`, { anyOf: repeated(2, () => ({ $ref: `#/$defs/d${(index + 1) % 41}` })) }]),
  ),
};
const chain = (length: number, last: JsonSchema) => ({
  ...{ type: 'object', properties: { a: { $ref: '#/$defs/d0' } } },
  $defs: {
    ...Object.fromEntries(repeated(length, (index) => [`d${index}`, { $ref: `#/$defs/d${index + 1}` }])),
    [`d${length}`]: last,
  },
});
const nested = (depth: number): JsonSchema =>
  repeated(depth, () => 0).reduce<JsonSchema>((items) => ({ type: 'array', items }), {});
const fields = (count: number) => Object.fromEntries(repeated(count, (index) => [`f${index}`, { type: 'string' }]));

const REFUSED: Readonly<Record<string, JsonSchema>> = {
  'a reference to itself': SELF,
  'a reference to itself in a field of shorthand': { a: { $ref: '#/properties/a' }, b: 'string' },
  'a reference to itself through allOf': { type: 'object', properties: {}, allOf: [SELF] },
  'a reference to itself through anyOf': { anyOf: [{ type: 'string' }, SELF] },
  'a reference to itself through oneOf': { type: 'object', properties: {}, oneOf: [SELF] },
  'a reference to itself through not': { type: 'object', properties: {}, not: SELF },
  'a reference to itself through if': { type: 'object', properties: {}, if: SELF },
  'a reference to itself through then': { type: 'object', properties: {}, if: {}, ...under('then', SELF) },
  'a reference to itself through dependentSchemas': { type: 'object', properties: {}, dependentSchemas: { a: SELF } },
  'references in a circle': chain(5, { $ref: '#/$defs/d0' }),
  'a circle that is reached through a property first': {
    ...{ type: 'object', properties: { a: { $ref: '#/$defs/u' } }, $ref: '#/$defs/u' },
    $defs: { u: { allOf: [SELF] } },
  },
  'a reference to nowhere': { $ref: '#/$defs/missing' },
  'a reference to what is no schema': { type: 'object', properties: { a: { $ref: '#/required' } }, required: ['a'] },
  'a reference to an address': { type: 'object', properties: { a: { $ref: 'https://example.com/schema' } } },
  'a reference to a file': { type: 'object', properties: { a: { $ref: 'other.json#/a' } } },
  'a dynamic reference': { type: 'array', items: { $dynamicRef: '#node' }, $dynamicAnchor: 'node' },
  'a recursive reference': { type: 'array', items: { $recursiveRef: '#' }, $recursiveAnchor: true },
  'an id that moves references': { type: 'object', properties: { a: { $id: 'x', items: SELF } } },
  'a pattern': { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } },
  'a pattern of names': { type: 'object', properties: { a: { propertyNames: { pattern: '^(a+)+$' } } } },
  'patterns of properties': { type: 'object', patternProperties: { '^(a+)+$': {} }, properties: {} },
  'patterns of properties in a field called properties': {
    type: 'object',
    properties: { properties: { type: 'object', patternProperties: { '^(a+)+$': {} } } },
  },
  'patterns behind a reference to a place of no keyword': {
    ...{ type: 'object', properties: { a: { $ref: '#/hidden/a' } } },
    hidden: { a: { pattern: '^(a+)+$' } },
  },
  'references that double at each step': doubling,
  'a long chain of references': chain(2000, { type: 'string' }),
  'too many levels': nested(100),
  'too many parts': { type: 'object', properties: fields(5000) },
  'too many fields of shorthand': Object.fromEntries(repeated(5000, (index) => [`f${index}`, 'string'])),
  'too many choices': { type: 'object', properties: { a: { enum: repeated(10_001, (index) => index) } } },
  'a type that there is not': { type: 'object', properties: { a: { type: 'strng' } } },
  'a required that is no list': { type: 'object', properties: { a: { type: 'object', required: true } } },
  'no choice at all': { type: 'object', properties: { a: { anyOf: [] } } },
};

const ACCEPTED: Readonly<Record<string, JsonSchema>> = {
  'fields called as keywords': {
    type: 'object',
    properties: {
      pattern: { type: 'string' },
      patternProperties: { type: 'object' },
      $ref: { type: 'string' },
      $id: {},
    },
  },
  'keywords within values': { type: 'object', properties: { a: { enum: [{ pattern: 'x', $ref: 'y' }] } } },
  'a tree': { type: 'object', properties: { text: { type: 'string' }, parts: { type: 'array', items: SELF } } },
  'an anchor': {
    type: 'object',
    properties: { a: { $ref: '#one' } },
    $defs: { x: { $anchor: 'one', type: 'string' } },
  },
  'a reference to a property': { type: 'object', properties: { a: { type: 'string' }, b: { $ref: '#/properties/a' } } },
  'a name with an escape': { type: 'object', properties: { a: { $ref: '#/$defs/x~1y%20z' } }, $defs: { 'x/y z': {} } },
  'the older tuple': { type: 'array', items: [{ type: 'string' }], additionalItems: false },
  'ten thousand choices': {
    type: 'object',
    properties: { a: { enum: repeated(10_000, (index) => `choice ${index}`) } },
  },
};

describe('S1: what a plan declares', () => {
  it.each(Object.entries(REFUSED))('%s is refused', (_, out) => {
    const codes = codesOf(out);
    expect(codes.length).toBeGreaterThan(0);
    for (const code of codes) expect(code).toMatch(/^(?:schema\.(?:unsafe|invalid)|size\.depth)$/);
  });

  it.each(Object.entries(ACCEPTED))('%s is accepted', (_, out) => {
    expect(codesOf(out)).toEqual([]);
  });

  it('issues point into the plan as it was written', () => {
    const out = { a: { b: 'string', c: { type: 'array', items: { pattern: 'x' } } } };
    const { issues } = validate(
      { version: 1, nodes: [{ id: 'a', use: 'llm', in: { prompt: 'x' }, out }] },
      catalogue(),
    );
    expect(issues).toMatchObject([{ code: 'schema.unsafe', path: '/nodes/0/out/a/c/items' }]);
  });
});

/** The value, with every read of it counted. */
function watched(value: unknown): { readonly value: unknown; readonly reads: () => number } {
  let reads = 0;
  const proxies = new Map<object, unknown>();
  const watch = (inner: unknown): unknown => {
    reads += 1;
    if (typeof inner !== 'object' || inner === null) return inner;
    const known = proxies.get(inner);
    if (known !== undefined) return known;
    const proxy = new Proxy(inner, {
      get: (target, key) => watch(Reflect.get(target, key)),
      ownKeys: (target) => {
        const keys = Reflect.ownKeys(target);
        reads += keys.length;
        return keys;
      },
    });
    proxies.set(inner, proxy);
    return proxy;
  };
  return { value: watch(value), reads: () => reads };
}

/** An array of n items is read at most this often for each step, its length and its iterator included. */
const READS_FOR_A_STEP = 8;

function expectBounded(schema: JsonSchema, value: unknown, bound: number, trusted = false): void {
  const seen = watched(value);
  const size = JSON.stringify([schema, value]).length;
  const { validation, steps } = countedValidation(schema, seen.value, { trusted }, bound);
  expect(steps).toBeLessThanOrEqual(bound + size + 16);
  expect(seen.reads()).toBeLessThanOrEqual(READS_FOR_A_STEP * (steps + 16));
  if (validation.ok) return;
  expect(validation.issues.length).toBeGreaterThan(0);
  expect(validation.issues.length).toBeLessThanOrEqual(20);
  for (const { path, message } of validation.issues) expect(path.length + message.length).toBeLessThan(1000);
}

const deep = (depth: number): unknown => repeated(depth, () => 0).reduce<unknown>((a) => ({ a, b: [{}] }), {});
const twice = { type: 'object', properties: { a: SELF, b: { type: 'array', items: SELF } } };

const HOSTILE: Readonly<Record<string, readonly [JsonSchema, unknown]>> = {
  'choices that refer to their schema': [
    { type: 'object', properties: { a: { anyOf: repeated(9, () => SELF) } } },
    deep(60),
  ],
  'exactly one of many that refer to their schema': [
    { type: ['object', 'number'], properties: { a: { oneOf: repeated(9, () => SELF) } } },
    deep(60),
  ],
  'all of many that refer to their schema': [{ properties: { a: { allOf: repeated(9, () => SELF) } } }, deep(60)],
  'not of not': [{ properties: { a: { not: { not: { allOf: [SELF, SELF] } } } } }, deep(60)],
  'conditions that refer to their schema': [
    { properties: { a: { if: SELF, else: SELF, ...under('then', SELF) } } },
    deep(60),
  ],
  'wide choices for many items': [
    { items: { anyOf: repeated(2000, (index) => ({ const: `x${index}` })) } },
    repeated(20_000, () => 'y'),
  ],
  'unique items that are objects': [{ uniqueItems: true }, repeated(20_000, (index) => ({ a: { b: index } }))],
  'unique items at each level': [{ uniqueItems: true, items: SELF }, [[[[repeated(2000, (index) => [[index]])]]]]],
  'contains within contains': [{ contains: { contains: { const: 1 } } }, repeated(200, () => repeated(200, () => 0))],
  'counted contains': [
    { contains: { uniqueItems: true }, minContains: 9999 },
    repeated(300, () => repeated(300, () => [0])),
  ],
  'choices that are objects': [
    { items: { enum: repeated(5000, (index) => ({ a: { b: { c: index } } })) } },
    repeated(5000, () => ({ a: { b: { c: -1 } } })),
  ],
  'names that have to fit': [
    { propertyNames: { enum: repeated(5000, (index) => `n${index}`) } },
    Object.fromEntries(repeated(20_000, (index) => [`x${index}`, 0])),
  ],
  'long texts under many lengths': [
    { allOf: repeated(2000, (index) => ({ minLength: 60_000 + index })) },
    '👍'.repeat(50_000),
  ],
  'what is left by many choices': [
    { anyOf: repeated(1000, () => ({ properties: { a: true } })), unevaluatedProperties: false },
    Object.fromEntries(repeated(2000, (index) => [`x${index}`, 0])),
  ],
  'what is left at each level': [
    { anyOf: [{ properties: { a: SELF } }, { properties: { b: {} } }], unevaluatedProperties: SELF },
    deep(20),
  ],
  'a value deeper than the stack': [{ items: SELF }, repeated(3000, () => 0).reduce<unknown>((inner) => [inner], 1)],
  'many issues': [{ items: { type: 'string' } }, repeated(100_000, (index) => index)],
  'long keys': [{ additionalProperties: false }, { ['k'.repeat(500_000)]: 1 }],
  'long keys on the way': [
    { additionalProperties: { additionalProperties: false } },
    { ['k'.repeat(99_999)]: { ['l'.repeat(99_999)]: 1 } },
  ],
  'a long choice': [{ enum: ['v'.repeat(200_000), ...repeated(9000, (index) => index)] }, 'w'.repeat(500_000)],
  'a long constant': [{ const: repeated(10_000, (index) => ({ [`k${index}`]: index })) }, 1],
  'names that are required': [{ required: repeated(3000, (index) => `${index}`.repeat(50)) }, {}],
};

describe('S2: a check ends within its steps', () => {
  it.each(Object.entries(HOSTILE))('%s', { timeout: 60_000 }, (_, [schema, value]) => {
    for (const bound of [1000, 100_000]) expectBounded(schema, value, bound);
    expectBounded(schema, value, 100_000, true);
  });

  it('whatever the schema and the value', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(jsonSchemas, jsonValues, fc.constantFrom(50, 2000, 100_000), (schema, value, bound) => {
        if (refuseUnsafeSchema(schema).length > 0) return;
        expectBounded(schema, value, bound);
        expectBounded(schema, value, bound, true);
      }),
      { numRuns: 300 },
    );
  });
});

/** A schema is asked for each keyword that may change its value. */
const READS_TO_COERCE = 32;

const ALMOST: Readonly<Record<string, readonly [JsonSchema, unknown]>> = {
  'many choices for many items': [
    { items: { enum: repeated(9000, (index) => `choice ${index}`) } },
    repeated(9000, () => 'other'),
  ],
  'many closed choices that leave out many fields': [
    { anyOf: repeated(900, () => ({ type: 'object', additionalProperties: false, required: ['z'] })) },
    Object.fromEntries(repeated(5000, (index) => [`x${index}`, 0])),
  ],
  'many choices that tell each other apart by many fields': [
    { items: { anyOf: repeated(10, () => ({ properties: fields(300), required: ['z'] })) } },
    repeated(2000, () => ({ x: 0 })),
  ],
  'many names that are required': [
    { items: { anyOf: repeated(9, () => ({ required: repeated(900, () => 'a') })) } },
    repeated(2000, () => ({ a: 0 })),
  ],
};

function expectCoercionBounded(schema: JsonSchema, value: unknown, bound: number): void {
  const [rules, seen] = [watched(schema), watched(value)];
  const size = JSON.stringify([schema, value]).length;
  const { coerced, steps } = countedCoercion(rules.value as JsonSchema, seen.value, bound);
  expect(coerced.changes.length).toBeLessThanOrEqual(20);
  // The list that was read when nothing was left is counted, too.
  expect(steps).toBeLessThanOrEqual(bound + size + 16);
  expect(rules.reads() + seen.reads()).toBeLessThanOrEqual(READS_TO_COERCE * (steps + 16));
}

describe('S5: a value that almost fits', () => {
  it.each(Object.entries({ ...HOSTILE, ...ALMOST }))('%s', { timeout: 60_000 }, (_, [schema, value]) => {
    for (const bound of [1000, 10_000]) expectCoercionBounded(schema, value, bound);
  });

  it('that is a long text is not read for each of many choices', () => {
    const text = JSON.stringify(repeated(100_000, () => 0));
    const choices = (count: number) => ({ anyOf: repeated(count, () => ({ type: 'object' })) });
    const { steps } = countedCoercion(choices(4), text, MOST_STEPS);
    expect(steps).toBeGreaterThan((4 * text.length) / 64);
    expect(countedCoercion(choices(900), text, 100_000).steps).toBeLessThan(200_000);
  });

  it('whatever the schema and the value', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(jsonSchemas, jsonValues, fc.constantFrom(50, 2000), (schema, value, bound) => {
        if (refuseUnsafeSchema(schema).length === 0) expectCoercionBounded(schema, value, bound);
      }),
      { numRuns: 300 },
    );
  });
});

describe('S3: a schema that refers to itself', () => {
  const kinds = repeated(5, (index) => ({
    type: 'object',
    properties: { left: SELF, right: SELF, kind: { const: `k${index}` } },
    required: ['left', 'right', 'kind'],
  }));
  const tree = (depth: number, leaf: unknown): unknown =>
    repeated(depth, () => 0).reduce<unknown>((left) => ({ left, right: 1, kind: 'k4' }), leaf);

  it.each(['anyOf', 'oneOf'])('takes steps in proportion through %s', (keyword) => {
    const schema = { [keyword]: [{ type: 'number' }, ...kinds] };
    for (const leaf of [1, 'wrong']) {
      const [short, long] = [50, 100].map((depth) => countedValidation(schema, tree(depth, leaf), {}, MOST_STEPS));
      expect(long?.validation.ok).toBe(leaf === 1);
      expect((long?.steps ?? 0) - (short?.steps ?? 0)).toBeLessThan(100_000);
    }
  });

  it('is as good for an ordinary tree', () => {
    expect(countedValidation(twice, deep(50), {}, MOST_STEPS).validation.ok).toBe(true);
    const value = { a: { a: {}, b: [] }, b: [{ a: { a: 1 } }, {}] };
    expect(countedValidation(twice, value, {}, MOST_STEPS).validation.ok).toBe(false);
  });
});

describe('the largest ordinary values', () => {
  it.each([
    ['numbers', { items: { type: 'integer' } }, repeated(100_000, (index) => index)],
    [
      'objects',
      {
        items: { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'], additionalProperties: false },
      },
      repeated(100_000, (index) => ({ a: index })),
    ],
  ])('%s take a step for each rule', (_, schema, value) => {
    const { validation, steps } = countedValidation(schema, value, {}, MOST_STEPS);
    expect(validation.ok).toBe(true);
    // Of 8 MiB there are as many as here for each two characters of the text.
    expect((steps / JSON.stringify(value).length) * 8 * 1024 * 1024).toBeLessThan(MOST_STEPS);
  });
});
