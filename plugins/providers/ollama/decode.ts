/**
 * Answers of this wire: one JSON document a line, the last of them `done`; or one document for all.
 *
 * O1. `finish` comes once, at `done`. Without it there is none, and the caller reports a truncation.
 * O2. A call comes whole, its arguments an object; `stop` beside calls means that they are to be made.
 * O3. An error may stand in any line; it is thrown once the events before it have gone out.
 */
import {
  type ChatRequest,
  type EmbeddingRequest,
  type FinishReason,
  type ModelEvent,
  PolyphonyError,
  type TransportResponse,
  type WireContext,
} from 'polyphony';
import {
  answerEvents,
  asList,
  asNumber,
  asRecord,
  asText,
  defined,
  httpError,
  impliedStatus,
  type JsonRecord,
  readJson,
  type ToolCallAssembler,
  toolCallAssembler,
  tryParseJson,
} from 'polyphony/kit';

interface State {
  events: ModelEvent[];
  readonly family: string;
  readonly calls: ToolCallAssembler;
  readonly raw: unknown[] | undefined;
  thinking: string;
  finished: boolean;
  malformed: number;
  failure: PolyphonyError | undefined;
}

export async function* decodeChat(
  response: TransportResponse,
  request: ChatRequest,
  context: WireContext,
): AsyncGenerator<ModelEvent> {
  const state: State = {
    events: [],
    family: context.target.provider,
    calls: toolCallAssembler(),
    raw: request.includeRaw === true ? [] : undefined,
    thinking: '',
    finished: false,
    malformed: 0,
    failure: undefined,
  };
  for await (const batch of answerEvents(response, { json: 'elements' })) {
    for (const { data } of batch) if (state.failure === undefined && !state.finished) readLine(state, data);
    const { events } = state;
    state.events = [];
    for (const event of events) yield event;
    if (state.failure !== undefined) throw state.failure;
  }
}

function readLine(state: State, data: string): void {
  const body = asRecord(tryParseJson(data));
  if (body === undefined) {
    if (data.trim() !== '') state.malformed += 1;
    return;
  }
  state.raw?.push(body);
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
  const text = asText(message.content);
  if (text) {
    closeThinking(state);
    state.events.push({ type: 'text-delta', text });
  }
  for (const item of asList(message.tool_calls) ?? []) {
    closeThinking(state);
    const call = asRecord(item) ?? {};
    const named = asRecord(call.function) ?? {};
    // Every call is a new one, whatever index it repeats.
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

const REASONS: Readonly<Record<string, FinishReason>> = { stop: 'stop', length: 'length' };

function finish(state: State, body: JsonRecord): void {
  state.finished = true;
  closeThinking(state);
  const { events, calls, raw, malformed } = state;
  events.push(...calls.finish());
  if (malformed > 0) events.push(warning('malformed-chunk', `${malformed} lines of the stream could not be read.`));
  const input = asNumber(body.prompt_eval_count);
  const output = asNumber(body.eval_count);
  if (input === undefined && output === undefined) events.push(usageMissing);
  const reason = REASONS[asText(body.done_reason) ?? ''] ?? 'other';
  events.push({
    type: 'finish',
    reason: calls.count > 0 && reason === 'stop' ? 'tool-calls' : reason,
    // A prompt that the server still holds is counted as nothing on some versions.
    usage: { input: input ?? 0, output: output ?? 0 },
    ...defined({ model: asText(body.model), raw: raw === undefined || raw.length > 1 ? raw : raw[0] }),
  });
}

export function errorInside(body: JsonRecord): PolyphonyError {
  const error = asRecord(body.error) ?? body;
  const message = asText(body.error) ?? asText(error.message) ?? JSON.stringify(body.error);
  return httpError({ status: impliedStatus(error), message });
}

/** @throws invalid-output when the answer holds no vector */
export async function* decodeEmbedding(
  response: TransportResponse,
  request: EmbeddingRequest,
): AsyncGenerator<ModelEvent> {
  const body = asRecord(await readJson(response)) ?? {};
  if (body.error) throw errorInside(body);
  const listed = asList(body.embeddings) ?? (body.embedding === undefined ? [] : [body.embedding]);
  const vectors = listed.map((vector) => (asList(vector) ?? []).map(Number));
  if (vectors.length === 0) {
    throw new PolyphonyError('invalid-output', 'The answer holds no embedding: the model or the address is another.');
  }
  yield { type: 'output', output: { operation: 'embed', vectors } };
  const input = asNumber(body.prompt_eval_count);
  if (input === undefined) yield usageMissing;
  yield {
    type: 'finish',
    reason: 'stop',
    usage: { input: input ?? 0, output: 0 },
    ...defined({ model: asText(body.model), raw: request.includeRaw === true ? body : undefined }),
  };
}

const warning = (code: string, message: string): ModelEvent => ({ type: 'warning', warning: { code, message } });
const usageMissing = warning(
  'usage-missing',
  'The server told no usage: the counts of this answer are zero, not true.',
);
