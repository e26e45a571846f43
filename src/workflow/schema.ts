/** The schemas of workflows, as plans write them. */
import type { SchemaLike } from '../core/model/schema-like.ts';
import { isZod, toShorthand } from '../kit/json/json-schema.ts';
import { ownSchema, type WrittenSchema } from '../kit/json/own/own-schema.ts';
import { withoutPatterns } from '../kit/json/own/without-patterns.ts';

/** What a transform gives is not known before it runs. */
const ANYTHING = { type: ['object', 'array', 'string', 'number', 'boolean', 'null'] } as const;

/**
 * What the plan says is what references see: the values that the schema gives. Patterns stay with the schema itself, because
 * plans may come from anywhere, and theirs must not run.
 */
export function writtenSchema(given: SchemaLike): WrittenSchema {
  const schema = ownSchema(given);
  const written = withoutPatterns(schema.output);
  // An empty map would be the shorthand of an object without fields.
  const json = isZod(given) && Object.keys(written).length === 0 ? ANYTHING : written;
  const short = toShorthand(json);
  return { schema, written: { ...(typeof short === 'object' && short !== null ? short : json) } };
}

/** Whether the plan says less than the schema does, so that the schema itself has to be run. */
export const mustRun = (given: SchemaLike): boolean =>
  isZod(given) || withoutPatterns(ownSchema(given).output) !== ownSchema(given).output;
