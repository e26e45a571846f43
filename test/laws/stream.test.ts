import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { ModelEvent } from '../../src/core/model/model.ts';
import { fakeCard, fakeProvider, finish, type ScriptStep } from '../../src/testing/fakes.ts';
import { drain, errorOf, fault, harness, text, user } from '../gateway/harness.ts';

const event: fc.Arbitrary<ModelEvent> = fc.oneof(
  fc.string().map(text),
  fc.string().map((words): ModelEvent => ({ type: 'reasoning-delta', text: words })),
  fc
    .string()
    .map((words): ModelEvent => ({ type: 'reasoning', part: { type: 'reasoning', text: words, signature: words } })),
  fc
    .record({ index: fc.nat(3), id: fc.string(), name: fc.string(), delta: fc.string() })
    .map((call): ModelEvent => ({ type: 'tool-call-delta', ...call })),
  fc
    .record({ id: fc.string(), name: fc.string() })
    .map((call): ModelEvent => ({ type: 'tool-call', call: { type: 'tool-call', ...call, arguments: {} } })),
  fc.string().map((code): ModelEvent => ({ type: 'warning', warning: { code, message: code } })),
);

function playing(steps: readonly ScriptStep[], config: object = {}) {
  let fake: ReturnType<typeof fakeProvider> | undefined;
  const made = harness({
    providers: (runtime) => {
      fake = fakeProvider({ runtime, script: () => steps });
      return [fake];
    },
    config: { retry: { retries: 0 }, ...config },
  });
  return { ...made, open: () => fake?.open() };
}

describe('law: streams', () => {
  it("yields the provider's events as they are, between the route and the priced finish", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 30 }), async (said) => {
        // An answer without words is a failure of its own.
        const events = [...said, text('end')];
        const { gateway, run, runtime, open } = playing([...events, finish()]);
        const { events: seen } = await run(drain(gateway.stream(user())));
        expect(seen[0]).toEqual({ type: 'route', target: { provider: 'fake', model: 'one' } });
        expect(seen.slice(1, -1)).toEqual(events);
        expect(seen.at(-1)).toEqual({ ...finish(), costNanoUsd: 20_000 });
        expect(runtime.clock.pending()).toBe(0);
        expect(open()).toBe(0);
      }),
    );
  });

  it('never ends cleanly without a finish', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 10 }), async (events) => {
        const { gateway, run, runtime, open } = playing(events);
        const { error } = await run(drain(gateway.stream(user())));
        expect(error?.code).toBe('truncated');
        expect(runtime.clock.pending()).toBe(0);
        expect(open()).toBe(0);
      }),
    );
  });

  it('has let go of everything when the finish is seen, whether or not anyone reads on', async () => {
    const { gateway, runtime, rows, open } = playing([text('a'), finish()]);
    const iterator = gateway.stream(user())[Symbol.asyncIterator]();
    for (let result = await iterator.next(); !result.done; result = await iterator.next()) {
      if (result.value.type === 'finish') break;
    }
    expect(runtime.clock.pending()).toBe(0);
    expect(open()).toBe(0);
    expect(await rows()).toHaveLength(1);
  });

  it('does nothing before the first event is asked for', async () => {
    const { gateway, runtime, open } = playing([text('a'), finish()]);
    gateway.stream(user());
    await runtime.clock.advance(1000);
    expect(open()).toBe(0);
    expect(runtime.clock.pending()).toBe(0);
  });

  it.each([
    ['first-token', [{ hang: true }], 120_000],
    ['idle', [text('a'), { hang: true }], 60_000],
    ['total', Array.from({ length: 50 }, (): ScriptStep[] => [{ wait: 30_000 }, text('a')]).flat(), 600_000],
  ] as const)('stops a stream by its %s timeout, and says which', async (kind, steps, after) => {
    const { gateway, run, runtime, open } = playing(steps);
    const { error } = await run(drain(gateway.stream(user())));
    expect(error).toMatchObject({ code: 'timeout', details: { timeout: kind } });
    expect(runtime.clock.monotonic()).toBe(after);
    expect(runtime.clock.pending()).toBe(0);
    expect(open()).toBe(0);
  });

  it('does not time out a reader who is slow', async () => {
    const { gateway, run, runtime } = playing([text('a'), text('b'), finish()], { timeouts: { idleMs: 100 } });
    const slow = async (): Promise<number> => {
      let count = 0;
      for await (const _event of gateway.stream(user())) {
        count += 1;
        await new Promise<void>((resolve) => void runtime.clock.schedule(5000, resolve));
      }
      return count;
    };
    expect(await run(slow())).toBe(4);
  });

  it('gives up a source that does not listen to its signal, though its reader is slow', async () => {
    const deaf = async function* (): AsyncGenerator<ModelEvent> {
      for (let sent = 0; sent < 1000; sent += 1) yield text('a');
    };
    const { gateway, run, runtime } = harness({
      providers: [{ ...fakeProvider({}), stream: deaf }],
      config: { timeouts: { totalMs: 2000 }, retry: { retries: 0 } },
    });
    let count = 0;
    const slow = async (): Promise<void> => {
      for await (const _event of gateway.stream(user())) {
        count += 1;
        await new Promise<void>((resolve) => void runtime.clock.schedule(700, resolve));
      }
    };
    await expect(run(slow())).rejects.toMatchObject({ code: 'timeout' });
    expect(count).toBeLessThan(10);
  });

  it('gives up a source that does not listen to its signal', async () => {
    const deaf = fakeProvider({});
    const made = harness({
      providers: [
        {
          ...deaf,
          stream: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) }),
        },
      ],
      config: { retry: { retries: 0 } },
    });
    const controller = new AbortController();
    made.runtime.clock.schedule(10, () => controller.abort());
    expect((await errorOf(made.run(made.gateway.generate(user(), { signal: controller.signal })))).code).toBe(
      'cancelled',
    );
    expect(made.runtime.clock.monotonic()).toBe(1010);
    expect(made.runtime.clock.pending()).toBe(0);
  });

  it('keeps the answer of a source that does not end after its finish', async () => {
    const { gateway, run, runtime, open } = playing([text('a'), finish(), { hang: true }]);
    expect((await run(gateway.generate(user()))).content).toEqual([{ type: 'text', text: 'a' }]);
    expect(runtime.clock.monotonic()).toBe(1000);
    expect(runtime.clock.pending()).toBe(0);
    await runtime.clock.advance(0);
    expect(open()).toBe(0);
  });

  it('gives a source that goes on after its finish no more time, however often it sends', async () => {
    const more = Array.from({ length: 5 }, () => [{ waitMs: 900 }, text('late')]).flat();
    for (const read of ['generate', 'stream'] as const) {
      const { gateway, run, runtime, open } = playing([text('a'), finish(), ...more, { hang: true }]);
      const asked = read === 'generate' ? gateway.generate(user()) : drain(gateway.stream(user()));
      await run(asked as Promise<unknown>);
      expect(runtime.clock.monotonic()).toBe(1000);
      await runtime.clock.advance(0);
      expect(open()).toBe(0);
      expect(runtime.clock.pending()).toBe(0);
    }
  });

  it('closes the source when the reader leaves, also while it waits for an event', async () => {
    const { gateway, runtime, rows, open } = playing([text('a'), { hang: true }]);
    const iterator = gateway.stream(user())[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.next();
    const waiting = iterator.next().then(
      () => 'ended',
      (error: unknown) => (error instanceof PolyphonyError ? error.code : 'foreign'),
    );
    await iterator.return?.();
    expect(await waiting).toBe('cancelled');
    await runtime.clock.advance(0);
    expect(open()).toBe(0);
    expect(runtime.clock.pending()).toBe(0);
    expect(await rows()).toMatchObject([{ outcome: 'cancelled', estimated: true }]);
  });

  it('refuses a call that was cancelled before it began, and sends nothing', async () => {
    const { gateway, run, rows } = playing([text('a'), finish()]);
    const error = await errorOf(run(gateway.generate(user(), { signal: AbortSignal.abort() })));
    expect(error.code).toBe('cancelled');
    expect(await rows()).toEqual([]);
  });

  it('passes an error after the first token on as it is', async () => {
    const { gateway, run } = playing([text('a'), fault('content-policy', { status: 400 })]);
    const { events, error } = await run(drain(gateway.stream(user())));
    expect(events.map(({ type }) => type)).toEqual(['route', 'text-delta']);
    expect(error).toMatchObject({ code: 'content-policy', status: 400 });
  });

  it('is fit for readers that ask for several events at once', async () => {
    const words = Array.from({ length: 20 }, (_, index) => text(String(index)));
    const { gateway } = playing([...words, finish()]);
    const iterator = gateway.stream(user())[Symbol.asyncIterator]();
    const results = await Promise.all(Array.from({ length: 23 }, () => iterator.next()));
    expect(results.slice(1, 21).map(({ value }) => value)).toEqual(words);
    expect(results.at(-1)?.done).toBe(true);
  });

  it('leaves cards with other operations to their own outputs', async () => {
    const output: ModelEvent = { type: 'output', output: { operation: 'embed', vectors: [[1, 2]] } };
    const provider = fakeProvider({
      models: [fakeCard({ id: 'e', operations: ['embed'] })],
      script: () => [output, finish()],
    });
    const { gateway, run } = harness({ providers: [provider] });
    expect((await run(gateway.embed({ input: ['a'] }))).output).toEqual(
      output.type === 'output' ? output.output : undefined,
    );
    expect((await errorOf(run(gateway.generate(user())))).code).toBe('no-route');
  });
});
