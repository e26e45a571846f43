/** Runs the observers of a stream that is read event by event. observe.ts has the rules; observe-complete.ts reads in one step. */
import { ARRIVED, type EventIterator } from '../../core/model/complete.ts';
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

type Result = IteratorResult<ModelEvent, undefined>;

interface Observation {
  /** The observers that started, outermost first. */
  readonly observers: Observed[];
  readonly ready: ModelEvent[];
  readonly control: StreamControl;
  source: EventIterator | undefined;
  /** How often the source was asked since timers and sockets had their turn. */
  asked: number;
  phase: 'new' | 'open' | 'closed';
  held: ModelEvent | undefined;
  busy: Promise<Result> | undefined;
  /** The end after an event that was taken without a wait: the next one who asks gets it. */
  broken: Promise<Result> | undefined;
  /** Settles the event that is awaited. */
  resolve: ((result: Result | Promise<Result>) => void) | undefined;
  readonly onResult: (result: IteratorResult<ModelEvent>) => void;
  readonly onError: (error: unknown) => void;
}

const DONE: Result = { value: undefined, done: true };
const isOpen = (stream: Observation): boolean => stream.phase === 'open';

/** Runs an observer and those directly inside it while the stream is read event by event. */
export function observeEvents(outermost: Observed): EventIterator & AsyncIterator<ModelEvent, undefined> {
  const stream: Observation = {
    observers: [],
    ready: [],
    control: {
      interrupt: (error) => interrupt(stream, error),
      waiting: () => stream.resolve !== undefined,
      insert: (event) => void stream.ready.push(event),
    },
    source: undefined,
    asked: 0,
    phase: 'new',
    held: undefined,
    busy: undefined,
    broken: undefined,
    resolve: undefined,
    onResult: (result) => arrived(stream, result),
    onError: (error) => settle(stream, close(stream, { kind: 'error', error })),
  };
  return {
    next: () => next(stream, outermost),
    [ARRIVED]: () => (stream.busy === undefined && stream.ready.length === 0 ? takeArrived(stream) : undefined),
    return: () => leave(stream),
  };
}

function next(stream: Observation, outermost: Observed): Promise<Result> {
  if (stream.busy !== undefined) return nextInTurn(stream, outermost, stream.busy);
  if (stream.broken !== undefined) return ending(stream, stream.broken);
  if (stream.phase === 'closed') return Promise.resolve(DONE);
  if (stream.phase === 'open') return pull(stream);
  stream.phase = 'open';
  return track(stream, descend(stream, outermost));
}

function nextInTurn(stream: Observation, outermost: Observed, busy: Promise<Result>): Promise<Result> {
  const again = (): Promise<Result> => {
    if (stream.busy === busy) stream.busy = undefined;
    return next(stream, outermost);
  };
  return busy.then(again, again);
}

function track(stream: Observation, result: Promise<Result>): Promise<Result> {
  stream.busy = result;
  const free = (): void => {
    if (stream.busy === result) stream.busy = undefined;
  };
  result.then(free, free);
  return result;
}

/** Starts and opens every observer down to the source, without a promise if none of them waits. */
function descend(stream: Observation, outermost: Observed): Promise<Result> {
  let observed = outermost;
  try {
    for (;;) {
      const waiting = observed.hooks.start?.call(observed.observer, stream.control);
      if (waiting !== undefined) return descendLater(stream, observed, waiting);
      const inner = enter(stream, observed);
      if (inner === undefined) return pull(stream);
      observed = inner;
    }
  } catch (error) {
    return close(stream, { kind: 'error', error });
  }
}

async function descendLater(stream: Observation, observed: Observed, waiting: Promise<void>): Promise<Result> {
  try {
    await waiting;
    const inner = enter(stream, observed);
    return await (inner === undefined ? pull(stream) : descend(stream, inner));
  } catch (error) {
    if (!isOpen(stream)) throw error;
    return close(stream, { kind: 'error', error });
  }
}

function enter(stream: Observation, observed: Observed): Observed | undefined {
  stream.observers.push(observed);
  const inner: ObservedStream = observed.hooks.open.call(observed.observer);
  const head = headOf(observed);
  if (head !== undefined) stream.ready.unshift(...head);
  const fused = inner[OBSERVED];
  if (fused === undefined) stream.source = inner[Symbol.asyncIterator]();
  return fused;
}

function pull(stream: Observation): Promise<Result> {
  const ready = stream.ready.shift();
  if (ready !== undefined) return yieldReady(stream, ready);
  const value = stream.busy === undefined ? takeArrived(stream) : undefined;
  if (value !== undefined) return Promise.resolve({ value, done: false });
  if (stream.broken !== undefined) return ending(stream, stream.broken);
  for (const { hooks, observer } of stream.observers) hooks.ask?.call(observer);
  const result = new Promise<Result>((resolve) => {
    stream.resolve = resolve;
    askSource(stream);
  });
  stream.busy = result;
  return result;
}

/** An event that is here already, without a promise. An error of a hook ends the stream: see `broken`. */
function takeArrived(stream: Observation): ModelEvent | undefined {
  if (stream.phase !== 'open' || stream.held !== undefined || stream.asked >= EVENTS_PER_TURN) return undefined;
  const event = stream.source?.[ARRIVED]?.();
  if (event === undefined) return undefined;
  stream.asked += 1;
  try {
    for (const { hooks, observer } of stream.observers) hooks.ask?.call(observer);
    return passThrough(stream.observers, event);
  } catch (error) {
    abandonSource(stream.source);
    stream.broken = close(stream, { kind: 'error', error });
    stream.broken.catch(() => undefined);
    return undefined;
  }
}

function ending(stream: Observation, broken: Promise<Result>): Promise<Result> {
  stream.broken = undefined;
  return track(stream, broken);
}

function yieldReady(stream: Observation, ready: ModelEvent): Promise<Result> {
  try {
    return Promise.resolve({ value: passThrough(stream.observers, ready), done: false });
  } catch (error) {
    return close(stream, { kind: 'error', error });
  }
}

/** A source that never waits would let no timer fire: neither its own time-out nor anybody else's. */
function askSource(stream: Observation): void {
  stream.asked += 1;
  if (stream.asked < EVENTS_PER_TURN) {
    askNow(stream);
    return;
  }
  stream.asked = 0;
  nextMacrotask(() => {
    if (stream.resolve !== undefined) askNow(stream);
  });
}

function askNow(stream: Observation): void {
  try {
    stream.source?.next().then(stream.onResult, stream.onError);
  } catch (error) {
    stream.onError(error);
  }
}

function arrived(stream: Observation, result: IteratorResult<ModelEvent>): void {
  if (stream.resolve === undefined) return;
  if (result.done) {
    settle(stream, close(stream, { kind: 'done' }));
    return;
  }
  if (stream.held !== undefined) {
    askSource(stream);
    return;
  }
  try {
    const event = passThrough(stream.observers, result.value);
    if (event.type !== 'finish') {
      settle(stream, { value: event, done: false });
      return;
    }
    stream.held = event;
    const inserted = stream.ready.shift();
    if (inserted === undefined) askSource(stream);
    else settle(stream, { value: passThrough(stream.observers, inserted), done: false });
  } catch (error) {
    abandonSource(stream.source);
    settle(stream, close(stream, { kind: 'error', error }));
  }
}

function settle(stream: Observation, result: Result | Promise<Result>): void {
  const { resolve } = stream;
  stream.resolve = undefined;
  // Cleared before the consumer runs, so that its next call does not wait.
  if (!(result instanceof Promise)) stream.busy = undefined;
  else track(stream, result);
  resolve?.(result);
}

function interrupt(stream: Observation, error: unknown): void {
  if (stream.resolve === undefined) return;
  abandonSource(stream.source);
  settle(stream, close(stream, { kind: 'error', error }));
}

async function leave(stream: Observation): Promise<Result> {
  if (stream.phase === 'new') stream.phase = 'closed';
  if (stream.busy !== undefined) {
    for (const { hooks, observer } of stream.observers) hooks.cancel?.call(observer);
    await stream.busy.then(undefined, () => undefined);
  }
  if (!isOpen(stream)) return DONE;
  try {
    await stream.source?.return?.();
  } finally {
    await close(stream, { kind: 'left' });
  }
  return DONE;
}

async function close(stream: Observation, first: StreamEnding): Promise<Result> {
  if (!isOpen(stream)) return DONE;
  stream.phase = 'closed';
  const ending = await endAll(stream.observers, first);
  if (ending.kind === 'error') throw ending.error;
  return stream.held === undefined ? DONE : { value: stream.held, done: false };
}
