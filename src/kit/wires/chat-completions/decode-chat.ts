/**
 * Chat answers of this wire, streamed or complete.
 *
 * D1. `finish` is sent once: at a `[DONE]` after some output, or at the end of a body that had a finish reason or was one
 *     complete message. Otherwise there is none, and the caller reports a truncation.
 * D2. The last finish reason and the last usage count, as far as it is not 0; some servers send both twice.
 * D3. Only the first choice is read.
 */

import { append } from '../../../core/lists.ts';
import type { CompletableStream } from '../../../core/model/complete.ts';
import type { ChatRequest, ModelEvent } from '../../../core/model/model.ts';
import type { TransportResponse, WireContext } from '../../../core/model/provider.ts';
import { decodeAnswer, textIn } from '../../http/decode-answer.ts';
import { asList, asNumber, asRecord, asText, type JsonRecord } from '../../json/json-shape.ts';
import { laterCounts } from '../counts.ts';
import { finishReason } from '../finish-reason.ts';
import { ChatState, callsOf, finishChat, withUsage } from './chat-state.ts';
import { citationsOf, logprobsOf, toolSources } from './decode-extras.ts';
import { extensionOf, frameError } from './frame-error.ts';
import { imageOf, readAudio } from './media.ts';
import type { ChatCompletionsQuirks } from './quirks.ts';
import { usageOf } from './usage.ts';

export function decodeChat(
  response: TransportResponse,
  request: ChatRequest,
  quirks: ChatCompletionsQuirks,
  context: WireContext,
): CompletableStream {
  const state = new ChatState(request, quirks, context);
  return decodeAnswer(
    response,
    state,
    {
      read: (body, event) => readDocument(state, body, event),
      readOther: (text, event) => readOther(state, text, event),
      // A body with a finish reason is complete, with or without `[DONE]`.
      end() {
        if (state.reason !== undefined || state.whole) finishChat(state);
      },
      reasonTold: () => state.reason !== undefined,
    },
    context,
  );
}

function readOther(state: ChatState, text: string, event: string | undefined): boolean {
  if (state.complete) return true;
  if (text === '[DONE]' && (state.reason !== undefined || state.hasOutput)) finishChat(state);
  if (event === 'error') state.failure = frameError({ error: text });
  return event === 'error';
}

function readDocument(state: ChatState, body: JsonRecord, event: string | undefined): void {
  if (state.complete) return;
  state.model ??= asText(body.model) || undefined;
  state.fingerprint ??= asText(body.system_fingerprint) || undefined;
  state.id ??= asText(body.id) || undefined;
  state.serviceTier = asText(body.service_tier) ?? state.serviceTier;
  const extension = extensionOf(body);
  readUsage(state, body.usage ?? extension?.usage);
  if (Array.isArray(body.choices)) for (const choice of body.choices) readChoice(state, asRecord(choice) ?? {});
  if (body.citations || body.search_results) state.citations = [...citationsOf(body)];
  const failure = frameError(body, event, extension, state.errorNames);
  if (failure !== undefined) state.failure = withUsage(failure, state.usage);
}

function readUsage(state: ChatState, value: unknown): void {
  const told = value ? asRecord(value) : undefined;
  if (told === undefined) return;
  state.rawUsage = laterCounts(state.rawUsage, told);
  state.usage = usageOf(state.rawUsage, state.reasoningBesideOutput) ?? state.usage;
}

function readChoice(state: ChatState, choice: JsonRecord): void {
  if (asNumber(choice.index) !== undefined && choice.index !== 0) return;
  const whole = asRecord(choice.message);
  const piece = asRecord(choice.delta);
  // Some servers send an empty delta with a complete message, and the message so far with each delta of a stream.
  const delta = piece !== undefined && !piece.content && whole?.content && !state.hasOutput ? undefined : piece;
  const message = delta ?? whole;
  if (message !== undefined) readMessage(state, message);
  else emitText(state, textIn(state, choice.text));
  if (message !== undefined && delta === undefined) state.whole = true;
  if (choice.logprobs) append(state.logprobs, logprobsOf(choice.logprobs));
  if (choice.finish_reason) state.reason = finishReason(choice.finish_reason);
  // Only servers of one's own state which one it was, and some use the field for other words.
  const stop = asText(choice.stop_reason) ?? asText(choice.matched_stop);
  if (stop !== undefined && state.stops?.includes(stop)) state.stopSequence = stop;
  readUsage(state, choice.usage);
}

function readMessage(state: ChatState, message: JsonRecord): void {
  emit(state, state.reasoning.readFields(message));
  readContent(state, message.content);
  if (message.refusal) state.refusal += asText(message.refusal) ?? '';
  if (message.tool_calls) readCalls(state, asList(message.tool_calls) ?? []);
  else if (message.function_call) readCalls(state, [{ function: message.function_call }]);
  if (message.annotations) append(state.citations, citationsOf(message));
  if (message.executed_tools) append(state.citations, toolSources(message));
  if (message.images) for (const item of asList(message.images) ?? []) emitImage(state, item);
  if (message.audio) readAudio(state.audio, asRecord(message.audio) ?? {});
  // What is said is text as well, so that it can be read, and sent to any other model.
  if (message.audio) emitText(state, asText(asRecord(message.audio)?.transcript));
}

function readContent(state: ChatState, content: unknown): void {
  if (typeof content === 'string') {
    emitText(state, content);
    return;
  }
  const pieces = asList(content);
  if (pieces === undefined) textIn(state, content);
  for (const item of pieces ?? []) {
    const chunk = asRecord(item);
    if (chunk?.type === 'thinking') emit(state, state.reasoning.readChunk(chunk));
    else if (chunk?.type === 'text' || chunk?.type === 'output_text') emitText(state, textIn(state, chunk.text));
    else if (chunk?.type === 'image_url' || chunk?.type === 'image') emitImage(state, chunk);
  }
}

/** What marks the call of a custom tool, whose input is a text. */
const CUSTOM = { type: 'custom' } as const;

function readCalls(state: ChatState, pieces: readonly unknown[]): void {
  for (const [position, item] of pieces.entries()) {
    const piece = asRecord(item) ?? {};
    const custom = asRecord(piece.custom);
    const named = asRecord(piece.function) ?? custom ?? {};
    const extra = asRecord(piece.extra_content);
    emit(state, state.reasoning.close());
    state.hasOutput = true;
    const event = callsOf(state).push({
      index: asNumber(piece.index) ?? position,
      id: asText(piece.id),
      name: asText(named.name),
      arguments: named.arguments ?? named.input,
      custom: custom === undefined ? undefined : { family: state.family, item: CUSTOM },
      signature: extra === undefined ? undefined : JSON.stringify({ extra_content: extra }),
    });
    emit(state, event);
  }
}

function emit(state: ChatState, event: ModelEvent | undefined): void {
  if (event !== undefined) state.events.push(event);
}

function emitImage(state: ChatState, item: unknown): void {
  const source = imageOf(item);
  if (source === undefined) return;
  emit(state, state.reasoning.close());
  state.hasOutput = true;
  state.events.push({ type: 'media', part: { type: 'image', source, family: state.family } });
}

function emitText(state: ChatState, text: string | undefined): void {
  if (text === undefined || text === '') return;
  emit(state, state.reasoning.close());
  state.hasOutput = true;
  state.events.push({ type: 'text-delta', text });
}
