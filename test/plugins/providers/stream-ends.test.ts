/** Every wire ends an answer at its end, though the connection stays open, with or without signs of life. */
import type { Provider } from 'polyphony';
import { fakeClock, providerContext } from 'polyphony/testing';
import { describe, expect, test } from 'vitest';
import { anthropic } from '../../../plugins/providers/anthropic.ts';
import { bedrock } from '../../../plugins/providers/bedrock.ts';
import { cohere } from '../../../plugins/providers/cohere.ts';
import { google } from '../../../plugins/providers/google.ts';
import { ollama } from '../../../plugins/providers/ollama.ts';
import { openaiCompatible } from '../../../plugins/providers/openai-compatible.ts';
import { openaiResponses } from '../../../plugins/providers/openai-responses.ts';
import { readComplete } from '../../../src/core/model/complete.ts';
import { loopback } from '../../kit/loopback.ts';
import { ask, chat, speak } from './attempts.ts';
import { frame } from './bedrock-frame.ts';
import { delta, transport, usage } from './exchange.ts';
import { events, namedEvents } from './native-exchange.ts';

interface OpenAnswer {
  readonly make: (baseURL: string) => Provider;
  readonly body: string | Buffer;
  /** A sign of life that holds nothing of the answer. */
  readonly beat: string | Buffer;
  /** Milliseconds that the connection has after the end of the answer. */
  readonly waits: number;
}

const apiKey = 'a-key-of-a-test';
const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret-of-a-test' };
const message = (type: string, body: object): Buffer =>
  frame({ ':message-type': 'event', ':event-type': type }, JSON.stringify(body));
const claude = [
  { type: 'message_start', message: { id: 'm', model: 'c', usage: { input_tokens: 3, output_tokens: 1 } } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: 'Good day' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
];
const gemini = [
  { candidates: [{ content: { parts: [{ text: 'Good day' }] } }] },
  { candidates: [{ finishReason: 'STOP' }], usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2 } },
];
const spoken = events([delta({ content: 'Good day' }), delta({}, 'stop', { usage })]);
const cohereText = { type: 'content-delta', index: 0, delta: { message: { content: { text: 'Good day' } } } };
const compatible = (baseURL: string): Provider => openaiCompatible({ baseURL, models: ['m'] });

const ANSWERS: Readonly<Record<string, OpenAnswer>> = {
  'chat completions, at [DONE]': { make: compatible, body: `${spoken}data: [DONE]\n\n`, beat: ': on\n\n', waits: 1000 },
  'chat completions, after a finish reason': { make: compatible, body: spoken, beat: ': on\n\n', waits: 2000 },
  'chat completions, with empty pieces behind': {
    make: compatible,
    body: spoken,
    beat: events([delta({})]),
    waits: 2000,
  },
  'responses, at the completed response': {
    make: (baseURL) => openaiResponses({ baseURL, apiKey }),
    body: namedEvents([
      { type: 'response.output_item.added', output_index: 0, item: { type: 'message', content: [] } },
      { type: 'response.output_text.delta', output_index: 0, delta: 'Good day' },
      {
        type: 'response.completed',
        response: { id: 'r', status: 'completed', output: [], usage: { input_tokens: 3 } },
      },
    ]),
    beat: ': on\n\n',
    waits: 1000,
  },
  'messages, at message_stop': {
    make: (baseURL) => anthropic({ baseURL, apiKey }),
    body: namedEvents([...claude, { type: 'message_stop' }]),
    beat: namedEvents([{ type: 'ping' }]),
    waits: 1000,
  },
  'messages, after a stop reason': {
    make: (baseURL) => anthropic({ baseURL, apiKey }),
    body: namedEvents(claude),
    beat: namedEvents([{ type: 'ping' }]),
    waits: 2000,
  },
  'generateContent, after a finish reason': {
    make: (baseURL) => google({ baseURL, apiKey }),
    body: events(gemini),
    beat: ': on\r\n\r\n',
    waits: 2000,
  },
  'generateContent, as a list that stays open': {
    make: (baseURL) => google({ baseURL, apiKey }),
    body: JSON.stringify(gemini).slice(0, -1),
    beat: '\n',
    waits: 2000,
  },
  'converse, after a stop reason': {
    make: (baseURL) => bedrock({ baseURL, region: 'us-east-1', credentials: keys }),
    body: Buffer.concat([
      message('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Good day' } }),
      message('messageStop', { stopReason: 'end_turn' }),
      message('metadata', { usage: { inputTokens: 3, outputTokens: 2 } }),
    ]),
    beat: message('ping', {}),
    waits: 2000,
  },
  'cohere, at message-end': {
    make: (baseURL) => cohere({ baseURL, apiKey }),
    body: events([
      cohereText,
      { type: 'message-end', delta: { finish_reason: 'COMPLETE', usage: { tokens: { output_tokens: 2 } } } },
    ]),
    beat: ': on\n\n',
    waits: 1000,
  },
  'ollama, when it is done': {
    make: (baseURL) => ollama({ baseURL, models: ['m'] }),
    body: `${[{ message: { content: 'Good day' } }, { done: true, done_reason: 'stop', eval_count: 2 }].map((line) => JSON.stringify(line)).join('\n')}\n`,
    beat: '\n',
    waits: 1000,
  },
};

/** A server that answers and then only shows that it lives, as often as it is asked to. */
async function openServer({ body, beat }: OpenAnswer) {
  let send = (): void => {};
  const server = await loopback((_, response) => {
    response.writeHead(200, {
      'content-type': typeof body === 'string' ? 'text/event-stream' : 'application/octet-stream',
    });
    response.write(body);
    send = () => void response.write(beat);
  });
  return { ...server, beat: () => send() };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('an answer whose connection stays open', { timeout: 20_000 }, () => {
  test.each(Object.entries(ANSWERS))('ends: %s', async (_, answer) => {
    const server = await openServer(answer);
    const clock = fakeClock();
    let ended = false;
    const response = ask(answer.make(server.url), transport, chat('Hi'), { clock }).finally(() => {
      ended = true;
    });
    while (clock.pending() === 0) await turn();
    // Signs of life prolong nothing.
    await clock.advance(answer.waits - 1);
    server.beat();
    for (let round = 0; round < 20; round += 1) await turn();
    expect(ended).toBe(false);
    await clock.advance(1);
    expect(await response).toMatchObject({ finishReason: 'stop', content: [{ type: 'text', text: 'Good day' }] });
    await server.closed;
    expect(server.received).toHaveLength(1);
    expect(clock.pending()).toBe(0);
  });

  test.each(Object.entries(ANSWERS))('ends where it is read in one step: %s', async (_, answer) => {
    const server = await openServer(answer);
    const clock = fakeClock();
    const provider = answer.make(server.url);
    const target = { provider: provider.id, model: provider.models[0]?.id ?? 'm' };
    const call = { id: 'call', signal: new AbortController().signal, purpose: 'answer' as const, scopes: [] };
    const attempt = { ...call, request: chat('Hi'), trace: { attempts: [] }, target, number: 1, streaming: false };
    const reading = readComplete(provider.stream(attempt, providerContext(transport, clock)));
    while (clock.pending() === 0) await turn();
    await clock.advance(answer.waits);
    const { events: all, failure } = await reading;
    expect(failure).toBeUndefined();
    expect(all.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' });
    await server.closed;
    expect(clock.pending()).toBe(0);
  });

  test('is read on while more of the answer comes behind a finish reason', async () => {
    let more = (): void => {};
    const server = await loopback((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(events([delta({ content: 'Good' }, 'stop')]));
      more = () => void response.write(events([delta({ content: ' day' }, 'stop')]));
    });
    const clock = fakeClock();
    const texts: string[] = [];
    const reading = (async () => {
      for await (const event of speak(compatible(server.url), transport, chat('Hi'), { clock })) {
        if (event.type === 'text-delta') texts.push(event.text);
      }
    })();
    for (let round = 1; round <= 3; round += 1) {
      while (texts.length < round || clock.pending() === 0) await turn();
      await clock.advance(1500);
      if (round < 3) more();
    }
    expect(texts.join('')).toBe('Good day day');
    await clock.advance(500);
    await reading;
    expect(clock.pending()).toBe(0);
  });
});
