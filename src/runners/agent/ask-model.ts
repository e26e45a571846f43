/** One question to the model of a conversation: an answer that may be used, or the error that it is. */
import { PolyphonyError } from '../../core/errors.ts';
import type { Message, ModelEvent, ModelResponse } from '../../core/model/model.ts';
import { collect } from '../../core/model/response.ts';
import type { NodeCall } from '../../core/run/engine.ts';
import { chargeOf, withCharge } from '../../runs/state/charge.ts';
import { assertAnswered, isCutShort } from '../answer-ending.ts';
import { callOptions, charged, paidUsage, reportEscalation, unhurried } from '../gateway-call.ts';
import { type Cut, deniesRoom, isMore, outputCut, type Room, roomOf } from '../more-room.ts';
import { type Conversation, count, usedBy, warn } from './conversation.ts';
import type { ChatDraft } from './llm-request.ts';

/**
 * An answer that may be used. One that was cut, and is of no use without its end, is asked for once more with all the room
 * that its bounds leave, which is the one repair of the node.
 *
 * @throws content-policy, output-cut
 */
export async function askWhole(conversation: Conversation, more: Partial<ChatDraft>): Promise<ModelResponse> {
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

const isCutHere = ({ request, agent }: Conversation, response: ModelResponse): boolean =>
  isCutShort(response, { typed: request.output !== undefined, tools: agent.tools.length > 0 });

export function cutOf(conversation: Conversation, response: ModelResponse): Cut {
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
  const { call, options, request, agent } = conversation;
  assertTokens(conversation);
  conversation.asked += 1;
  const id = `${call.idempotencyKey}/${conversation.asked}`;
  const asked = Object.assign({}, request, agent.request, more, { messages: messagesTo(conversation) });
  const { gateway } = options;
  const response = await charged((trace) =>
    unhurried({ call, gateway, request: asked, options: callOptions(call, id, trace) }, (given, callGiven) =>
      collect(shown(gateway.stream(given, callGiven), call), { trace, signal: call.signal }),
    ),
  );
  count(conversation, { costNanoUsd: response.costNanoUsd, usage: paidUsage(response) });
  conversation.warnings = [...conversation.warnings, ...response.warnings];
  reportEscalation(call, response);
  return response;
}

/** What was said, behind the system prompt of the agent that is asked. */
function messagesTo({ agent, messages }: Conversation): readonly Message[] {
  return agent.system === undefined ? messages : [{ role: 'system', content: agent.system }, ...messages];
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
