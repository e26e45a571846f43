/** How a JSON Schema is enforced in this wire format. Encoding and decoding must agree on it. */
import { type ChatRequest, closedSchema, type JsonSchema } from 'polyphony/kit';
import type { MessagesFacts } from './facts.ts';

export type OutputPlan =
  | { readonly way: 'text' }
  | { readonly way: 'format'; readonly schema: JsonSchema }
  /** The answer is the input of a tool that the model must call. */
  | { readonly way: 'tool'; readonly name: string; readonly schema: JsonSchema }
  | { readonly way: 'prompt'; readonly schema: JsonSchema | undefined };

export function outputPlan({ output, tools = [] }: ChatRequest, facts: MessagesFacts): OutputPlan {
  if (output === undefined) return { way: 'text' };
  const { schema } = output;
  if (schema === undefined) return { way: 'prompt', schema };
  const closed = facts.structured && output.strict !== false ? closedSchema(schema) : undefined;
  if (closed !== undefined) return { way: 'format', schema: closed };
  const name = toolName(output.name ?? 'output');
  const taken = tools.some((tool) => tool.name === name);
  // The input of a tool is an object. Other schemas, and those for models that cannot be forced, go into the prompt.
  const forced = facts.forcedTools && schema.type === 'object' && !taken;
  return forced ? { way: 'tool', name, schema } : { way: 'prompt', schema };
}

const toolName = (name: string): string => name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64);
