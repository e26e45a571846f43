import fc from 'fast-check';
import { type ModelEvent, PolyphonyError } from 'polyphony';
import { textOf } from 'polyphony/kit';
import { fakeProvider, fakeRuntime, finish, type ScriptStep } from 'polyphony/testing';
import { describe, expect, it } from 'vitest';
import { exactCache } from '../../../plugins/caching/exact-cache.ts';
import { chat, pluginRing } from '../plugin-ring.ts';

const text = (value: string): ModelEvent => ({ type: 'text-delta', text: value });

async function ring(script: () => readonly ScriptStep[]) {
  const runtime = fakeRuntime();
  const provider = fakeProvider({ runtime, script });
  const plugin = exactCache();
  return { provider, plugin, ...(await pluginRing({ provider, plugin, runtime })) };
}

describe('identical requests in flight', () => {
  const slow = () => [text('a'), { wait: 10 }, text('b'), { wait: 10 }, finish()] as const;

  it('are asked once; followers see the stream live and pay nothing', async () => {
    const { handle, call, runtime, provider, plugin } = await ring(slow);
    const seen: string[][] = [[], []];
    const calls = [call(chat('q')), call(chat('q'))];
    const readers = calls.map(async (one, index) => {
      for await (const event of handle(one)) if (event.type === 'text-delta') seen[index]?.push(event.text);
    });
    await runtime.clock.advance(5);
    expect(seen).toEqual([['a'], ['a']]);
    await runtime.clock.advance(20);
    await Promise.all(readers);
    expect(provider.seen).toHaveLength(1);
    expect(calls.map(({ trace }) => trace.attempts.length)).toEqual([1, 0]);
    expect(plugin.statistics()).toEqual({ hits: 0, coalesced: 1, misses: 1, stored: 1 });
  });

  it('the follower gets cached and cost 0; the leader its own', async () => {
    const { ask, runtime } = await ring(slow);
    const both = Promise.all([ask(chat('q')), ask(chat('q'))]);
    await runtime.clock.runAll();
    const [leader, follower] = await both;
    expect(leader).toMatchObject({ costNanoUsd: 100 });
    expect(follower).toMatchObject({ costNanoUsd: 0, cached: true, attempts: [] });
  });

  it('a failure of the request is thrown to all; one of the leader alone makes the next one lead', async () => {
    const codes = ['content-policy', 'overloaded', 'budget-exceeded'] as const;
    for (const [index, code] of codes.entries()) {
      let asked = 0;
      const { ask, runtime, provider } = await ring(() =>
        ++asked === 1 ? [{ wait: 5 }, { fail: new PolyphonyError(code, 'no') }] : [text('ok'), finish()],
      );
      const both = Promise.allSettled([ask(chat('q')), ask(chat('q')), ask(chat('q'))]);
      await runtime.clock.runAll();
      const outcome = (await both).map(({ status }) => status);
      expect(outcome).toEqual(
        index < 2 ? ['rejected', 'rejected', 'rejected'] : ['rejected', 'fulfilled', 'fulfilled'],
      );
      expect(provider.seen).toHaveLength(index < 2 ? 1 : 2);
    }
  });

  it('are cancelled at the provider when the last reader leaves, and not before', async () => {
    const { ask, runtime, provider } = await ring(() => [text('a'), { hang: true }]);
    const aborts = [new AbortController(), new AbortController()];
    const answers = Promise.allSettled(aborts.map(({ signal }) => ask(chat('q'), { signal })));
    await runtime.clock.advance(1);
    aborts[0]?.abort();
    await runtime.clock.advance(1);
    expect(provider.open()).toBe(1);
    aborts[1]?.abort();
    await runtime.clock.advance(1);
    expect(provider.open()).toBe(0);
    expect((await answers).every(({ status }) => status === 'rejected')).toBe(true);
  });

  it('a follower keeps its own deadline', async () => {
    const { ask, runtime } = await ring(slow);
    const both = Promise.allSettled([ask(chat('q')), ask(chat('q'), { deadline: runtime.clock.now() + 5 })]);
    await runtime.clock.runAll();
    const [leader, follower] = await both;
    expect(leader.status).toBe('fulfilled');
    expect(follower).toMatchObject({ status: 'rejected', reason: { code: 'timeout' } });
    expect(runtime.clock.pending()).toBe(0);
  });

  it('law: whoever cancels, nobody else notices, nothing is left open', async () => {
    const caller = fc.record({
      at: fc.integer({ min: 0, max: 30 }),
      cancelAfter: fc.option(fc.integer({ min: 0, max: 30 })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(caller, { minLength: 1, maxLength: 5 }), async (callers) => {
        const { ask, runtime, provider } = await ring(slow);
        const outcomes = callers.map(({ at, cancelAfter }) => {
          const abort = new AbortController();
          if (cancelAfter !== null) runtime.clock.schedule(at + cancelAfter, () => abort.abort());
          const started = new Promise<void>((resolve) => void runtime.clock.schedule(at, resolve));
          return started.then(() => ask(chat('q'), { signal: abort.signal })).then(textOf, (error: unknown) => error);
        });
        await runtime.clock.runAll();
        for (const [index, outcome] of (await Promise.all(outcomes)).entries()) {
          if (callers[index]?.cancelAfter === null) expect(outcome).toBe('ab');
          else if (outcome !== 'ab') expect(outcome).toMatchObject({ code: 'cancelled' });
        }
        expect(provider.open()).toBe(0);
        expect(runtime.clock.pending()).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
