/** The frame around every decoder: what is handed on when, and what a broken connection breaks. */
import { describe, expect, test, vi } from 'vitest';
import { PolyphonyError } from '../../../src/core/errors.ts';
import { batchesOf, type CompletableStream, readComplete } from '../../../src/core/model/complete.ts';
import type { ModelEvent } from '../../../src/core/model/model.ts';
import type { TransportResponse } from '../../../src/core/model/provider.ts';
import { answerState, decodeAnswer, finishAnswer } from '../../../src/kit/http/decode-answer.ts';

const utf8 = new TextEncoder();
const frames = (...documents: readonly unknown[]): string =>
  documents.map((document) => `data: ${JSON.stringify(document)}\n\n`).join('');

interface Body {
  readonly chunks: readonly string[];
  /** Thrown behind the chunks. */
  readonly error?: Error;
  readonly type?: string;
}

function answer({
  chunks,
  error,
  type = 'text/event-stream',
}: Body): TransportResponse & { readonly left: () => void } {
  const left = vi.fn();
  const body = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (const chunk of chunks) yield utf8.encode(chunk);
      if (error !== undefined) throw error;
    } finally {
      left();
    }
  };
  const bytes = async (): Promise<Uint8Array> => {
    if (error !== undefined) throw error;
    return utf8.encode(chunks.join(''));
  };
  return { status: 200, headers: { 'content-type': type }, body: body(), bytes, left };
}

/** `{ say }` is text, `{ fault }` an error, `{ end }` the end. */
function decode(response: TransportResponse, includeRaw = false): CompletableStream {
  const state = answerState({ includeRaw });
  return decodeAnswer(response, state, {
    read({ say, fault, end }) {
      if (typeof say === 'string') state.events.push({ type: 'text-delta', text: say });
      if (typeof fault === 'string') state.failure = new PolyphonyError('overloaded', fault);
      if (end === true) finishAnswer(state, { reason: 'stop', usage: { input: 1, output: 2 } });
    },
  });
}

type Read = (stream: CompletableStream) => ReturnType<typeof readComplete>;
const WAYS: readonly (readonly [string, Read])[] = [
  ['by events', (stream) => readComplete({ [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator]() })],
  ['by batches', (stream) => readComplete({ [Symbol.asyncIterator]: () => flat(stream) })],
  ['whole', readComplete],
];

async function* flat(stream: CompletableStream): AsyncGenerator<ModelEvent> {
  for await (const batch of batchesOf(stream)) yield* batch;
}

const said = (text: string): ModelEvent => ({ type: 'text-delta', text });
const finish: ModelEvent = { type: 'finish', reason: 'stop', usage: { input: 1, output: 2 } };
const reset = new PolyphonyError('network', 'The connection was reset.');

describe.each(WAYS)('an answer read %s', (_way, read) => {
  test('ends with what ends it', async () => {
    const chunks = [frames({ say: 'a' }, { say: 'b' }), frames({ end: true })];
    expect(await read(decode(answer({ chunks })))).toEqual({ events: [said('a'), said('b'), finish] });
  });

  test('fails once the events before the failure are out, and nothing behind it is read', async () => {
    const response = answer({ chunks: [frames({ say: 'a' }, { fault: 'busy' }, { say: 'b' }), frames({ end: true })] });
    expect(await read(decode(response))).toMatchObject({
      events: [said('a')],
      failure: { error: { code: 'overloaded', message: 'busy' } },
    });
    expect(response.left).toHaveBeenCalledOnce();
  });

  test('breaks with its connection before its end', async () => {
    const chunks = [frames({ say: 'a' })];
    expect(await read(decode(answer({ chunks, error: reset })))).toEqual({
      events: [said('a')],
      failure: { error: reset },
    });
  });

  test('is not broken by what breaks behind its end, but by its reader who cancels', async () => {
    const chunks = [frames({ say: 'a' }, { end: true })];
    expect(await read(decode(answer({ chunks, error: reset })))).toEqual({ events: [said('a'), finish] });
    const cancelled = new PolyphonyError('cancelled', 'The caller left.');
    expect(await read(decode(answer({ chunks, error: cancelled })))).toMatchObject({ failure: { error: cancelled } });
  });

  test('tells what it could not read', async () => {
    const chunks = ['data: {broken\n\ndata:  \n\ndata: [DONE]\n\n', frames({ end: true })];
    expect((await read(decode(answer({ chunks })))).events).toMatchObject([
      { type: 'warning', warning: { code: 'malformed-chunk', message: expect.stringContaining('1 piece ') } },
      finish,
    ]);
  });

  test('is one document as well, its server’s list around it or not', async () => {
    const type = 'application/json; charset=utf-8';
    for (const text of ['{"say":"a","end":true}', '[{"say":"a","end":true}]']) {
      const body = { say: 'a', end: true };
      expect(await read(decode(answer({ chunks: [text], type }), true))).toEqual({
        events: [said('a'), { ...finish, raw: body }],
      });
    }
  });

  test('is refused above 64 MiB where it is one document', async () => {
    const chunks = ['{"say":"', ...Array.from({ length: 65 }, () => 'a'.repeat(1_048_576))];
    expect(await read(decode(answer({ chunks })))).toMatchObject({
      failure: { error: { code: 'truncated', retryable: false } },
    });
  });
});

test('what arrives at once is handed on at once', async () => {
  const chunks = [frames({ say: 'a' }, { say: 'b' }), ': ping\n\n', frames({ say: 'c' }, { end: true })];
  const batches: unknown[] = [];
  for await (const batch of batchesOf(decode(answer({ chunks })))) batches.push(batch);
  expect(batches).toEqual([
    [said('a'), said('b')],
    [said('c'), finish],
  ]);
});

test('who leaves closes the body, whether he read by events or by batches', async () => {
  const byEvents = answer({ chunks: [frames({ say: 'a' }, { say: 'b' })] });
  for await (const _event of decode(byEvents)) break;
  const byBatches = answer({ chunks: [frames({ say: 'a' }, { say: 'b' })] });
  for await (const _batch of batchesOf(decode(byBatches))) break;
  expect(byEvents.left).toHaveBeenCalledOnce();
  expect(byBatches.left).toHaveBeenCalledOnce();
});
