/** Good answers of six wires, whole and streamed, with the usage that a case puts in. */
import type { ModelCard, Provider } from '../../../src/core/model/provider.ts';

type Json = Readonly<Record<string, unknown>>;

export interface Wire {
  readonly whole: (text: string, usage: Json) => unknown;
  /** The lines of a stream. */
  readonly stream: (text: string, usage: Json) => string;
  /** The counts of the wire, each with this value. */
  readonly usage: (count: unknown) => Json;
  readonly contentType: string;
  readonly provider: (id: string, baseURL: string, models: readonly ModelCard[]) => Promise<Provider>;
}

const EVENTS = 'text/event-stream';
const KEY = 'planted-key-of-provider-55c1';
export const PROVIDER_KEY = KEY;

export const dataLines = (documents: readonly unknown[]): string =>
  documents.map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`).join('');
const namedLines = (documents: readonly Json[]): string =>
  documents.map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join('');

export const chunk = (delta: Json, rest: Json = {}): Json => ({
  id: 'x',
  object: 'chat.completion.chunk',
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: null, ...rest }],
});

const chat: Wire = {
  whole: (content, usage) => ({
    id: 'x',
    object: 'chat.completion',
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage,
  }),
  stream: (content, usage) =>
    dataLines([
      chunk({ role: 'assistant', content }),
      chunk({}, { finish_reason: 'stop' }),
      { choices: [], usage },
      '[DONE]',
    ]),
  usage: (count) => ({
    prompt_tokens: count,
    completion_tokens: count,
    total_tokens: count,
    prompt_tokens_details: { cached_tokens: count },
    completion_tokens_details: { reasoning_tokens: count },
    num_sources_used: count,
  }),
  contentType: EVENTS,
  async provider(id, baseURL, models) {
    const { openaiCompatible } = await import('../../../plugins/providers/openai-compatible.ts');
    return openaiCompatible({ id, baseURL, models, apiKey: KEY });
  },
};

const messages: Wire = {
  whole: (text, usage) => ({
    id: 'x',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    usage,
  }),
  stream: (text, usage) =>
    namedLines([
      {
        type: 'message_start',
        message: { id: 'x', type: 'message', role: 'assistant', model: 'm', content: [], usage },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage },
      { type: 'message_stop' },
    ]),
  usage: (count) => ({
    input_tokens: count,
    output_tokens: count,
    cache_read_input_tokens: count,
    cache_creation_input_tokens: count,
    server_tool_use: { web_search_requests: count },
  }),
  contentType: EVENTS,
  async provider(id, baseURL, models) {
    const { anthropic } = await import('../../../plugins/providers/anthropic.ts');
    return anthropic({ id, baseURL, models, apiKey: KEY });
  },
};

const gemini: Wire = {
  whole: (text, usageMetadata) => ({
    candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP' }],
    usageMetadata,
  }),
  stream: (text, usageMetadata) => dataLines([gemini.whole(text, usageMetadata)]),
  usage: (count) => ({
    promptTokenCount: count,
    candidatesTokenCount: count,
    thoughtsTokenCount: count,
    cachedContentTokenCount: count,
    totalTokenCount: count,
  }),
  contentType: EVENTS,
  async provider(id, baseURL, models) {
    const { google } = await import('../../../plugins/providers/google.ts');
    return google({ id, baseURL, models, apiKey: KEY });
  },
};

const ollama: Wire = {
  whole: (content, usage) => ({
    model: 'm',
    message: { role: 'assistant', content },
    done: true,
    done_reason: 'stop',
    ...usage,
  }),
  stream: (text, usage) => `${JSON.stringify(ollama.whole(text, usage))}\n`,
  usage: (count) => ({ prompt_eval_count: count, eval_count: count, total_duration: count }),
  contentType: 'application/x-ndjson',
  async provider(id, baseURL, models) {
    const { ollama: ours } = await import('../../../plugins/providers/ollama.ts');
    return ours({ id, baseURL, models, apiKey: KEY });
  },
};

const responses: Wire = {
  whole: (text, usage) => ({
    id: 'x',
    object: 'response',
    status: 'completed',
    model: 'm',
    output: [
      { type: 'message', id: 'm1', role: 'assistant', content: [{ type: 'output_text', text, annotations: [] }] },
    ],
    usage,
  }),
  stream: (text, usage) =>
    namedLines([
      { type: 'response.created', response: { id: 'x', status: 'in_progress' } },
      { type: 'response.output_text.delta', output_index: 0, content_index: 0, item_id: 'm1', delta: text },
      { type: 'response.completed', response: responses.whole(text, usage) },
    ]),
  usage: (count) => ({
    input_tokens: count,
    output_tokens: count,
    total_tokens: count,
    input_tokens_details: { cached_tokens: count },
    output_tokens_details: { reasoning_tokens: count },
  }),
  contentType: EVENTS,
  async provider(id, baseURL, models) {
    const { openaiResponses } = await import('../../../plugins/providers/openai-responses.ts');
    return openaiResponses({ id, baseURL, models, apiKey: KEY });
  },
};

const cohere: Wire = {
  whole: (text, usage) => ({
    id: 'x',
    message: { role: 'assistant', content: [{ type: 'text', text }] },
    finish_reason: 'COMPLETE',
    usage,
  }),
  stream: (text, usage) =>
    namedLines([
      { type: 'message-start', id: 'x', delta: { message: { role: 'assistant' } } },
      { type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } },
      { type: 'content-delta', index: 0, delta: { message: { content: { text } } } },
      { type: 'content-end', index: 0 },
      { type: 'message-end', delta: { finish_reason: 'COMPLETE', usage } },
    ]),
  usage: (count) => ({
    billed_units: { input_tokens: count, output_tokens: count },
    tokens: { input_tokens: count, output_tokens: count },
    cached_tokens: count,
  }),
  contentType: EVENTS,
  async provider(id, baseURL, models) {
    const { cohere: ours } = await import('../../../plugins/providers/cohere.ts');
    return ours({ id, baseURL, models, apiKey: KEY });
  },
};

export const WIRES = { chat, messages, gemini, ollama, responses, cohere } satisfies Readonly<Record<string, Wire>>;
export type WireName = keyof typeof WIRES;
