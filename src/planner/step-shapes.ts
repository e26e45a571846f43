/** The schemas of steps as a planner's model reads them: what it needs to write a plan, in few tokens. */
import type { JsonSchema } from '../core/model/model.ts';
import { toShorthand } from '../kit/json/json-schema.ts';

/** The validator knows them; a plan seldom breaks them. */
const BOUNDS: ReadonlySet<string> = new Set(['minLength', 'maxLength', 'maxItems', 'maxProperties']);
const OPENNESS: ReadonlySet<string> = new Set(['additionalProperties']);
const DESCRIPTIONS: ReadonlySet<string> = new Set(['description']);
/** Their keys are names of fields. */
const MAPS: ReadonlySet<string> = new Set(['properties', 'patternProperties', '$defs', 'definitions']);
/** They hold values, which are not schemas. */
const VALUES: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples', 'required']);

export const inputShape = (schema: JsonSchema): unknown => shapeOf(without(schema, BOUNDS));

/** Names say what a field of a result is. */
export const outputShape = (schema: JsonSchema): unknown => shapeOf(without(without(schema, BOUNDS), DESCRIPTIONS));

function shapeOf(schema: JsonSchema): unknown {
  const short = toShorthand(schema);
  return short === schema ? without(schema, OPENNESS) : short;
}

const without = (schema: JsonSchema, dropped: ReadonlySet<string>): JsonSchema =>
  trimmed(schema, dropped, false) as JsonSchema;

function trimmed(value: unknown, dropped: ReadonlySet<string>, isMap: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => trimmed(item, dropped, false));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key, inner]) => isMap || !isDropped(key, inner, dropped));
  return Object.fromEntries(
    kept.map(([key, inner]) => [
      key,
      !isMap && VALUES.has(key) ? inner : trimmed(inner, dropped, !isMap && MAPS.has(key)),
    ]),
  );
}

/** A schema of further fields says something; that there are none is the usual case. */
const isDropped = (key: string, value: unknown, dropped: ReadonlySet<string>): boolean =>
  dropped.has(key) && typeof value !== 'object';
