/**
 * Runs the watchers of a stream that is read at once: the same calls in the same order as watch.ts makes for one that is
 * read event by event (W1 to W4 there), with one wait for the source instead of one an event and a layer.
 */

import { WHOLE, type Whole, type WholeStream } from '../../core/model/complete.ts';
import type { ModelEvent } from '../../core/model/model.ts';
import {
  type Ending,
  endAll,
  passThrough,
  type StreamControl,
  WATCHER,
  type Watched,
  type Watcher,
} from './stream-observer.ts';

const DONE: Ending = { kind: 'done' };

export async function readWatched(outermost: Watcher): Promise<Whole> {
  const reading = new Reading();
  let ending: Ending;
  try {
    let source = reading.descend(outermost);
    if (source instanceof Promise) source = await source;
    ending =
      source[WHOLE] === undefined ? await reading.eventsOf(source) : reading.takeAll(await reading.whole(source));
  } catch (error) {
    ending = { kind: 'error', error };
  }
  const ended = endAll(reading.watchers, ending);
  return reading.result(ended instanceof Promise ? await ended : ended);
}

/** What is known of one reading. A class because there are two a call, and closures would cost more than what they do. */
class Reading implements StreamControl {
  /** Those that started, outermost first. */
  readonly watchers: Watcher[] = [];
  readonly #events: ModelEvent[] = [];
  #heads: ModelEvent[] | undefined;
  #held: ModelEvent | undefined;
  /** Settles the wait for the source. */
  #fail: ((error: unknown) => void) | undefined;

  interrupt(error: unknown): void {
    this.#fail?.(error);
  }

  waiting(): boolean {
    return this.#fail !== undefined;
  }

  /** Down to the source, without a wait where no watcher's start needs one. */
  descend(outermost: Watcher): WholeStream | Promise<WholeStream> {
    let watcher = outermost;
    for (;;) {
      const waiting = watcher.start?.(this);
      if (waiting !== undefined) return this.#descendLater(watcher, waiting);
      const inner = this.#enter(watcher);
      const fused = inner[WATCHER];
      if (fused === undefined) return this.#arrive(inner);
      watcher = fused;
    }
  }

  async #descendLater(watcher: Watcher, waiting: Promise<void>): Promise<WholeStream> {
    await waiting;
    const inner = this.#enter(watcher);
    const fused = inner[WATCHER];
    return fused === undefined ? this.#arrive(inner) : this.descend(fused);
  }

  #enter(watcher: Watcher): Watched {
    this.watchers.push(watcher);
    const inner = watcher.open();
    const { head } = watcher;
    if (head !== undefined && head.length > 0) this.#heads = [...head, ...(this.#heads ?? [])];
    return inner;
  }

  #arrive(source: WholeStream): WholeStream {
    for (const event of this.#heads ?? []) this.#take(event);
    return source;
  }

  whole(source: WholeStream): Promise<Whole> {
    return this.#ask(() => source[WHOLE]?.() ?? Promise.resolve({ events: [] }));
  }

  takeAll({ events, failure }: Whole): Ending {
    for (const event of events) this.#take(event);
    return failure === undefined ? DONE : { kind: 'error', error: failure.error };
  }

  /** A source that knows only events. */
  async eventsOf(stream: WholeStream): Promise<Ending> {
    const source = stream[Symbol.asyncIterator]();
    let ended = false;
    try {
      for (;;) {
        const { done, value } = await this.#ask(() => source.next());
        if (done) {
          ended = true;
          return DONE;
        }
        this.#take(value);
      }
    } finally {
      // Without waiting for it: what was interrupted may never answer.
      if (!ended) source.return?.().then(undefined, () => undefined);
    }
  }

  /** What the source says, or what a watcher interrupts the wait with. */
  #ask<T>(ask: () => Promise<T>): Promise<T> {
    for (const watcher of this.watchers) watcher.ask?.();
    return new Promise<T>((resolve, reject) => {
      this.#fail = (error) => {
        this.#fail = undefined;
        reject(error);
      };
      const answered = (value: T): void => {
        this.#fail = undefined;
        resolve(value);
      };
      ask().then(answered, this.#fail);
    });
  }

  /** Nothing counts after `finish`, which goes out last of all. */
  #take(event: ModelEvent): void {
    if (this.#held !== undefined) return;
    const passing = passThrough(this.watchers, event);
    if (passing.type === 'finish') this.#held = passing;
    else this.#events.push(passing);
  }

  result(ending: Ending): Whole {
    const events = this.#events;
    if (ending.kind === 'error') return { events, failure: ending };
    if (this.#held !== undefined) events.push(this.#held);
    return { events };
  }
}
