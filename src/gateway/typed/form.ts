/** The long form of a request, and what its answer is checked against. */
import { PolyphonyError } from '../../core/errors.ts';
import type { AskedTool, GenerateRequest, GenerateTool } from '../../core/model/generate.ts';
import type { ChatRequest, Message, OutputFormat, ToolDefinition } from '../../core/model/model.ts';
import { isZod, schemaOf } from './schemas.ts';

export interface Form {
  readonly request: ChatRequest;
  /** The schema of the object. @default no object */
  readonly schema?: object;
  readonly tools?: readonly GenerateTool[];
}

/** @throws invalid-request for what is no request, no schema, or no list of tools */
export function formOf(given: GenerateRequest): Form {
  if (typeof given !== 'object' || given === null) throw noRequest(given);
  const { prompt, system, output, tools } = given;
  if (prompt === undefined && system === undefined && output === undefined && tools === undefined)
    return { request: { operation: 'chat', ...given } as ChatRequest };
  const { prompt: _p, system: _s, output: _o, tools: _t, messages, ...rest } = given;
  const schema = objectSchema(output);
  const request = {
    operation: 'chat',
    ...rest,
    ...messagesOf(messages, system, prompt),
    ...(output === undefined ? undefined : { output: formatOf(output, schema) }),
    ...(tools === undefined ? undefined : { tools: definitions(tools) }),
  } as ChatRequest;
  const own = tools?.filter((tool): tool is GenerateTool => isObject(tool) && !('type' in tool));
  return { request, ...(schema && { schema }), ...(own && { tools: own }) };
}

/** Callers in JavaScript may give anything; the check of the request says what is wrong with it. */
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const noRequest = (given: unknown): PolyphonyError =>
  new PolyphonyError(
    'invalid-request',
    `A request cannot be ${given === null ? 'null' : `a ${typeof given}`}: give an object such as { prompt: "Name a fruit." }.`,
  );

function messagesOf(
  messages: unknown,
  system: string | undefined,
  prompt: Message['content'] | undefined,
): { readonly messages?: unknown } {
  if (system === undefined && prompt === undefined) return messages === undefined ? {} : { messages };
  // What is no list is refused by the check of the request, in its words.
  if (messages !== undefined && !Array.isArray(messages)) return { messages };
  return {
    messages: [
      ...(system === undefined ? [] : [{ role: 'system', content: system }]),
      ...(messages ?? []),
      ...(prompt === undefined ? [] : [{ role: 'user', content: prompt }]),
    ],
  };
}

function isFormat(output: object): output is OutputFormat {
  const { type } = output as Partial<OutputFormat>;
  return type === 'json' && !isZod(output);
}

/** The schema that the answer is checked against: a bare one, or that of zod in a format. */
function objectSchema(output: unknown): object | undefined {
  if (output === undefined) return undefined;
  if (typeof output !== 'object' || output === null) {
    const message = 'The field "output" must be a schema (zod, JSON Schema, or a map like { name: "string" }).';
    throw new PolyphonyError('invalid-request', message);
  }
  if (!isFormat(output)) return output;
  return isZod(output.schema) ? output.schema : undefined;
}

function formatOf(output: object, schema: object | undefined): OutputFormat {
  if (!isFormat(output)) return { type: 'json', schema: schemaOf(output) };
  return schema === undefined ? output : { ...output, schema: schemaOf(schema) };
}

/** Those of the provider are told apart when the call is made. */
function definitions(tools: readonly AskedTool[]): readonly ToolDefinition[] {
  if (!Array.isArray(tools)) {
    const message = 'The field "tools" must be a list, such as [{ name, description, inputSchema }].';
    throw new PolyphonyError('invalid-request', message);
  }
  return tools.map((tool: AskedTool) => {
    const inputSchema = isObject(tool) && 'inputSchema' in tool ? tool.inputSchema : undefined;
    // A definition without a schema is refused by the check of the request.
    if (typeof inputSchema !== 'object' || inputSchema === null) return tool as unknown as ToolDefinition;
    const schema = schemaOf(inputSchema);
    return schema === inputSchema ? (tool as ToolDefinition) : { ...tool, inputSchema: schema };
  });
}
