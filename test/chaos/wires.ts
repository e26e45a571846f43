/** Good answers of four wires in several pieces, so that a fault can come between them. */
import { chunk, WIRES } from '../hostile/providers/wires.ts';

export const WIRE_NAMES = ['chat', 'messages', 'gemini', 'responses'] as const;
export type ChaosWire = (typeof WIRE_NAMES)[number];

export const PIECES = ['Good ', 'day ', 'to you.'] as const;
export const TEXT = PIECES.join('');
/** Tokens of each kind that an answer states. */
export const TOKENS = 30;

type Json = Readonly<Record<string, unknown>>;

const data = (document: unknown): string =>
  `data: ${typeof document === 'string' ? document : JSON.stringify(document)}\n\n`;
const named = (document: Json): string => `event: ${document.type}\n${data(document)}`;

const counts: Readonly<Record<ChaosWire, Json>> = {
  chat: { prompt_tokens: TOKENS, completion_tokens: TOKENS, total_tokens: 2 * TOKENS },
  messages: { input_tokens: TOKENS, output_tokens: TOKENS },
  gemini: { promptTokenCount: TOKENS, candidatesTokenCount: TOKENS, totalTokenCount: 2 * TOKENS },
  responses: { input_tokens: TOKENS, output_tokens: TOKENS, total_tokens: 2 * TOKENS },
};

const streams: Readonly<Record<ChaosWire, (pieces: readonly string[]) => readonly string[]>> = {
  chat: (pieces) => [
    data(chunk({ role: 'assistant', content: '' })),
    ...pieces.map((content) => data(chunk({ content }))),
    data(chunk({}, { finish_reason: 'stop' })),
    data({ choices: [], usage: counts.chat }),
    data('[DONE]'),
  ],
  messages: (pieces) => [
    named({
      type: 'message_start',
      message: { id: 'x', type: 'message', role: 'assistant', model: 'm', content: [], usage: counts.messages },
    }),
    named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    ...pieces.map((text) => named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
    named({ type: 'content_block_stop', index: 0 }),
    named({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: counts.messages }),
    named({ type: 'message_stop' }),
  ],
  gemini: (pieces) => [
    ...pieces.map((text) => data({ candidates: [{ content: { role: 'model', parts: [{ text }] } }] })),
    data({
      candidates: [{ content: { role: 'model', parts: [] }, finishReason: 'STOP' }],
      usageMetadata: counts.gemini,
    }),
  ],
  responses: (pieces) => [
    named({ type: 'response.created', response: { id: 'x', status: 'in_progress' } }),
    ...pieces.map((delta) =>
      named({ type: 'response.output_text.delta', output_index: 0, content_index: 0, item_id: 'm1', delta }),
    ),
    named({ type: 'response.completed', response: WIRES.responses.whole(pieces.join(''), counts.responses) }),
  ],
};

/** The events of a stream, each as its bytes. */
export const streamOf = (wire: ChaosWire, pieces: readonly string[] = PIECES): readonly string[] =>
  streams[wire](pieces);

/** Events of the stream before the first that holds a piece of the answer. */
export const HEAD: Readonly<Record<ChaosWire, number>> = { chat: 1, messages: 2, gemini: 0, responses: 1 };

export const wholeOf = (wire: ChaosWire, text: string = TEXT): string =>
  JSON.stringify(WIRES[wire].whole(text, counts[wire]));

/** An error as the wire states it in the middle of a stream. */
export const ERROR_EVENTS: Readonly<Record<ChaosWire, string>> = {
  chat: data({ error: { message: 'The engine is overloaded', type: 'server_error', code: 503 } }),
  messages: named({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }),
  gemini: data({ error: { code: 503, message: 'The model is overloaded', status: 'UNAVAILABLE' } }),
  responses: named({
    type: 'response.failed',
    response: { id: 'x', status: 'failed', error: { code: 'server_error', message: 'The model failed' } },
  }),
};
