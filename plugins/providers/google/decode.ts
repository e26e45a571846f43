/**
 * Answers of this wire format: streamed as server-sent events or as one JSON array, or whole.
 *
 * G1. `finish` is emitted once, at the end of a body with a finish reason or a blocked prompt, because counts may follow
 *     the reason. Without either there is no `finish`, and the caller reports a truncation.
 * G2. The last reason wins, and the last number of each count that is not 0.
 * G3. Only the first candidate is read.
 */
import {
  type AnswerState,
  answerState,
  append,
  asRecord,
  asText,
  type ChatRequest,
  type Citation,
  decodeAnswer,
  type FinishReason,
  finishAnswer,
  finishReason,
  type JsonRecord,
  laterCounts,
  type ModelEvent,
  type SearchReport,
  type TokenLogprob,
  type TransportResponse,
  textIn,
  type WireContext,
} from 'polyphony/kit';
import { errorInside } from './errors.ts';
import { citationsOf, logprobsOf, searchesOf, searchOf } from './grounding.ts';
import { endParts, newParts, type Parts, readPart } from './parts.ts';
import { serviceTierOf, usageOf } from './usage.ts';

interface State extends AnswerState {
  readonly parts: Parts;
  readonly logprobs: TokenLogprob[];
  citations: readonly Citation[];
  readonly card: string;
  searches: number;
  search: SearchReport | undefined;
  counts: JsonRecord | undefined;
  reason: string | undefined;
  blocked: string | undefined;
  blockMessage: string | undefined;
  model: string | undefined;
  id: string | undefined;
}

export function decodeChat(
  response: TransportResponse,
  request: ChatRequest,
  context: WireContext,
): AsyncIterable<ModelEvent> {
  const state = stateOf(request, context);
  return decodeAnswer(
    response,
    state,
    {
      json: 'elements',
      read: (body) => readDocument(state, body),
      end() {
        if (hasEnded(state)) finish(state);
      },
      reasonTold: () => hasEnded(state),
    },
    context,
  );
}

const hasEnded = ({ reason, blocked }: State): boolean => reason !== undefined || blocked !== undefined;

function stateOf(request: ChatRequest, context: WireContext): State {
  const state: State = {
    parts: newParts({
      family: context.target.provider,
      emit: (event) => void state.events.push(event),
      textOf: (value) => textIn(state, value),
    }),
    logprobs: [],
    citations: [],
    card: context.card.id,
    searches: 0,
    search: undefined,
    counts: undefined,
    reason: undefined,
    blocked: undefined,
    blockMessage: undefined,
    model: undefined,
    id: undefined,
    ...answerState(request),
  };
  return state;
}

function readDocument(state: State, body: JsonRecord): void {
  if (state.id === undefined && typeof body.responseId === 'string') {
    state.id = body.responseId;
    state.parts.responseId = state.id;
  }
  state.model = asText(body.modelVersion) ?? state.model;
  const counts = asRecord(body.usageMetadata);
  if (counts !== undefined) state.counts = laterCounts(state.counts, counts);
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
    // A proxy may send enums as numbers, which end the answer as well.
    state.reason = String(candidate.finishReason);
    state.blockMessage = asText(candidate.finishMessage) ?? state.blockMessage;
  }
  if (candidate.logprobsResult !== undefined) append(state.logprobs, logprobsOf(candidate));
  if (candidate.groundingMetadata !== undefined || candidate.urlContextMetadata !== undefined) {
    state.search = { ...state.search, ...searchOf(candidate) };
  }
  if (candidate.groundingMetadata === undefined && candidate.citationMetadata === undefined) return;
  // The metadata of a later piece repeats that of the earlier ones.
  state.searches = Math.max(state.searches, searchesOf(candidate, state.card));
  const citations = citationsOf(candidate);
  if (citations.length > 0) state.citations = citations;
}

function finish(state: State): void {
  endParts(state.parts, finishReason(state.reason) === 'stop');
  const { model, id, logprobs, citations } = state;
  const search = state.search === undefined || Object.keys(state.search).length === 0 ? undefined : state.search;
  const counted = usageOf(state.counts);
  const usage = counted === undefined || state.searches === 0 ? counted : { ...counted, searches: state.searches };
  const reason = reasonOf(state);
  const refusal = reason === 'content-filter' ? (state.blockMessage ?? state.blocked ?? state.reason) : undefined;
  const serviceTier = serviceTierOf(state.counts);
  finishAnswer(state, { reason, usage, model, id, serviceTier, refusal, logprobs, citations, search });
}

function reasonOf({ reason, parts }: State): FinishReason {
  if (reason === undefined) return 'content-filter';
  const known = finishReason(reason);
  return known === 'stop' && parts.calls > 0 ? 'tool-calls' : known;
}
