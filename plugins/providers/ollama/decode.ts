/**
 * Answers of this wire format: one JSON document per line, the last of them `done`; or a single document.
 *
 * O1. `finish` is emitted once, at `done`. Without `done` there is no `finish`, and the caller reports a truncation.
 * O2. A call arrives complete, its arguments an object; `stop` beside calls means that the caller must make them.
 * O3. Any line may be an error.
 */
import {
  type AnswerState,
  answerState,
  append,
  asCount,
  asList,
  asRecord,
  asText,
  asVector,
  type ChatRequest,
  decodeAnswer,
  defined,
  type EmbeddingRequest,
  finishAnswer,
  finishReason,
  httpError,
  impliedStatus,
  type JsonRecord,
  type ModelEvent,
  PolyphonyError,
  readJson,
  type ToolCallAssembler,
  type TransportResponse,
  textIn,
  toolCallAssembler,
  usageMissing,
  type WireContext,
} from 'polyphony/kit';

interface State extends AnswerState {
  readonly family: string;
  readonly calls: ToolCallAssembler;
  thinking: string;
}

export function decodeChat(
  response: TransportResponse,
  request: ChatRequest,
  context: WireContext,
): AsyncIterable<ModelEvent> {
  const state: State = {
    family: context.target.provider,
    calls: toolCallAssembler(),
    thinking: '',
    ...answerState(request),
  };
  return decodeAnswer(response, state, { json: 'elements', read: (body) => readLine(state, body) }, context);
}

function readLine(state: State, body: JsonRecord): void {
  if (state.complete) return;
  if (body.error) {
    state.failure = errorInside(body);
    return;
  }
  readMessage(state, asRecord(body.message) ?? {});
  if (body.done === true) finish(state, body);
}

function readMessage(state: State, message: JsonRecord): void {
  const thought = asText(message.thinking);
  if (thought) {
    state.thinking += thought;
    state.events.push({ type: 'reasoning-delta', text: thought });
  }
  const text = textIn(state, message.content);
  if (text) {
    closeThinking(state);
    state.events.push({ type: 'text-delta', text });
  }
  for (const item of asList(message.tool_calls) ?? []) {
    closeThinking(state);
    const call = asRecord(item) ?? {};
    const named = asRecord(call.function) ?? {};
    // Every call is a new one, even when its index repeats.
    const event = state.calls.push({
      index: state.calls.count,
      id: asText(call.id),
      name: asText(named.name),
      arguments: named.arguments,
    });
    if (event !== undefined) state.events.push(event);
  }
}

function closeThinking(state: State): void {
  const { thinking, family } = state;
  if (thinking === '') return;
  state.thinking = '';
  state.events.push({ type: 'reasoning', part: { type: 'reasoning', text: thinking, family } });
}

function finish(state: State, body: JsonRecord): void {
  closeThinking(state);
  const { events, calls } = state;
  append(events, calls.finish());
  const input = asCount(body.prompt_eval_count);
  const output = asCount(body.eval_count);
  const reason = finishReason(body.done_reason);
  finishAnswer(state, {
    reason: calls.count > 0 && reason === 'stop' ? 'tool-calls' : reason,
    // Some versions report no count for a prompt that the server still has in memory.
    usage: input === undefined && output === undefined ? undefined : { input: input ?? 0, output: output ?? 0 },
    model: asText(body.model),
  });
}

export function errorInside(body: JsonRecord): PolyphonyError {
  const error = asRecord(body.error) ?? body;
  const message = asText(body.error) ?? asText(error.message) ?? JSON.stringify(body.error);
  return httpError({ status: impliedStatus(error), message });
}

/** @throws invalid-output when the answer contains no vector */
export async function* decodeEmbedding(
  response: TransportResponse,
  request: EmbeddingRequest,
): AsyncGenerator<ModelEvent> {
  const body = asRecord(await readJson(response)) ?? {};
  if (body.error) throw errorInside(body);
  const listed = asList(body.embeddings) ?? (body.embedding === undefined ? [] : [body.embedding]);
  const vectors = listed.map(asVector);
  if (vectors.length === 0) {
    throw new PolyphonyError('invalid-output', 'The answer contains no embedding: check the model and the base URL.');
  }
  yield { type: 'output', output: { operation: 'embed', vectors } };
  const input = asCount(body.prompt_eval_count);
  if (input === undefined) yield usageMissing;
  yield {
    type: 'finish',
    reason: 'stop',
    usage: { input: input ?? 0, output: 0 },
    ...defined({ model: asText(body.model), raw: request.includeRaw === true ? body : undefined }),
  };
}
