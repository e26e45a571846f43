/** LangChain's own fakes as providers, and models that hear and say more. */
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { AIMessage, AIMessageChunk } from '@langchain/core/messages';
import { IterableReadableStream } from '@langchain/core/utils/stream';
import { FakeListChatModel, FakeStreamingChatModel } from '@langchain/core/utils/testing';
import type { ModelEvent, ModelRequest } from 'polyphony';
import { textOf } from 'polyphony/kit';
import { providerContext } from 'polyphony/testing';
import { describe, expect, test } from 'vitest';
import { langchain } from '../../../plugins/providers/langchain.ts';
import { ask, chat, speak } from './attempts.ts';
import { codes, failure, transport } from './exchange.ts';
import { answered, Listening, streaming, tool } from './langchain-models.ts';

describe('answers', () => {
  test('come piece by piece', async () => {
    const texts: string[] = [];
    const provider = langchain(new FakeListChatModel({ responses: ['Hello'] }));
    for await (const event of speak(provider, transport, chat('Hi')))
      if (event.type === 'text-delta') texts.push(event.text);
    expect(texts).toEqual(['H', 'e', 'l', 'l', 'o']);
  });

  test('of the fake that streams bring whole calls', async () => {
    const calls = [{ type: 'tool_call' as const, id: 'a', name: 'f', args: { x: 1 } }];
    const chunks = [new AIMessageChunk('Hi'), new AIMessageChunk({ content: '', tool_calls: calls })];
    const response = await answered(new FakeStreamingChatModel({ chunks }));
    expect(response.content).toMatchObject([{ text: 'Hi' }, { id: 'a', name: 'f', arguments: { x: 1 } }]);
    expect(response.finishReason).toBe('tool-calls');
    const failing = new FakeStreamingChatModel({ thrownErrorString: 'broken' });
    expect((await failure(answered(failing))).message).toContain('broken');
  });

  test('without usage carry a warning', async () => {
    const response = await answered(new FakeListChatModel({ responses: ['Hello'] }));
    expect(response).toMatchObject({ finishReason: 'stop', usage: { input: 0, output: 0 } });
    expect(codes(response)).toEqual(['usage-missing']);
  });

  test('keep thinking, text, calls, usage and reason apart', async () => {
    const response = await answered(
      streaming(
        { content: [{ type: 'thinking', thinking: 'Hm' }] },
        { content: [{ type: 'thinking', thinking: '.', signature: 'sig' }] },
        {
          content: 'Hi',
          usage_metadata: {
            input_tokens: 10,
            output_tokens: 0,
            total_tokens: 10,
            input_token_details: { cache_read: 4 },
          },
        },
        { content: '', tool_call_chunks: [{ index: 0, id: 'a', name: 'f', args: '{"x":' }] },
        { content: '', tool_call_chunks: [{ index: 0, args: '1}' }] },
        { content: '', tool_call_chunks: [{ index: 1, id: 'b', name: 'f', args: '{"x":' }] },
        {
          content: '',
          usage_metadata: {
            input_tokens: 0,
            output_tokens: 5,
            total_tokens: 5,
            output_token_details: { reasoning: 2 },
          },
          response_metadata: { stop_reason: 'tool_use', model_name: 'm-1' },
        },
      ),
    );
    expect(response.content).toEqual([
      { type: 'reasoning', text: 'Hm.', signature: 'sig', family: 'langchain' },
      { type: 'text', text: 'Hi' },
      { type: 'tool-call', id: 'a', name: 'f', arguments: { x: 1 } },
      { type: 'tool-call', id: 'b', name: 'f', arguments: {}, raw: '{"x":' },
    ]);
    expect(response).toMatchObject({
      finishReason: 'tool-calls',
      usage: { input: 10, output: 5, cacheRead: 4, reasoning: 2 },
      model: 'm-1',
    });
    expect(codes(response)).toEqual(['tool-arguments']);
  });

  test('whole ones say the same', async () => {
    const answer = new AIMessage({
      content: 'Hi',
      tool_calls: [{ type: 'tool_call', id: 'a', name: 'f', args: { x: 1 } }],
      invalid_tool_calls: [{ type: 'invalid_tool_call', id: 'b', name: 'f', args: '{"x":' }],
    });
    const used = { usage_metadata: { input_tokens: 1, output_tokens: 2, total_tokens: 3 } };
    const response = await answered(new Listening(Object.assign(answer, used)));
    expect(response.content).toMatchObject([{ text: 'Hi' }, { arguments: { x: 1 } }, { raw: '{"x":' }]);
    expect(response.usage).toEqual({ input: 1, output: 2 });
  });

  test('that nobody reads as they come are asked for whole', async () => {
    const model = new Listening();
    const provider = langchain(model);
    const target = { provider: 'langchain', model: 'listening' };
    const signal = new AbortController().signal;
    const events: ModelEvent[] = [];
    const call = {
      id: 'c',
      request: chat('Hi'),
      signal,
      purpose: 'answer' as const,
      scopes: [],
      trace: { attempts: [] },
    };
    const attempt = { ...call, target, number: 1, streaming: false };
    for await (const event of provider.stream(attempt, providerContext(transport))) events.push(event);
    expect(events.map(({ type }) => type)).toEqual(['text-delta', 'warning', 'finish']);
  });

  test('reports the model that the message names', async () => {
    const provider = langchain(streaming({ content: 'Hi', response_metadata: { model_name: 'm-2026' } }));
    const target = { provider: 'langchain', model: provider.models[0]?.id ?? '' };
    const call = { id: 'c', request: chat('Hi'), purpose: 'answer' as const, scopes: [], trace: { attempts: [] } };
    const context = providerContext(transport);
    const attempt = { ...call, signal: new AbortController().signal, target, number: 1 };
    for await (const event of provider.stream(attempt, context)) expect(event.type).not.toBe('route');
    expect(context.reports).toEqual([{ model: 'm-2026' }]);
  });

  test.each([
    ['max_tokens', 'length'],
    ['content_filter', 'content-filter'],
    ['odd', 'other'],
  ])('the reason %s is %s', async (finish_reason, reason) => {
    expect((await answered(streaming({ content: 'x', response_metadata: { finish_reason } }))).finishReason).toBe(
      reason,
    );
  });
});

describe('requests', () => {
  test("are LangChain's own messages", async () => {
    const model = new Listening();
    await answered(
      model,
      chat([
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'See' },
            { type: 'image', source: { type: 'base64', data: 'AA==', mediaType: 'image/png' } },
            { type: 'file', source: { type: 'base64', data: 'BB==', mediaType: 'application/pdf' }, name: 'a.pdf' },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'reasoning', text: 'Hm', signature: 'sig', family: 'langchain' },
            { type: 'reasoning', text: 'no', signature: 'x', family: 'other' },
            { type: 'text', text: 'Wait' },
            { type: 'tool-call', id: 'a', name: 'f', arguments: { x: 1 } },
          ],
        },
        { role: 'tool', content: [{ type: 'tool-result', id: 'a', name: 'f', content: 'bad', isError: true }] },
      ]),
    );
    expect(model.heard.map((message) => message.getType())).toEqual(['system', 'human', 'ai', 'tool']);
    const [, human, assistant, result] = model.heard;
    expect(human?.content).toEqual([
      { type: 'text', text: 'See' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
      {
        type: 'file',
        source_type: 'base64',
        mime_type: 'application/pdf',
        data: 'BB==',
        metadata: { filename: 'a.pdf' },
      },
    ]);
    expect(assistant).toMatchObject({
      content: [
        { type: 'thinking', thinking: 'Hm', signature: 'sig' },
        { type: 'text', text: 'Wait' },
      ],
      tool_calls: [{ id: 'a', name: 'f', args: { x: 1 } }],
    });
    expect(result).toMatchObject({ tool_call_id: 'a', name: 'f', content: 'bad', status: 'error' });
  });

  test('bind tools and their choice, stop, and what providerOptions add', async () => {
    const model = new Listening();
    await answered(
      model,
      chat('Hi', {
        tools: [tool],
        toolChoice: 'required',
        stop: ['x'],
        providerOptions: { langchain: { tags: ['t'] } },
      }),
    );
    expect(model.tools).toEqual([{ name: 'f', description: 'F', schema: tool.inputSchema }]);
    expect(model.options).toMatchObject({ tool_choice: 'any', stop: ['x'] });
  });

  test('leave out what is told when the model is made, with a warning', async () => {
    const response = await answered(new Listening(), chat('Hi', { temperature: 0.5, maxOutputTokens: 5 }));
    expect(codes(response).filter((code) => code === 'parameter-dropped')).toHaveLength(2);
  });
});

describe('endings', () => {
  test('a cancelled stream is an error, not a short answer', async () => {
    const controller = new AbortController();
    const provider = langchain(new FakeListChatModel({ responses: ['Hello, hello, hello'], sleep: 5 }));
    const seen: string[] = [];
    const reading = (async () => {
      for await (const event of speak(provider, transport, chat('Hi'), { signal: controller.signal })) {
        if (event.type === 'text-delta') seen.push(event.text);
        if (seen.length === 3) controller.abort();
      }
    })();
    expect(await failure(reading)).toMatchObject({ code: 'cancelled' });
    expect(seen.length).toBeLessThan('Hello, hello, hello'.length);
  });

  test('a model that ends quietly when it is cancelled does not pass for one that ended', async () => {
    const controller = new AbortController();
    class Quiet extends Listening {
      override async stream() {
        controller.abort();
        return IterableReadableStream.fromAsyncGenerator(
          (async function* () {
            yield new AIMessageChunk('Hel');
          })(),
        );
      }
    }
    const provider = langchain(new Quiet());
    const reading = ask(provider, transport, chat('Hi'), { signal: controller.signal });
    expect(await failure(reading)).toMatchObject({ code: 'cancelled' });
  });

  test.each([
    [429, 'rate-limited'],
    [401, 'invalid-credential'],
    [529, 'overloaded'],
  ])('what a client throws with the status %i is %s', async (status, code) => {
    const thrown = Object.assign(new Error('no'), { status });
    // LangChain tries again by itself unless it is told not to.
    const model = new Listening(thrown, 0);
    expect(await failure(answered(model))).toMatchObject({ code, status });
  });

  test('a model without tools refuses them', async () => {
    class Plain extends Listening {}
    const model = new Plain();
    Object.defineProperty(model, 'bindTools', { value: undefined });
    expect(langchain(model).models[0]?.capabilities).not.toContain('tools');
    expect(await failure(answered(model, chat('Hi', { tools: [tool] })))).toMatchObject({ code: 'unsupported' });
  });

  test('what is no model is refused, and the card says what the caller knows', () => {
    expect(() => langchain({} as BaseChatModel)).toThrow('chat model');
    const [card] = langchain(new Listening(), { card: { id: 'mine', price: { input: 1, output: 2 } } }).models;
    expect(card).toMatchObject({ id: 'mine', price: { input: 1, output: 2 } });
  });

  test('another operation is refused', async () => {
    const request: ModelRequest = { operation: 'embed', input: ['x'] };
    expect(await failure(answered(new Listening(), request))).toMatchObject({ code: 'unsupported' });
  });

  test('one text is one string for every model', async () => {
    const model = new Listening();
    expect(textOf(await answered(model))).toBe('Hello');
    expect(model.heard[0]?.content).toBe('Hi');
  });
});
