/**
 * Reads the body of an answer, streamed or in one step, and yields the events that its decoder makes from it.
 *
 * D1. Everything that a chunk completes is read before the first of its events is yielded.
 * D2. A failure is thrown after the events before it were yielded; nothing after it is read.
 * D3. A failure after the end of an answer does not fail the answer.
 */
import { PolyphonyError } from '../../core/errors.ts';
import {
  BATCHES,
  type Batches,
  COMPLETE,
  type CompletableStream,
  type CompleteStream,
} from '../../core/model/complete.ts';
import type { ModelEvent } from '../../core/model/model.ts';
import type { TransportResponse } from '../../core/model/provider.ts';

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
}

/** Labelled as one JSON document. Bodies with other labels are read in chunks, so that events before a failure are kept. */
const isWhole = ({ headers }: TransportResponse): boolean =>
  headers['content-type']?.startsWith('application/json') === true;

/** The stream of an answer whose body `decoder` reads into the state. */
export function decodeBody(response: TransportResponse, state: BodyState, decoder: BodyDecoder): CompletableStream {
  const batches: Batches = { [Symbol.asyncIterator]: () => batchesOfBody(response, state, decoder) };
  return {
    [Symbol.asyncIterator]: () => eventsOf(batches),
    [BATCHES]: batches,
    [COMPLETE]: () => readBody(response, state, decoder),
  };
}

async function* eventsOf(batches: Batches): AsyncGenerator<ModelEvent> {
  for await (const events of batches) yield* events;
}

/** Written by hand, because a generator would cost one more step per chunk. */
function batchesOfBody(
  response: TransportResponse,
  state: BodyState,
  decoder: BodyDecoder,
): AsyncIterator<readonly ModelEvent[]> {
  const body = response.body[Symbol.asyncIterator]();
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
    push(state, decoder, value);
    return settled() ?? readOn();
  };
  /** A loop, because a chain of promises would grow with every chunk that completes nothing. */
  const readOn = async (): Promise<Batch> => {
    try {
      for (;;) {
        const { done, value } = await body.next();
        if (done === true) break;
        push(state, decoder, value);
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
    if (breaks(state, error)) throw error;
    return ended();
  };
  const next = async (): Promise<Batch> => settled() ?? body.next().then(arrived, broken);
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
async function readBody(response: TransportResponse, state: BodyState, decoder: BodyDecoder): Promise<CompleteStream> {
  try {
    await readChunks(response, state, decoder);
    if (state.failure === undefined) decoder.end();
  } catch (error) {
    state.failure ??= error as Error;
  }
  return { events: state.events, failure: state.failure && { error: state.failure } };
}

async function readChunks(response: TransportResponse, state: BodyState, decoder: BodyDecoder): Promise<void> {
  try {
    if (isWhole(response)) push(state, decoder, await response.bytes());
    else
      for await (const chunk of response.body) {
        push(state, decoder, chunk);
        if (state.failure !== undefined) return;
      }
  } catch (error) {
    if (breaks(state, error)) throw error;
  }
}

function push(state: BodyState, decoder: BodyDecoder, chunk: Uint8Array): void {
  try {
    decoder.push(chunk);
  } catch (error) {
    state.failure ??= error as Error;
  }
}

function breaks({ complete, failure }: BodyState, error: unknown): boolean {
  return !complete || failure !== undefined || (error instanceof PolyphonyError && error.code === 'cancelled');
}
