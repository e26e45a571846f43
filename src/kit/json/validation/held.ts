/** The schemas that a keyword of a part holds, and the step from a value into a part of it. */
import { type CheckRun, spend } from './run.ts';
import type { SchemaEdge, SchemaPart } from './schema-parts.ts';

export const held = (part: SchemaPart, keyword: string): readonly SchemaEdge[] =>
  part.edges.filter((edge) => edge.keyword === keyword);

export const heldOne = (part: SchemaPart, keyword: string): SchemaPart | undefined =>
  part.edges.find((edge) => edge.keyword === keyword)?.part;

/** Checks a property or an item. The path is kept only while issues are collected. */
export function into(part: SchemaPart, value: unknown, key: string | number, run: CheckRun): boolean {
  if (run.issues === undefined) return part.check(value, run);
  run.path.push(key);
  const valid = part.check(value, run);
  run.path.pop();
  return valid;
}

/** The names of an object's properties, with the step for each. */
export function keysOf(value: unknown, run: CheckRun): readonly string[] {
  const keys = Object.keys(value as object);
  spend(run, keys.length);
  return keys;
}
