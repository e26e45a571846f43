/** Our checks and those of ajv agree about every schema that both take. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JsonSchema } from '../../../src/core/model/model.ts';
import { refuseUnsafeSchema, validateJson } from '../../../src/kit/json/json-schema.ts';
import { jsonSchemas, jsonValues } from './json-schemas.ts';

const OPTIONS = { strict: false, logger: false, validateFormats: false, ownProperties: true } as const;

const oracle = (schema: JsonSchema) => new Ajv2020(OPTIONS).compile(schema);

it('agrees with ajv about every schema and value', { timeout: 120_000 }, () => {
  let compared = 0;
  fc.assert(
    fc.property(jsonSchemas, fc.array(jsonValues, { minLength: 1, maxLength: 8 }), (schema, values) => {
      if (refuseUnsafeSchema(schema).length > 0) return;
      const expected = oracle(schema);
      for (const value of values) {
        const { ok } = validateJson(schema, value);
        expect(ok, JSON.stringify({ schema, value })).toBe(expected(value));
        compared += 1;
      }
    }),
    { numRuns: 200 },
  );
  expect(compared).toBeGreaterThan(200);
});
