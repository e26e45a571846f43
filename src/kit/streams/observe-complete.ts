/**
 * Runs the observers of a stream that is read in one step: the same calls in the same order as observe-events.ts makes when
 * it is read event by event (W1 to W4 in observe.ts), with one wait for the source instead of one per event and layer.
 */

import { newList } from '../../core/lists.ts';
import { COMPLETE, type CompletableStream, type CompleteStream } from '../../core/model/complete.ts';
import type { ModelEvent } from '../../core/model/model.ts';
import { nextMacrotask } from '../../system/clock.ts';
import {
  abandonSource,
  EVENTS_PER_TURN,
  endAll,
  headOf,
  OBSERVED,
  type Observed,
  type ObservedStream,
  passThrough,
  type StreamControl,
  type StreamEnding,
} from './stream-observer.ts';

const DONE: StreamEnding = { kind: 'done' };

export async function observeComplete(outermost: Observed): Promise<CompleteStream> {
  const reading = new Reading();
  let ending: StreamEnding;
  try {
    let source = reading.descend(outermost);
    if (source instanceof Promise) source = await source;
    ending =
      source[COMPLETE] === undefined ? await reading.eventsOf(source) : reading.takeAll(await reading.whole(source));
  } catch (error) {
    ending = { kind: 'error', error };
  }
  const ended = endAll(reading.observers, ending);
  return reading.result(ended instanceof Promise ? await ended : ended);
}

/** The state of one reading. A class because there are two per call, and closures would cost more than their work. */
class Reading implements StreamControl {
  /** The observers that started, outermost first. */
  observers = newList<Observed>();
  readonly #events = newList<ModelEvent>();
  #heads: ModelEvent[] | undefined;
  #held: ModelEvent | undefined;
  #inserted: ModelEvent[] | undefined;
  /** Settles the wait for the source. */
  #fail: ((error: unknown) => void) | undefined;

  interrupt(error: unknown): void {
    this.#fail?.(error);
  }

  waiting(): boolean {
    return this.#fail !== undefined;
  }

  insert(event: ModelEvent): void {
    this.#inserted ??= [];
    this.#inserted.push(event);
  }

  /** Starts and opens every observer down to the source; waits only if an observer's start does. */
  descend(outermost: Observed): CompletableStream | Promise<CompletableStream> {
    let observed = outermost;
    for (;;) {
      const waiting = observed.hooks.start?.call(observed.observer, this);
      if (waiting !== undefined) return this.#descendLater(observed, waiting);
      const inner = this.#enter(observed);
      const fused = inner[OBSERVED];
      if (fused === undefined) return this.#arrive(inner);
      observed = fused;
    }
  }

  async #descendLater(observed: Observed, waiting: Promise<void>): Promise<CompletableStream> {
    await waiting;
    const inner = this.#enter(observed);
    const fused = inner[OBSERVED];
    return fused === undefined ? this.#arrive(inner) : this.descend(fused);
  }

  #enter(observed: Observed): ObservedStream {
    this.observers.push(observed);
    const inner = observed.hooks.open.call(observed.observer);
    const head = headOf(observed);
    if (head !== undefined && head.length > 0) this.#heads = [...head, ...(this.#heads ?? [])];
    return inner;
  }

  #arrive(source: CompletableStream): CompletableStream {
    for (const event of this.#heads ?? []) this.#take(event);
    return source;
  }

  whole(source: CompletableStream): Promise<CompleteStream> {
    return this.#ask(() => source[COMPLETE]?.() ?? Promise.resolve({ events: [] }));
  }

  takeAll({ events, failure }: CompleteStream): StreamEnding {
    for (const event of events) this.#take(event);
    return failure === undefined ? DONE : { kind: 'error', error: failure.error };
  }

  /** For a source that can only be iterated. */
  async eventsOf(stream: CompletableStream): Promise<StreamEnding> {
    const source = stream[Symbol.asyncIterator]();
    const next = (): Promise<IteratorResult<ModelEvent>> => source.next();
    let ended = false;
    try {
      for (let asked = 1; ; asked += 1) {
        // A source that never waits would let no timer fire: neither its own time-out nor anybody else's.
        const { done, value } = await this.#ask(asked % EVENTS_PER_TURN === 0 ? () => nextTurn().then(next) : next);
        if (done) {
          ended = true;
          return DONE;
        }
        this.#take(value);
      }
    } finally {
      if (!ended) abandonSource(source);
    }
  }

  /** The result of the source, or the error with which an observer interrupts the wait. */
  #ask<T>(ask: () => Promise<T>): Promise<T> {
    for (const { hooks, observer } of this.observers) hooks.ask?.call(observer);
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

  /** Events after `finish` are dropped; `finish` is added last. */
  #take(event: ModelEvent): void {
    if (this.#held !== undefined) return;
    const passing = passThrough(this.observers, event);
    if (passing.type !== 'finish') {
      this.#events.push(passing);
      return;
    }
    this.#held = passing;
    if (this.#inserted !== undefined) this.#takeInserted(this.#inserted);
  }

  #takeInserted(inserted: readonly ModelEvent[]): void {
    for (const event of inserted) this.#events.push(passThrough(this.observers, event));
  }

  result(ending: StreamEnding): CompleteStream {
    const events = this.#events;
    // What leads to this reading may outlive the call, for instance in the queues of a client. The observers are all of its state.
    this.observers = newList();
    if (ending.kind === 'error') return { events, failure: ending };
    if (this.#held !== undefined) events.push(this.#held);
    return { events };
  }
}

const nextTurn = (): Promise<void> => new Promise(nextMacrotask);
