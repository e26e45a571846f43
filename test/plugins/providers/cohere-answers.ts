/** Answers of Cohere's wire, and the request that this provider sends for one. */
import type { ModelRequest } from 'polyphony';
import { cohere } from '../../../plugins/providers/cohere.ts';
import { type Answer, type Json, namedEvents, type Sent, send } from './native-exchange.ts';

export const answered = (answer: string | Answer, request?: ModelRequest, model = 'command-a-03-2025'): Promise<Sent> =>
  send((baseURL) => cohere({ baseURL, apiKey: 'test-key' }), answer, request, { model });

export const start: Json = { id: 'r1', type: 'message-start', delta: { message: { role: 'assistant' } } };
export const content = (type: string, fields: Json): Json => ({
  type,
  index: 0,
  delta: { message: { content: fields } },
});
export const call = (type: string, index: number, fields: Json): Json => ({
  type,
  index,
  delta: { message: { tool_calls: fields } },
});
export const end = (finish_reason: string, rest: Json = {}): Json => ({
  type: 'message-end',
  delta: {
    finish_reason,
    usage: {
      billed_units: { input_tokens: 3, output_tokens: 2 },
      tokens: { input_tokens: 10, output_tokens: 5 },
      cached_tokens: 4,
    },
    ...rest,
  },
});
export const HELLO = namedEvents([start, content('content-delta', { text: 'Hello' }), end('COMPLETE')]);
export const sentFor = async (request: ModelRequest, model?: string): Promise<Sent> => answered(HELLO, request, model);
export const weather = { name: 'weather', inputSchema: { type: 'object', properties: { city: { type: 'string' } } } };
