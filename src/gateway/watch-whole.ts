/**
 * Runs the watchers of a stream that is read at once: the same calls in the same order as watch.ts makes for one that is
 * read event by event (W1 to W4 there), with one wait for the source instead of one an event and a layer.
 */
import type { ModelEvent } from '../core/model.ts';
import { WHOLE, type Whole, type WholeStream } from '../core/whole.ts';
import {
  type Ending,
  endAll,
  passThrough,
  type StreamControl,
  WATCHER,
  type Watched,
  type Watcher,
} from './watcher.ts';

/** The source is asked and has not answered: what settles the wait for it. */
interface Wait {
  fail: ((error: unknown) => void) | undefined;
}

interface Reading {
  readonly watchers: Watcher[];
  readonly events: ModelEvent[];
  readonly wait: Wait;
  held: ModelEvent | undefined;
}

const DONE: Ending = { kind: 'done' };

export async function readWatched(outermost: Watcher): Promise<Whole> {
  const reading: Reading = { watchers: [], events: [], wait: { fail: undefined }, held: undefined };
  let ending: Ending;
  try {
    const entered = enterAll(reading, outermost);
    ending = await readSource(reading, entered instanceof Promise ? await entered : entered);
  } catch (error) {
    ending = { kind: 'error', error };
  }
  const last = await endAll(reading.watchers, ending);
  const { events, held } = reading;
  if (last.kind === 'error') return { events, failure: last };
  if (held !== undefined) events.push(held);
  return { events };
}

/** Down to the source, without a wait where no watcher's start needs one. */
function enterAll(reading: Reading, outermost: Watcher): WholeStream | Promise<WholeStream> {
  const { wait } = reading;
  const control: StreamControl = {
    interrupt: (error) => wait.fail?.(error),
    waiting: () => wait.fail !== undefined,
  };
  const heads: ModelEvent[] = [];
  const descend = (from: Watcher, started: boolean): WholeStream | Promise<WholeStream> => {
    let watcher = from;
    for (let ready = started; ; ready = false) {
      const waiting = ready ? undefined : watcher.start?.(control);
      if (waiting !== undefined) return later(watcher, waiting);
      reading.watchers.push(watcher);
      const inner: Watched = watcher.open();
      if (watcher.head !== undefined) heads.unshift(...watcher.head);
      const fused = inner[WATCHER];
      if (fused === undefined) {
        for (const event of heads) reading.events.push(passThrough(reading.watchers, event));
        return inner;
      }
      watcher = fused;
    }
  };
  const later = async (watcher: Watcher, waiting: Promise<void>): Promise<WholeStream> => {
    await waiting;
    return descend(watcher, true);
  };
  return descend(outermost, false);
}

async function readSource(reading: Reading, source: WholeStream): Promise<Ending> {
  const read = source[WHOLE];
  if (read === undefined) return readEvents(reading, source[Symbol.asyncIterator]());
  const { events, failure } = await asked(reading, () => read.call(source));
  for (const event of events) take(reading, event);
  return failure === undefined ? DONE : { kind: 'error', error: failure.error };
}

/** A source that knows only events. */
async function readEvents(reading: Reading, source: AsyncIterator<ModelEvent>): Promise<Ending> {
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await asked(reading, () => source.next());
      if (done) {
        ended = true;
        return DONE;
      }
      take(reading, value);
    }
  } finally {
    // Without waiting for it: what was interrupted may never answer.
    if (!ended) source.return?.().then(undefined, () => undefined);
  }
}

/** What the source says, or what a watcher interrupts the wait with. */
function asked<T>({ watchers, wait }: Reading, ask: () => Promise<T>): Promise<T> {
  for (const watcher of watchers) watcher.ask?.();
  return new Promise<T>((resolve, reject) => {
    wait.fail = (error) => {
      wait.fail = undefined;
      reject(error);
    };
    const answered = (value: T): void => {
      wait.fail = undefined;
      resolve(value);
    };
    ask().then(answered, wait.fail);
  });
}

/** Nothing counts after `finish`, which goes out last of all. */
function take(reading: Reading, event: ModelEvent): void {
  if (reading.held !== undefined) return;
  const passing = passThrough(reading.watchers, event);
  if (passing.type === 'finish') reading.held = passing;
  else reading.events.push(passing);
}
