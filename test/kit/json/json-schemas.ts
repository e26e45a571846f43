/** Random JSON Schemas, and values that often fit them. */
import fc from 'fast-check';
import type { JsonSchema } from '../../../src/core/model/model.ts';

const NAMES = ['a', 'b', 'c', 'kind', 'properties', 'pattern', 'toString', '~/'] as const;
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
    fc.dictionary(name, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;

const types = fc.oneof(fc.constantFrom(...TYPES), fc.uniqueArray(fc.constantFrom(...TYPES), { minLength: 1, maxLength: 3 }));
const numbers = fc.constantFrom(-3, 0, 0.5, 1, 2);

/** Without the definitions that its references lead to. */
const openSchemas: fc.Arbitrary<JsonSchema | boolean> = fc.letrec<{ schema: JsonSchema | boolean }>((tie) => {
  const schemas = fc.array(tie('schema'), { minLength: 1, maxLength: 3 });
  const map = fc.dictionary(name, tie('schema'), { maxKeys: 3 });
  return {
    schema: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(
        fc.boolean(),
        fc.record({ type: types }),
        fc.record({ const: fc.constantFrom(...SCALARS) }),
        fc.record({ enum: fc.array(jsonValues, { minLength: 1, maxLength: 3 }) }),
        fc.record({ $ref: fc.constantFrom('#', ...DEFINITIONS.map((known) => `#/$defs/${known}`)) }),
      ),
      fc.record(
        {
          type: types,
          ...{ minimum: numbers, maximum: numbers, exclusiveMinimum: numbers, exclusiveMaximum: numbers },
          ...{ multipleOf: fc.constantFrom(0.5, 1, 2), minLength: count, maxLength: count },
          ...{ minItems: count, maxItems: count, uniqueItems: fc.boolean(), items: tie('schema') },
          ...{ prefixItems: schemas, contains: tie('schema'), minContains: count, maxContains: count },
          ...{ properties: map, required: fc.uniqueArray(name, { maxLength: 3 }), additionalProperties: tie('schema') },
          ...{ propertyNames: tie('schema'), minProperties: count, maxProperties: count },
          dependentRequired: fc.dictionary(name, fc.uniqueArray(name, { maxLength: 2 }), { maxKeys: 2 }),
          ...{ dependentSchemas: map, allOf: schemas, anyOf: schemas, oneOf: schemas, not: tie('schema') },
          ...{ if: tie('schema'), then: tie('schema'), else: tie('schema'), unevaluatedProperties: tie('schema') },
        },
        { requiredKeys: [] },
      ),
    ),
  };
}).schema;

/** Valid schemas without patterns. Some refer to themselves, also endlessly. */
export const jsonSchemas: fc.Arbitrary<JsonSchema> = fc
  .tuple(openSchemas, openSchemas, openSchemas, openSchemas)
  .map(([root, one, two, tree]) => ({ ...(typeof root === 'boolean' ? { not: {} } : root), $defs: { one, two, tree } }));
