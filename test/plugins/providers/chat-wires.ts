/** Every wire that chats, with an answer of one text: what holds for all of them is tested over this table. */
import type { ModelRequest, ModelResponse, Provider } from 'polyphony';
import { anthropic } from '../../../plugins/providers/anthropic.ts';
import { bedrock } from '../../../plugins/providers/bedrock.ts';
import { cohere } from '../../../plugins/providers/cohere.ts';
import { google } from '../../../plugins/providers/google.ts';
import { ollama } from '../../../plugins/providers/ollama.ts';
import { openaiCompatible } from '../../../plugins/providers/openai-compatible.ts';
import { openaiResponses } from '../../../plugins/providers/openai-responses.ts';
import { type Loopback, loopback } from '../../kit/loopback.ts';
import { ask } from './attempts.ts';
import { transport } from './exchange.ts';

type Json = Record<string, unknown>;

export interface ChatWire {
  readonly name: string;
  readonly make: (baseURL: string) => Provider;
  readonly model: string;
  /** A whole answer that says "ok", or calls the tool of that name. */
  readonly answer: (call?: string) => Json;
}

const apiKey = 'test-key';

export const CHAT_WIRES: readonly ChatWire[] = [
  {
    name: 'chat completions',
    make: (baseURL) => openaiCompatible({ baseURL, models: ['m'] }),
    model: 'm',
    answer: (name) => ({
      choices: [
        {
          index: 0,
          message:
            name === undefined
              ? { content: 'ok' }
              : { tool_calls: [{ id: 'c1', type: 'function', function: { name, arguments: '{"a":"1"}' } }] },
          finish_reason: name === undefined ? 'stop' : 'tool_calls',
        },
      ],
      usage: { prompt_tokens: 1, completion_tokens: 1 },
    }),
  },
  {
    name: 'responses',
    make: (baseURL) => openaiResponses({ apiKey, baseURL }),
    model: 'gpt-some',
    answer: (name) => ({
      object: 'response',
      status: 'completed',
      output: [
        name === undefined
          ? { type: 'message', content: [{ type: 'output_text', text: 'ok' }] }
          : { type: 'function_call', call_id: 'c1', name, arguments: '{"a":"1"}' },
      ],
      usage: { input_tokens: 1, output_tokens: 1 },
    }),
  },
  {
    name: 'anthropic',
    make: (baseURL) => anthropic({ apiKey, baseURL }),
    model: 'claude-sonnet-4-6',
    answer: (name) => ({
      type: 'message',
      content: [
        name === undefined ? { type: 'text', text: 'ok' } : { type: 'tool_use', id: 'c1', name, input: { a: '1' } },
      ],
      stop_reason: name === undefined ? 'end_turn' : 'tool_use',
      usage: { input_tokens: 1, output_tokens: 1 },
    }),
  },
  {
    name: 'google',
    make: (baseURL) => google({ apiKey, baseURL }),
    model: 'gemini-2.5-flash',
    answer: (name) => ({
      candidates: [
        {
          content: { parts: [name === undefined ? { text: 'ok' } : { functionCall: { name, args: { a: '1' } } }] },
          finishReason: 'STOP',
        },
      ],
      usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1 },
    }),
  },
  {
    name: 'bedrock',
    make: (baseURL) => bedrock({ apiKey, baseURL, region: 'us-east-1' }),
    model: 'anthropic.claude-sonnet-4-5-20250929-v1:0',
    answer: (name) => ({
      output: {
        message: {
          role: 'assistant',
          content: [name === undefined ? { text: 'ok' } : { toolUse: { toolUseId: 'c1', name, input: { a: '1' } } }],
        },
      },
      stopReason: name === undefined ? 'end_turn' : 'tool_use',
      usage: { inputTokens: 1, outputTokens: 1 },
    }),
  },
  {
    name: 'cohere',
    make: (baseURL) => cohere({ apiKey, baseURL }),
    model: 'command-a-03-2025',
    answer: (name) => ({
      message:
        name === undefined
          ? { content: [{ type: 'text', text: 'ok' }] }
          : { tool_calls: [{ id: 'c1', type: 'function', function: { name, arguments: '{"a":"1"}' } }] },
      finish_reason: name === undefined ? 'COMPLETE' : 'TOOL_CALL',
      usage: { tokens: { input_tokens: 1, output_tokens: 1 } },
    }),
  },
  {
    name: 'ollama',
    make: (baseURL) => ollama({ baseURL, models: ['m'] }),
    model: 'm',
    answer: (name) => ({
      message: name === undefined ? { content: 'ok' } : { tool_calls: [{ function: { name, arguments: { a: '1' } } }] },
      done: true,
      done_reason: 'stop',
      prompt_eval_count: 1,
      eval_count: 1,
    }),
  },
];

export interface Said {
  readonly provider: Provider;
  readonly body: Json;
  readonly text: string;
  readonly response: ModelResponse;
}

/** Sends the request over the wire; `options` are those of its provider. */
export async function said(
  wire: ChatWire,
  request: ModelRequest,
  options?: Json,
  answer: Json = wire.answer(),
): Promise<Said> {
  const server: Loopback = await loopback((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer));
  });
  const provider = wire.make(server.url);
  const sent = options === undefined ? request : { ...request, providerOptions: { [provider.id]: options } };
  const response = await ask(provider, transport, sent, { target: { model: wire.model } });
  const text = server.received.at(-1)?.body ?? '{}';
  return { provider, body: JSON.parse(text) as Json, text, response };
}
