/** Random JSON Schemas, and values that often fit them. */
import fc from 'fast-check';
import type { JsonSchema } from '../../../src/core/model/model.ts';

const NAMES = ['a', 'b', 'c', 'kind', 'properties', 'pattern', 'isPrototypeOf', '~/'] as const;
const SCALARS: readonly unknown[] = [null, true, false, 0, 1, 2, 1.5, -3, '', 'a', 'ab', '👍', 'kind', '\ud800'];
const TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'] as const;
const DEFINITIONS = ['one', 'two', 'tree'] as const;

const name = fc.constantFrom(...NAMES);
const count = fc.integer({ min: 0, max: 3 });

export const jsonValues: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(...SCALARS),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;

const types = fc.oneof(
  fc.constantFrom(...TYPES),
  fc.uniqueArray(fc.constantFrom(...TYPES), { minLength: 1, maxLength: 3 }),
);
const numbers = fc.constantFrom(-3, 0, 0.5, 1, 2);

const KEYWORDS_AT_ONCE = 4;

/** Without the definitions that its references lead to. */
const openSchemas: fc.Arbitrary<JsonSchema | boolean> = fc.letrec<{ schema: JsonSchema | boolean }>((tie) => {
  const schema = tie('schema');
  const schemas = fc.array(schema, { minLength: 1, maxLength: 2 });
  const map = fc.dictionary(name, schema, { maxKeys: 2, noNullPrototype: true });
  const names = fc.uniqueArray(name, { maxLength: 2 });
  // ajv finds an item that fits `false` in an empty array.
  const possible = schema.filter((held) => held !== false);
  const plain = {
    type: types,
    ...{ minimum: numbers, maximum: numbers, exclusiveMinimum: numbers, exclusiveMaximum: numbers },
    ...{ multipleOf: fc.constantFrom(0.5, 1, 2), minLength: count, maxLength: count, required: names },
    ...{ minItems: count, maxItems: count, uniqueItems: fc.boolean(), minProperties: count, maxProperties: count },
    ...{ const: fc.constantFrom(...SCALARS), enum: fc.array(jsonValues, { minLength: 1, maxLength: 3 }) },
    dependentRequired: fc.dictionary(name, names, { maxKeys: 2, noNullPrototype: true }),
  };
  const inner = {
    ...{ items: schema, prefixItems: schemas, contains: possible, properties: map, additionalProperties: schema },
    ...{ propertyNames: schema, unevaluatedProperties: schema },
  };
  const combined = {
    ...{ dependentSchemas: map, allOf: schemas, anyOf: schemas, oneOf: schemas, not: schema },
    ...Object.fromEntries(['if', 'then', 'else'].map((keyword) => [keyword, schema])),
  };
  const keywords = Object.entries<fc.Arbitrary<unknown>>({ ...plain, ...inner, ...combined });
  const some = fc.subarray(keywords, { minLength: 1, maxLength: KEYWORDS_AT_ONCE });
  const reference = fc.record({ $ref: fc.constantFrom('#', ...DEFINITIONS.map((known) => `#/$defs/${known}`)) });
  return {
    schema: fc.oneof(
      { maxDepth: 4, depthSize: 'small', withCrossShrink: true },
      fc.oneof(fc.boolean(), fc.record({ type: types }), fc.record({ const: fc.constantFrom(...SCALARS) })),
      { arbitrary: some.chain((chosen) => fc.record(Object.fromEntries(chosen))), weight: 6 },
      reference,
    ),
  };
}).schema;

/** Valid schemas without patterns. Some refer to themselves, also endlessly. */
export const jsonSchemas: fc.Arbitrary<JsonSchema> = fc
  .tuple(openSchemas, openSchemas, openSchemas, openSchemas)
  .map(([root, one, two, tree]) => ({
    ...(typeof root === 'boolean' ? { not: {} } : root),
    $defs: { one, two, tree },
  }));
