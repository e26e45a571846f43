/**
 * The head of a stream: everything up to its commit point, which is the first token, tool delta or output. Nothing was shown
 * before it, so a failed stream can be replaced without the reader noticing.
 */

import {
  ARRIVED,
  COMPLETE,
  type CompletableStream,
  type CompleteStream,
  type EventIterator,
  readComplete,
} from '../../core/model/complete.ts';
import type { ModelEvent } from '../../core/model/model.ts';

const MAX_EVENTS = 64;
const MAX_BYTES = 256 * 1024;

/** A stream at its commit point (or ended before it): its events so far, and the rest. */
export interface StreamHead {
  readonly head: readonly ModelEvent[];
  readonly rest: EventIterator;
  /** The complete stream, if it was read in one step. */
  readonly whole?: CompleteStream;
}

/** How a stream is opened: event by event, or read in one step. */
export type ReadHead = (stream: AsyncIterable<ModelEvent>) => Promise<StreamHead>;

/** True for an event that shows part of an answer; not for routes, warnings and empty deltas. */
export function commits(event: ModelEvent): boolean {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
      return event.text !== '';
    case 'reasoning':
    case 'tool-call-delta':
    case 'tool-call':
    case 'media':
    case 'output':
      return true;
    default:
      return false;
  }
}

/** Reads up to the commit point, at most 64 events or 256 KiB; then the stream counts as committed. Throws the stream's error. */
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

/** An opened stream as an iterator: the head, then the rest itself, at no cost per event. */
export function resume({ head, rest }: StreamHead): EventIterator {
  let index = 0;
  return {
    next() {
      const value = head[index++];
      return value === undefined ? rest.next() : Promise.resolve({ value, done: false });
    },
    [ARRIVED]: () => (index < head.length ? undefined : rest[ARRIVED]?.()),
    return: () => leave(rest),
  };
}

/** Like `readHead`, but reads to the end. Throws the stream's error if it failed before its commit point. */
function readCompleteHead(stream: AsyncIterable<ModelEvent>): Promise<StreamHead> {
  return readComplete(stream).then(headOf);
}

function headOf(whole: CompleteStream): StreamHead {
  if (whole.failure !== undefined && !isCommitted(whole.events)) throw whole.failure.error;
  return { head: whole.events, rest: new EndOf(whole), whole };
}

function isCommitted(events: readonly ModelEvent[]): boolean {
  let bytes = 0;
  for (const event of events) {
    if (commits(event)) return true;
    if (event.type === 'warning') bytes += Buffer.byteLength(event.warning.message);
  }
  return events.length >= MAX_EVENTS || bytes >= MAX_BYTES;
}

/** What is left of a stream that was read in one step: its failure, once. A class because there are two per call. */
class EndOf implements AsyncIterator<ModelEvent> {
  #failure: CompleteStream['failure'];

  constructor({ failure }: CompleteStream) {
    this.#failure = failure;
  }

  next(): Promise<IteratorResult<ModelEvent>> {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(failure.error);
  }
}

/** A stream that is chosen asynchronously: `find` runs when the first event is requested. */
export function lazily(find: (open: ReadHead) => Promise<StreamHead>): AsyncIterable<ModelEvent> {
  return new LazyStream(find);
}

/** A class because there are two per call: closures would cost time, methods do not. */
class LazyStream implements CompletableStream {
  readonly #find: (open: ReadHead) => Promise<StreamHead>;

  constructor(find: (open: ReadHead) => Promise<StreamHead>) {
    this.#find = find;
  }

  [Symbol.asyncIterator](): EventIterator {
    return lazyIterator(() => this.#find(readHead).then(resume));
  }

  [COMPLETE](): Promise<CompleteStream> {
    return this.#find(readCompleteHead).then(completeOf, failed);
  }
}

const completeOf = (opened: StreamHead): CompleteStream | Promise<CompleteStream> =>
  opened.whole ?? readComplete({ [Symbol.asyncIterator]: () => resume(opened) });

const failed = (error: unknown): CompleteStream => ({ events: [], failure: { error } });

function lazyIterator(open: () => Promise<EventIterator>): EventIterator {
  let opening: Promise<EventIterator> | undefined;
  let iterator: EventIterator | undefined;
  let left = false;
  const first = async (): Promise<IteratorResult<ModelEvent, unknown>> => {
    opening ??= open();
    iterator = await opening;
    return iterator.next();
  };
  return {
    next() {
      if (iterator !== undefined) return iterator.next();
      return left ? Promise.resolve({ value: undefined, done: true }) : first();
    },
    [ARRIVED]: () => iterator?.[ARRIVED]?.(),
    async return() {
      left = true;
      const opened = iterator ?? (await opening?.catch(() => undefined));
      return opened === undefined ? { value: undefined, done: true } : leave(opened);
    },
  };
}

async function leave(iterator: EventIterator): Promise<IteratorResult<ModelEvent>> {
  await iterator.return?.();
  return { value: undefined, done: true };
}

/** A stream that fails when its first event is requested. */
export function failing(error: unknown): AsyncIterable<ModelEvent> {
  return lazily(() => Promise.reject(error));
}
