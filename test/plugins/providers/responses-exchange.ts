/** Answers of the Responses wire, and one call against a server that gives them. */
import type { ModelRequest } from 'polyphony';
import { openaiResponses } from '../../../plugins/providers/openai-responses.ts';
import { chat } from './attempts.ts';
import { type Json, namedEvents, type Sent, send } from './native-exchange.ts';

export const usage = {
  input_tokens: 10,
  input_tokens_details: { cached_tokens: 4, cache_write_tokens: 3 },
  output_tokens: 5,
  output_tokens_details: { reasoning_tokens: 2 },
};

export const head = { id: 'resp_1', object: 'response', model: 'm-1' };

export const message = (text: string, rest: Json = {}): Json => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
  ...rest,
});

/** A stream of these events between a beginning and an end. */
export function stream(events: readonly Json[], end: Json = { status: 'completed', output: [] }): string {
  const type = end.status === 'incomplete' || end.status === 'failed' ? `response.${end.status}` : 'response.completed';
  return namedEvents([
    { type: 'response.created', response: { ...head, status: 'in_progress', output: [] } },
    ...events,
    { type, response: { ...head, usage, ...end } },
  ]);
}

/** The events that say one text. */
export const saying = (...pieces: readonly string[]): readonly Json[] => [
  { type: 'response.output_item.added', output_index: 0, item: { type: 'message', id: 'msg_1', content: [] } },
  ...pieces.map((delta) => ({ type: 'response.output_text.delta', output_index: 0, delta })),
  { type: 'response.output_item.done', output_index: 0, item: message(pieces.join('')) },
];

export const exchange = (answer: string, request: ModelRequest = chat('Hi'), model = 'gpt-6-sol'): Promise<Sent> =>
  send((baseURL) => openaiResponses({ baseURL, apiKey: 'test-key' }), answer, request, { model });
