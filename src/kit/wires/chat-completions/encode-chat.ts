/** A canonical chat request as this wire's body. */
import type { ChatRequest, JsonSchema, OutputFormat, ToolDefinition } from '../../../core/model/model.ts';
import type { WireContext } from '../../../core/model/provider.ts';
import { isClosable } from '../../json/closable-schema.ts';
import { asRecord, defined } from '../../json/json-shape.ts';
import { schemaInstruction } from '../../json/json-text.ts';
import { toDialect } from '../../json/schema-dialects.ts';
import { encodeMessages } from './encode-messages.ts';
import type { ChatCompletionsQuirks } from './quirks.ts';

export type WireBody = Record<string, unknown>;

export function encodeChat(request: ChatRequest, quirks: ChatCompletionsQuirks, context: WireContext): WireBody {
  const streams = context.streaming && context.card.capabilities.includes('streaming');
  const body: WireBody = { model: context.card.id, messages: messagesOf(request, quirks, context) };
  addSampling(body, request, quirks);
  if (request.tools !== undefined && request.tools.length > 0) addTools(body, request, request.tools, quirks, context);
  if (request.output !== undefined) Object.assign(body, responseFormat(request.output, quirks, context));
  Object.assign(body, reasoning(request, quirks, context));
  if (streams) {
    body.stream = true;
    if (quirks.streamUsage !== false) body.stream_options = { include_usage: true };
  }
  return quirks.body === undefined ? body : Object.assign(body, quirks.body);
}

/** Each field that is there: most requests have none, and copies of objects cost more than all else here. */
function addSampling(body: WireBody, request: ChatRequest, quirks: ChatCompletionsQuirks): void {
  const { logprobs } = request;
  if (request.maxOutputTokens !== undefined) body[quirks.maxTokensField ?? 'max_tokens'] = request.maxOutputTokens;
  if (request.temperature !== undefined) body.temperature = request.temperature;
  if (request.topP !== undefined) body.top_p = request.topP;
  if (request.topK !== undefined) body.top_k = request.topK;
  if (request.presencePenalty !== undefined) body.presence_penalty = request.presencePenalty;
  if (request.frequencyPenalty !== undefined) body.frequency_penalty = request.frequencyPenalty;
  if (request.stop !== undefined) body.stop = request.stop;
  if (request.seed !== undefined) body.seed = request.seed;
  if (logprobs !== undefined && logprobs !== false) body.logprobs = true;
  if (typeof logprobs === 'number') body.top_logprobs = logprobs;
  if (request.serviceTier !== undefined) body.service_tier = request.serviceTier;
  if (request.user !== undefined) body.user = request.user;
}

// ---------------------------------------------------------------------------------------------------- tools and schemas

function addTools(
  body: WireBody,
  { toolChoice: choice, parallelToolCalls }: ChatRequest,
  tools: readonly ToolDefinition[],
  quirks: ChatCompletionsQuirks,
  context: WireContext,
): void {
  body.tools = tools.map((tool) => encodeTool(tool, quirks, context));
  if (choice !== undefined) body.tool_choice = toolChoice(choice, quirks);
  if (parallelToolCalls !== undefined) body.parallel_tool_calls = parallelToolCalls;
}

function encodeTool(tool: ToolDefinition, quirks: ChatCompletionsQuirks, context: WireContext): WireBody {
  const strict = tool.strict === true && quirks.strictSchemas === true && isClosable(tool.inputSchema);
  const parameters = dialect(tool.inputSchema, strict, `The schema of the tool "${tool.name}"`, context);
  const { name, description } = tool;
  return { type: 'function', function: defined({ name, description, parameters, strict: strict ? true : undefined }) };
}

function toolChoice(choice: NonNullable<ChatRequest['toolChoice']>, quirks: ChatCompletionsQuirks): unknown {
  if (typeof choice === 'object') return { type: 'function', function: { name: choice.name } };
  return choice === 'required' ? (quirks.toolChoiceRequired ?? 'required') : choice;
}

function responseFormat(output: OutputFormat, quirks: ChatCompletionsQuirks, context: WireContext): WireBody {
  const mode = quirks.structuredOutput ?? 'json-schema';
  if (mode === 'none') return {};
  if (output.schema === undefined || mode === 'json-object') return { response_format: { type: 'json_object' } };
  const strict = quirks.strictSchemas === true && output.strict !== false && isStrict(output.schema);
  const schema = dialect(output.schema, strict, 'The output schema', context);
  const json_schema = { name: output.name ?? 'output', schema, ...(strict ? { strict: true } : {}) };
  return { response_format: { type: 'json_schema', json_schema } };
}

/** The strict subset requires an object at the root, and closes every object. */
const isStrict = (schema: JsonSchema): boolean => schema.type === 'object' && isClosable(schema);

function messagesOf(request: ChatRequest, quirks: ChatCompletionsQuirks, context: WireContext): WireBody[] {
  const messages = encodeMessages(request.messages, quirks, context);
  const schema = request.output?.schema;
  if (schema !== undefined && (quirks.structuredOutput ?? 'json-schema') !== 'json-schema') {
    const first = messages.findIndex(({ role }) => role !== (quirks.systemRole ?? 'system'));
    const instruction = { role: quirks.systemRole ?? 'system', content: schemaInstruction(schema) };
    messages.splice(first === -1 ? messages.length : first, 0, instruction);
    const message = `${context.card.id} takes no schema on this server, so it was put into the prompt.`;
    context.warn({ code: 'schema-in-prompt', message });
    return messages;
  }
  if (lacksJsonInWords(request, quirks)) {
    messages.unshift({ role: quirks.systemRole ?? 'system', content: 'Answer in JSON.' });
  }
  return messages;
}

/** A request for JSON without a schema whose messages do not contain the word. */
function lacksJsonInWords({ output, messages }: ChatRequest, quirks: ChatCompletionsQuirks): boolean {
  if (quirks.jsonInWords !== true || output === undefined) return false;
  const bare = output.schema === undefined || quirks.structuredOutput === 'json-object';
  return bare && !/json/i.test(JSON.stringify(messages));
}

function dialect(schema: JsonSchema, strict: boolean, what: string, context: WireContext): JsonSchema {
  const converted = toDialect(schema, strict ? 'strict-subset' : 'plain');
  for (const warning of converted.warnings) context.warn({ code: 'schema-narrowed', message: `${what}: ${warning}` });
  return converted.schema;
}

// ---------------------------------------------------------------------------------------------------- reasoning and quirks

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high'] as const;
type Effort = (typeof EFFORTS)[number];

function reasoning(request: ChatRequest, quirks: ChatCompletionsQuirks, context: WireContext): WireBody {
  const effort = effortOf(request, quirks, context);
  const budgetTokens = request.reasoning?.budgetTokens;
  if (effort === undefined && budgetTokens === undefined) return {};
  const on = effort !== 'none' && budgetTokens !== 0;
  const named = effort === undefined ? undefined : (quirks.effortNames?.[effort] ?? effort);
  switch (quirks.reasoning ?? 'effort') {
    case 'effort':
      return named === undefined ? {} : { reasoning_effort: named };
    case 'object':
      if (!on) return { reasoning: { enabled: false } };
      return { reasoning: budgetTokens === undefined ? defined({ effort }) : { max_tokens: budgetTokens } };
    case 'switch':
      return defined({ enable_thinking: on, thinking_budget: on ? budgetTokens : undefined });
    case 'thinking':
      return { thinking: { type: on ? 'enabled' : 'disabled' } };
    case 'thinking-effort':
      return on
        ? defined({ thinking: { type: 'enabled' }, reasoning_effort: named })
        : { thinking: { type: 'disabled' } };
    case 'none':
      return {};
  }
}

function effortOf(request: ChatRequest, quirks: ChatCompletionsQuirks, context: WireContext): Effort | undefined {
  const asked = request.reasoning?.effort;
  const { effortWithTools, efforts } = quirks;
  if (quirks.outputEndsReasoning === true && request.output !== undefined) {
    if (asked !== undefined && asked !== 'none') {
      const message = `${context.card.id} cannot reason and keep to an output format at the same time, so the effort "none" was sent.`;
      context.warn({ code: 'effort-changed', message });
    }
    return 'none';
  }
  if (effortWithTools !== undefined && request.tools !== undefined && request.tools.length > 0) {
    if (asked !== undefined && asked !== effortWithTools) {
      const message = `${context.card.id} can call tools on this wire only with the effort "${effortWithTools}", so that was sent.`;
      context.warn({ code: 'effort-changed', message });
    }
    return effortWithTools;
  }
  if (asked === undefined || efforts === undefined || efforts.includes(asked)) return asked;
  const distance = (effort: Effort): number => Math.abs(EFFORTS.indexOf(effort) - EFFORTS.indexOf(asked));
  // If two are equally near, the later one is the higher.
  const nearest = efforts.reduce(
    (best, effort) => (distance(effort) <= distance(best) ? effort : best),
    efforts[0] ?? asked,
  );
  context.warn({
    code: 'effort-changed',
    message: `${context.card.id} does not support the effort "${asked}", so "${nearest}" was sent.`,
  });
  return nearest;
}

/** Drops fields that the server refuses, with a warning, and renames the others. */
export function applyQuirks(body: WireBody, quirks: ChatCompletionsQuirks, context: WireContext): WireBody {
  const { rename, omitWhenReasoning } = quirks;
  if (rename === undefined && omitWhenReasoning === undefined && quirks.omit === undefined) return body;
  const withoutReasoning = body.reasoning_effort === 'none' || asRecord(body.thinking)?.type === 'disabled';
  const omit = withoutReasoning ? quirks.omit : [...(quirks.omit ?? []), ...(omitWhenReasoning ?? [])];
  const changed: WireBody = {};
  for (const [name, value] of Object.entries(body)) {
    if (omit?.includes(name)) {
      context.warn({
        code: 'parameter-dropped',
        message: `"${name}" was dropped, because ${context.card.id} does not support it.`,
      });
    } else changed[rename?.[name] ?? name] = value;
  }
  return changed;
}
