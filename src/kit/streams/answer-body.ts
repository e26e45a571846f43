/**
 * Reads the body of an answer, streamed or in one step, and yields the events that its decoder makes from it.
 *
 * D1. Everything that a chunk completes is read before the first of its events is yielded.
 * D2. A failure is thrown after the events before it were yielded; nothing after it is read.
 * D3. A failure after the end of an answer, which is its last event or its finish reason, does not fail the answer.
 * D4. A connection that stays open after the end of an answer is left: see answer-end.ts.
 */
import type { Clock } from '../../core/clock.ts';
import { PolyphonyError } from '../../core/errors.ts';
import {
  BATCHES,
  type Batches,
  COMPLETE,
  type CompletableStream,
  type CompleteStream,
} from '../../core/model/complete.ts';
import type { ModelEvent, ModelRequest } from '../../core/model/model.ts';
import type { ModelCard, TransportResponse } from '../../core/model/provider.ts';
import { systemClock } from '../../system/clock.ts';
import { type AnswerEnd, answerEnd } from './answer-end.ts';

/** The state that a decoder fills. */
export interface BodyState {
  /** Events that were read and not yet yielded. */
  events: ModelEvent[];
  /** Why the body cannot be read further. */
  failure: Error | undefined;
  /** The answer is complete. */
  complete: boolean;
}

/** Takes a body in pieces; emits everything that a piece completes before `push` returns. */
export interface BodyDecoder {
  push(chunk: Uint8Array): void;
  end(): void;
  /** A finish reason has arrived: what may still come is the usage, and the last event. @default never */
  reasonTold?(): boolean;
}

export interface BodyContext {
  readonly clock: Clock;
  /** The most bytes of an answer that comes as one document. @default the transport's limit, 64 MiB */
  readonly wholeBytes?: number | undefined;
}

/** An answer that was asked for as a whole and came in pieces may have so many times as many bytes: pieces repeat names. */
const FRAMING = 4;

/** Labelled as one JSON document. Bodies with other labels are read in chunks, so that events before a failure are kept. */
const isWhole = ({ headers }: TransportResponse): boolean =>
  headers['content-type']?.startsWith('application/json') === true;

/** The stream of an answer whose body `decoder` reads into the state. */
export function decodeBody(
  response: TransportResponse,
  state: BodyState,
  decoder: BodyDecoder,
  context: BodyContext = { clock: systemClock },
): CompletableStream {
  return new AnswerBody(response, state, decoder, context);
}

/** A class because there is one per call, and it is read in one of three ways. */
class AnswerBody implements CompletableStream {
  readonly #response: TransportResponse;
  readonly #state: BodyState;
  readonly #decoder: BodyDecoder;
  readonly #context: BodyContext;

  constructor(response: TransportResponse, state: BodyState, decoder: BodyDecoder, context: BodyContext) {
    this.#response = response;
    this.#state = state;
    this.#decoder = decoder;
    this.#context = context;
  }

  get [BATCHES](): Batches {
    return {
      [Symbol.asyncIterator]: () => batchesOfBody(this.#response, this.#state, this.#decoder, this.#context.clock),
    };
  }

  [Symbol.asyncIterator](): AsyncIterator<ModelEvent> {
    return eventsOf(this[BATCHES]);
  }

  [COMPLETE](): Promise<CompleteStream> {
    return readBody(this.#response, this.#state, this.#decoder, this.#context);
  }
}

async function* eventsOf(batches: Batches): AsyncGenerator<ModelEvent> {
  for await (const events of batches) yield* events;
}

/** Written by hand, because a generator would cost one more step per chunk. */
function batchesOfBody(
  response: TransportResponse,
  state: BodyState,
  decoder: BodyDecoder,
  clock: Clock,
): AsyncIterator<readonly ModelEvent[]> {
  const body = response.body[Symbol.asyncIterator]();
  const pieces = answerEnd(body, clock);
  let over = false;
  const failed = async (failure: Error): Promise<never> => {
    await body.return?.();
    throw failure;
  };
  const settled = (): Batch | Promise<Batch> | undefined => {
    if (state.events.length > 0) return { done: false, value: taken(state) };
    if (state.failure !== undefined) return failed(state.failure);
    return over ? { done: true, value: undefined } : undefined;
  };
  const arrived = ({ done, value }: IteratorResult<Uint8Array>): Batch | Promise<Batch> => {
    if (done === true) return ended();
    push(state, decoder, value, pieces);
    return settled() ?? readOn();
  };
  /** A loop, because a chain of promises would grow with every chunk that completes nothing. */
  const readOn = async (): Promise<Batch> => {
    try {
      for (;;) {
        const { done, value } = await pieces.next();
        if (done === true) break;
        push(state, decoder, value, pieces);
        const batch = settled();
        if (batch !== undefined) return await batch;
      }
    } catch (error) {
      return broken(error);
    }
    return ended();
  };
  const ended = (): Batch | Promise<Batch> => {
    over = true;
    decoder.end();
    return settled() ?? next();
  };
  const broken = (error: unknown): Batch | Promise<Batch> => {
    if (breaks(state, decoder, error)) throw error;
    return ended();
  };
  /** Not an async function, because there is one more wait in each of these. */
  const next = (): Promise<Batch> => {
    const batch = settled();
    if (batch !== undefined) return Promise.resolve(batch);
    try {
      return pieces.next().then(arrived, broken);
    } catch (error) {
      return Promise.reject(error);
    }
  };
  return {
    next,
    async return() {
      await body.return?.();
      return { done: true, value: undefined };
    },
  };
}

type Batch = IteratorResult<readonly ModelEvent[], undefined>;

function taken(state: BodyState): readonly ModelEvent[] {
  const { events } = state;
  state.events = [];
  return events;
}

/** The same for an answer that is read in one step. */
async function readBody(
  response: TransportResponse,
  state: BodyState,
  decoder: BodyDecoder,
  context: BodyContext,
): Promise<CompleteStream> {
  try {
    await readChunks(response, state, decoder, context);
    if (state.failure === undefined) decoder.end();
  } catch (error) {
    state.failure ??= error as Error;
  }
  return { events: state.events, failure: state.failure && { error: state.failure } };
}

async function readChunks(
  response: TransportResponse,
  state: BodyState,
  decoder: BodyDecoder,
  context: BodyContext,
): Promise<void> {
  try {
    if (isWhole(response)) decoder.push(await response.bytes(context.wholeBytes));
    else await readPieces(response, state, decoder, context);
  } catch (error) {
    if (breaks(state, decoder, error)) throw error;
  }
}

async function readPieces(
  { body: given }: TransportResponse,
  state: BodyState,
  decoder: BodyDecoder,
  { clock, wholeBytes = Number.POSITIVE_INFINITY }: BodyContext,
): Promise<void> {
  const body = given[Symbol.asyncIterator]();
  const pieces = answerEnd(body, clock);
  let length = 0;
  for (;;) {
    const { done, value } = await pieces.next();
    if (done === true) return;
    push(state, decoder, value, pieces);
    length += value.length;
    if (length > FRAMING * wholeBytes) state.failure ??= tooLongAnswer(FRAMING * wholeBytes, length);
    if (state.failure === undefined) continue;
    await body.return?.();
    return;
  }
}

function push(state: BodyState, decoder: BodyDecoder, chunk: Uint8Array, end: AnswerEnd): void {
  const before = state.events.length;
  try {
    decoder.push(chunk);
  } catch (error) {
    state.failure ??= error as Error;
  }
  end.read(state.complete, decoder.reasonTold?.() === true, state.events.length > before);
}

function breaks({ complete, failure }: BodyState, decoder: BodyDecoder, error: unknown): boolean {
  const over = complete || decoder.reasonTold?.() === true;
  return !over || failure !== undefined || (error instanceof PolyphonyError && error.code === 'cancelled');
}

/** What an answer of any length may take up: below it, nothing is computed. */
export const ANY_ANSWER_BYTES = 8_388_608;
/** What a token may take up: its text, and the event or the escapes that it arrives in. */
const BYTES_PER_TOKEN = 256;

/** The most bytes of an answer of at most so many tokens of text. */
export const answerBytes = (tokens: number): number => ANY_ANSWER_BYTES + BYTES_PER_TOKEN * tokens;

/**
 * The most bytes of an answer that comes as one document, in which its text cannot be told from the rest before it is read. Undefined
 * where something may be in it that is no text: media, the probabilities of tokens, results of the provider's tools, whatever a field of
 * the provider's own asks for. Then only the limit of every answer holds.
 */
export function wholeAnswerBytes(request: ModelRequest, card: ModelCard): number | undefined {
  if (request.operation !== 'chat' || request.providerOptions !== undefined || card.capabilities.includes('image-out'))
    return undefined;
  const { logprobs = false, providerTools, maxOutputTokens: asked = Number.POSITIVE_INFINITY } = request;
  if (logprobs !== false || (providerTools?.length ?? 0) > 0) return undefined;
  return answerBytes(Math.min(asked, card.maxOutputTokens));
}

/** `receivedBytes`: what arrived of it, which was generated and is billed. */
export function tooLongAnswer(mostBytes: number, receivedBytes: number): PolyphonyError {
  const message = `The answer has more than ${mostBytes} bytes, which is its limit, so it was cut off. Ask for a shorter answer, or raise its limit: maxOutputTokens, limits.answers.bytes.`;
  return new PolyphonyError('truncated', message, { retryable: false, details: { receivedBytes } });
}
