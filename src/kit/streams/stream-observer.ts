/** What an observer is called with; observe.ts says when, observe-events.ts and observe-complete.ts call it. */
import type { CompletableStream } from '../../core/model/complete.ts';
import type { ModelEvent } from '../../core/model/model.ts';

/** How a stream ended. */
export type StreamEnding =
  /** Its source said all that it had to say. */
  | { readonly kind: 'done' }
  /** The consumer stopped reading. */
  | { readonly kind: 'left' }
  | { readonly kind: 'error'; readonly error: unknown };

/** What an observer may do to the stream. */
export interface StreamControl {
  /** Fails the event that is awaited now, for a source that does not listen to its signal. */
  interrupt(error: unknown): void;
  /** True while an event is awaited. */
  waiting(): boolean;
}

/** Every hook but `open` may be left out; what one throws fails the stream. `this` is the observer. */
export interface StreamObserver {
  /** When the first event is asked for, outer observers first. May throw, or wait: then the stream waits too. */
  start?(control: StreamControl): Promise<void> | undefined;
  /** Once, after `start`: the stream to pass on, mostly `next(call)`. */
  open(): AsyncIterable<ModelEvent>;
  /** Read after `open`; yielded before the source's first event, those of inner observers first. */
  readonly head?: readonly ModelEvent[];
  /** Each time that the next event is asked of the source. */
  ask?(): void;
  /** Each event on its way out; returns what takes its place. */
  event?(event: ModelEvent): ModelEvent;
  /** The consumer leaves while an event is awaited. */
  cancel?(): void;
  /** Once, if `start` succeeded, inner observers first. Returns the ending that the outer observers and the consumer see. */
  end?(ending: StreamEnding): StreamEnding | Promise<StreamEnding>;
}

export const OBSERVER: unique symbol = Symbol('observer');
export type ObservedStream = CompletableStream & { readonly [OBSERVER]?: StreamObserver };

/** Innermost first. */
export function passThrough(observers: readonly StreamObserver[], event: ModelEvent): ModelEvent {
  let passing = event;
  for (let index = observers.length - 1; index >= 0; index -= 1) {
    const observer = observers[index];
    if (observer?.event !== undefined) passing = observer.event(passing);
  }
  return passing;
}

/** Innermost first; each sees what the one before made of it. Answers at once where none of them waits. */
export function endAll(
  observers: readonly StreamObserver[],
  first: StreamEnding,
  from = observers.length - 1,
): StreamEnding | Promise<StreamEnding> {
  let ending = first;
  for (let index = from; index >= 0; index -= 1) {
    try {
      const changed = observers[index]?.end?.(ending);
      if (changed instanceof Promise) return endRest(observers, changed, index - 1);
      if (changed !== undefined) ending = changed;
    } catch (error) {
      ending = { kind: 'error', error };
    }
  }
  return ending;
}

async function endRest(
  observers: readonly StreamObserver[],
  waiting: Promise<StreamEnding>,
  from: number,
): Promise<StreamEnding> {
  const ending = await waiting.catch((error: unknown): StreamEnding => ({ kind: 'error', error }));
  return endAll(observers, ending, from);
}
