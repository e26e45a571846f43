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

/**
 * Every hook except `open` is optional; an error of a hook fails the stream. `this` is the observer. Its functions are read once, when
 * `observe` is called: one that is set or replaced later is not called.
 */
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

/**
 * The hooks of a class of observers. Read once for each class and kept in one form for all: V8 reads a field fast only where it has
 * seen few forms, and here every layer passes.
 */
export interface Hooks {
  readonly start: StreamObserver['start'];
  readonly open: StreamObserver['open'];
  readonly ask: StreamObserver['ask'];
  readonly event: StreamObserver['event'];
  readonly cancel: StreamObserver['cancel'];
  readonly end: StreamObserver['end'];
  /** Its observers may have events to yield first. */
  readonly hasHead: boolean;
}

/** @param observer one of them, or their prototype; `hasHead`: whether any of them ever has a field `head`, which may be set late */
export function hooksOf(observer: StreamObserver, hasHead: boolean): Hooks {
  const { start, open, ask, event, cancel, end } = observer;
  return { start, open, ask, event, cancel, end, hasHead };
}

/** An observer and its hooks, which are called on it. */
export interface Observed {
  readonly observer: StreamObserver;
  readonly hooks: Hooks;
}

export const OBSERVED: unique symbol = Symbol('observed');
export type ObservedStream = CompletableStream & { readonly [OBSERVED]?: Observed };

/** The events that an opened observer yields before the source's first one. */
export const headOf = ({ observer, hooks }: Observed): readonly ModelEvent[] | undefined =>
  hooks.hasHead ? observer.head : undefined;

/** Calls the observers innermost first. */
export function passThrough(observers: readonly Observed[], event: ModelEvent): ModelEvent {
  let passing = event;
  for (let index = observers.length - 1; index >= 0; index -= 1) {
    const observed = observers[index];
    if (observed?.hooks.event !== undefined) passing = observed.hooks.event.call(observed.observer, passing);
  }
  return passing;
}

/** Ends the observers innermost first; each gets the ending that the one before returned. Without a promise if none waits. */
export function endAll(
  observers: readonly Observed[],
  first: StreamEnding,
  from = observers.length - 1,
): StreamEnding | Promise<StreamEnding> {
  let ending = first;
  for (let index = from; index >= 0; index -= 1) {
    try {
      const observed = observers[index];
      const changed = observed?.hooks.end?.call(observed.observer, ending);
      if (changed instanceof Promise) return endRest(observers, changed, index - 1);
      if (changed !== undefined) ending = changed;
    } catch (error) {
      ending = { kind: 'error', error };
    }
  }
  return ending;
}

async function endRest(
  observers: readonly Observed[],
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
