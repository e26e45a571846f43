/** Events that arrived together are given without a wait, and nothing else about a stream changes by that. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ARRIVED, BATCHES, type Batches, type EventIterator } from '../../../src/core/model/complete.ts';
import type { ModelEvent, ModelRequest } from '../../../src/core/model/model.ts';
import type { TransportResponse, WireFormat } from '../../../src/core/model/provider.ts';
import { httpProvider } from '../../../src/kit/http/http-provider.ts';
import { modelCard } from '../../../src/kit/models/model-card.ts';
import { observe } from '../../../src/kit/streams/observe.ts';
import { resume } from '../../../src/kit/streams/stream-head.ts';
import { finish, providerContext } from '../../../src/testing/index.ts';

const text = (value: string): ModelEvent => ({ type: 'text-delta', text: value });

interface Source {
  readonly stream: AsyncIterable<ModelEvent>;
  readonly left: () => number;
}

/** Gives its events in batches, with `ARRIVED` or without; fails at its end where told. */
function sourceOf(batches: readonly (readonly ModelEvent[])[], fails: boolean, fast: boolean): Source {
  const rest = batches.map((batch) => [...batch]);
  let left = 0;
  const next = async (): Promise<IteratorResult<ModelEvent>> => {
    while (rest[0]?.length === 0) rest.shift();
    const value = rest[0]?.shift();
    if (value !== undefined) return { value, done: false };
    if (fails) throw new Error('cut');
    return { value: undefined, done: true };
  };
  const taken = (): ModelEvent | undefined => (rest[0]?.[0]?.type === 'finish' ? undefined : rest[0]?.shift());
  const iterator: EventIterator = {
    next,
    return: async () => {
      left += 1;
      return { value: undefined, done: true };
    },
    ...(fast ? { [ARRIVED]: taken } : {}),
  };
  return { stream: { [Symbol.asyncIterator]: () => iterator as AsyncIterator<ModelEvent> }, left: () => left };
}

interface Story {
  readonly batches: readonly (readonly ModelEvent[])[];
  readonly fails: boolean;
  /** The event at which a hook throws, and the one after which the reader leaves. */
  readonly throwsAt: number;
  readonly leavesAfter: number;
}

const stories: fc.Arbitrary<Story> = fc.record({
  batches: fc.array(fc.array(fc.oneof({ weight: 8, arbitrary: fc.string().map(text) }, fc.constant(finish()))), {
    maxLength: 6,
  }),
  fails: fc.boolean(),
  throwsAt: fc.integer({ min: 0, max: 25 }),
  leavesAfter: fc.integer({ min: 0, max: 25 }),
});

/** All that its reader, its hooks and its source see. */
async function told({ batches, fails, throwsAt, leavesAfter }: Story, fast: boolean): Promise<readonly unknown[]> {
  const seen: unknown[] = [];
  const source = sourceOf(batches, fails, fast);
  let passed = 0;
  let asked = 0;
  const inner = observe({
    open: () => source.stream,
    event(event) {
      passed += 1;
      if (passed === throwsAt) throw new Error('a hook');
      return event;
    },
    end(ending) {
      seen.push(['inner', ending.kind]);
      return ending;
    },
  });
  const head = inner[Symbol.asyncIterator]();
  const outer = observe({
    open: () => ({
      [Symbol.asyncIterator]: () => resume({ head: [text('head')], rest: head }) as AsyncIterator<ModelEvent>,
    }),
    ask() {
      asked += 1;
    },
    end(ending) {
      seen.push(['outer', ending.kind]);
      return ending;
    },
  });
  try {
    let read = 0;
    for await (const event of outer) {
      seen.push(event);
      read += 1;
      if (read === leavesAfter) break;
    }
  } catch (error) {
    seen.push(String(error));
  }
  return [...seen, asked, source.left()];
}

const request: ModelRequest = { operation: 'chat', messages: [{ role: 'user', content: 'Hi' }] };

/** An answer over HTTP whose events are these batches. */
function answerOf(batches: readonly (readonly ModelEvent[])[]) {
  const decoded: Batches = {
    async *[Symbol.asyncIterator]() {
      yield* batches;
    },
  };
  const wire: WireFormat = {
    encode: () => ({ url: '/', headers: {}, body: '' }),
    decode: () => ({ [BATCHES]: decoded, [Symbol.asyncIterator]: () => expect.fail('read one by one') }),
    classify: () => expect.fail('refused'),
  };
  const response = { status: 200, headers: {}, body: { async *[Symbol.asyncIterator]() {} } };
  const transport = {
    request: async () => ({ ...response, bytes: async () => new Uint8Array() }) as unknown as TransportResponse,
  };
  const provider = httpProvider({ id: 'p', wire, baseURL: 'http://127.0.0.1:1', models: [modelCard({ id: 'm' })] });
  const controller = new AbortController();
  const attempt = {
    id: 'a',
    request,
    target: { provider: 'p', model: 'm' },
    signal: controller.signal,
    streaming: true,
  };
  const context = providerContext(transport as never);
  return { controller, iterator: provider.stream(attempt as never, context)[Symbol.asyncIterator]() as EventIterator };
}

describe('events that arrived together', () => {
  it('show readers and observers the same as events that came one by one', async () => {
    await fc.assert(
      fc.asyncProperty(stories, async (story) => {
        expect(await told(story, true)).toEqual(await told(story, false));
      }),
      { numRuns: 500 },
    );
  });

  it('come in their order to those who ask several times at once', async () => {
    const { iterator } = answerOf([
      [text('a'), text('b')],
      [text('c'), finish()],
    ]);
    const results = await Promise.all(Array.from({ length: 6 }, () => iterator.next()));
    expect(results.map(({ value }) => (value as ModelEvent | undefined)?.type)).toEqual([
      ...Array(3).fill('text-delta'),
      'finish',
      undefined,
      undefined,
    ]);
    expect(results.slice(0, 3).map(({ value }) => value)).toEqual([text('a'), text('b'), text('c')]);
  });

  it('are not given to a reader that has cancelled, or has left', async () => {
    const cancelled = answerOf([[text('a'), text('b'), text('c')]]);
    await cancelled.iterator.next();
    expect(cancelled.iterator[ARRIVED]?.()).toEqual(text('b'));
    cancelled.controller.abort();
    expect(cancelled.iterator[ARRIVED]?.()).toBeUndefined();
    await expect(cancelled.iterator.next()).rejects.toMatchObject({ code: 'cancelled' });
    expect(await cancelled.iterator.next()).toMatchObject({ done: true });

    const left = answerOf([[text('a'), text('b')]]);
    await left.iterator.next();
    await left.iterator.return?.();
    expect(left.iterator[ARRIVED]?.()).toBeUndefined();
    expect(await left.iterator.next()).toMatchObject({ done: true });

    const leaving = answerOf([[text('a'), text('b')]]);
    const asked = leaving.iterator.next();
    await leaving.iterator.return?.();
    expect(await asked).toEqual({ value: text('a'), done: false });
    expect(await leaving.iterator.next()).toMatchObject({ done: true });
  });

  it('come after the head of their stream', async () => {
    const { iterator } = answerOf([[text('a'), text('b'), text('c')]]);
    const { value } = await iterator.next();
    const stream = resume({ head: [value as ModelEvent], rest: iterator });
    expect(stream[ARRIVED]?.()).toBeUndefined();
    expect(await stream.next()).toEqual({ value: text('a'), done: false });
    expect(stream[ARRIVED]?.()).toEqual(text('b'));
  });

  it('are without the end of the answer, which is asked for', async () => {
    const { iterator } = answerOf([[text('a'), text('b'), finish()]]);
    await iterator.next();
    expect([iterator[ARRIVED]?.(), iterator[ARRIVED]?.()]).toEqual([text('b'), undefined]);
    expect((await iterator.next()).value).toMatchObject({ type: 'finish' });
  });

  it('end with the failure that came after them', async () => {
    const { iterator } = answerOf([[text('a'), text('b')]]);
    await iterator.next();
    expect(iterator[ARRIVED]?.()).toEqual(text('b'));
    expect(iterator[ARRIVED]?.()).toBeUndefined();
    await expect(iterator.next()).rejects.toMatchObject({ code: 'truncated' });
    expect(await iterator.next()).toMatchObject({ done: true });
  });
});
