/**
 * One pass over a stream for every layer that only observes it.
 *
 * A pass-through generator costs 0.35 µs per event. Layers that hold a slot, a reservation, a timer or a verdict need only
 * know when a stream starts, which events pass and how it ends. So each returns an observed stream, and one iterator runs
 * all observers that are directly inside one another. A plugin's generator between two of them only makes it two iterators.
 *
 * W1. Nothing happens before the first event is requested.
 * W2. Starts run from the outermost inwards; while one waits, or if one throws, the inner ones have not started.
 * W3. Every observer whose start succeeded ends exactly once, innermost first: at the end, at an error, or when the
 *     consumer leaves.
 * W4. `finish` is passed on only after the source and every observer have ended, so a reader that stops at `finish` leaves
 *     nothing open.
 * W5. Leaving while an event is awaited cancels the wait.
 * W6. A source that never waits is asked in turns of 1024 events, between which timers and sockets have theirs.
 *
 * A stream that is read in one step (see core/model/complete.ts) keeps W1 to W4 and does not need W5.
 */

import { COMPLETE, type CompleteStream } from '../../core/model/complete.ts';
import type { ModelEvent } from '../../core/model/model.ts';
import { observeComplete } from './observe-complete.ts';
import { observeEvents } from './observe-events.ts';
import {
  type Hooks,
  hooksOf,
  OBSERVED,
  type Observed,
  type ObservedStream,
  type StreamObserver,
} from './stream-observer.ts';

export { hooksOf, type StreamControl, type StreamEnding, type StreamObserver } from './stream-observer.ts';

/**
 * A stream that calls the hooks of the observer while it is read. This form of a layer costs much less than a generator, and
 * still allows an answer to be read in one step. One observer object serves one stream.
 * An error of a hook fails the stream; in a plugin's layer it becomes `plugin-failed` with the plugin's name.
 */
export function observe(observer: StreamObserver): AsyncIterable<ModelEvent> {
  return new ObservedIterable(observer, hooksOf(observer, true));
}

/** The same for an observer of a class whose hooks were read before, which saves reading them for each call. */
export const observeBy = (hooks: Hooks, observer: StreamObserver): AsyncIterable<ModelEvent> =>
  new ObservedIterable(observer, hooks);

export const isObserved = (stream: AsyncIterable<ModelEvent>): boolean => OBSERVED in stream;

/** A class because there is one per layer and call: closures would cost time, methods do not. */
class ObservedIterable implements ObservedStream, Observed {
  readonly observer: StreamObserver;
  readonly hooks: Hooks;

  constructor(observer: StreamObserver, hooks: Hooks) {
    this.observer = observer;
    this.hooks = hooks;
  }

  get [OBSERVED](): Observed {
    return this;
  }

  [Symbol.asyncIterator](): AsyncIterator<ModelEvent, undefined> {
    return observeEvents(this);
  }

  [COMPLETE](): Promise<CompleteStream> {
    return observeComplete(this);
  }
}
