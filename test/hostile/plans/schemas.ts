/** Plans whose schemas ask for work: by recursion, comparison, patterns, size and depth. */
import { each, type Family } from '../harness/report.ts';
import { document, llm, nest, type PlanCase, times, value } from './plan-case.ts';

type Schema = Readonly<Record<string, unknown>>;

const again = { $ref: '#/$defs/node' };
const recursive = (node: Schema): Schema => ({
  type: 'object',
  properties: { root: again },
  required: ['root'],
  $defs: { node },
});

/** An answer as deep as a document may be. */
const deepAnswer = (depth = 28): string => `{"root":${nest(depth, '{"a":', '1', '}')}}`;
const inField = (node: Schema): Schema => ({ type: 'object', properties: { a: node } });

const RECURSIONS: Readonly<Record<string, Schema>> = {
  'any-of': recursive({ anyOf: [inField(again), inField(again), inField(again)] }),
  'all-of': recursive({ allOf: [inField(again), inField(again), inField(again)] }),
  'one-of': recursive({ oneOf: [inField(again), inField(again), { type: 'number' }] }),
  'not-not': recursive({ allOf: [{ not: { not: inField(again) } }, { not: { not: inField(again) } }] }),
  'if-then': recursive(Object.fromEntries(['if', 'then', 'else'].map((word) => [word, inField(again)]))),
  'in-all-fields': recursive({ additionalProperties: again, properties: { a: again }, minProperties: 0 }),
  dependent: recursive({ dependentSchemas: { a: inField(again) }, properties: { a: again } }),
  unevaluated: recursive({ unevaluatedProperties: again, anyOf: [inField(again), inField(again)] }),
  'through-two': {
    type: 'object',
    properties: { root: { $ref: '#/$defs/one' } },
    $defs: {
      one: { anyOf: [inField({ $ref: '#/$defs/two' }), inField({ $ref: '#/$defs/two' })] },
      two: { anyOf: [inField({ $ref: '#/$defs/one' }), inField({ $ref: '#/$defs/one' })] },
    },
  },
};

const asked = (out: unknown, answer: string): PlanCase => ({
  plan: () => document([llm('asked', 'x', { out, onError: 'skip' }), value('n', { all: '{{asked}}' })]),
  answer: () => answer,
});

const recursions = {
  ...each('recursion', RECURSIONS, (out) => asked(out, deepAnswer())),
  ...each('recursion-deep', RECURSIONS, (out) => asked(out, deepAnswer(5000))),
};

const NOWHERE: Readonly<Record<string, unknown>> = {
  itself: { $ref: '#' },
  'itself-in-definitions': { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/a' } } },
  circle: { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
  nowhere: { $ref: '#/$defs/nothing' },
  remote: { $ref: 'https://example.org/schema.json' },
  file: { $ref: 'file:///etc/passwd' },
  prototype: { $ref: '#/__proto__' },
  anchor: { $anchor: 'a', type: 'object', properties: { x: { $ref: '#a' } } },
  dynamic: { $dynamicAnchor: 'a', anyOf: [{ $dynamicRef: '#a' }, { $dynamicRef: '#a' }] },
  'another-draft': { $schema: 'http://json-schema.org/draft-04/schema#', type: 'object', properties: {} },
  'same-id-twice': { $id: 'x', type: 'object', properties: { a: { $id: 'x', type: 'string' } } },
};

const EVIL = '^(([a-z])+.)+[A-Z]([a-z])+$';
const LONG = `{"a":"${'a'.repeat(50_000)}!","properties":{"${'a'.repeat(50_000)}!":1}}`;
const PATTERNS: Readonly<Record<string, unknown>> = {
  pattern: { type: 'object', properties: { a: { type: 'string', pattern: EVIL } } },
  'pattern-properties': { type: 'object', properties: {}, patternProperties: { [EVIL]: {} } },
  'field-called-properties': {
    type: 'object',
    properties: { properties: { type: 'object', patternProperties: { [EVIL]: { type: 'string' } } } },
  },
  'field-called-pattern': { type: 'object', properties: { pattern: { type: 'string', pattern: EVIL } } },
  'field-called-enum': { type: 'object', properties: { enum: { patternProperties: { [EVIL]: {} } } } },
  'definition-called-properties': {
    type: 'object',
    properties: { a: { $ref: '#/$defs/properties' } },
    $defs: { properties: { pattern: EVIL } },
  },
  'property-names': { type: 'object', properties: {}, propertyNames: { pattern: EVIL } },
  'in-not': { type: 'object', properties: { a: { not: { pattern: EVIL } } } },
  'in-items': { type: 'object', properties: { a: { items: [{ pattern: EVIL }], prefixItems: [{ pattern: EVIL }] } } },
  'not-a-pattern': { type: 'object', properties: { a: { type: 'string', pattern: '(((' } } },
};

const FORMATS = [
  'email',
  'idn-email',
  'uri',
  'uri-template',
  'date-time',
  'duration',
  'hostname',
  'ipv6',
  'regex',
  'json-pointer',
];

const list = (count: number, make: (index: number) => unknown): string => JSON.stringify({ a: times(count, make) });
const ofList = (schema: Schema): Schema => ({ type: 'object', properties: { a: { type: 'array', ...schema } } });
const LARGE: Readonly<Record<string, readonly [unknown, () => string]>> = {
  'unique-objects': [ofList({ uniqueItems: true }), () => list(20_000, (index) => ({ index, same: [1, 2, 3] }))],
  'unique-lists': [ofList({ uniqueItems: true, items: {} }), () => list(20_000, (index) => times(20, () => index))],
  'unique-in-unique': [
    ofList({ uniqueItems: true, items: { type: 'array', uniqueItems: true } }),
    () => list(300, (index) => times(300, (inner) => [index, inner])),
  ],
  contains: [
    ofList({ contains: { type: 'array', contains: { const: -1 } }, minContains: 2 }),
    () => list(2000, () => times(100, (n) => n)),
  ],
  'contains-in-any': [
    ofList({ anyOf: times(200, (index) => ({ contains: { const: -index - 1 } })) }),
    () => list(20_000, (index) => index),
  ],
  'enum-of-fifty-thousand': [
    { type: 'object', properties: { a: { enum: times(50_000, (index) => `e${index}`) } } },
    () => '{"a":"x"}',
  ],
  'enum-of-objects': [
    ofList({ items: { enum: times(500, (index) => ({ index, deep: [[[index]]] })) } }),
    () => list(5000, () => ({ index: -1, deep: [[[0]]] })),
  ],
  'required-thousands': [
    { type: 'object', properties: {}, required: times(20_000, (index) => `r${index}`) },
    () => '{}',
  ],
  'ten-thousand-fields': [
    { type: 'object', properties: Object.fromEntries(times(10_000, (index) => [`f${index}`, { type: 'integer' }])) },
    () => JSON.stringify(Object.fromEntries(times(10_000, (index) => [`f${index}`, 'wrong']))),
  ],
  'every-item-wrong': [ofList({ items: { type: 'string' } }), () => list(200_000, () => 1)],
  'any-of-thousands': [
    ofList({ items: { anyOf: times(1000, (index) => ({ type: 'object', required: [`f${index}`] })) } }),
    () => list(5000, () => ({})),
  ],
};

const LIMITS: Readonly<Record<string, unknown>> = {
  'negative-lengths': { type: 'object', properties: { a: { type: 'string', minLength: -1, maxLength: -5 } } },
  'multiple-of-zero': { type: 'object', properties: { a: { type: 'number', multipleOf: 0 } } },
  'multiple-of-nearly-nothing': { type: 'object', properties: { a: { type: 'number', multipleOf: 1e-300 } } },
  'unknown-type': { type: 'object', properties: { a: { type: 'monster' } } },
  'type-of-types': { type: [['object']], properties: {} },
  'a-list-as-schema': [{ type: 'object' }],
  'true-as-schema': true,
  'shorthand-of-megabytes': { a: 'x|'.repeat(200_000) },
  'shorthand-of-lists': { a: `string${'[]'.repeat(5000)}` },
  'field-proto': JSON.parse('{"__proto__":"string","constructor":"string"}'),
  'properties-proto': JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}'),
};

/** Values that do not fit, and whose meaning is looked for. */
const ALMOST: Readonly<Record<string, readonly [Schema, () => string]>> = {
  choices: [
    inField({ type: 'array', items: { enum: times(9000, (index) => `c${index}`) } }),
    () => JSON.stringify({ a: times(40_000, (index) => `x${index}`) }),
  ],
  'closed-choices': [
    inField({ anyOf: times(900, () => ({ type: 'object', additionalProperties: false, required: ['z'] })) }),
    () => JSON.stringify({ a: Object.fromEntries(times(20_000, (index) => [`k${index}`, 1])) }),
  ],
  'texts-of-lists': [
    inField({ anyOf: times(900, () => ({ type: 'object' })) }),
    () => JSON.stringify({ a: JSON.stringify(times(200_000, (index) => index)) }),
  ],
};

/** Written as text: no stack writes thousands of levels. */
const deep = each('schema-deep', { shallow: 20, limit: 30, thousands: 5000 }, (depth): PlanCase => {
  const { plan, ...rest } = asked('@schema@', deepAnswer(depth));
  const schema = nest(depth, '{"type":"object","properties":{"a":', '{"type":"string"}', '}}');
  return { ...rest, plan: () => JSON.stringify(plan()).replace('"@schema@"', schema) };
});

export const schemas: readonly Family<PlanCase>[] = [
  recursions,
  each('reference', NOWHERE, (out) => asked(out, '{"x":{"x":{}}}')),
  each('pattern', PATTERNS, (out) => asked(out, LONG)),
  each('format', Object.fromEntries(FORMATS.map((format) => [format, format])), (format) =>
    asked({ type: 'object', properties: { a: { type: 'string', format } } }, `{"a":"${'a@.-1:/'.repeat(10_000)}"}`),
  ),
  each('large', LARGE, ([out, answer]): PlanCase => ({ ...asked(out, ''), answer })),
  each('almost', ALMOST, ([out, answer]): PlanCase => ({ ...asked(out, ''), answer })),
  each('limits', LIMITS, (out) => asked(out, '{"a":1e-300}')),
  deep,
  each(
    'input-schema',
    { recursion: RECURSIONS['any-of'], pattern: PATTERNS['field-called-properties'], itself: NOWHERE.itself },
    (input) => ({
      plan: () => document([value('n', { x: '{{input}}' })], { input }),
    }),
  ),
];
