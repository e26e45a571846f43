/** `llm`: asks a language model, lets it use tools, and checks its answer against the node's `out`. */
import type { Clock } from '../core/clock.ts';
import { abortError, errorRecord, PolyphonyError } from '../core/errors.ts';
import type { Gateway } from '../core/gateway.ts';
import type {
  JsonSchema,
  Message,
  ModelEvent,
  ModelResponse,
  ToolCallPart,
  ToolResultPart,
  Usage,
  Warning,
} from '../core/model/model.ts';
import { collect, textOf } from '../core/model/response.ts';
import { addMoney, type NanoUsd } from '../core/money/money.ts';
import { addUsage, NO_USAGE } from '../core/money/usage.ts';
import type { Tool } from '../core/plugin.ts';
import type { NodeCall, NodeOutput, NodeRunner } from '../core/run/engine.ts';
import { dropOptionalNulls, extractJson, type JsonIssue, validateJson } from '../kit/json/json-schema.ts';
import { chargeOf, withCharge } from '../runs/state/charge.ts';
import { callOptions, charged, outputOf, paidUsage, reportEscalation } from './gateway-call.ts';
import { type ChatDraft, chatRequest, toolsOf } from './llm-request.ts';
import { issueList, outputSchema } from './output-check.ts';
import { callTool } from './tool.ts';

export interface LlmOptions {
  readonly gateway: Gateway;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly clock: Clock;
  /** Rounds in which a model may call tools before it has to answer. @default 8 */
  readonly toolRounds?: number;
}

/** The messages of one node, and the totals of its calls. */
interface Conversation {
  readonly call: NodeCall;
  readonly options: LlmOptions;
  readonly request: ChatDraft;
  readonly tools: readonly Tool[];
  messages: readonly Message[];
  asked: number;
  costNanoUsd: NanoUsd | null;
  usage: Usage;
  warnings: readonly Warning[];
}

export function llmRunner(options: LlmOptions): NodeRunner {
  return async function askModel(call) {
    const schema = outputSchema(call.node);
    const tools = toolsOf(call, options.tools);
    const request = chatRequest(call, tools, schema);
    const conversation: Conversation = {
      call,
      options,
      request,
      tools,
      messages: request.messages,
      asked: 0,
      costNanoUsd: 0,
      usage: NO_USAGE,
      warnings: [],
    };
    try {
      const response = await converse(conversation);
      if (schema === undefined) return finish(conversation, response, { text: textOf(response) });
      return await typedAnswer(conversation, schema, response);
    } catch (error) {
      const { costNanoUsd, usage } = chargeOf(error);
      const cost = addMoney(conversation.costNanoUsd, costNanoUsd);
      throw withCharge(error, { costNanoUsd: cost, usage: addUsage(conversation.usage, usage) });
    }
  };
}

function finish(conversation: Conversation, response: ModelResponse, value: unknown): NodeOutput {
  const { costNanoUsd, usage, warnings } = conversation;
  return { ...outputOf(value, response), costNanoUsd, usage, warnings };
}

/** Asks until the model answers without calling a tool. */
async function converse(conversation: Conversation): Promise<ModelResponse> {
  const { options, tools } = conversation;
  const rounds = options.toolRounds ?? 8;
  for (let round = 0; ; round += 1) {
    const last = round >= rounds;
    const response = await ask(conversation, tools.length > 0 && last ? { toolChoice: 'none' } : {});
    const calls = response.content.filter((part) => part.type === 'tool-call');
    if (calls.length === 0 || tools.length === 0 || last) return response;
    const results = await useTools(conversation, calls, round);
    conversation.messages = [
      ...conversation.messages,
      { role: 'assistant', content: response.content },
      { role: 'tool', content: results },
    ];
    if (round === rounds - 1) warnOfRounds(conversation, rounds);
  }
}

function warnOfRounds(conversation: Conversation, rounds: number): void {
  const message = `The model called tools in ${rounds} rounds, which is the limit, so it had to answer without calling more.`;
  conversation.warnings = [...conversation.warnings, { code: 'tool-rounds', message }];
}

async function ask(conversation: Conversation, more: Partial<ChatDraft>): Promise<ModelResponse> {
  const { call, options, request } = conversation;
  assertTokens(conversation);
  conversation.asked += 1;
  const id = `${call.idempotencyKey}/${conversation.asked}`;
  const response = await charged(async (trace) => {
    const stream = options.gateway.stream(
      { ...request, ...more, messages: conversation.messages },
      callOptions(call, id, trace),
    );
    return collect(shown(stream, call), { trace, signal: call.signal });
  });
  conversation.costNanoUsd = addMoney(conversation.costNanoUsd, response.costNanoUsd);
  conversation.usage = addUsage(conversation.usage, paidUsage(response));
  conversation.warnings = [...conversation.warnings, ...response.warnings];
  reportEscalation(call, response);
  return response;
}

function assertTokens({ call, usage }: Conversation): void {
  const tokens = call.node.limits?.tokens;
  const used = usage.input + usage.output;
  if (tokens === undefined || used < tokens) return;
  const message = `Node ${call.node.id} used ${used} tokens before it could answer, and its limit is ${tokens} (limits.tokens): raise the limit.`;
  throw new PolyphonyError('budget-exceeded', message, { details: { scope: 'node' } });
}

async function* shown(stream: AsyncIterable<ModelEvent>, call: NodeCall): AsyncGenerator<ModelEvent> {
  for await (const event of stream) {
    if (event.type === 'text-delta') call.emit(event.text);
    else if (event.type === 'restart') call.emit(event.notice, { restart: true });
    yield event;
  }
}

const DEFAULT_CONCURRENCY = 8;

/** The results in the order of the calls, of which at most as many run at once as the run allows. */
async function useTools(
  conversation: Conversation,
  calls: readonly ToolCallPart[],
  round: number,
): Promise<readonly ToolResultPart[]> {
  const results: ToolResultPart[] = [];
  const remaining = calls.entries();
  const useNext = async (): Promise<void> => {
    for (const [index, part] of remaining) results[index] = await useTool(conversation, part, `${round}.${index}`);
  };
  const { concurrency = DEFAULT_CONCURRENCY } = conversation.call;
  await Promise.all(Array.from({ length: Math.min(concurrency, calls.length) }, useNext));
  return results;
}

/** A tool that fails returns its error to the model, which may try something else. */
async function useTool(conversation: Conversation, part: ToolCallPart, place: string): Promise<ToolResultPart> {
  const { call, tools, options } = conversation;
  const { id, name } = part;
  const tool = tools.find((known) => known.name === name);
  if (tool === undefined) {
    const content = `There is no tool ${name}. Use one of ${tools.map((known) => known.name).join(', ')}.`;
    return { type: 'tool-result', id, name, content, isError: true };
  }
  const { signal } = call;
  const idempotencyKey = `${call.idempotencyKey}/tool/${place}`;
  try {
    const input = part.arguments as Readonly<Record<string, unknown>>;
    const output = await callTool(tool, { input, signal, idempotencyKey, clock: options.clock });
    return {
      type: 'tool-result',
      id,
      name,
      content: JSON.stringify(tool.output === undefined ? resultIn(output) : output),
    };
  } catch (error) {
    if (signal.aborted) throw abortError(signal);
    return { type: 'tool-result', id, name, content: errorRecord(error).message, isError: true };
  }
}

const resultIn = (output: unknown): unknown => (output as { readonly result: unknown }).result;

/** The answer in the form of `out`, after at most one repair. */
async function typedAnswer(conversation: Conversation, schema: JsonSchema, first: ModelResponse): Promise<NodeOutput> {
  const answer = read(schema, first);
  if (answer.ok) return finish(conversation, first, answer.value);
  const correction = `This does not fit the schema: ${issueList(answer.issues)}. Answer again with the corrected JSON and nothing else.`;
  conversation.messages = [
    ...conversation.messages,
    { role: 'assistant', content: textOf(first) || '(no text)' },
    { role: 'user', content: correction },
  ];
  conversation.call.emit('', { restart: true });
  const second = await ask(conversation, conversation.tools.length > 0 ? { toolChoice: 'none' } : {});
  const repaired = read(schema, second);
  if (!repaired.ok) throw mismatch(conversation.call, repaired.issues, second);
  const warning = {
    code: 'output-repaired',
    message: `The first answer did not match "out", so the model corrected it: ${issueList(answer.issues)}`,
  };
  conversation.warnings = [...conversation.warnings, warning];
  return finish(conversation, second, repaired.value);
}

type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly issues: readonly JsonIssue[] };

function read(schema: JsonSchema, response: ModelResponse): Answer {
  const extracted = extractJson(textOf(response));
  if (extracted === undefined) return { ok: false, issues: [{ path: '', message: 'holds no JSON' }] };
  return validateJson(schema, dropOptionalNulls(schema, extracted.value));
}

function mismatch(call: NodeCall, issues: readonly JsonIssue[], response: ModelResponse): PolyphonyError {
  const { provider, model } = response.target;
  const message = `The answer of ${provider}/${model} does not match "out" of node ${call.node.id}, even after one repair: ${issueList(issues)}. Simplify "out", or choose a stronger model.`;
  return new PolyphonyError('invalid-output', message, { details: { issues } });
}
