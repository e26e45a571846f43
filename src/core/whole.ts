/**
 * Streams read at once. An answer that nobody reads along has a handful of events, and handing them on one promise at a
 * time costs more than everything else that is done for it. A stream that can give all it will ever say in one piece
 * offers `[WHOLE]`; whoever knows nothing of it iterates as ever.
 */
import type { ModelEvent } from './event.ts';

/** What a stream said from its beginning to its end, and what it failed with after that. */
export interface Whole {
  readonly events: readonly ModelEvent[];
  readonly failure?: { readonly error: unknown } | undefined;
}

export const WHOLE: unique symbol = Symbol('polyphony.whole');

/** Either iterate it or read it whole, once. */
export interface WholeStream extends AsyncIterable<ModelEvent> {
  /** Never rejects. */
  readonly [WHOLE]?: (() => Promise<Whole>) | undefined;
}

export function readWhole(stream: WholeStream): Promise<Whole> {
  const read = stream[WHOLE];
  return read === undefined ? drain(stream) : read.call(stream);
}

async function drain(stream: AsyncIterable<ModelEvent>): Promise<Whole> {
  const events: ModelEvent[] = [];
  try {
    for await (const event of stream) events.push(event);
    return { events };
  } catch (error) {
    return { events, failure: { error } };
  }
}
