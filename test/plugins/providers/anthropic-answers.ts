/** Answers of the Messages wire, and the request that this provider sends for one. */
import type { ModelRequest } from 'polyphony';
import { anthropic } from '../../../plugins/providers/anthropic.ts';
import { type Answer, type Json, namedEvents, type Sent, send } from './native-exchange.ts';

export const start = (usage: Json = { input_tokens: 10, output_tokens: 1 }, rest: Json = {}): Json => ({
  type: 'message_start',
  message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-x', content: [], usage, ...rest },
});
export const block = (index: number, content_block: Json, ...deltas: readonly Json[]): readonly Json[] => [
  { type: 'content_block_start', index, content_block },
  ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
  { type: 'content_block_stop', index },
];
export const text = (index: number, ...pieces: readonly string[]): readonly Json[] =>
  block(index, { type: 'text', text: '' }, ...pieces.map((piece) => ({ type: 'text_delta', text: piece })));
export const call = (index: number, id: string, name: string, ...pieces: readonly string[]): readonly Json[] =>
  block(
    index,
    { type: 'tool_use', id, name, input: {} },
    ...pieces.map((partial_json) => ({ type: 'input_json_delta', partial_json })),
  );
export const ending = (stop_reason: string | null, usage: Json = { output_tokens: 5 }, rest: Json = {}): Json => ({
  type: 'message_delta',
  delta: { stop_reason, stop_sequence: null, ...rest },
  usage,
});
export const stop: Json = { type: 'message_stop' };

export const stream = (blocks: readonly (readonly Json[])[], reason = 'end_turn'): string =>
  namedEvents([start(), ...blocks.flat(), ending(reason), stop]);

export const HELLO = stream([text(0, 'Hello')]);

/** What came of an answer, with the newest of the models that take everything, unless another is named. */
export const answered = (answer: string | Answer, request?: ModelRequest, model = 'claude-sonnet-4-6'): Promise<Sent> =>
  send((baseURL) => anthropic({ baseURL, apiKey: 'test-key' }), answer, request, { model });

/** What is sent for a request. */
export const sentFor = (request: ModelRequest, model?: string): Promise<Sent> => answered(HELLO, request, model);
