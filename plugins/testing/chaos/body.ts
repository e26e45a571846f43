/** The answer of a request with another body. Closing it ends every wait in it at once, and closes the body below. */
import {
  abortError,
  type Clock,
  onAbort,
  PolyphonyError,
  sleep,
  type TransportRequest,
  type TransportResponse,
} from 'polyphony/kit';
import { type BodyForm, formOf } from './events.ts';

/** Waits that end when the body is closed, and when the request is aborted. */
export interface Waits {
  readonly sleep: (ms: number) => Promise<void>;
  /** Ends in no other way. */
  readonly silence: () => Promise<never>;
}

export type BodyChange = (
  chunks: AsyncIterable<Uint8Array>,
  form: BodyForm,
  waits: Waits,
) => AsyncGenerator<Uint8Array>;

/** As the transport's. */
const LIMIT_BYTES = 67_108_864;
const DONE: IteratorResult<Uint8Array> = { done: true, value: undefined };

export function changedBody(
  { status, headers, body: given }: TransportResponse,
  { signal }: TransportRequest,
  clock: Clock,
  change: BodyChange,
): TransportResponse {
  const inner = given[Symbol.asyncIterator]();
  const closing = new AbortController();
  const stopFollowing = onAbort(signal, () => closing.abort(abortError(signal)));
  const waits: Waits = {
    sleep: (ms) => sleep(clock, ms, closing.signal),
    silence: () => silence(closing.signal),
  };
  const pieces = change({ [Symbol.asyncIterator]: () => inner }, formOf(headers['content-type']), waits);
  const close = async (): Promise<void> => {
    stopFollowing();
    closing.abort();
    await inner.return?.();
  };
  const body: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => body,
    async next() {
      try {
        const read = await pieces.next();
        if (read.done === true) await close();
        return read;
      } catch (error) {
        await close();
        throw error;
      }
    },
    async return() {
      await close();
      return DONE;
    },
  };
  return { status, headers, body, bytes: (limitBytes = LIMIT_BYTES) => wholeOf(body, limitBytes) };
}

async function wholeOf(body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > limitBytes) {
      const message = `The server sent more than ${limitBytes} bytes, which is the limit of one answer: ask for less.`;
      throw new PolyphonyError('truncated', message, { retryable: false, details: { receivedBytes: length } });
    }
  }
  return Buffer.concat(chunks, length);
}

/** Ends with the signal, and in no other way. */
export function silence(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(abortError(signal));
    onAbort(signal, () => reject(abortError(signal)));
  });
}
