/**
 * Streams read at once. An answer that nobody reads along has a handful of events, and handing them on one promise at a
 * time costs more than everything else that is done for it. A stream that can give all it will ever say in one piece
 * offers `[COMPLETE]`; whoever knows nothing of it iterates as ever. docs/decisions/streams-and-complete-answers.md explains
 * who offers what.
 */
import type { ModelEvent } from './event.ts';

/** What a stream said from its beginning to its end, and what it failed with after that. */
export interface CompleteStream {
  readonly events: readonly ModelEvent[];
  readonly failure?: { readonly error: unknown } | undefined;
}

/** The method that reads a stream at once. */
export const COMPLETE: unique symbol = Symbol('polyphony.complete');

/** The same stream as lists of events. */
export const BATCHES: unique symbol = Symbol('polyphony.batches');

/** Lists of all events that arrived at once, none of them empty. */
export type Batches = AsyncIterable<readonly ModelEvent[]>;

/** Iterate it, by events or by batches, or read it at once: one of these, and only one time. */
export interface CompletableStream extends AsyncIterable<ModelEvent> {
  /** Saves a turn of a generator per event. */
  readonly [BATCHES]?: Batches | undefined;
  /** Never rejects. */
  readonly [COMPLETE]?: (() => Promise<CompleteStream>) | undefined;
}

export function readComplete(stream: CompletableStream): Promise<CompleteStream> {
  const read = stream[COMPLETE];
  return read === undefined ? drain(stream) : read.call(stream);
}

/** The batches of any stream: one that has none of its own gives event by event. */
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
