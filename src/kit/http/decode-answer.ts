/**
 * The common part of every wire's decoder: it splits a body into documents, and yields the events that the wire's reader
 * makes from them. streams/answer-body.ts says in which order.
 */
import type { Growing } from '../../core/defined.ts';
import { newList } from '../../core/lists.ts';
import type { CompletableStream } from '../../core/model/complete.ts';
import type {
  Citation,
  FinishEvent,
  FinishReason,
  ModelEvent,
  SearchReport,
  TokenLogprob,
  Usage,
} from '../../core/model/model.ts';
import type { TransportResponse } from '../../core/model/provider.ts';
import type { NanoUsd } from '../../core/money/money.ts';
import { asList, asRecord, type JsonRecord, tryParseJson } from '../json/json-shape.ts';
import { type BodyContext, type BodyDecoder, type BodyState, decodeBody } from '../streams/answer-body.ts';
import { type AnswerOptions, bodyDecoder } from './answer.ts';

/** The state of an answer while it is read, on every wire; a wire adds its own fields. */
export interface AnswerState extends BodyState {
  /** The number of documents, and of texts in them, that could not be read. */
  malformed: number;
  /** Every document of the body, if the request asked for them. */
  readonly raw: unknown[] | undefined;
}

export const answerState = ({ includeRaw }: { readonly includeRaw?: boolean | undefined }): AnswerState => ({
  events: newList(),
  failure: undefined,
  complete: false,
  malformed: 0,
  raw: includeRaw === true ? [] : undefined,
});

/**
 * A text of the answer. What stands in its place and is no text cannot be shown and counts as malformed, so that the answer says
 * that it is not whole.
 */
export function textIn(state: Pick<AnswerState, 'malformed'>, value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (value !== undefined && value !== null) state.malformed += 1;
  return undefined;
}

export interface DocumentReader extends AnswerOptions {
  /** Reads a document of the body, with the name of its event if it has one; for a list, its first element. */
  read(body: JsonRecord, event: string | undefined): void;
  /** Reads text that is neither a JSON object nor empty. False: it counts as malformed, except `[DONE]`. */
  readOther?(text: string, event: string | undefined): boolean;
  /** Called at the end of the body. */
  end?(): void;
  /** A finish reason has arrived; then the end of the body is awaited for two seconds. @default never */
  reasonTold?(): boolean;
}

/**
 * An answer of JSON documents: server-sent events, one document, or several. Once `finishAnswer` was called, or the reader has
 * told of a finish reason, a connection that stays open is left after a second or two, by the context's clock.
 */
export function decodeAnswer(
  response: TransportResponse,
  state: AnswerState,
  reader: DocumentReader,
  context?: BodyContext,
): CompletableStream {
  const decoder = bodyDecoder(
    ({ data, event }) => {
      if (state.failure === undefined) readDocument(state, reader, data, event);
    },
    reader,
    context?.wholeBytes,
  );
  const body: Growing<BodyDecoder> = {
    push: decoder.push,
    end() {
      decoder.end();
      if (state.failure === undefined) reader.end?.();
    },
  };
  if (reader.reasonTold !== undefined) body.reasonTold = reader.reasonTold;
  return decodeBody(response, state, body, context);
}

function readDocument(state: AnswerState, reader: DocumentReader, data: string, event: string | undefined): void {
  // Nearly every stream ends with it, and an error of the parser takes longer than all that is parsed of a short answer.
  const parsed = data === '[DONE]' ? undefined : tryParseJson(data);
  const body = asRecord(parsed) ?? asRecord(asList(parsed)?.[0]);
  if (body !== undefined) {
    state.raw?.push(body);
    reader.read(body, event);
    return;
  }
  const text = data.trim();
  if (text === '' || reader.readOther?.(text, event) === true || text === '[DONE]') return;
  state.malformed += 1;
}

export interface AnswerEnding {
  readonly reason: FinishReason;
  /** Undefined if none was reported: the counts are then 0, with a warning. */
  readonly usage: Usage | undefined;
  readonly model?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly id?: string | undefined;
  /** The service tier that the provider says it used. */
  readonly serviceTier?: string | undefined;
  readonly refusal?: string | undefined;
  /** The cost that the provider states and that settles the answer. */
  readonly statedCostNanoUsd?: NanoUsd | undefined;
  readonly logprobs?: readonly TokenLogprob[];
  readonly citations?: readonly Citation[];
  readonly stopSequence?: string | undefined;
  readonly search?: SearchReport | undefined;
  /** Used instead of all documents. */
  readonly raw?: unknown;
}

/** Adds `finish`, after warnings about malformed documents and missing usage. */
export function finishAnswer(state: AnswerState, ending: AnswerEnding): void {
  const { events, malformed } = state;
  const { reason, usage, model, id, serviceTier, refusal, logprobs, citations, raw = rawOf(state) } = ending;
  const { statedCostNanoUsd, stopSequence, search, fingerprint } = ending;
  state.complete = true;
  if (malformed > 0) {
    const pieces = malformed === 1 ? '1 piece of the answer was' : `${malformed} pieces of the answer were`;
    events.push(warning('malformed-chunk', `${pieces} invalid and dropped.`));
  }
  if (usage === undefined) events.push(usageMissing);
  const finish: Growing<FinishEvent> = { type: 'finish', reason, usage: usage ?? { input: 0, output: 0 } };
  if (model !== undefined) finish.model = model;
  if (fingerprint !== undefined) finish.fingerprint = fingerprint;
  if (id !== undefined) finish.id = id;
  if (serviceTier !== undefined) finish.serviceTier = serviceTier;
  if (statedCostNanoUsd !== undefined) finish.statedCostNanoUsd = statedCostNanoUsd;
  if (refusal !== undefined && refusal !== '') finish.refusal = refusal;
  if (logprobs !== undefined && logprobs.length > 0) finish.logprobs = logprobs;
  if (citations !== undefined && citations.length > 0) finish.citations = citations;
  if (stopSequence !== undefined) finish.stopSequence = stopSequence;
  if (search !== undefined) finish.search = search;
  if (raw !== undefined) finish.raw = raw;
  events.push(finish);
}

/** A single document is not put into a list. */
const rawOf = ({ raw }: AnswerState): unknown => (raw === undefined || raw.length > 1 ? raw : raw[0]);

const warning = (code: string, message: string): ModelEvent => ({ type: 'warning', warning: { code, message } });

/** The warning for counts that the provider did not report: the wire leaves them 0, and the budget estimates them. */
export const usageMissing: ModelEvent = warning(
  'usage-missing',
  'The provider reported no usage: the counts of this answer are an estimate of ours, or 0 where nothing can be estimated.',
);
