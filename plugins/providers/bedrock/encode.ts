/** Encodes a canonical chat request as the body of this wire format. */
import {
  type ChatRequest,
  closedSchema,
  defined,
  type JsonSchema,
  schemaInstruction,
  sendableJson,
  type ToolDefinition,
  toolSchema,
  type WireContext,
} from 'polyphony/kit';
import { type ConverseFacts, factsOf, type OutputPlan, outputPlan } from './facts.ts';
import { encodeMessages } from './messages.ts';

export type Body = Record<string, unknown>;

const ANY_JSON = 'Answer with one JSON value and nothing else: no prose before or after it, no code fence.';

/** @throws unsupported for parts that the wire format cannot carry */
export function encodeChat(request: ChatRequest, context: WireContext): Body {
  const facts = factsOf(context.card);
  const plan = outputPlan(request, facts);
  const { system, messages, called } = encodeMessages(request, instructionsOf(plan), facts, context);
  const thinking = reasoning(request, facts, context);
  const thinks = thinking.thinking !== undefined;
  const extra = { ...thinking, ...topK(request, thinks ? { topK: 'none' } : facts, context) };
  dropUnknown(request, context);
  return defined({
    system: system.length === 0 ? undefined : system,
    messages,
    inferenceConfig: inferenceConfig(request, thinking, context),
    toolConfig: toolConfig(request, plan, called, facts, context),
    outputConfig: outputConfig(plan),
    additionalModelRequestFields: Object.keys(extra).length === 0 ? undefined : extra,
    serviceTier: request.serviceTier === undefined ? undefined : { type: request.serviceTier },
    requestMetadata: request.user === undefined ? undefined : { user: request.user },
  });
}

function instructionsOf(plan: OutputPlan): readonly string[] {
  if (plan.way !== 'prompt') return [];
  return [plan.schema === undefined ? ANY_JSON : schemaInstruction(plan.schema)];
}

function outputConfig(plan: OutputPlan): Body | undefined {
  if (plan.way !== 'format') return undefined;
  // The schema is sent as text.
  const jsonSchema = { name: plan.name, schema: sendableJson(plan.schema) };
  return { textFormat: { type: 'json_schema', structure: { jsonSchema } } };
}

// ---------------------------------------------------------------------------------------------------- tools

function toolConfig(
  request: ChatRequest,
  plan: OutputPlan,
  called: ReadonlySet<string>,
  facts: ConverseFacts,
  context: WireContext,
): Body | undefined {
  const { tools = [], toolChoice = 'auto' } = request;
  // Calls cannot be forbidden, so the tools are not offered, except those that were called: their definitions are required.
  const forbidden = toolChoice === 'none' && plan.way !== 'tool';
  const offered = forbidden && called.size === 0 ? [] : tools;
  const specs = offered.map((tool) => toolSpec(tool.name, tool.description, tool.inputSchema, strict(tool, facts)));
  for (const name of called) {
    if (!offered.some((tool) => tool.name === name)) specs.push(toolSpec(name, undefined, { type: 'object' }));
  }
  if (forbidden && specs.length > 0) warnChoice('none', context);
  if (plan.way === 'tool') {
    const description = 'Give the answer by calling this tool, once everything that it needs is known.';
    specs.push(toolSpec(plan.name, description, toolSchema(plan.schema).schema));
    return { tools: specs, toolChoice: tools.length === 0 ? { tool: { name: plan.name } } : { any: {} } };
  }
  if (specs.length === 0) return undefined;
  return defined({ tools: specs, toolChoice: choiceOf(toolChoice, facts, context) });
}

/** The schema that is enforced for calls of the tool; undefined where none is. */
const strict = (tool: ToolDefinition, { structured }: ConverseFacts): JsonSchema | undefined =>
  tool.strict === true && structured ? closedSchema(tool.inputSchema) : undefined;

function toolSpec(name: string, description: string | undefined, schema: JsonSchema, closed?: JsonSchema): Body {
  const { $schema: _, ...open }: JsonSchema = { type: 'object', ...schema };
  const inputSchema = { json: closed ?? open };
  const held = closed === undefined ? undefined : true;
  return { toolSpec: defined({ name, description: description || undefined, inputSchema, strict: held }) };
}

function choiceOf(
  choice: NonNullable<ChatRequest['toolChoice']>,
  facts: ConverseFacts,
  context: WireContext,
): Body | undefined {
  if (choice === 'auto' || choice === 'none') return undefined;
  if (facts.forcedTools) return typeof choice === 'object' ? { tool: { name: choice.name } } : { any: {} };
  warnChoice(typeof choice === 'object' ? choice.name : choice, context);
  return undefined;
}

function warnChoice(choice: string, { card, warn }: WireContext): void {
  const message = `The tool choice "${choice}" was dropped, because ${card.id} always chooses for itself.`;
  warn({ code: 'tool-choice-changed', message });
}

// ---------------------------------------------------------------------------------------------------- reasoning

const BUDGETS = { minimal: 1024, low: 2048, medium: 8192, high: 24_576 } as const;

function reasoning(request: ChatRequest, facts: ConverseFacts, context: WireContext): Body {
  const { effort, budgetTokens } = request.reasoning ?? {};
  const off = effort === 'none' || budgetTokens === 0 || (effort === undefined && budgetTokens === undefined);
  if (off) return {};
  const asked = effort ?? (budgetTokens !== undefined && budgetTokens <= BUDGETS.low ? 'low' : 'medium');
  const word = asked === 'minimal' ? 'low' : asked;
  switch (facts.reasoning) {
    case 'budget':
      return budgeted(Math.max(1024, budgetTokens ?? BUDGETS[asked]), request, context);
    case 'adaptive':
      return { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: word } };
    case 'nova':
      return { reasoningConfig: { type: 'enabled', maxReasoningEffort: word } };
    case 'effort':
      return { reasoning_effort: word };
    case 'none':
      dropped('reasoning', context);
      return {};
  }
}

/** The budget counts towards the output limit: at least a quarter of the limit is left for the answer itself. */
function budgeted(wanted: number, { maxOutputTokens }: ChatRequest, context: WireContext): Body {
  const limit = maxOutputTokens ?? context.card.maxOutputTokens;
  const budget = Math.min(wanted, Math.floor(limit * 0.75));
  if (budget >= 1024) return { thinking: { type: 'enabled', budget_tokens: budget } };
  const message = `Reasoning was dropped, because ${limit} output tokens leave no room for the 1024 that it needs at least.`;
  context.warn({ code: 'reasoning-dropped', message });
  return {};
}

// ---------------------------------------------------------------------------------------------------- sampling

function inferenceConfig(request: ChatRequest, thinking: Body, context: WireContext): Body | undefined {
  const thinks = thinking.thinking !== undefined;
  const allowed = <T>(name: string, value: T | undefined): T | undefined => {
    if (value === undefined || !thinks) return value;
    dropped(name, context);
    return undefined;
  };
  // The output limit must exceed the reasoning budget; without a budget the model's default limit is used.
  const needed = thinks ? context.card.maxOutputTokens : undefined;
  const parameters = defined({
    maxTokens: request.maxOutputTokens ?? needed,
    temperature: allowed('temperature', request.temperature),
    topP: allowed('topP', request.topP),
    stopSequences: request.stop?.filter((text) => text.trim() !== ''),
  });
  return Object.keys(parameters).length === 0 ? undefined : parameters;
}

function topK({ topK: value }: ChatRequest, facts: Pick<ConverseFacts, 'topK'>, context: WireContext): Body {
  if (value === undefined) return {};
  if (facts.topK === 'flat') return { top_k: value };
  if (facts.topK === 'nested') return { inferenceConfig: { topK: value } };
  dropped('topK', context);
  return {};
}

const UNKNOWN = ['presencePenalty', 'frequencyPenalty', 'seed', 'logprobs'] as const;

function dropUnknown(request: ChatRequest, context: WireContext): void {
  for (const name of UNKNOWN) if (request[name] !== undefined && request[name] !== false) dropped(name, context);
  if (request.parallelToolCalls === false) dropped('parallelToolCalls', context);
}

function dropped(name: string, { card, warn }: WireContext): void {
  warn({ code: 'parameter-dropped', message: `"${name}" was dropped, because ${card.id} does not support it.` });
}
