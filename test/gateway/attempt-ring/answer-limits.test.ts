import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/core/config.ts';
import { PolyphonyError } from '../../../src/core/errors.ts';
import type { ModelEvent } from '../../../src/core/model/model.ts';
import type { Provider } from '../../../src/core/model/provider.ts';
import { fakeCard, fakeProvider, finish } from '../../../src/testing/fakes.ts';
import { drain, errorOf, harness, text, user } from '../harness.ts';

const config: Config = { retry: { retries: 0 }, limits: { answers: { bytes: 100_000, toolCalls: 3 } } };

/** Never ends of itself. */
function flooding(event: ModelEvent): Provider & { readonly sent: () => number; readonly open: () => number } {
  let sent = 0;
  let open = 0;
  return {
    id: 'flood',
    models: [fakeCard({ id: 'one' })],
    sent: () => sent,
    open: () => open,
    async *stream() {
      open += 1;
      try {
        for (;;) {
          sent += 1;
          yield event;
        }
      } finally {
        open -= 1;
      }
    },
  };
}

const FLOODS: readonly (readonly [string, ModelEvent])[] = [
  ['text', text('x'.repeat(1000))],
  ['empty texts', text('')],
  ['thoughts', { type: 'reasoning-delta', text: 'hm' }],
  ['warnings', { type: 'warning', warning: { code: 'a', message: 'b' } }],
  ['arguments', { type: 'tool-call-delta', index: 0, id: 'a', name: 'b', delta: '{' }],
  ['restarts', { type: 'restart', notice: 'again' }],
  ['pictures', { type: 'output', output: { operation: 'image', images: [] } }],
];

const data = 'x'.repeat(20_000);
/** What an event holds besides the text of the answer. */
const LARGE: readonly (readonly [string, ModelEvent])[] = [
  ['pictures', { type: 'media', part: { type: 'image', source: { type: 'base64', data, mediaType: 'image/png' } } }],
  ['sound in addresses', { type: 'media', part: { type: 'audio', source: { type: 'url', url: `data:,${data}` } } }],
  ['results', { type: 'output', output: { operation: 'image', images: [{ type: 'url', url: `data:,${data}` }] } }],
  ['signatures', { type: 'reasoning', part: { type: 'reasoning', text: '', signature: data } }],
  ['hidden thoughts', { type: 'reasoning', part: { type: 'reasoning', text: '', redacted: data } }],
  ['warnings', { type: 'warning', warning: { code: 'a', message: data } }],
  ['notices', { type: 'restart', notice: data }],
];

describe('an answer without end', () => {
  it.each(FLOODS)('of %s is cut off and its source is closed', async (_name, event) => {
    for (const streaming of [true, false]) {
      const provider = flooding(event);
      const { gateway, run, rows } = harness({ providers: [provider], config });
      const error = streaming
        ? (await run(drain(gateway.stream(user())))).error
        : await errorOf(run(gateway.generate(user())));
      expect(error).toMatchObject({ code: 'truncated', retryable: false });
      expect(error?.message).toContain('limits.answers.bytes');
      expect(provider.sent()).toBeLessThan(2000);
      await new Promise(setImmediate);
      expect(provider.open()).toBe(0);
      expect(await rows()).toMatchObject([{ outcome: 'error', estimated: true }]);
    }
  });

  it.each(LARGE)('of large %s is cut off by what they hold', async (_name, event) => {
    for (const streaming of [true, false]) {
      const provider = flooding(event);
      const { gateway, run } = harness({ providers: [provider], config });
      const error = streaming
        ? (await run(drain(gateway.stream(user())))).error
        : await errorOf(run(gateway.generate(user())));
      expect(error).toMatchObject({ code: 'truncated', retryable: false });
      expect(error?.message).toContain('of more than 100000 bytes');
      expect(provider.sent()).toBeLessThan(10);
    }
  });

  it('holds pictures that are larger than its tokens', async () => {
    const source = { type: 'base64', data: 'x'.repeat(4_000_000), mediaType: 'image/png' } as const;
    const picture: ModelEvent = { type: 'media', part: { type: 'image', source } };
    const provider = fakeProvider({ script: () => [picture, picture, picture, finish()] });
    const { gateway, run } = harness({ providers: [provider] });
    const { content } = await run(gateway.generate({ ...user(), maxOutputTokens: 100 }));
    expect(content).toHaveLength(3);
  });

  it('is cut off earlier where it may have few tokens', async () => {
    const provider = flooding(text('x'.repeat(100_000)));
    const { gateway, run } = harness({ providers: [provider], config: { retry: { retries: 0 } } });
    await errorOf(run(gateway.generate({ ...user(), maxOutputTokens: 100 })));
    expect(provider.sent()).toBeLessThan(100);
  });
});

describe('the tool calls of an answer', () => {
  const calling = (count: number) =>
    Array.from({ length: count }, (_, index): ModelEvent => {
      return { type: 'tool-call', call: { type: 'tool-call', id: `c${index}`, name: 'add', arguments: {} } };
    });
  const asked = async (events: readonly ModelEvent[], streaming: boolean) => {
    const provider = fakeProvider({ script: () => [...events, finish({ reason: 'tool-calls' })] });
    const { gateway, run } = harness({ providers: [provider], config });
    return streaming
      ? run(drain(gateway.stream(user())))
      : run(gateway.generate(user())).then(
          () => ({ error: undefined }),
          (error: unknown) => ({ error }),
        );
  };

  it.each([true, false])('may be as many as the limit, and no more; streamed: %s', async (streaming) => {
    expect((await asked(calling(3), streaming)).error).toBeUndefined();
    const { error } = await asked(calling(4), streaming);
    expect(error).toMatchObject({ code: 'invalid-output' });
    expect(String(error)).toContain('limits.answers.toolCalls');
  });

  it('count again after a restart', async () => {
    const again = [...calling(3), { type: 'restart', notice: 'again' } as const, ...calling(3)];
    expect((await asked(again, true)).error).toBeUndefined();
  });
});

describe('a delay that a provider asks for', () => {
  it.each([1e300, Number.POSITIVE_INFINITY, 1e12])(
    'of %s ms keeps its credential for a day at most',
    async (retryAfterMs) => {
      let calls = 0;
      const provider = fakeProvider({
        script: () =>
          ++calls === 1 ? [{ fail: new PolyphonyError('rate-limited', 'later', { retryAfterMs }) }] : 'ok',
      });
      const { gateway, runtime, run } = harness({ providers: [provider], config: { retry: { retries: 0 } } });
      await errorOf(run(gateway.generate(user())));
      await runtime.clock.advance(86_400_001);
      await expect(run(gateway.generate(user()))).resolves.toMatchObject({ finishReason: 'stop' });
    },
  );

  it('is no delay where it is no number or negative', () => {
    expect(new PolyphonyError('rate-limited', 'a', { retryAfterMs: Number.NaN }).retryAfterMs).toBeUndefined();
    expect(new PolyphonyError('rate-limited', 'a', { retryAfterMs: -5 }).retryAfterMs).toBe(0);
    expect(new PolyphonyError('rate-limited', 'a', { retryAfterMs: '9' as never }).retryAfterMs).toBeUndefined();
  });
});
