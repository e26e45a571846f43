/** Encodes a canonical chat request as the body of this wire format. */
import {
  type ChatRequest,
  closedSchema,
  defined,
  type JsonSchema,
  schemaInstruction,
  type ToolDefinition,
  toolSchema,
  type WireContext,
} from 'polyphony/kit';
import { factsOf, type MessagesFacts } from './facts.ts';
import { encodeMessages } from './messages.ts';
import { type OutputPlan, outputPlan } from './output.ts';
import { type Thinking, thinkingOf } from './thinking.ts';

export type Body = Record<string, unknown>;

const ANY_JSON = 'Answer with one JSON value and nothing else: no prose before or after it, no code fence.';

/** @throws unsupported for parts that the wire format cannot carry */
export function encodeChat(request: ChatRequest, context: WireContext): Body {
  const { card } = context;
  const facts = factsOf(card);
  const plan = outputPlan(request, facts);
  const { system, messages, begunWithout } = encodeMessages(request, instructionsOf(plan), context);
  const max_tokens = maxTokens(request, context);
  const choice = toolChoice(request, plan, facts, context);
  const forced = choice?.type === 'any' || choice?.type === 'tool';
  const thinking = thinkingOf(request, { maxTokens: max_tokens, forced, begunWithout }, context);
  const tools = encodeTools(request, plan, facts);
  return defined({
    model: card.id,
    max_tokens,
    system,
    messages,
    tools,
    tool_choice: tools === undefined ? undefined : choice,
    thinking: thinking.thinking,
    output_config: outputConfig(plan, thinking),
    ...sampling(request, thinking, facts, context),
    stop_sequences: stops(request, context),
    service_tier: serviceTier(request.serviceTier),
    metadata: request.user === undefined ? undefined : { user_id: request.user },
    stream: streams(max_tokens, context) ? true : undefined,
  });
}

/** Longer answers are always streamed, because the provider drops connections that are idle for minutes. */
const LONGEST_WHOLE = 8192;

const streams = (maxTokens: number, { card, streaming }: WireContext): boolean =>
  card.capabilities.includes('streaming') && (streaming || maxTokens > LONGEST_WHOLE);

function instructionsOf(plan: OutputPlan): readonly string[] {
  if (plan.way !== 'prompt') return [];
  return [plan.schema === undefined ? ANY_JSON : schemaInstruction(plan.schema)];
}

function outputConfig(plan: OutputPlan, { effort }: Thinking): Body | undefined {
  const format = plan.way === 'format' ? { type: 'json_schema', schema: plan.schema } : undefined;
  return effort === undefined && format === undefined ? undefined : defined({ effort, format });
}

/** The wire format requires a limit; without a limit of the caller, it is that of the model. */
function maxTokens({ maxOutputTokens }: ChatRequest, { card, warn }: WireContext): number {
  const limit = card.maxOutputTokens;
  if (maxOutputTokens === undefined || maxOutputTokens <= limit) return maxOutputTokens ?? limit;
  warn({
    code: 'parameter-changed',
    message: `${card.id} writes at most ${limit} tokens, so ${limit} was sent instead of ${maxOutputTokens}.`,
  });
  return limit;
}

// ---------------------------------------------------------------------------------------------------- tools

function encodeTools({ tools = [] }: ChatRequest, plan: OutputPlan, facts: MessagesFacts): Body[] | undefined {
  const encoded = tools.map((tool) => encodeTool(tool, facts));
  if (plan.way === 'tool') {
    const description = 'Give the answer by calling this tool, once everything that it needs is known.';
    encoded.push({ name: plan.name, description, input_schema: toolSchema(plan.schema).schema });
  }
  return encoded.length === 0 ? undefined : encoded;
}

function encodeTool(tool: ToolDefinition, facts: MessagesFacts): Body {
  const closed = tool.strict === true && facts.structured ? closedSchema(tool.inputSchema) : undefined;
  const { $schema: _, ...open }: JsonSchema = { type: 'object', ...tool.inputSchema };
  return defined({
    name: tool.name,
    description: tool.description,
    input_schema: closed ?? open,
    strict: closed === undefined ? undefined : true,
  });
}

function toolChoice(
  request: ChatRequest,
  plan: OutputPlan,
  facts: MessagesFacts,
  context: WireContext,
): Body | undefined {
  const { tools = [] } = request;
  if (plan.way === 'tool') return tools.length === 0 ? { type: 'tool', name: plan.name } : { type: 'any' };
  if (tools.length === 0) return undefined;
  const asked = choiceOf(request.toolChoice, request.parallelToolCalls);
  const forced = asked?.type === 'any' || asked?.type === 'tool';
  if (!forced || facts.forcedTools) return asked;
  const message = `The tool choice was changed to "auto", because ${context.card.id} cannot be forced to call a tool.`;
  context.warn({ code: 'tool-choice-changed', message });
  return choiceOf('auto', request.parallelToolCalls);
}

function choiceOf(choice: ChatRequest['toolChoice'], parallel: boolean | undefined): Body | undefined {
  if (choice === 'none') return { type: 'none' };
  const one = parallel === false ? { disable_parallel_tool_use: true } : {};
  if (choice === undefined) return parallel === false ? { type: 'auto', ...one } : undefined;
  if (typeof choice === 'object') return { type: 'tool', name: choice.name, ...one };
  return { type: choice === 'required' ? 'any' : 'auto', ...one };
}

// ---------------------------------------------------------------------------------------------------- sampling

const UNKNOWN_PARAMETERS = ['presencePenalty', 'frequencyPenalty', 'seed', 'logprobs'] as const;

function sampling(request: ChatRequest, thinking: Thinking, facts: MessagesFacts, context: WireContext): Body {
  const drop = (name: string, why: string): undefined => {
    context.warn({ code: 'parameter-dropped', message: `"${name}" was dropped, because ${context.card.id} ${why}.` });
  };
  for (const name of UNKNOWN_PARAMETERS) {
    if (request[name] !== undefined && request[name] !== false) drop(name, 'does not support it');
  }
  const why =
    facts.sampling === 'none' ? 'does not support it' : thinking.on ? 'does not support it while it reasons' : '';
  const allowed = <T>(name: string, value: T | undefined): T | undefined =>
    value === undefined || why === '' ? value : drop(name, why);
  const temperature = allowed('temperature', inRange(request.temperature, context));
  const top_k = allowed('topK', request.topK);
  const top_p = allowed('topP', request.topP);
  const both = facts.sampling === 'one' && temperature !== undefined && top_p !== undefined;
  return { temperature, top_k, top_p: both ? drop('topP', 'supports either topP or temperature, not both') : top_p };
}

function inRange(temperature: number | undefined, { warn }: WireContext): number | undefined {
  if (temperature === undefined || temperature <= 1) return temperature;
  warn({
    code: 'parameter-changed',
    message: `The temperature ${temperature} was sent as 1, the highest that this provider accepts.`,
  });
  return 1;
}

function stops({ stop }: ChatRequest, { warn }: WireContext): readonly string[] | undefined {
  const visible = stop?.filter((text) => text.trim() !== '');
  if (visible?.length !== stop?.length) {
    const message = 'Stop sequences that contain only white space were dropped, because this provider rejects them.';
    warn({ code: 'parameter-dropped', message });
  }
  return visible?.length === 0 ? undefined : visible;
}

function serviceTier(tier: string | undefined): string | undefined {
  if (tier === 'standard' || tier === 'default') return 'standard_only';
  return tier === 'priority' ? 'auto' : tier;
}
