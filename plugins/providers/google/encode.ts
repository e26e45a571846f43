/** Encodes a canonical chat request as the body of this wire format. */
import {
  type ChatRequest,
  defined,
  type JsonSchema,
  schemaInstruction,
  type ToolDefinition,
  toDialect,
  type WireContext,
} from 'polyphony/kit';
import { encodeContents } from './contents.ts';
import { factsOf, type GeminiFacts } from './facts.ts';
import { thinkingConfig } from './thinking.ts';

export type Body = Record<string, unknown>;

export function encodeChat(request: ChatRequest, context: WireContext): Body {
  const facts = factsOf(context.card);
  const format = responseFormat(request, facts, context);
  const { contents, systemInstruction } = encodeContents(request.messages, format.instructions, context);
  const generationConfig = defined({
    ...sampling(request, facts, context),
    ...format.config,
    thinkingConfig: thinkingConfig(request, facts, context),
  });
  return defined({
    contents,
    systemInstruction,
    ...tools(request, facts, context),
    generationConfig: Object.keys(generationConfig).length === 0 ? undefined : generationConfig,
    serviceTier: request.serviceTier,
  });
}

// ---------------------------------------------------------------------------------------------------- schemas

interface Format {
  readonly config: Body;
  readonly instructions: readonly string[];
}

const JSON_TYPE = 'application/json';
const ANY_JSON = 'Answer with one JSON value and nothing else: no prose before or after it, no code fence.';

function responseFormat({ output, tools = [] }: ChatRequest, facts: GeminiFacts, context: WireContext): Format {
  if (output === undefined) return { config: {}, instructions: [] };
  const { schema } = output;
  if (tools.length > 0 && !facts.toolsWithSchema) {
    const message = `${context.card.id} does not support tools together with an output format, so the format was put into the prompt.`;
    context.warn({ code: 'schema-in-prompt', message });
    return { config: {}, instructions: [schema === undefined ? ANY_JSON : schemaInstruction(schema)] };
  }
  const config: Body = { responseMimeType: JSON_TYPE };
  if (schema !== undefined) {
    const field = facts.schemas === 'openapi' ? 'responseSchema' : 'responseJsonSchema';
    config[field] = dialect(schema, 'The output schema', facts, context);
  }
  return { config, instructions: [] };
}

function dialect(schema: JsonSchema, what: string, facts: GeminiFacts, context: WireContext): JsonSchema {
  const converted = toDialect(schema, facts.schemas === 'openapi' ? 'openapi-subset' : 'plain');
  for (const warning of converted.warnings) context.warn({ code: 'schema-narrowed', message: `${what}: ${warning}` });
  return converted.schema;
}

// ---------------------------------------------------------------------------------------------------- tools

function tools(request: ChatRequest, facts: GeminiFacts, context: WireContext): Body {
  if (request.tools === undefined || request.tools.length === 0) return {};
  if (request.parallelToolCalls === false) {
    const message =
      '"parallelToolCalls: false" was dropped, because this provider may call several tools at the same time.';
    context.warn({ code: 'parameter-dropped', message });
  }
  const functionDeclarations = request.tools.map((tool) => declaration(tool, facts, context));
  const functionCallingConfig = callingConfig(request.toolChoice);
  return defined({
    tools: [{ functionDeclarations }],
    toolConfig: functionCallingConfig === undefined ? undefined : { functionCallingConfig },
  });
}

function declaration(tool: ToolDefinition, facts: GeminiFacts, context: WireContext): Body {
  const { name, description, inputSchema } = tool;
  const schema = dialect(inputSchema, `The schema of the tool "${name}"`, facts, context);
  // The older dialect rejects objects without properties.
  const empty = Object.keys(schema.properties ?? {}).length === 0;
  const older = facts.schemas === 'openapi';
  return defined({
    name,
    description,
    parameters: older && !empty ? schema : undefined,
    parametersJsonSchema: older ? undefined : schema,
  });
}

function callingConfig(choice: ChatRequest['toolChoice']): Body | undefined {
  if (choice === undefined) return undefined;
  if (typeof choice === 'object') return { mode: 'ANY', allowedFunctionNames: [choice.name] };
  return { mode: choice === 'required' ? 'ANY' : choice.toUpperCase() };
}

// ---------------------------------------------------------------------------------------------------- sampling

const MAX_STOPS = 5;

function sampling(request: ChatRequest, facts: GeminiFacts, context: WireContext): Body {
  const { card, warn } = context;
  const allowed = <T>(name: string, value: T | undefined, takes: boolean): T | undefined => {
    if (value === undefined || takes) return value;
    warn({ code: 'parameter-dropped', message: `"${name}" was dropped, because ${card.id} does not support it.` });
    return undefined;
  };
  const logprobs = request.logprobs === false ? undefined : request.logprobs;
  const wantedLogprobs = allowed('logprobs', logprobs, card.capabilities.includes('logprobs'));
  return {
    maxOutputTokens: maxTokens(request, context),
    temperature: allowed('temperature', request.temperature, facts.sampling),
    topP: allowed('topP', request.topP, facts.sampling),
    topK: allowed('topK', request.topK, facts.sampling),
    presencePenalty: allowed('presencePenalty', request.presencePenalty, facts.penalties),
    frequencyPenalty: allowed('frequencyPenalty', request.frequencyPenalty, facts.penalties),
    seed: request.seed,
    stopSequences: stops(request, context),
    responseLogprobs: wantedLogprobs === undefined ? undefined : true,
    logprobs: typeof wantedLogprobs === 'number' ? wantedLogprobs : undefined,
  };
}

function maxTokens({ maxOutputTokens }: ChatRequest, { card, warn }: WireContext): number | undefined {
  const limit = card.maxOutputTokens;
  // The window of an unknown model is a guess, so the server decides.
  if (maxOutputTokens === undefined || maxOutputTokens <= limit || card.price === null) return maxOutputTokens;
  warn({
    code: 'parameter-changed',
    message: `${card.id} writes at most ${limit} tokens, so ${limit} was sent instead of ${maxOutputTokens}.`,
  });
  return limit;
}

function stops({ stop }: ChatRequest, { warn }: WireContext): readonly string[] | undefined {
  if (stop === undefined || stop.length <= MAX_STOPS) return stop;
  const message = `Only the first ${MAX_STOPS} of ${stop.length} stop sequences were sent, because this provider accepts no more.`;
  warn({ code: 'parameter-changed', message });
  return stop.slice(0, MAX_STOPS);
}
