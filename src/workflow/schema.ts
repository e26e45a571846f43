/** The schemas of steps, as plans write them. */
import type { SchemaLike } from '../core/model/schema-like.ts';
import { fromShorthand, isShorthand, toJsonSchema, toShorthand } from '../kit/json/json-schema.ts';

/** The schema as written in the plan: shorthand if it can express the same, otherwise JSON Schema. */
export function schemaForPlan(schema: SchemaLike): Record<string, unknown> {
  const json = isShorthand(schema) ? fromShorthand(schema) : toJsonSchema(schema);
  const short = toShorthand(json);
  return { ...(typeof short === 'object' && short !== null ? short : json) };
}

export { toJsonSchema };
