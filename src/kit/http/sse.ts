/**
 * Server-sent events from bytes, by eventsource-parser: split UTF-8, CRLF, CR, BOM, comments and several events per chunk.
 *
 * An event at the end of the stream is emitted even without a blank line after it, because several servers leave that out.
 * If the connection broke inside its data, the data is cut, and the consumer's JSON.parse fails.
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
  /** The longest event, in UTF-16 units. @default 8_388_608 */
  readonly maxEventBytes?: number;
}

/** Emits every event that a chunk completes before `push` returns. */
export interface SseDecoder {
  /** @throws truncated when an event is larger than allowed */
  push(chunk: Uint8Array): void;
  /** Ends the stream: emits an event that has no blank line after it. */
  end(): void;
}

export const MAX_EVENT_BYTES = 8_388_608;

export function createSseDecoder(onEvent: (event: ServerSentEvent) => void, options: SseOptions = {}): SseDecoder {
  const { maxEventBytes = MAX_EVENT_BYTES } = options;
  let failure: PolyphonyError | undefined;
  const onError = (error: ParseError): void => {
    // Unknown fields and invalid retry values are ignored.
    if (error.type === 'max-buffer-size-exceeded') failure = tooLarge('A server-sent event', maxEventBytes, error);
  };
  const parser = createParser({
    // The parser's own event has `id` and, if no event name was sent, `event: undefined`.
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
  return new PolyphonyError('truncated', message, {
    retryable: false,
    details: { receivedBytes: limit },
    ...defined({ cause }),
  });
}
