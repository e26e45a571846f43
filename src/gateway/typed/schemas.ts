/** Schemas that a caller gave for an answer or for the arguments of a tool: what the model is told, and how its JSON is checked. */
import type { JsonSchema } from '../../core/model/model.ts';
import { dropOptionalNulls, isZod } from '../../kit/json/json-schema.ts';
import { ownSchema, type SchemaReading } from '../../kit/json/own/own-schema.ts';

export { isZod } from '../../kit/json/json-schema.ts';
export { shownIssues } from '../../kit/json/own/own-schema.ts';

/** The JSON Schema of what the model has to write, made once for each schema. */
export const schemaOf = (schema: object): JsonSchema => ownSchema(schema).input;

/** @throws invalid-output when the schema's own code throws */
export function checked(schema: object, given: unknown): Promise<SchemaReading> {
  const own = ownSchema(schema);
  return own.read(isZod(schema) ? given : dropOptionalNulls(own.input, given));
}
