/** Runs the schema that a workflow has for a person's answer: it converts and refuses, as every schema of a program does. */
import type { HumanQuestion } from '../../core/run/engine.ts';
import type { OwnSchema, SchemaReading } from '../../kit/json/own/own-schema.ts';
import { withoutPatterns } from '../../kit/json/own/without-patterns.ts';
import { humanSchema } from '../../language/human-output.ts';
import { isPlainObject } from '../../language/shorthand.ts';

/**
 * Why a workflow's own schema does not take the answer, undefined if it does. No promise: this process has no such schema, so
 * that `out` of the question decides.
 */
export type CheckAnswer = (question: HumanQuestion, given: unknown) => Promise<string | undefined> | undefined;

/**
 * What a process without the workflow checks. Without patterns, which are those of the value after it is trimmed or converted.
 */
export const askedSchema = ({ input }: OwnSchema): ReturnType<typeof humanSchema> =>
  humanSchema(withoutPatterns(input));

/**
 * `{ answer, approved }` as the schema gives it. A field that the schema does not declare is not shown to it, because a strict
 * one would refuse it, and stays as it is.
 */
export const keepAnswer =
  (schema: OwnSchema): OwnSchema['keep'] =>
  async (output): Promise<SchemaReading> => {
    const reading = await schema.keep(declaredOf(schema, output));
    if (!reading.ok || !isPlainObject(reading.value) || !isPlainObject(output)) return reading;
    return { ok: true, value: { ...output, ...reading.value } };
  };

function declaredOf({ input: { properties } }: OwnSchema, output: unknown): unknown {
  if (!isPlainObject(properties) || !isPlainObject(output)) return output;
  return Object.fromEntries(Object.entries(output).filter(([name]) => Object.hasOwn(properties, name)));
}
