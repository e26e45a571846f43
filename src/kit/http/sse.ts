/**
 * Server-sent events from bytes, by eventsource-parser: split UTF-8, CRLF, CR, BOM, comments and several events a chunk.
 *
 * An event that the stream ends in (no blank line behind it) is emitted: several servers leave the last blank line out.
 * Where the connection broke inside its data, the data is cut: the consumer's JSON.parse tells.
 */

import { createParser, type ParseError } from 'eventsource-parser';
import { defined } from '../../core/defined.ts';
import { PolyphonyError } from '../../core/errors.ts';
import { utf8Decoder } from './utf8.ts';

export interface ServerSentEvent {
  readonly event?: string;
  readonly data: string;
}

export interface SseOptions {
  /** What an event may take before it is complete, in UTF-16 units. @default 8_388_608 */
  readonly maxEventBytes?: number;
}

/** A decoder that is fed: every event of a chunk is handed over before `push` returns. */
export interface SseDecoder {
  /** @throws truncated when an event is larger than allowed */
  push(chunk: Uint8Array): void;
  /** The stream is over: hands over what a missing blank line held back. */
  end(): void;
}

export const MAX_EVENT_BYTES = 8_388_608;

export function createSseDecoder(onEvent: (event: ServerSentEvent) => void, options: SseOptions = {}): SseDecoder {
  const { maxEventBytes = MAX_EVENT_BYTES } = options;
  let failure: PolyphonyError | undefined;
  const onError = (error: ParseError): void => {
    // Unknown fields and odd retry values are none of our business.
    if (error.type === 'max-buffer-size-exceeded') failure = tooLarge('A server-sent event', maxEventBytes, error);
  };
  const parser = createParser({
    // The parser's own event has `id` and, where none was sent, `event: undefined`.
    onEvent: ({ event, data }) => onEvent(event === undefined ? { data } : { event, data }),
    onError,
    maxBufferSize: maxEventBytes,
  });
  const text = utf8Decoder();
  const feed = (chunk: string): void => {
    if (failure === undefined && chunk !== '') parser.feed(chunk);
    if (failure !== undefined) throw failure;
  };
  return {
    push: (chunk) => feed(text.decode(chunk)),
    end: () => feed(`${text.end()}\n\n`),
  };
}

export function tooLarge(what: string, limit: number, cause?: unknown): PolyphonyError {
  const message = `${what} is larger than ${limit} characters: raise the limit or ask for a shorter answer.`;
  return new PolyphonyError('truncated', message, { retryable: false, ...defined({ cause }) });
}
