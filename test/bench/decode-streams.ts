/** Streams of every wire, as its documentation shapes them: 500 pieces of text, each in a chunk of its own. */
import { frame } from '../plugins/providers/bedrock-frame.ts';

export interface BenchStream {
  /** The last half of a benchmark's name. */
  readonly wire: string;
  readonly contentType: string;
  readonly chunks: readonly Uint8Array[];
  /** How the floor tells one document from the next. */
  readonly framing: 'events' | 'lines' | 'binary';
}

const PIECES = 500;
/** Pieces as models make them: a few letters, a space in front. */
const WORDS = [' the', ' voices', ' of', ' a', ' score', ',', ' each', ' in', ' its', ' own', ' time', '.'];
const words = Array.from({ length: PIECES }, (_, index) => WORDS[index % WORDS.length] ?? '');

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const dataOnly = (documents: readonly object[]): Uint8Array[] =>
  documents.map((document) => bytes(`data: ${JSON.stringify(document)}\n\n`));
const named = (documents: readonly { readonly type: string }[]): Uint8Array[] =>
  documents.map((document) => bytes(`event: ${document.type}\ndata: ${JSON.stringify(document)}\n\n`));

function chatCompletions(): BenchStream {
  const head = {
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1_760_000_000,
    model: 'bench',
    service_tier: 'default',
    system_fingerprint: 'fp_bench',
  };
  const chunk = (delta: object, finish_reason: string | null = null): object => ({
    ...head,
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    usage: null,
  });
  const documents = [
    chunk({ role: 'assistant', content: '', refusal: null }),
    ...words.map((content) => chunk({ content })),
    chunk({}, 'stop'),
    { ...head, choices: [], usage: { prompt_tokens: 12, completion_tokens: PIECES, total_tokens: PIECES + 12 } },
  ];
  const chunks = [...dataOnly(documents), bytes('data: [DONE]\n\n')];
  return { wire: 'chat completions', contentType: 'text/event-stream', chunks, framing: 'events' };
}

function responses(): BenchStream {
  const response = { id: 'resp_bench', object: 'response', model: 'bench', status: 'in_progress', output: [] };
  const item = { id: 'msg_bench', type: 'message', role: 'assistant', status: 'in_progress', content: [] };
  const done = {
    ...item,
    status: 'completed',
    content: [{ type: 'output_text', text: words.join(''), annotations: [] }],
  };
  const place = { item_id: item.id, output_index: 0, content_index: 0 };
  const usage = { input_tokens: 12, output_tokens: PIECES, total_tokens: PIECES + 12 };
  const documents = [
    { type: 'response.created', response },
    { type: 'response.output_item.added', output_index: 0, item },
    { type: 'response.content_part.added', ...place, part: { type: 'output_text', text: '', annotations: [] } },
    ...words.map((delta) => ({
      type: 'response.output_text.delta',
      ...place,
      delta,
      logprobs: [],
      obfuscation: 'k3J9aQ2x',
    })),
    { type: 'response.output_text.done', ...place, text: words.join('') },
    { type: 'response.output_item.done', output_index: 0, item: done },
    { type: 'response.completed', response: { ...response, status: 'completed', output: [done], usage } },
  ];
  const numbered = documents.map((document, sequence_number) => ({ ...document, sequence_number }));
  return { wire: 'responses', contentType: 'text/event-stream', chunks: named(numbered), framing: 'events' };
}

function messages(): BenchStream {
  const usage = { input_tokens: 12, output_tokens: 1 };
  const documents = [
    {
      type: 'message_start',
      message: { id: 'msg_bench', type: 'message', role: 'assistant', model: 'bench', content: [], usage },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ...words.map((text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: PIECES },
    },
    { type: 'message_stop' },
  ];
  return { wire: 'messages', contentType: 'text/event-stream', chunks: named(documents), framing: 'events' };
}

function generateContent(): BenchStream {
  const documents = words.map((text, index) => ({
    candidates: [
      {
        content: { parts: [{ text }], role: 'model' },
        ...(index === PIECES - 1 ? { finishReason: 'STOP' } : {}),
        index: 0,
      },
    ],
    usageMetadata: { promptTokenCount: 12, candidatesTokenCount: index + 1, totalTokenCount: index + 13 },
    modelVersion: 'bench',
    responseId: 'bench-response',
  }));
  const chunks = documents.map((document) => bytes(`data: ${JSON.stringify(document)}\r\n\r\n`));
  return { wire: 'generateContent', contentType: 'text/event-stream', chunks, framing: 'events' };
}

function cohere(): BenchStream {
  const delta = (content: object): object => ({ message: { content } });
  const usage = {
    billed_units: { input_tokens: 2, output_tokens: PIECES },
    tokens: { input_tokens: 12, output_tokens: PIECES },
  };
  const documents = [
    { type: 'message-start', id: 'bench', delta: { message: { role: 'assistant', content: [], tool_calls: [] } } },
    { type: 'content-start', index: 0, delta: delta({ type: 'text', text: '' }) },
    ...words.map((text) => ({ type: 'content-delta', index: 0, delta: delta({ text }) })),
    { type: 'content-end', index: 0 },
    { type: 'message-end', delta: { finish_reason: 'COMPLETE', usage } },
  ];
  return { wire: 'Cohere chat', contentType: 'text/event-stream', chunks: named(documents), framing: 'events' };
}

function ollama(): BenchStream {
  const head = { model: 'bench', created_at: '2026-01-01T00:00:00.000000000Z' };
  const documents = [
    ...words.map((content) => ({ ...head, message: { role: 'assistant', content }, done: false })),
    {
      ...head,
      message: { role: 'assistant', content: '' },
      done: true,
      done_reason: 'stop',
      prompt_eval_count: 12,
      eval_count: PIECES,
    },
  ];
  const chunks = documents.map((document) => bytes(`${JSON.stringify(document)}\n`));
  return { wire: 'Ollama chat', contentType: 'application/x-ndjson', chunks, framing: 'lines' };
}

function converse(): BenchStream {
  const message = (type: string, payload: object): Uint8Array =>
    frame(
      { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' },
      JSON.stringify({ ...payload, p: 'abcdefghijklmnopqrst' }),
    );
  const usage = { inputTokens: 12, outputTokens: PIECES, totalTokens: PIECES + 12 };
  const chunks = [
    message('messageStart', { role: 'assistant' }),
    ...words.map((text) => message('contentBlockDelta', { contentBlockIndex: 0, delta: { text } })),
    message('contentBlockStop', { contentBlockIndex: 0 }),
    message('messageStop', { stopReason: 'end_turn' }),
    message('metadata', { usage, metrics: { latencyMs: 1 } }),
  ];
  return { wire: 'Converse', contentType: 'application/vnd.amazon.eventstream', chunks, framing: 'binary' };
}

export const TEXT = words.join('');
export const streams = (): readonly BenchStream[] => [
  chatCompletions(),
  responses(),
  messages(),
  generateContent(),
  cohere(),
  ollama(),
  converse(),
];
