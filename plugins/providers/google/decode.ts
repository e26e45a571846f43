/**
 * Answers of this wire, streamed as server-sent events or as one JSON array, or whole.
 *
 * G1. `finish` comes once, at the end of a body that told a finish reason or blocked the prompt: counts may follow the
 *     reason. Without these there is none, and the caller reports a truncation.
 * G2. The last reason wins, and of each count the last number.
 * G3. Only the first candidate is read.
 * G4. An error document is thrown once the events before it have gone out.
 */
import type {
  ChatRequest,
  Citation,
  FinishReason,
  ModelEvent,
  PolyphonyError,
  TokenLogprob,
  TransportResponse,
  WireContext,
} from 'polyphony';
import { answerEvents, asList, asRecord, asText, defined, type JsonRecord, tryParseJson } from 'polyphony/kit';
import { errorInside } from './errors.ts';
import { citationsOf, logprobsOf } from './grounding.ts';
import { endParts, newParts, type Parts, readPart } from './parts.ts';
import { serviceTierOf, usageOf } from './usage.ts';

interface State {
  events: ModelEvent[];
  readonly parts: Parts;
  readonly raw: unknown[] | undefined;
  readonly logprobs: TokenLogprob[];
  citations: readonly Citation[];
  counts: Record<string, unknown> | undefined;
  reason: string | undefined;
  blocked: string | undefined;
  blockMessage: string | undefined;
  model: string | undefined;
  id: string | undefined;
  malformed: number;
  failure: PolyphonyError | undefined;
}

export async function* decodeChat(
  response: TransportResponse,
  request: ChatRequest,
  context: WireContext,
): AsyncGenerator<ModelEvent> {
  const state = stateOf(request, context);
  for await (const batch of answerEvents(response, { json: 'elements' })) {
    for (const { data } of batch) if (state.failure === undefined) readData(state, data);
    const { events } = state;
    state.events = [];
    for (const event of events) yield event;
    if (state.failure !== undefined) throw state.failure;
  }
  if (state.reason !== undefined || state.blocked !== undefined) finish(state);
  yield* state.events;
}

function stateOf(request: ChatRequest, context: WireContext): State {
  const state: State = {
    events: [],
    parts: newParts({ family: context.target.provider, emit: (event) => void state.events.push(event) }),
    raw: request.includeRaw === true ? [] : undefined,
    logprobs: [],
    citations: [],
    counts: undefined,
    reason: undefined,
    blocked: undefined,
    blockMessage: undefined,
    model: undefined,
    id: undefined,
    malformed: 0,
    failure: undefined,
  };
  return state;
}

function readData(state: State, data: string): void {
  const parsed = tryParseJson(data);
  const body = asRecord(parsed) ?? asRecord(asList(parsed)?.[0]);
  if (body === undefined) {
    if (data.trim() !== '' && data.trim() !== '[DONE]') state.malformed += 1;
    return;
  }
  state.raw?.push(body);
  if (state.id === undefined && typeof body.responseId === 'string') {
    state.id = body.responseId;
    state.parts.responseId = state.id;
  }
  state.model = asText(body.modelVersion) ?? state.model;
  const counts = asRecord(body.usageMetadata);
  if (counts !== undefined) state.counts = Object.assign(state.counts ?? {}, counts);
  if (body.promptFeedback !== undefined) readFeedback(state, asRecord(body.promptFeedback) ?? {});
  if (Array.isArray(body.candidates)) readCandidate(state, asRecord(body.candidates[0]) ?? {});
  if (body.error !== undefined && body.error !== null) state.failure = errorInside(body);
}

function readFeedback(state: State, { blockReason, blockReasonMessage }: JsonRecord): void {
  if (blockReason) state.blocked = String(blockReason);
  state.blockMessage = asText(blockReasonMessage) ?? state.blockMessage;
}

function readCandidate(state: State, candidate: JsonRecord): void {
  const content = asRecord(candidate.content);
  if (content !== undefined && Array.isArray(content.parts)) {
    for (const part of content.parts) readPart(state.parts, asRecord(part) ?? {});
  }
  if (candidate.finishReason) {
    // Enums come as numbers where a proxy asked for them so: an ending all the same.
    state.reason = String(candidate.finishReason);
    state.blockMessage = asText(candidate.finishMessage) ?? state.blockMessage;
  }
  if (candidate.logprobsResult !== undefined) state.logprobs.push(...logprobsOf(candidate));
  if (candidate.groundingMetadata === undefined && candidate.citationMetadata === undefined) return;
  const citations = citationsOf(candidate);
  if (citations.length > 0) state.citations = citations;
}

const REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ['STOP', 'stop'],
  ['FUNCTION_CALL', 'tool-calls'],
  ['TOOL_CALLS', 'tool-calls'],
  ['MAX_TOKENS', 'length'],
  ['SAFETY', 'content-filter'],
  ['RECITATION', 'content-filter'],
  ['BLOCKLIST', 'content-filter'],
  ['PROHIBITED_CONTENT', 'content-filter'],
  ['SPII', 'content-filter'],
  ['IMAGE_SAFETY', 'content-filter'],
  ['IMAGE_PROHIBITED_CONTENT', 'content-filter'],
  ['IMAGE_RECITATION', 'content-filter'],
  ['MALFORMED_FUNCTION_CALL', 'error'],
]);

function finish(state: State): void {
  endParts(state.parts);
  const { events, parts, model, id, raw, malformed, logprobs, citations } = state;
  const { images } = parts;
  if (images.length > 0) events.push({ type: 'output', output: { operation: 'image', images } });
  if (malformed > 0) events.push(warning('malformed-chunk', `${malformed} pieces of the stream could not be read.`));
  const usage = usageOf(state.counts);
  if (usage === undefined) events.push(warning('usage-missing', 'The provider told no usage: the counts are zero.'));
  const reason = reasonOf(state);
  const filtered = reason === 'content-filter' ? (state.blockMessage ?? state.blocked ?? state.reason) : undefined;
  events.push({
    type: 'finish',
    reason,
    usage: usage ?? { input: 0, output: 0 },
    ...defined({
      model,
      id,
      serviceTier: serviceTierOf(state.counts),
      refusal: filtered,
      logprobs: logprobs.length === 0 ? undefined : logprobs,
      citations: citations.length === 0 ? undefined : citations,
      raw: raw === undefined || raw.length > 1 ? raw : raw[0],
    }),
  });
}

function reasonOf({ reason, parts }: State): FinishReason {
  if (reason === undefined) return 'content-filter';
  const known = REASONS.get(reason) ?? 'other';
  return known === 'stop' && parts.calls > 0 ? 'tool-calls' : known;
}

const warning = (code: string, message: string): ModelEvent => ({ type: 'warning', warning: { code, message } });
