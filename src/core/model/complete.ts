/**
 * Streams that are read in one step. When no reader needs the events as they arrive, passing them on one promise at a time
 * costs more than the rest of the call. A stream that can return all its events together offers `[COMPLETE]`; other readers
 * iterate as usual. docs/decisions/streams-and-complete-answers.md explains which stream offers what.
 */
import type { ModelEvent } from './event.ts';

/** All events of a stream, and the error that ended it, if any. */
export interface CompleteStream {
  readonly events: readonly ModelEvent[];
  readonly failure?: { readonly error: unknown } | undefined;
}

/** The method that reads a stream in one step. */
export const COMPLETE: unique symbol = Symbol('polyphony.complete');

/** The same stream as lists of events. */
export const BATCHES: unique symbol = Symbol('polyphony.batches');

/** The method of an iterator that gives an event without a promise. */
export const ARRIVED: unique symbol = Symbol('polyphony.arrived');

/** The iterator of a stream. One that holds events which arrived together may give them one by one without a wait. */
export interface EventIterator extends AsyncIterator<ModelEvent, unknown> {
  /** The next event, if it is here already and is no `finish`. Undefined: ask with `next`, which also tells of failures and the end. */
  readonly [ARRIVED]?: (() => ModelEvent | undefined) | undefined;
}

/** Lists of the events that arrived together, none of them empty. */
export type Batches = AsyncIterable<readonly ModelEvent[]>;

/** Iterate it by events or by batches, or read it in one step: one of these, and only once. */
export interface CompletableStream extends AsyncIterable<ModelEvent> {
  /** Saves one generator step per event. */
  readonly [BATCHES]?: Batches | undefined;
  /** Never rejects. */
  readonly [COMPLETE]?: (() => Promise<CompleteStream>) | undefined;
}

export function readComplete(stream: CompletableStream): Promise<CompleteStream> {
  const read = stream[COMPLETE];
  return read === undefined ? drain(stream) : read.call(stream);
}

/** The batches of any stream: a stream without batches of its own gives batches of one event. */
export function batchesOf(stream: CompletableStream): Batches {
  const batches = stream[BATCHES];
  if (batches !== undefined) return batches;
  const events = stream[Symbol.asyncIterator]();
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const { done, value } = await events.next();
        return done === true ? { done, value: undefined } : { done: false, value: [value] };
      },
      async return() {
        await events.return?.();
        return { done: true, value: undefined };
      },
    }),
  };
}

async function drain(stream: AsyncIterable<ModelEvent>): Promise<CompleteStream> {
  const events: ModelEvent[] = [];
  try {
    for await (const event of stream) events.push(event);
    return { events };
  } catch (error) {
    return { events, failure: { error } };
  }
}
