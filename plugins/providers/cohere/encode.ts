/** Encodes a canonical chat request as the body of this wire format. */
import { type ChatRequest, defined, schemaInstruction, type ToolDefinition, type WireContext } from 'polyphony/kit';
import { encodeMessages } from './messages.ts';

export type Body = Record<string, unknown>;

const ANY_JSON = 'Answer with one JSON value and nothing else: no prose before or after it, no code fence.';

/** @throws unsupported for parts that the wire format cannot carry */
export function encodeChat(request: ChatRequest, context: WireContext): Body {
  const { card, streaming } = context;
  const messages = encodeMessages(request.messages, context);
  const format = responseFormat(request);
  // The wire format does not support a schema together with tools, so the schema goes into the prompt.
  if (request.output !== undefined && format === undefined) {
    const { schema } = request.output;
    messages.unshift({ role: 'system', content: schema === undefined ? ANY_JSON : schemaInstruction(schema) });
    const message =
      'This provider does not support a schema together with tools, so the schema was put into the prompt.';
    context.warn({ code: 'schema-in-prompt', message });
  }
  return defined({
    model: card.id,
    messages,
    ...tools(request, context),
    response_format: format,
    thinking: thinking(request, context),
    ...sampling(request, context),
    stream: streaming && card.capabilities.includes('streaming'),
  });
}

function responseFormat({ output, tools: offered = [] }: ChatRequest): Body | undefined {
  if (output === undefined || offered.length > 0) return undefined;
  const { $schema: _, ...schema } = output.schema ?? {};
  return output.schema === undefined ? { type: 'json_object' } : { type: 'json_object', json_schema: schema };
}

// ---------------------------------------------------------------------------------------------------- tools

function tools(request: ChatRequest, context: WireContext): Body {
  const { tools: offered = [], toolChoice, parallelToolCalls } = request;
  if (offered.length === 0) return {};
  if (parallelToolCalls === false) dropped('parallelToolCalls', context);
  // The wire format cannot name the tool to call, so only that tool is offered and a call is required.
  const named = typeof toolChoice === 'object' ? offered.filter(({ name }) => name === toolChoice.name) : offered;
  return defined({
    tools: named.map(encodeTool),
    tool_choice: typeof toolChoice === 'object' ? 'REQUIRED' : CHOICES[toolChoice ?? 'auto'],
    strict_tools: named.some(({ strict }) => strict === true) ? true : undefined,
  });
}

const CHOICES = { auto: undefined, none: 'NONE', required: 'REQUIRED' } as const;

function encodeTool({ name, description, inputSchema }: ToolDefinition): Body {
  const { $schema: _, ...parameters } = inputSchema;
  return { type: 'function', function: defined({ name, description, parameters }) };
}

// ---------------------------------------------------------------------------------------------------- sampling

function thinking({ reasoning }: ChatRequest, context: WireContext): Body | undefined {
  if (reasoning?.effort === undefined && reasoning?.budgetTokens === undefined) return undefined;
  const off = reasoning.effort === 'none' || reasoning.budgetTokens === 0;
  if (!context.card.capabilities.includes('reasoning')) {
    if (!off) dropped('reasoning', context);
    return undefined;
  }
  if (off) return { type: 'disabled' };
  return defined({ type: 'enabled', token_budget: reasoning.budgetTokens });
}

function sampling(request: ChatRequest, context: WireContext): Body {
  if (request.logprobs !== undefined && request.logprobs !== false) dropped('logprobs', context);
  if (request.user !== undefined) dropped('user', context);
  if (request.serviceTier !== undefined) dropped('serviceTier', context);
  const within = (name: string, value: number | undefined, low: number, high: number): number | undefined => {
    if (value === undefined || (value >= low && value <= high)) return value;
    const near = Math.min(high, Math.max(low, value));
    context.warn({
      code: 'parameter-changed',
      message: `"${name}" was sent as ${near} instead of ${value}, the nearest value that this provider accepts.`,
    });
    return near;
  };
  return {
    max_tokens: request.maxOutputTokens,
    temperature: within('temperature', request.temperature, 0, 1),
    p: within('topP', request.topP, 0.01, 0.99),
    k: within('topK', request.topK, 0, 500),
    presence_penalty: within('presencePenalty', request.presencePenalty, 0, 1),
    frequency_penalty: within('frequencyPenalty', request.frequencyPenalty, 0, 1),
    seed: request.seed,
    stop_sequences: stops(request.stop, context),
  };
}

function stops(stop: readonly string[] | undefined, context: WireContext): readonly string[] | undefined {
  if (stop === undefined || stop.length <= 5) return stop;
  context.warn({
    code: 'parameter-changed',
    message: 'Only the first 5 stop sequences were sent, because this provider accepts no more.',
  });
  return stop.slice(0, 5);
}

function dropped(name: string, { card, warn }: WireContext): void {
  warn({ code: 'parameter-dropped', message: `"${name}" was dropped, because ${card.id} does not support it.` });
}
