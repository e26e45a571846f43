/** "Or null" and enums in the dialects of schema-dialects.ts. */
import type { JsonSchema } from '../../core/model/model.ts';
import { isPlainObject } from '../../language/shorthand.ts';

/** The schema or null, with the null beside the schema's types. */
export function orNull(schema: JsonSchema): JsonSchema {
  const { type, anyOf, enum: values } = schema;
  if (Array.isArray(anyOf)) {
    const known = anyOf.some((choice) => isPlainObject(choice) && choice.type === 'null');
    return known ? schema : { ...schema, anyOf: [...anyOf, { type: 'null' }] };
  }
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  if (type === undefined || schema.const !== undefined) return { anyOf: [schema, { type: 'null' }] };
  const nullable = types.includes('null') ? schema : { ...schema, type: [...types, 'null'] };
  return Array.isArray(values) && !values.includes(null) ? { ...nullable, enum: [...values, null] } : nullable;
}

/** Moves the values of an enum to the description unless all are strings. */
export function stringEnum(schema: JsonSchema, path: string, warnings: string[]): JsonSchema {
  const { enum: values, ...rest } = schema;
  if (!Array.isArray(values)) return schema;
  const strings = values.filter((value) => value !== null);
  const nullable = strings.length < values.length ? { nullable: true } : {};
  if (strings.every((value) => typeof value === 'string')) return { ...schema, enum: strings, ...nullable };
  warnings.push(`${path}/enum: only strings are supported, so the values were moved to the description.`);
  const described = typeof rest.description === 'string' ? `${rest.description} ` : '';
  return {
    ...rest,
    ...nullable,
    description: `${described}One of ${strings.map((value) => JSON.stringify(value)).join(', ')}.`,
  };
}

/** `type: [x, null]` and a null among the choices become `nullable: true`; several types become choices. */
export function nullAsKeyword(schema: JsonSchema): JsonSchema {
  const { type, anyOf } = schema;
  if (Array.isArray(type)) {
    const types = type.filter((name) => name !== 'null');
    const nullable = types.length < type.length ? { nullable: true } : {};
    if (types.length === 1) return { ...schema, type: types[0], ...nullable };
    const { type: _, ...rest } = schema;
    return { ...rest, anyOf: types.map((name) => ({ type: name })), ...nullable };
  }
  if (!Array.isArray(anyOf)) return schema;
  const choices = anyOf.filter((choice) => !isPlainObject(choice) || choice.type !== 'null');
  if (choices.length === anyOf.length) return schema;
  const [only] = choices;
  const { anyOf: _, ...rest } = schema;
  if (choices.length === 1 && isPlainObject(only)) return { ...only, ...rest, nullable: true };
  return { ...rest, anyOf: choices, nullable: true };
}
