/** A reader that leaves an answer, whatever it asks for at the same time. */
import { describe, expect, it } from 'vitest';
import type { ModelEvent } from '../../../src/core/model/model.ts';
import type { TransportResponse, WireFormat } from '../../../src/core/model/provider.ts';
import { httpProvider } from '../../../src/kit/http/http-provider.ts';
import { modelCard } from '../../../src/kit/models/model-card.ts';
import { decodeBody } from '../../../src/kit/streams/answer-body.ts';
import { finish, providerContext } from '../../../src/testing/index.ts';

const text = (value: string): ModelEvent => ({ type: 'text-delta', text: value });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Each piece is the events that it completes; each arrives a turn later. */
function answerOf(pieces: readonly (readonly ModelEvent[])[], failure?: Error) {
  const seen = { requests: 0, left: 0 };
  let at = 0;
  const body: AsyncIterator<Uint8Array> = {
    async next() {
      await turn();
      if (seen.left > 0 || at === pieces.length) return { done: true, value: undefined };
      at += 1;
      return { done: false, value: new Uint8Array([at - 1]) };
    },
    async return() {
      seen.left += 1;
      if (failure !== undefined) throw failure;
      return { done: true, value: undefined };
    },
  };
  const wire: WireFormat = {
    encode: () => ({ url: '/', headers: {}, body: '' }),
    decode(response) {
      const state = { events: [] as ModelEvent[], failure: undefined, complete: false };
      return decodeBody(response, state, {
        push: ([index]) => state.events.push(...(pieces[index ?? 0] ?? [])),
        end() {},
      });
    },
    classify: () => expect.fail('refused'),
  };
  const transport = {
    async request() {
      seen.requests += 1;
      return { status: 200, headers: {}, body: { [Symbol.asyncIterator]: () => body } } as unknown as TransportResponse;
    },
  };
  const provider = httpProvider({ id: 'p', wire, baseURL: 'http://127.0.0.1:1', models: [modelCard({ id: 'm' })] });
  const request = { operation: 'chat', messages: [{ role: 'user', content: 'Hi' }] };
  const target = { provider: 'p', model: 'm' };
  const attempt = { id: 'a', request, target, signal: new AbortController().signal, streaming: true };
  const context = providerContext(transport as never);
  const iterator = provider.stream(attempt as never, context)[Symbol.asyncIterator]();
  const leave = (): Promise<unknown> => iterator.return?.() ?? expect.fail('cannot be left');
  return { seen, reports: context.reports, iterator, leave };
}

const OVER = { value: undefined, done: true };

describe('a reader that leaves an answer', () => {
  it('sends no request when it asks behind that', async () => {
    const { seen, iterator, leave } = answerOf([[text('a'), finish()]]);
    const left = leave();
    expect(await iterator.next()).toEqual(OVER);
    await left;
    expect(seen.requests).toBe(0);
  });

  it('gets nothing of what has arrived when it asks behind that', async () => {
    const { seen, iterator, leave } = answerOf([[text('a'), text('b'), finish()]]);
    await iterator.next();
    const left = leave();
    expect(await iterator.next()).toEqual(OVER);
    await left;
    expect(seen.left).toBeGreaterThan(0);
  });

  it('gets the end for what it had asked for beyond the piece that was on its way', async () => {
    const { seen, reports, iterator, leave } = answerOf([[text('a')], [finish({ model: 'm-1' })]]);
    const asked = [iterator.next(), iterator.next(), iterator.next()];
    const left = [leave(), leave()];
    expect(await Promise.all(asked)).toEqual([{ value: text('a'), done: false }, OVER, OVER]);
    expect(await Promise.all(left)).toEqual([OVER, OVER]);
    expect(seen.left).toBeGreaterThan(0);
    expect(reports).toEqual([]);
  });

  it('is told in the words of the project what kept it from leaving', async () => {
    const { iterator, leave } = answerOf([[text('a')]], new Error('the socket is stuck'));
    await iterator.next();
    await expect(leave()).rejects.toMatchObject({ code: 'plugin-failed', message: 'p/m: the socket is stuck' });
    expect(await leave()).toEqual(OVER);
  });
});
