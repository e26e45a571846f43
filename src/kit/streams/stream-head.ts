/**
 * The head of a stream, read as it comes or with all the rest: everything before its commit point, the first token, tool delta or output. Until then
 * nothing was shown to anyone, so a failed stream may be replaced without a trace.
 */

import { COMPLETE, type CompletableStream, type CompleteStream, readComplete } from '../../core/model/complete.ts';
import type { ModelEvent } from '../../core/model/model.ts';

const MAX_EVENTS = 64;
const MAX_BYTES = 256 * 1024;

/** A stream past its commit point (or ended before it): what it said so far, and the rest. */
export interface StreamHead {
  readonly head: readonly ModelEvent[];
  readonly rest: AsyncIterator<ModelEvent>;
  /** All of it, where it was read at once. */
  readonly whole?: CompleteStream;
}

/** How the reader of a stream wants it opened: as it comes, or all at once. */
export type ReadHead = (stream: AsyncIterable<ModelEvent>) => Promise<StreamHead>;

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
async function readHead(stream: AsyncIterable<ModelEvent>): Promise<StreamHead> {
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
export function resume({ head, rest }: StreamHead): AsyncIterator<ModelEvent> {
  let index = 0;
  return {
    next() {
      const value = head[index++];
      return value === undefined ? rest.next() : Promise.resolve({ value, done: false });
    },
    return: () => leave(rest),
  };
}

/** Like `readHead`, but reads to the end: throws what the stream failed with before its commit point. */
function readCompleteHead(stream: AsyncIterable<ModelEvent>): Promise<StreamHead> {
  return readComplete(stream).then(headOf);
}

function headOf(whole: CompleteStream): StreamHead {
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

function endOf({ failure }: CompleteStream): AsyncIterator<ModelEvent> {
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
export function lazily(find: (open: ReadHead) => Promise<StreamHead>): AsyncIterable<ModelEvent> {
  return new LazyStream(find);
}

/** A class because there are two per call: methods cost nothing there, closures do. */
class LazyStream implements CompletableStream {
  readonly #find: (open: ReadHead) => Promise<StreamHead>;

  constructor(find: (open: ReadHead) => Promise<StreamHead>) {
    this.#find = find;
  }

  [Symbol.asyncIterator](): AsyncIterator<ModelEvent> {
    return lazyIterator(() => this.#find(readHead).then(resume));
  }

  [COMPLETE](): Promise<CompleteStream> {
    return this.#find(readCompleteHead).then(completeOf, failed);
  }
}

const completeOf = (opening: StreamHead): CompleteStream | Promise<CompleteStream> =>
  opening.whole ?? readComplete({ [Symbol.asyncIterator]: () => resume(opening) });

const failed = (error: unknown): CompleteStream => ({ events: [], failure: { error } });

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
