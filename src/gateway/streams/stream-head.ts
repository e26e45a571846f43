/**
 * The opening of a stream: everything before its commit point, the first token, tool delta or output. Until then
 * nothing was shown to anyone, so a failed stream may be replaced without a trace.
 */

import { readWhole, WHOLE, type Whole, type WholeStream } from '../../core/model/complete.ts';
import type { ModelEvent } from '../../core/model/model.ts';

const MAX_EVENTS = 64;
const MAX_BYTES = 256 * 1024;

/** A stream past its commit point (or ended before it): what it said so far, and the rest. */
export interface Opening {
  readonly head: readonly ModelEvent[];
  readonly rest: AsyncIterator<ModelEvent>;
  /** All of it, where it was read at once. */
  readonly whole?: Whole;
}

/** How the reader of a stream wants it opened: as it comes, or all at once. */
export type Open = (stream: AsyncIterable<ModelEvent>) => Promise<Opening>;

/** True for the first sign of an answer; routes, warnings and empty deltas are none. */
export function commits(event: ModelEvent): boolean {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
      return event.text !== '';
    case 'reasoning':
    case 'tool-call-delta':
    case 'tool-call':
    case 'output':
      return true;
    default:
      return false;
  }
}

/** Reads up to the commit point, at most 64 events or 256 KiB; then the stream counts as committed. Throws what it throws. */
async function openStream(stream: AsyncIterable<ModelEvent>): Promise<Opening> {
  const rest = stream[Symbol.asyncIterator]();
  const head: ModelEvent[] = [];
  let bytes = 0;
  while (head.length < MAX_EVENTS && bytes < MAX_BYTES) {
    const result = await rest.next();
    if (result.done) break;
    head.push(result.value);
    if (commits(result.value)) break;
    if (result.value.type === 'warning') bytes += Buffer.byteLength(result.value.warning.message);
  }
  return { head, rest };
}

/** An opened stream as an iterator: the head, then the rest itself, which costs nothing an event. */
export function resume({ head, rest }: Opening): AsyncIterator<ModelEvent> {
  let index = 0;
  return {
    next() {
      const value = head[index++];
      return value === undefined ? rest.next() : Promise.resolve({ value, done: false });
    },
    return: () => leave(rest),
  };
}

/** Like `openStream`, but reads to the end: throws what the stream failed with before its commit point. */
function openWhole(stream: AsyncIterable<ModelEvent>): Promise<Opening> {
  return readWhole(stream).then(openingOf);
}

function openingOf(whole: Whole): Opening {
  if (whole.failure !== undefined && !isCommitted(whole.events)) throw whole.failure.error;
  return { head: whole.events, rest: endOf(whole), whole };
}

function isCommitted(events: readonly ModelEvent[]): boolean {
  let bytes = 0;
  for (const event of events) {
    if (commits(event)) return true;
    if (event.type === 'warning') bytes += Buffer.byteLength(event.warning.message);
  }
  return events.length >= MAX_EVENTS || bytes >= MAX_BYTES;
}

function endOf({ failure }: Whole): AsyncIterator<ModelEvent> {
  let failed = false;
  return {
    next() {
      if (failure === undefined || failed) return Promise.resolve({ value: undefined, done: true });
      failed = true;
      return Promise.reject(failure.error);
    },
  };
}

/** A stream that is found only by waiting: `find` runs when the first event is asked for. */
export function lazily(find: (open: Open) => Promise<Opening>): AsyncIterable<ModelEvent> {
  return new LazyStream(find);
}

/** A class for the reason that WatchedIterable is one. */
class LazyStream implements WholeStream {
  readonly #find: (open: Open) => Promise<Opening>;

  constructor(find: (open: Open) => Promise<Opening>) {
    this.#find = find;
  }

  [Symbol.asyncIterator](): AsyncIterator<ModelEvent> {
    return lazyIterator(() => this.#find(openStream).then(resume));
  }

  [WHOLE](): Promise<Whole> {
    return this.#find(openWhole).then(wholeOf, failed);
  }
}

const wholeOf = (opening: Opening): Whole | Promise<Whole> =>
  opening.whole ?? readWhole({ [Symbol.asyncIterator]: () => resume(opening) });

const failed = (error: unknown): Whole => ({ events: [], failure: { error } });

function lazyIterator(open: () => Promise<AsyncIterator<ModelEvent>>): AsyncIterator<ModelEvent> {
  let opening: Promise<AsyncIterator<ModelEvent>> | undefined;
  let iterator: AsyncIterator<ModelEvent> | undefined;
  let left = false;
  const first = async (): Promise<IteratorResult<ModelEvent>> => {
    opening ??= open();
    iterator = await opening;
    return iterator.next();
  };
  return {
    next() {
      if (iterator !== undefined) return iterator.next();
      return left ? Promise.resolve({ value: undefined, done: true }) : first();
    },
    async return() {
      left = true;
      const opened = iterator ?? (await opening?.catch(() => undefined));
      return opened === undefined ? { value: undefined, done: true } : leave(opened);
    },
  };
}

async function leave(iterator: AsyncIterator<ModelEvent>): Promise<IteratorResult<ModelEvent>> {
  await iterator.return?.();
  return { value: undefined, done: true };
}

/** A stream that fails at once. */
export function failing(error: unknown): AsyncIterable<ModelEvent> {
  return lazily(() => Promise.reject(error));
}
