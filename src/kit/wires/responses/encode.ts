/** A canonical chat request as the body of the Responses wire. */
import type { ChatRequest, JsonSchema, OutputFormat, ToolDefinition } from '../../../core/model/model.ts';
import type { WireContext } from '../../../core/model/provider.ts';
import { isClosable } from '../../json/closable-schema.ts';
import { asRecord, defined } from '../../json/json-shape.ts';
import { toDialect } from '../../json/schema-dialects.ts';
import { withProviderOptions } from '../../requests/provider-options.ts';
import type { Effort, ResponsesFacts } from './facts.ts';
import { encodeInput } from './input.ts';

export type Body = Record<string, unknown>;

/**
 * The provider stores nothing and encrypts reasoning, unless the options say otherwise. Options are merged into the body
 * last.
 *
 * @throws unsupported for parts that the wire does not support
 */
export function encodeChat(request: ChatRequest, facts: ResponsesFacts, context: WireContext): Body {
  const { card, target } = context;
  const stored = asRecord(request.providerOptions?.[target.provider])?.store === true;
  const { instructions, items } = encodeInput(request.messages, facts, stored, context);
  const reasoning = reasoningOf(request, facts, context);
  const body = defined({
    model: card.id,
    instructions,
    input: request.output !== undefined && request.output.schema === undefined ? withJsonWord(items) : items,
    ...tools(request, facts, context),
    text: request.output === undefined ? undefined : { format: formatOf(request.output, facts, context) },
    reasoning,
    max_output_tokens: maxTokens(request, facts, context),
    ...sampling(request),
    service_tier: request.serviceTier,
    user: request.user,
    include: includeOf(request, context),
    store: false,
    stream: context.streaming && card.capabilities.includes('streaming') ? true : undefined,
  });
  warnOfUnknown(request, context);
  return withProviderOptions(withoutRefused(body, facts, reasoning?.effort === 'none', context), request, context);
}

/** The server refuses a request for JSON without a schema unless the input contains the word. */
function withJsonWord(items: readonly Body[]): readonly Body[] {
  return /json/i.test(JSON.stringify(items)) ? items : [{ role: 'developer', content: 'Answer in JSON.' }, ...items];
}

function includeOf({ logprobs }: ChatRequest, { card }: WireContext): readonly string[] | undefined {
  const include = [
    ...(card.capabilities.includes('reasoning') ? ['reasoning.encrypted_content'] : []),
    ...(logprobs === undefined || logprobs === false ? [] : ['message.output_text.logprobs']),
  ];
  return include.length === 0 ? undefined : include;
}

// ---------------------------------------------------------------------------------------------------- tools and schemas

function tools(request: ChatRequest, facts: ResponsesFacts, context: WireContext): Body {
  if (request.tools === undefined || request.tools.length === 0) return {};
  const { toolChoice } = request;
  return defined({
    tools: request.tools.map((tool) => encodeTool(tool, facts, context)),
    tool_choice: typeof toolChoice === 'object' ? { type: 'function', name: toolChoice.name } : toolChoice,
    parallel_tool_calls: request.parallelToolCalls,
  });
}

function encodeTool(tool: ToolDefinition, facts: ResponsesFacts, context: WireContext): Body {
  const strict = tool.strict === true && facts.strictSchemas === true && isClosable(tool.inputSchema);
  const parameters = dialect(tool.inputSchema, strict, `The schema of the tool "${tool.name}"`, context);
  const { name, description } = tool;
  // Without the field, `strict` would be true here.
  return defined({ type: 'function', name, description, parameters, strict });
}

function formatOf(output: OutputFormat, facts: ResponsesFacts, context: WireContext): Body {
  if (output.schema === undefined) return { type: 'json_object' };
  // The strict subset requires an object at the root, and closes every object.
  const canBeStrict = output.schema.type === 'object' && isClosable(output.schema);
  const strict = facts.strictSchemas === true && output.strict !== false && canBeStrict;
  const schema = dialect(output.schema, strict, 'The output schema', context);
  return { type: 'json_schema', name: output.name ?? 'output', schema, strict };
}

function dialect(schema: JsonSchema, strict: boolean, what: string, context: WireContext): JsonSchema {
  const converted = toDialect(schema, strict ? 'strict-subset' : 'plain');
  for (const warning of converted.warnings) context.warn({ code: 'schema-narrowed', message: `${what}: ${warning}` });
  return converted.schema;
}

// ---------------------------------------------------------------------------------------------------- parameters

function sampling({ temperature, topP, logprobs }: ChatRequest): Body {
  return { temperature, top_p: topP, top_logprobs: typeof logprobs === 'number' ? logprobs : undefined };
}

const EFFORTS: readonly Effort[] = ['none', 'minimal', 'low', 'medium', 'high'];

function reasoningOf(
  request: ChatRequest,
  facts: ResponsesFacts,
  context: WireContext,
): { effort: Effort } | undefined {
  const asked = request.reasoning?.effort ?? (request.reasoning?.budgetTokens === 0 ? 'none' : undefined);
  if (asked === undefined || facts.reasoning === 'none') return undefined;
  const known = facts.efforts ?? EFFORTS;
  if (known.includes(asked)) return { effort: asked };
  const distance = (effort: Effort): number => Math.abs(EFFORTS.indexOf(effort) - EFFORTS.indexOf(asked));
  // If two are equally near, the later one is the higher.
  const nearest = known.reduce(
    (best, effort) => (distance(effort) <= distance(best) ? effort : best),
    known[0] ?? asked,
  );
  const message = `${context.card.id} does not support the effort "${asked}", so "${nearest}" was sent.`;
  context.warn({ code: 'effort-changed', message });
  return { effort: nearest };
}

function maxTokens(
  { maxOutputTokens }: ChatRequest,
  facts: ResponsesFacts,
  { warn, card }: WireContext,
): number | undefined {
  const { leastOutputTokens = 1 } = facts;
  if (maxOutputTokens === undefined || maxOutputTokens >= leastOutputTokens) return maxOutputTokens;
  const message = `${card.id} needs a limit of at least ${leastOutputTokens} output tokens, so that was sent instead of ${maxOutputTokens}.`;
  warn({ code: 'parameter-changed', message });
  return leastOutputTokens;
}

/** Warns about fields that the wire does not have. */
function warnOfUnknown(request: ChatRequest, { card, warn }: WireContext): void {
  const { topK, presencePenalty, frequencyPenalty, stop, seed } = request;
  const unknown: Body = { topK, presencePenalty, frequencyPenalty, stop, seed };
  if (request.messages.some(({ name }) => name !== undefined)) unknown.name = true;
  if (request.reasoning?.budgetTokens) unknown.budgetTokens = request.reasoning.budgetTokens;
  for (const [name, value] of Object.entries(unknown)) {
    if (value === undefined) continue;
    warn({
      code: 'parameter-dropped',
      message: `"${name}" was dropped, because ${card.id} does not support it on this wire.`,
    });
  }
}

function withoutRefused(
  body: Body,
  facts: ResponsesFacts,
  withoutReasoning: boolean,
  { card, warn }: WireContext,
): Body {
  const omit = [...(facts.omit ?? []), ...(withoutReasoning ? [] : (facts.omitWhenReasoning ?? []))];
  const kept = { ...body };
  for (const name of omit) {
    if (kept[name] === undefined) continue;
    delete kept[name];
    warn({ code: 'parameter-dropped', message: `"${name}" was dropped, because ${card.id} does not support it.` });
  }
  return kept;
}
