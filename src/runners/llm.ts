/** `llm`: asks a language model, lets it use tools, and checks its answer against the node's `out`. */
import { PolyphonyError } from '../core/errors.ts';
import type { ModelEvent, ModelResponse } from '../core/model/model.ts';
import { collect, textOf } from '../core/model/response.ts';
import { addMoney } from '../core/money/money.ts';
import { addUsage } from '../core/money/usage.ts';
import type { LoopAnswer, LoopRound, NodeCall, NodeOutput, NodeRunner } from '../core/run/engine.ts';
import { dropOptionalNulls, extractJson, type JsonIssue } from '../kit/json/json-schema.ts';
import { chargeOf, withCharge } from '../runs/state/charge.ts';
import { assertAnswered, factsOf, isCutShort, joined, modelName } from './answer-ending.ts';
import {
  type Conversation,
  conversationOf,
  count,
  type LlmOptions,
  recordAnswer,
  say,
  takeUpAnswer,
  usedBy,
  warn,
} from './conversation.ts';
import { callOptions, charged, outputOf, paidUsage, reportEscalation } from './gateway-call.ts';
import { type ChatDraft, chatRequest, toolsOf } from './llm-request.ts';
import { useTools } from './llm-tools.ts';
import { type Cut, cutAt, deniesRoom, isMore, outputCut, type Room, roomOf } from './more-room.ts';
import { type CheckedValue, checkedValue, issueList, type OutputSchema, outputSchema } from './output-check.ts';

import { recall, remember } from './thread.ts';

export type { LlmOptions } from './conversation.ts';

export function llmRunner(options: LlmOptions): NodeRunner {
  return async function askModel(call) {
    const schema = outputSchema(call, options.ownOutputs);
    const tools = toolsOf(call, options.tools);
    const request = chatRequest(call, tools, schema?.json, options.answers?.());
    const conversation = conversationOf(call, options, request, tools);
    try {
      if (call.node.thread !== undefined) await recall(conversation, call.node.thread);
      const output = await answered(conversation, schema);
      if (call.thread !== undefined) await remember(conversation, call.thread, output.value);
      return output;
    } catch (error) {
      const { costNanoUsd, usage } = chargeOf(error);
      const cost = addMoney(conversation.costNanoUsd, costNanoUsd);
      throw withCharge(error, { costNanoUsd: cost, usage: addUsage(conversation.usage, usage) });
    }
  };
}

async function answered(conversation: Conversation, schema: OutputSchema | undefined): Promise<NodeOutput> {
  const response = await converse(conversation);
  if (schema === undefined) return finish(conversation, response, { text: textOf(response) });
  return typedAnswer(conversation, schema, response);
}

function finish(conversation: Conversation, response: ModelResponse, value: unknown): NodeOutput {
  if (response.finishReason === 'length') warn(conversation, 'output-cut', cutWarning(conversation, response));
  const { costNanoUsd, usage, warnings } = conversation;
  return { ...outputOf(value, response), answer: factsOf(response), costNanoUsd, usage, warnings };
}

function cutWarning(conversation: Conversation, response: ModelResponse): string {
  const cut = cutOf(conversation, response);
  return `The answer ${cutAt(cut, roomOf(cut))}. It may lack its end.`;
}

/** Asks until the model answers without calling a tool. What it said before it paused is a part of its answer. */
async function converse(conversation: Conversation): Promise<ModelResponse> {
  const { call, options } = conversation;
  const rounds = options.toolRounds ?? 8;
  const recorded = call.loop?.rounds ?? [];
  let paused: readonly LoopAnswer[] = [];
  for (let round = 0; ; round += 1) {
    const known = recorded[round];
    let answer: LoopAnswer;
    if (known !== undefined) answer = takeUpAnswer(conversation, known);
    else {
      const response = await askRound(conversation, round, rounds);
      if (!goesOn(conversation, response, round >= rounds)) return joined(paused, response);
      answer = await recordAnswer(conversation, response, round);
    }
    paused = answer.finishReason === 'pause' ? [...paused, answer] : [];
    await sayRound(conversation, answer, known?.calls);
    if (paused.length === 0 && round === rounds - 1) warn(conversation, 'tool-rounds', roundsWarning(rounds));
  }
}

/** @throws output-cut when the model pauses in its last round, and what `askWhole` throws */
async function askRound(conversation: Conversation, round: number, rounds: number): Promise<ModelResponse> {
  const last = round >= rounds;
  const response = await askWhole(conversation, conversation.tools.length > 0 && last ? { toolChoice: 'none' } : {});
  if (last && response.finishReason === 'pause') throw pausedTooOften(conversation, response, rounds);
  return response;
}

/** Whether the model has more to say: it paused, or calls tools and may do so. */
function goesOn({ tools }: Conversation, { content, finishReason }: ModelResponse, last: boolean): boolean {
  if (finishReason === 'pause') return true;
  return tools.length > 0 && !last && content.some(({ type }) => type === 'tool-call');
}

/** Adds the answer to the messages, with the results of its calls. */
async function sayRound(
  conversation: Conversation,
  answer: LoopAnswer,
  ended: LoopRound['calls'] | undefined,
): Promise<void> {
  const { call, tools, options } = conversation;
  const { content, finishReason } = answer;
  if (finishReason === 'pause') {
    if (content.length > 0) say(conversation, [{ role: 'assistant', content }]);
    return;
  }
  const results = await useTools({ call, tools, clock: options.clock, logger: options.logger }, answer, ended);
  say(conversation, [
    { role: 'assistant', content },
    { role: 'tool', content: results },
  ]);
}

const roundsWarning = (rounds: number): string =>
  `The model called tools in ${rounds} rounds, which is the limit, so it had to answer without calling more.`;

function pausedTooOften(conversation: Conversation, response: ModelResponse, rounds: number): PolyphonyError {
  const bound = `the ${rounds} rounds in which a model may pause or call tools`;
  return outputCut(cutOf(conversation, response), { tokens: response.usage.output, bound });
}

/**
 * An answer that may be used. One that was cut, and is of no use without its end, is asked for once more with all the room
 * that its bounds leave, which is the one repair of the node.
 *
 * @throws content-policy, output-cut
 */
async function askWhole(conversation: Conversation, more: Partial<ChatDraft>): Promise<ModelResponse> {
  const response = await askAnswered(conversation, more);
  if (!isCutHere(conversation, response)) return response;
  const cut = cutOf(conversation, response);
  const room = roomOf(cut);
  if (conversation.repaired || !isMore(room, cut)) throw outputCut(cut, room);
  conversation.repaired = true;
  conversation.call.emit('', { restart: true });
  const second = await askLonger(conversation, { ...more, maxOutputTokens: room.tokens }, cut, room);
  if (isCutHere(conversation, second)) {
    throw outputCut({ ...cutOf(conversation, second), asked: room.tokens }, room);
  }
  warn(
    conversation,
    'output-repaired',
    `The first answer was cut after ${response.usage.output} tokens, so the model was asked again with room for ${room.tokens}.`,
  );
  return second;
}

async function askLonger(
  conversation: Conversation,
  more: Partial<ChatDraft>,
  cut: Cut,
  room: Room,
): Promise<ModelResponse> {
  try {
    return await askAnswered(conversation, more);
  } catch (error) {
    throw deniesRoom(error) ? withCharge(outputCut(cut, room, error), chargeOf(error)) : error;
  }
}

const isCutHere = ({ request, tools }: Conversation, response: ModelResponse): boolean =>
  isCutShort(response, { typed: request.output !== undefined, tools: tools.length > 0 });

function cutOf(conversation: Conversation, response: ModelResponse): Cut {
  const { call, options, request } = conversation;
  return { call, gateway: options.gateway, response, asked: request.maxOutputTokens, used: usedBy(conversation) };
}

/** @throws content-policy, truncated for an answer that is none */
async function askAnswered(conversation: Conversation, more: Partial<ChatDraft>): Promise<ModelResponse> {
  const response = await ask(conversation, more);
  assertAnswered(conversation.call, response);
  return response;
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
  count(conversation, { costNanoUsd: response.costNanoUsd, usage: paidUsage(response) });
  conversation.warnings = [...conversation.warnings, ...response.warnings];
  reportEscalation(call, response);
  return response;
}

function assertTokens(conversation: Conversation): void {
  const { call } = conversation;
  const tokens = call.node.limits?.tokens;
  const { input, output } = usedBy(conversation);
  const used = input + output;
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

/** The answer in the form of `out`, after at most one repair. */
async function typedAnswer(
  conversation: Conversation,
  schema: OutputSchema,
  first: ModelResponse,
): Promise<NodeOutput> {
  const answer = await read(schema, first);
  if (answer.ok) return accept(conversation, first, answer);
  if (conversation.repaired) throw mismatch(conversation.call, answer.issues, first);
  conversation.repaired = true;
  const correction = `This does not fit the schema: ${issueList(answer.issues)}. Answer again with the corrected JSON and nothing else.`;
  say(conversation, [
    { role: 'assistant', content: textOf(first) || '(no text)' },
    { role: 'user', content: correction },
  ]);
  conversation.call.emit('', { restart: true });
  const second = await askWhole(conversation, conversation.tools.length > 0 ? { toolChoice: 'none' } : {});
  const repaired = await read(schema, second);
  if (!repaired.ok) throw mismatch(conversation.call, repaired.issues, second);
  warn(
    conversation,
    'output-repaired',
    `The first answer did not match "out", so the model corrected it: ${issueList(answer.issues)}`,
  );
  return accept(conversation, second, repaired);
}

function accept(conversation: Conversation, response: ModelResponse, answer: GoodAnswer): NodeOutput {
  if (answer.mended) {
    const message = `The JSON of ${modelName(response)} was not valid and was mended; its value may not be what the model meant.`;
    warn(conversation, 'json-repaired', message);
  }
  if (answer.warning !== undefined) conversation.warnings = [...conversation.warnings, answer.warning];
  return finish(conversation, response, answer.value);
}

type GoodAnswer = Extract<CheckedValue, { readonly ok: true }> & {
  /** The text was no valid JSON, and the value is what it probably means. */
  readonly mended: boolean;
};

type Answer = GoodAnswer | Extract<CheckedValue, { readonly ok: false }>;

async function read(schema: OutputSchema, response: ModelResponse): Promise<Answer> {
  const extracted = extractJson(textOf(response));
  if (extracted === undefined) return { ok: false, issues: [{ path: '', message: 'holds no JSON' }] };
  const { repaired: mended } = extracted;
  // Whether a model that does not say why it stopped has ended is not known, so nothing is added to what it wrote.
  if (mended && response.finishReason === 'other')
    return { ok: false, issues: [{ path: '', message: 'is no whole JSON' }] };
  const checked = await checkedValue(schema, dropOptionalNulls(schema.json, extracted.value));
  return checked.ok ? { ...checked, mended } : checked;
}

function mismatch(call: NodeCall, issues: readonly JsonIssue[], response: ModelResponse): PolyphonyError {
  const message = `The answer of ${modelName(response)} does not match "out" of node ${call.node.id}, even after one repair: ${issueList(issues)}. Simplify "out", or choose a stronger model.`;
  return new PolyphonyError('invalid-output', message, { details: { issues } });
}
