/** What a layer that keeps books is told of a stream; watch.ts says when. */

import type { WholeStream } from '../../core/model/complete.ts';
import type { ModelEvent } from '../../core/model/model.ts';

export type Ending =
  | { readonly kind: 'done' }
  /** The consumer stopped reading. */
  | { readonly kind: 'left' }
  | { readonly kind: 'error'; readonly error: unknown };

export interface StreamControl {
  /** Fails the event that is awaited now, for a source that does not listen to its signal. */
  interrupt(error: unknown): void;
  /** True while an event is awaited. */
  waiting(): boolean;
}

export interface Watcher {
  /** May throw, or wait: then the stream waits too. */
  start?(control: StreamControl): Promise<void> | undefined;
  /** Called once, after `start`. */
  open(): AsyncIterable<ModelEvent>;
  /** Read after `open`; yielded before the source's first event, those of inner watchers first. */
  readonly head?: readonly ModelEvent[];
  /** Each time that the next event is asked of the source. */
  ask?(): void;
  /** Each event on its way out; returns what takes its place. */
  event?(event: ModelEvent): ModelEvent;
  /** The consumer leaves while an event is awaited. */
  cancel?(): void;
  /** Returns the ending that the outer watchers and the consumer see. */
  end?(ending: Ending): Ending | Promise<Ending>;
}

export const WATCHER: unique symbol = Symbol('watcher');
export type Watched = WholeStream & { readonly [WATCHER]?: Watcher };

/** Innermost first. */
export function passThrough(watchers: readonly Watcher[], event: ModelEvent): ModelEvent {
  let passing = event;
  for (let index = watchers.length - 1; index >= 0; index -= 1) {
    const watcher = watchers[index];
    if (watcher?.event !== undefined) passing = watcher.event(passing);
  }
  return passing;
}

/** Innermost first; each sees what the one before made of it. Answers at once where none of them waits. */
export function endAll(
  watchers: readonly Watcher[],
  first: Ending,
  from = watchers.length - 1,
): Ending | Promise<Ending> {
  let ending = first;
  for (let index = from; index >= 0; index -= 1) {
    try {
      const changed = watchers[index]?.end?.(ending);
      if (changed instanceof Promise) return endRest(watchers, changed, index - 1);
      if (changed !== undefined) ending = changed;
    } catch (error) {
      ending = { kind: 'error', error };
    }
  }
  return ending;
}

async function endRest(watchers: readonly Watcher[], waiting: Promise<Ending>, from: number): Promise<Ending> {
  const ending = await waiting.catch((error: unknown): Ending => ({ kind: 'error', error }));
  return endAll(watchers, ending, from);
}
