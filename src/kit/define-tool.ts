/** A tool whose function has the types of its schemas. */
import type { HeldByJson, Infer, InferInput, SchemaLike } from '../core/model/schema-like.ts';
import type { Tool, ToolContext } from '../core/plugin.ts';
import { isZod, toJsonSchema } from './json/json-schema.ts';

export interface ToolDefinitionOptions<I extends SchemaLike, O extends SchemaLike | undefined>
  extends Omit<Tool, 'input' | 'output' | 'run'> {
  /** zod, JSON Schema, or the shorthand of plans. A schema of zod is run, and `run` gets its result. */
  readonly input: I & HeldByJson<InferInput<I>>;
  /** Run on what `run` returns; the result is kept as JSON. @default the output is `{ result }`, of any type */
  readonly output?: O & HeldByJson<Infer<O>>;
  run(input: Infer<I>, context: ToolContext): Promise<Returned<O>> | Returned<O>;
}

type Returned<O> = [O] extends [SchemaLike] ? InferInput<O> : unknown;

/**
 * Gives a tool the types of its schemas where it is written.
 *
 * @throws invalid-request for what is no schema
 */
export function defineTool<const I extends SchemaLike, const O extends SchemaLike | undefined = undefined>(
  tool: ToolDefinitionOptions<I, O>,
): Tool {
  const { input, output, run, ...rest } = tool;
  return {
    ...rest,
    input: schemaOf(input),
    ...(output === undefined ? {} : { output: schemaOf(output) }),
    // The schema gave the value before, so it has the type of the schema.
    run: async (given, context) => run.call(tool, given as Infer<I>, context),
  };
}

const schemaOf = (schema: object): Tool['input'] => (isZod(schema) ? schema : toJsonSchema(schema)) as Tool['input'];
