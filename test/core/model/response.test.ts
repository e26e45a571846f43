import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AttemptRecord, CallTrace, ModelEvent, ModelResponse, Part } from '../../../src/core/model/model.ts';
import { collect, replay, textOf } from '../../../src/core/model/response.ts';

const target = { provider: 'p', model: 'm' };
const signal = new AbortController().signal;
const call = (trace: CallTrace = { attempts: [] }) => ({ trace, signal });
const route: ModelEvent = { type: 'route', target };
const finish: ModelEvent = { type: 'finish', reason: 'stop', usage: { input: 1, output: 2 }, costNanoUsd: 7 };

async function* of(...events: ModelEvent[]): AsyncGenerator<ModelEvent> {
  yield* events;
}

describe('collect', () => {
  it('joins deltas and keeps the order of blocks', async () => {
    const response = await collect(
      of(
        route,
        { type: 'reasoning-delta', text: 'hm' },
        { type: 'reasoning', part: { type: 'reasoning', text: 'hm', signature: 's' } },
        { type: 'text-delta', text: 'a' },
        { type: 'text-delta', text: 'b' },
        { type: 'tool-call', call: { type: 'tool-call', id: '1', name: 'f', arguments: {} } },
        { type: 'text-delta', text: 'c' },
        finish,
      ),
      call(),
    );
    expect(response.content).toEqual([
      { type: 'reasoning', text: 'hm', signature: 's' },
      { type: 'text', text: 'ab' },
      { type: 'tool-call', id: '1', name: 'f', arguments: {} },
      { type: 'text', text: 'c' },
    ]);
    expect(textOf(response)).toBe('abc');
  });

  it('forgets what a restart voids, but not its warnings', async () => {
    const response = await collect(
      of(
        route,
        { type: 'warning', warning: { code: 'w', message: 'm' } },
        { type: 'text-delta', text: 'old' },
        { type: 'restart', notice: 'again' },
        { type: 'route', target: { provider: 'q', model: 'n' } },
        { type: 'text-delta', text: 'new' },
        finish,
      ),
      call(),
    );
    expect(textOf(response)).toBe('new');
    expect(response.target).toEqual({ provider: 'q', model: 'n' });
    expect(response.warnings).toHaveLength(1);
  });

  it('calls a stream without a finish truncated, never done', async () => {
    await expect(collect(of(route, { type: 'text-delta', text: 'a' }), call())).rejects.toMatchObject({
      code: 'truncated',
    });
    await expect(collect(of(), call())).rejects.toMatchObject({ code: 'truncated' });
  });

  it('reads past the finish, so that what stands behind it runs', async () => {
    let after = false;
    async function* stream(): AsyncGenerator<ModelEvent> {
      yield route;
      yield finish;
      after = true;
    }
    await collect(stream(), call());
    expect(after).toBe(true);
  });

  it('costs what all its attempts cost, and nothing is known when one is not', async () => {
    const attempt = (costNanoUsd: number | null): AttemptRecord => ({
      key: 'k',
      target,
      purpose: 'answer',
      startedAt: 0,
      queueMs: 0,
      firstTokenMs: null,
      totalMs: 1,
      outcome: 'ok',
      usage: null,
      costNanoUsd,
    });
    expect((await collect(of(route, finish), call({ attempts: [attempt(3), attempt(4)] }))).costNanoUsd).toBe(7);
    expect((await collect(of(route, finish), call({ attempts: [attempt(3), attempt(null)] }))).costNanoUsd).toBeNull();
  });
});

describe('replay', () => {
  const part = fc.oneof(
    fc.record({ type: fc.constant('text' as const), text: fc.string({ minLength: 1 }) }),
    fc.record({ type: fc.constant('reasoning' as const), text: fc.string(), signature: fc.string() }),
    fc.record({
      type: fc.constant('tool-call' as const),
      id: fc.string(),
      name: fc.string(),
      arguments: fc.jsonValue() as fc.Arbitrary<never>,
    }),
  );
  it('is the inverse of collect', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(part), async (parts) => {
        // Two texts beside each other become one in a stream: separate them.
        const content: readonly Part[] = parts.flatMap((one, index): Part[] =>
          one.type === 'text' && parts[index - 1]?.type === 'text'
            ? [{ type: 'tool-call', id: String(index), name: 'gap', arguments: {} }, one]
            : [one],
        );
        const response: ModelResponse = {
          target,
          content,
          finishReason: 'stop',
          usage: { input: 1, output: 1 },
          costNanoUsd: 5,
          attempts: [],
          warnings: [{ code: 'a', message: 'b' }],
          model: 'm-1',
        };
        expect(await collect(replay(response), call())).toEqual(response);
      }),
    );
  });
});
