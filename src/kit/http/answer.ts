/**
 * The body of an answer as events, in whichever form it comes: some servers answer a stream request with one JSON body, or a
 * plain request with server-sent events, and label them wrongly. The first character that is not a space decides.
 */
import { PolyphonyError } from '../../core/errors.ts';
import type { TransportResponse } from '../../core/model/provider.ts';
import { isDeep } from '../json/json-shape.ts';
import type { BodyDecoder } from '../streams/answer-body.ts';
import { tooLongAnswer } from '../streams/answer-body.ts';
import { createJsonStreamDecoder } from './json-stream.ts';
import { createSseDecoder, type ServerSentEvent } from './sse.ts';

export interface AnswerOptions {
  /** `elements`: each element of a top-level array, and each of several documents, is an event. @default 'whole' */
  readonly json?: 'whole' | 'elements';
}

const SPACES = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf]);
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const LESS_THAN = 0x3c;
const BYTE_ORDER_MARK = 0xfeff;
/** The same limit as the transport's for complete bodies. */
const MAX_DOCUMENT_BYTES = 67_108_864;

/**
 * Emits the events of a body in either form, each as soon as it is complete; a JSON body is one event without a name.
 * `push` throws `invalid-config` for a web page, and `truncated` for a document that is too large.
 *
 * @param wholeBytes the most bytes of a JSON body, at most 64 MiB
 */
export function bodyDecoder(
  onEvent: (event: ServerSentEvent) => void,
  options: AnswerOptions = {},
  wholeBytes = MAX_DOCUMENT_BYTES,
): BodyDecoder {
  let decoder: BodyDecoder | undefined;
  return {
    push(chunk) {
      decoder ??= decoderFor(chunk, onEvent, options, wholeBytes);
      decoder?.push(chunk);
    },
    end: () => decoder?.end(),
  };
}

/**
 * Batches of events: those that one chunk completes.
 *
 * @throws invalid-config when the answer is a web page
 */
export async function* answerEvents(
  response: TransportResponse,
  options: AnswerOptions = {},
): AsyncGenerator<readonly ServerSentEvent[]> {
  let batch: ServerSentEvent[] = [];
  const decoder = bodyDecoder((event) => void batch.push(event), options);
  for await (const chunk of response.body) {
    decoder.push(chunk);
    if (batch.length === 0) continue;
    const complete = batch;
    batch = [];
    yield complete;
  }
  decoder.end();
  if (batch.length > 0) yield batch;
}

/** Undefined as long as only spaces have arrived. */
function decoderFor(
  chunk: Uint8Array,
  onEvent: (event: ServerSentEvent) => void,
  options: AnswerOptions,
  wholeBytes: number,
): BodyDecoder | undefined {
  const first = firstOf(chunk);
  if (first === undefined) return undefined;
  if (first === LESS_THAN) {
    throw new PolyphonyError(
      'invalid-config',
      'The server returned a web page instead of JSON, so baseURL does not point to an API. Correct baseURL.',
    );
  }
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return createSseDecoder(onEvent);
  if (options.json === 'elements') return createJsonStreamDecoder((data) => onEvent({ data }));
  return wholeDecoder(onEvent, Math.min(wholeBytes, MAX_DOCUMENT_BYTES));
}

/** The first byte that is no space. */
function firstOf(chunk: Uint8Array): number | undefined {
  for (const byte of chunk) if (!SPACES.has(byte)) return byte;
  return undefined;
}

function wholeDecoder(onEvent: (event: ServerSentEvent) => void, mostBytes: number): BodyDecoder {
  const chunks: Uint8Array[] = [];
  let length = 0;
  return {
    push(chunk) {
      length += chunk.length;
      if (length > mostBytes) throw tooLongAnswer(mostBytes, length);
      chunks.push(chunk);
    },
    end: () => onEvent({ data: textOfBytes(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)) }),
  };
}

function textOfBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

/**
 * The one JSON document of an answer that is not streamed.
 *
 * @throws truncated when it is not valid JSON, because the server stopped in the middle of it
 */
export async function readJson(response: TransportResponse): Promise<unknown> {
  let last = '';
  for await (const batch of answerEvents(response)) {
    for (const event of batch) if (event.data.trim() !== '[DONE]') last = event.data;
  }
  return parseDocument(last);
}

/** @throws truncated when it is not valid JSON, invalid-output when it is nested too deep */
export function parseDocument(text: string): unknown {
  if (isDeep(text))
    throw new PolyphonyError('invalid-output', 'The answer is JSON that is nested too deep to be read.');
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const problem = text.trim() === '' ? 'is empty' : `is not complete JSON (${text.length} characters)`;
    throw new PolyphonyError('truncated', `The answer ${problem}: it was cut off. Try again.`, {
      cause,
      details: { receivedBytes: Buffer.byteLength(text) },
    });
  }
}
