/** The same answers in the words of every wire of chat, streamed and whole. */
import type { Provider } from 'polyphony';
import { anthropic } from '../../plugins/providers/anthropic.ts';
import { bedrock } from '../../plugins/providers/bedrock.ts';
import { cohere } from '../../plugins/providers/cohere.ts';
import { google } from '../../plugins/providers/google.ts';
import { ollama } from '../../plugins/providers/ollama.ts';
import { openaiCompatible } from '../../plugins/providers/openai-compatible.ts';
import { openaiResponses } from '../../plugins/providers/openai-responses.ts';
import * as converse from '../plugins/providers/bedrock-answers.ts';

type Json = Record<string, unknown>;
export type Ending = 'stop' | 'length' | 'filter' | 'error';

export interface Said {
  readonly text?: string;
  /** A call of a tool; its arguments as the model wrote them, perhaps half of them. */
  readonly call?: { readonly name: string; readonly arguments: string };
  readonly thought?: string;
  readonly ending: Ending;
}

export interface Wire {
  readonly provider: (baseURL: string) => Provider;
  readonly stream: (said: Said) => string | Buffer;
  readonly whole: (said: Said) => string;
  /** The limit of the answer in a request. */
  readonly limitOf: (body: Json) => unknown;
  /** Arguments arrive as text, so that they may be cut in the middle. */
  readonly cutsArguments: boolean;
}

const sse = (documents: readonly Json[], end = ''): string =>
  documents
    .map(
      (document) =>
        `${document.type === undefined ? '' : `event: ${document.type}\n`}data: ${JSON.stringify(document)}\n\n`,
    )
    .join('') + end;

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
};
const at = (object: unknown, ...path: readonly string[]): unknown =>
  path.reduce((value: unknown, key) => (value as Json | undefined)?.[key], object);

// ---------------------------------------------------------------------------------------------------- chat completions

const CHAT = { stop: 'stop', length: 'length', filter: 'content_filter', error: 'error' } as const;
const chatReason = ({ ending, call }: Said): string => (call && ending === 'stop' ? 'tool_calls' : CHAT[ending]);
const chatCalls = ({ call }: Said): Json =>
  call === undefined ? {} : { tool_calls: [{ index: 0, id: 'c1', type: 'function', function: call }] };
const chatMessage = (said: Said): Json => ({
  role: 'assistant',
  content: said.text ?? null,
  ...(said.thought === undefined ? {} : { reasoning_content: said.thought }),
  ...chatCalls(said),
});
const chatUsage = { usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } };

const chatCompletions: Wire = {
  provider: (url) =>
    openaiCompatible({ id: 'wire', baseURL: `${url}/v1`, models: [{ id: 'm', maxOutputTokens: 900 }] }),
  stream: (said) =>
    sse(
      [
        { choices: [{ index: 0, delta: chatMessage(said) }] },
        { choices: [{ index: 0, delta: {}, finish_reason: chatReason(said) }], ...chatUsage },
      ],
      'data: [DONE]\n\n',
    ),
  whole: (said) =>
    JSON.stringify({
      choices: [{ index: 0, message: chatMessage(said), finish_reason: chatReason(said) }],
      ...chatUsage,
    }),
  limitOf: (body) => body.max_tokens,
  cutsArguments: true,
};

// ---------------------------------------------------------------------------------------------------- responses

const responseItems = ({ text, call, thought, ending }: Said): Json[] => [
  ...(thought === undefined
    ? []
    : [{ type: 'reasoning', id: 'rs', summary: [{ type: 'summary_text', text: thought }] }]),
  ...(text === undefined
    ? []
    : [{ type: 'message', id: 'm', role: 'assistant', content: [{ type: 'output_text', text, annotations: [] }] }]),
  ...(call === undefined
    ? []
    : [
        {
          type: 'function_call',
          id: 'f',
          call_id: 'c1',
          status: ending === 'stop' ? 'completed' : 'incomplete',
          ...call,
        },
      ]),
];
const RESPONSE: Readonly<Record<Ending, Json>> = {
  stop: { status: 'completed' },
  length: { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
  filter: { status: 'incomplete', incomplete_details: { reason: 'content_filter' } },
  error: { status: 'failed' },
};
const responseOf = (said: Said): Json => ({
  id: 'r1',
  object: 'response',
  ...RESPONSE[said.ending],
  output: responseItems(said),
  usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 },
});
const RESPONSE_ENDS = {
  stop: 'response.completed',
  length: 'response.incomplete',
  filter: 'response.incomplete',
  error: 'response.failed',
} as const;

const responses: Wire = {
  provider: (url) =>
    openaiResponses({
      id: 'wire',
      baseURL: `${url}/v1`,
      apiKey: 'test-key',
      models: [{ id: 'm', maxOutputTokens: 900 }],
    }),
  stream: (said) =>
    sse([
      ...responseItems(said).flatMap((item, output_index) => [
        {
          type: 'response.output_item.added',
          output_index,
          item: { ...item, content: [], arguments: '', summary: [] },
        },
        { type: 'response.output_item.done', output_index, item },
      ]),
      { type: RESPONSE_ENDS[said.ending], response: responseOf(said) },
    ]),
  whole: (said) => JSON.stringify(responseOf(said)),
  limitOf: (body) => body.max_output_tokens,
  cutsArguments: true,
};

// ---------------------------------------------------------------------------------------------------- messages

const MESSAGE = { stop: 'end_turn', length: 'max_tokens', filter: 'refusal', error: 'error' } as const;
const messageReason = ({ ending, call }: Said): string => (call && ending === 'stop' ? 'tool_use' : MESSAGE[ending]);

const messages: Wire = {
  provider: (url) =>
    anthropic({ id: 'wire', baseURL: `${url}/v1`, apiKey: 'test-key', models: [{ id: 'm', maxOutputTokens: 900 }] }),
  stream: ({ text, call, thought, ...said }) => {
    const blocks: readonly (readonly [Json, Json])[] = [
      ...(thought === undefined
        ? []
        : [
            [
              { type: 'thinking', thinking: '' },
              { type: 'thinking_delta', thinking: thought },
            ] as const,
          ]),
      ...(text === undefined
        ? []
        : [
            [
              { type: 'text', text: '' },
              { type: 'text_delta', text },
            ] as const,
          ]),
      ...(call === undefined
        ? []
        : [
            [
              { type: 'tool_use', id: 'c1', name: call.name, input: {} },
              { type: 'input_json_delta', partial_json: call.arguments },
            ] as const,
          ]),
    ];
    return sse([
      { type: 'message_start', message: { id: 'a1', model: 'm', usage: { input_tokens: 10, output_tokens: 1 } } },
      ...blocks.flatMap(([content_block, delta], index) => [
        { type: 'content_block_start', index, content_block },
        { type: 'content_block_delta', index, delta },
        { type: 'content_block_stop', index },
      ]),
      {
        type: 'message_delta',
        delta: { stop_reason: messageReason({ ...said, ...(call && { call }) }) },
        usage: { output_tokens: 5 },
      },
      { type: 'message_stop' },
    ]);
  },
  whole: (said) =>
    JSON.stringify({
      id: 'a1',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [
        ...(said.thought === undefined ? [] : [{ type: 'thinking', thinking: said.thought }]),
        ...(said.text === undefined ? [] : [{ type: 'text', text: said.text }]),
        ...(said.call === undefined
          ? []
          : [{ type: 'tool_use', id: 'c1', name: said.call.name, input: parsed(said.call.arguments) }]),
      ],
      stop_reason: messageReason(said),
      usage: { input_tokens: 10, output_tokens: 5 },
    }),
  limitOf: (body) => body.max_tokens,
  cutsArguments: true,
};

// ---------------------------------------------------------------------------------------------------- generateContent

const GEMINI = { stop: 'STOP', length: 'MAX_TOKENS', filter: 'SAFETY', error: 'MALFORMED_FUNCTION_CALL' } as const;
const geminiAnswer = ({ text, call, thought, ending }: Said): Json => ({
  candidates: [
    {
      content: {
        role: 'model',
        parts: [
          ...(thought === undefined ? [] : [{ text: thought, thought: true }]),
          ...(text === undefined ? [] : [{ text }]),
          ...(call === undefined ? [] : [{ functionCall: { name: call.name, args: parsed(call.arguments) } }]),
        ],
      },
      finishReason: GEMINI[ending],
    },
  ],
  usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 },
});

const generateContent: Wire = {
  provider: (url) =>
    google({ id: 'wire', baseURL: `${url}/v1beta`, apiKey: 'test-key', models: [{ id: 'm', maxOutputTokens: 900 }] }),
  stream: (said) => sse([geminiAnswer(said)]),
  whole: (said) => JSON.stringify(geminiAnswer(said)),
  limitOf: (body) => at(body, 'generationConfig', 'maxOutputTokens'),
  cutsArguments: false,
};

// ---------------------------------------------------------------------------------------------------- Converse

const CONVERSE = {
  stop: 'end_turn',
  length: 'max_tokens',
  filter: 'guardrail_intervened',
  error: 'malformed_model_output',
} as const;
const converseReason = ({ ending, call }: Said): string => (call && ending === 'stop' ? 'tool_use' : CONVERSE[ending]);

const converseWire: Wire = {
  provider: (url) =>
    bedrock({
      id: 'wire',
      baseURL: url,
      apiKey: 'token',
      region: 'eu-west-1',
      models: [{ id: 'm', maxOutputTokens: 900 }],
    }),
  stream: (said) => {
    const blocks: Buffer[] = [];
    if (said.thought !== undefined) {
      blocks.push(converse.delta(0, { reasoningContent: { text: said.thought } }), converse.stopped(0));
    }
    if (said.text !== undefined) blocks.push(converse.delta(1, { text: said.text }), converse.stopped(1));
    if (said.call !== undefined) {
      const { name, arguments: input } = said.call;
      blocks.push(converse.called(2, { toolUseId: 'c1', name }), converse.delta(2, { toolUse: { input } }));
      blocks.push(converse.stopped(2));
    }
    return converse.stream(blocks, converseReason(said));
  },
  whole: (said) =>
    JSON.stringify({
      output: {
        message: {
          role: 'assistant',
          content: [
            ...(said.thought === undefined ? [] : [{ reasoningContent: { reasoningText: { text: said.thought } } }]),
            ...(said.text === undefined ? [] : [{ text: said.text }]),
            ...(said.call === undefined
              ? []
              : [{ toolUse: { toolUseId: 'c1', name: said.call.name, input: parsed(said.call.arguments) } }]),
          ],
        },
      },
      stopReason: converseReason(said),
      usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 },
    }),
  limitOf: (body) => at(body, 'inferenceConfig', 'maxTokens'),
  cutsArguments: true,
};

// ---------------------------------------------------------------------------------------------------- Cohere

const COHERE = { stop: 'COMPLETE', length: 'MAX_TOKENS', filter: 'ERROR_TOXIC', error: 'ERROR' } as const;
const cohereReason = ({ ending, call }: Said): string => (call && ending === 'stop' ? 'TOOL_CALL' : COHERE[ending]);
const cohereUsage = { usage: { tokens: { input_tokens: 10, output_tokens: 5 } } };

const cohereWire: Wire = {
  provider: (url) =>
    cohere({ id: 'wire', baseURL: `${url}/v2`, apiKey: 'test-key', models: [{ id: 'm', maxOutputTokens: 900 }] }),
  stream: (said) =>
    sse([
      { type: 'message-start', id: 'r1', delta: { message: { role: 'assistant' } } },
      ...(said.thought === undefined
        ? []
        : [{ type: 'content-delta', index: 0, delta: { message: { content: { thinking: said.thought } } } }]),
      ...(said.text === undefined
        ? []
        : [{ type: 'content-delta', index: 0, delta: { message: { content: { text: said.text } } } }]),
      ...(said.call === undefined
        ? []
        : [
            {
              type: 'tool-call-start',
              index: 0,
              delta: { message: { tool_calls: { id: 'c1', type: 'function', function: said.call } } },
            },
          ]),
      { type: 'message-end', delta: { finish_reason: cohereReason(said), ...cohereUsage } },
    ]),
  whole: (said) =>
    JSON.stringify({
      id: 'r1',
      finish_reason: cohereReason(said),
      message: {
        role: 'assistant',
        content: [
          ...(said.thought === undefined ? [] : [{ type: 'thinking', thinking: said.thought }]),
          ...(said.text === undefined ? [] : [{ type: 'text', text: said.text }]),
        ],
        ...(said.call === undefined ? {} : { tool_calls: [{ id: 'c1', type: 'function', function: said.call }] }),
      },
      ...cohereUsage,
    }),
  limitOf: (body) => body.max_tokens,
  cutsArguments: true,
};

// ---------------------------------------------------------------------------------------------------- Ollama

/** Ollama filters nothing and has no word for a broken answer, so both have the words of servers that imitate it. */
const OLLAMA = { stop: 'stop', length: 'length', filter: 'content_filter', error: 'error' } as const;
const ollamaLine = ({ text, call, thought, ending }: Said): Json => ({
  model: 'm',
  message: {
    role: 'assistant',
    content: text ?? '',
    ...(thought === undefined ? {} : { thinking: thought }),
    ...(call === undefined
      ? {}
      : { tool_calls: [{ function: { name: call.name, arguments: parsed(call.arguments) } }] }),
  },
  done: true,
  done_reason: OLLAMA[ending],
  prompt_eval_count: 10,
  eval_count: 5,
});

const ollamaWire: Wire = {
  provider: (url) => ollama({ id: 'wire', baseURL: url, models: [{ id: 'm', maxOutputTokens: 900 }] }),
  stream: (said) => {
    const { done: _, done_reason: __, ...piece } = ollamaLine(said);
    const last = ollamaLine({ ending: said.ending });
    return `${JSON.stringify({ ...piece, done: false })}\n${JSON.stringify(last)}\n`;
  },
  whole: (said) => JSON.stringify(ollamaLine(said)),
  limitOf: (body) => at(body, 'options', 'num_predict'),
  cutsArguments: false,
};

export const WIRES: Readonly<Record<string, Wire>> = {
  'chat completions': chatCompletions,
  responses,
  messages,
  generateContent,
  converse: converseWire,
  cohere: cohereWire,
  ollama: ollamaWire,
};
