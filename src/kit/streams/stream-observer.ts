/** The hooks of an observer; observe.ts says when observe-events.ts and observe-complete.ts call them. */
import type { CompletableStream } from '../../core/model/complete.ts';
import type { ModelEvent } from '../../core/model/model.ts';

/** How a stream ended. */
export type StreamEnding =
  /** Its source ended. */
  | { readonly kind: 'done' }
  /** The consumer stopped reading. */
  | { readonly kind: 'left' }
  | { readonly kind: 'error'; readonly error: unknown };

/** How an observer can act on the stream. */
export interface StreamControl {
  /** Fails the event that is awaited now, for a source that ignores its signal. */
  interrupt(error: unknown): void;
  /** True while an event is awaited. */
  waiting(): boolean;
  /** Adds an event in front of `finish`. Only for `event`, while `finish` passes; it passes every observer. */
  insert(event: ModelEvent): void;
}

/** Every hook except `open` is optional; an error of a hook fails the stream. `this` is the observer. */
export interface StreamObserver {
  /** Called when the first event is requested, outer observers first. The stream waits for its promise. */
  start?(control: StreamControl): Promise<void> | undefined;
  /** Called once, after `start`: returns the inner stream, usually `next(call)`. */
  open(): AsyncIterable<ModelEvent>;
  /** Read after `open`: events that are yielded before the source's first event, those of inner observers first. */
  readonly head?: readonly ModelEvent[];
  /** Called each time the next event is requested from the source. */
  ask?(): void;
  /** Called for each event; returns the event that replaces it. */
  event?(event: ModelEvent): ModelEvent;
  /** Called if the consumer leaves while an event is awaited. */
  cancel?(): void;
  /** Called once, if `start` succeeded, inner observers first. Returns the ending that outer observers and the consumer see. */
  end?(ending: StreamEnding): StreamEnding | Promise<StreamEnding>;
}

export const OBSERVER: unique symbol = Symbol('observer');
export type ObservedStream = CompletableStream & { readonly [OBSERVER]?: StreamObserver };

/** Calls the observers innermost first. */
export function passThrough(observers: readonly StreamObserver[], event: ModelEvent): ModelEvent {
  let passing = event;
  for (let index = observers.length - 1; index >= 0; index -= 1) {
    const observer = observers[index];
    if (observer?.event !== undefined) passing = observer.event(passing);
  }
  return passing;
}

/** Ends the observers innermost first; each gets the ending that the one before returned. Without a promise if none waits. */
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

/** Events that a source may send without a wait before timers and sockets have their turn: some milliseconds of work. */
export const EVENTS_PER_TURN = 1024;

/** Asks the source to clean up, but does not await it, because it may never settle. What it throws has no reader any more. */
export function abandonSource(source: AsyncIterator<ModelEvent> | undefined): void {
  const ignored = (): void => undefined;
  try {
    Promise.resolve(source?.return?.()).then(undefined, ignored);
  } catch {
    // The stream has ended with an error of its own.
  }
}
