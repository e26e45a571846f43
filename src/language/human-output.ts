/** The output of a `human` node: `{ answer, approved }`, its schema, and the words that approve. */
import type { JsonSchema } from '../core/model/model.ts';
import { isPlainObject } from './shorthand.ts';

const FIELDS: ReadonlySet<unknown> = new Set(['answer', 'approved']);

/** The schema with the fields of such an output that it does not mention: they are there all the same. */
export function humanSchema(schema: JsonSchema): JsonSchema {
  const { properties } = schema;
  if (!isPlainObject(properties)) return schema;
  return { ...schema, properties: { answer: {}, approved: { type: 'boolean' }, ...properties } };
}

/** Required fields that no such output has: no answer could ever fit. */
export function foreignFields({ required }: JsonSchema): readonly string[] {
  if (!Array.isArray(required)) return [];
  return required.filter((name): name is string => typeof name === 'string' && !FIELDS.has(name));
}

/** The case of letters and one full stop aside. Without the flag `u`, only letters of ASCII are taken for each other. */
const APPROVAL = /^(?:yes|y|ok|approve|approved|true)\.?$/i;

/** Whether a text approves where the question does not mark the choice that does. */
export const isApproval = (text: string): boolean => APPROVAL.test(text.trim());
