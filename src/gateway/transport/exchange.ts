/**
 * One request and its answer on undici's dispatcher, without the Readable that `request` creates for every body: an answer
 * that has arrived before it is read costs neither a stream nor a wait.
 *
 * X1. The caller's abort ends it at once in every phase: before a connection is free, before the headers, in the body.
 * X2. It stops reading from the socket while more than 64 KiB wait to be read.
 * X3. Closing the body before its end closes the socket; later data is dropped.
 * X4. No listener outlives it.
 * X5. Responses that only announce the final one are bounded in number.
 */
import type { Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import type { Clock } from '../../core/clock.ts';
import { abortError, PolyphonyError } from '../../core/errors.ts';
import { onAbort } from '../../core/on-abort.ts';

/** A class: see docs/decisions/objects-of-a-call.md. */
export class Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;

  constructor(status: number, headers: Head['headers']) {
    this.status = status;
    this.headers = headers;
  }
}

/** The connection that a client has now. A client has one at a time. */
export interface Connection {
  socket: Pick<Socket, 'bytesRead'> | undefined;
  /** Requests that began on it. */
  requests: number;
}

interface Waiter {
  readonly resolve: (result: IteratorResult<Uint8Array>) => void;
  readonly reject: (error: unknown) => void;
}

const MAX_WAITING_BYTES = 65_536;
const MAX_ANNOUNCEMENTS = 16;
const NO_CONNECTION: Connection = { socket: undefined, requests: 0 };
const nothing = (): void => {};
const DONE: IteratorResult<Uint8Array> = { done: true, value: undefined };

/** A class, because both undici and the reader's loop call its methods: one object per request. */
export class Exchange implements Dispatcher.DispatchHandler, AsyncIterableIterator<Uint8Array> {
  /** Resolves when the headers arrive; rejects when they never will. */
  readonly head: Promise<Head>;
  readonly #signal: AbortSignal;
  readonly #stopFollowing: () => void;
  #controller: Dispatcher.DispatchController | undefined;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #state: 'open' | 'complete' | 'failed' | 'left' = 'open';
  #error: unknown;
  #waiter: Waiter | undefined;
  #announcements = 0;
  #connection: Connection | undefined;
  /** How the connection stood when the request began on it. */
  #begun = false;
  #reused = false;
  #socket: Connection['socket'];
  #bytesRead = 0;
  #resolveHead: (head: Head) => void = nothing;
  #rejectHead: (error: unknown) => void = nothing;

  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #askedAt: number;
  #sentAt: number | undefined;

  constructor(signal: AbortSignal, clock: Pick<Clock, 'monotonic'>) {
    this.#signal = signal;
    this.#clock = clock;
    this.#askedAt = clock.monotonic();
    this.head = new Promise((resolve, reject) => {
      this.#resolveHead = resolve;
      this.#rejectHead = reject;
    });
    this.#stopFollowing = onAbort(signal, () => this.#aborted());
  }

  #aborted(): void {
    const error = abortError(this.#signal);
    this.#fail(error);
    this.#controller?.abort(error);
  }

  // ---------------------------------------------------------------------------------------------------- undici's calls

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#sentAt = this.#clock.monotonic();
    const { socket, requests } = this.#connection ?? NO_CONNECTION;
    this.#begun = true;
    this.#reused = requests > 0;
    this.#socket = socket;
    this.#bytesRead = socket?.bytesRead ?? 0;
    if (this.#connection !== undefined) this.#connection.requests += 1;
    if (this.#state !== 'open') controller.abort(asError(this.#error));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Head['headers']): void {
    if (status >= 200) this.#resolveHead(new Head(status, headers));
    else if (++this.#announcements > MAX_ANNOUNCEMENTS) {
      const error = new PolyphonyError(
        'network',
        `The server announced its answer ${MAX_ANNOUNCEMENTS} times without sending it.`,
      );
      this.#fail(error);
      controller.abort(error);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#state !== 'open') return;
    const waiter = this.#waiter;
    if (waiter !== undefined) {
      this.#waiter = undefined;
      waiter.resolve({ done: false, value: chunk });
      return;
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_WAITING_BYTES) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#state !== 'open') return;
    this.#state = 'complete';
    this.#controller = undefined;
    this.#stopFollowing();
    this.#waiter?.resolve(DONE);
    this.#waiter = undefined;
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: unknown): void {
    this.#fail(error);
  }

  // ---------------------------------------------------------------------------------------------------- the connection

  /** The connection of the client that will send the request. */
  assign(connection: Connection): void {
    this.#connection = connection;
  }

  /** Milliseconds until its connection was free or open, and it was written to it; 0 before that. */
  get networkMs(): number {
    return this.#sentAt === undefined ? 0 : this.#sentAt - this.#askedAt;
  }

  /** Its answer may still arrive, and the caller has not left. */
  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Nothing of the request was sent: no connection was free or could be opened. */
  get unsent(): boolean {
    return !this.#begun;
  }

  /**
   * The server closed a connection that was kept from an earlier request, and sent nothing: it most likely closed it before
   * it saw this request.
   */
  get lostOnReuse(): boolean {
    return this.#reused && this.#state === 'failed' && this.#socket?.bytesRead === this.#bytesRead;
  }

  // ---------------------------------------------------------------------------------------------------- the body's reader

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#chunks.length > 0) return Promise.resolve({ done: false, value: this.#takeAll() });
    if (this.#state === 'failed') return Promise.reject(this.#error);
    if (this.#state !== 'open') return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#chunks = [];
    if (this.#state === 'open') {
      this.#end('left');
      this.#waiter?.resolve(DONE);
      this.#waiter = undefined;
      this.#controller?.abort(asError(undefined));
    }
    return Promise.resolve(DONE);
  }

  /** The complete body, if it has already arrived and in one piece. */
  arrived(): Uint8Array | undefined {
    return this.#state === 'complete' && this.#chunks.length === 1 ? this.#chunks.pop() : undefined;
  }

  /** Joins the chunks, because each chunk costs its reader a wait. */
  #takeAll(): Uint8Array {
    const [first] = this.#chunks;
    const all = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks, this.#bytes);
    this.#chunks = [];
    this.#bytes = 0;
    if (this.#controller?.paused) this.#controller.resume();
    return all;
  }

  #fail(error: unknown): void {
    if (this.#state !== 'open') return;
    this.#error = error;
    this.#end('failed');
    this.#rejectHead(error);
    this.#waiter?.reject(error);
    this.#waiter = undefined;
  }

  #end(state: 'failed' | 'left'): void {
    this.#state = state;
    this.#stopFollowing();
  }
}

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new Error('The reader closed the answer before its end.');
