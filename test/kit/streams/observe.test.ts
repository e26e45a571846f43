/** The hook form of a layer, as plugins use it. Its rules (W1 to W5) are held by test/laws/stream.test.ts and whole.test.ts. */
import { describe, expect, it } from 'vitest';
import { COMPLETE, type CompletableStream } from '../../../src/core/model/complete.ts';
import type { Attempt, Call, ModelEvent } from '../../../src/core/model/model.ts';
import type { Provider } from '../../../src/core/model/provider.ts';
import type { GatewayPlugin } from '../../../src/gateway/gateway-plugin.ts';
import { observe, type StreamControl, type StreamEnding } from '../../../src/kit/index.ts';
import { fakeProvider, finish } from '../../../src/testing/fakes.ts';
import { drain, errorOf, fault, harness, text, user } from '../../gateway/harness.ts';

/** Counts in both rings, and keeps what it was called with. */
function counter(seen: string[]): GatewayPlugin {
  return {
    name: 'counter',
    request: {
      place: 'hedge',
      handle: (call, next) =>
        observe({
          open: () => next(call),
          event(event) {
            seen.push(event.type);
            return event;
          },
          end(ending) {
            seen.push(ending.kind);
            return ending;
          },
        }),
    },
  };
}

/** An answer that can be read at once only. */
const atOnce = (events: readonly ModelEvent[]): Provider => ({
  ...fakeProvider({}),
  stream: (): CompletableStream => ({
    [COMPLETE]: () => Promise.resolve({ events }),
    [Symbol.asyncIterator]: () => {
      throw new Error('read event by event');
    },
  }),
});

describe('observe, in a plugin', () => {
  it('sees the same of an answer that is streamed and of one that is not', async () => {
    const seen: string[] = [];
    const provider = fakeProvider({ script: () => [text('a'), text('b'), finish()] });
    const { gateway, run } = harness({ providers: [provider], plugins: [counter(seen)] });
    await run(drain(gateway.stream(user())));
    expect(seen).toEqual(['route', 'text-delta', 'text-delta', 'finish', 'done']);
    const streamed = seen.splice(0);
    await run(gateway.generate(user()));
    expect(seen).toEqual(streamed);
  });

  it('lets an answer that nobody reads along go up in one piece', async () => {
    const seen: string[] = [];
    const { gateway, run } = harness({ providers: [atOnce([text('a'), finish()])], plugins: [counter(seen)] });
    await run(gateway.generate(user()));
    expect(seen).toEqual(['route', 'text-delta', 'finish', 'done']);
  });

  it('ends once, with the error, or because the reader left', async () => {
    const seen: string[] = [];
    const failing = fakeProvider({ script: () => [text('a'), fault('network')] });
    const { gateway, run } = harness({ providers: [failing], plugins: [counter(seen)] });
    await run(drain(gateway.stream(user())));
    expect(seen.at(-1)).toBe('error');
    seen.length = 0;
    const endless = harness({
      providers: [fakeProvider({ script: () => [text('a'), { hang: true }] })],
      plugins: [counter(seen)],
    });
    for await (const event of endless.gateway.stream(user())) if (event.type === 'text-delta') break;
    expect(seen.filter((kind) => kind === 'left')).toHaveLength(1);
  });

  const hooks = {
    start: {
      start: () => {
        throw new TypeError('oh');
      },
    },
    event: {
      event: () => {
        throw new TypeError('oh');
      },
    },
    end: {
      end: (): StreamEnding => {
        throw new TypeError('oh');
      },
    },
  };
  it.each(['start', 'event', 'end'] as const)('names the plugin whose "%s" throws', async (hook) => {
    const bad: GatewayPlugin = {
      name: 'bad',
      request: { place: 'hedge', handle: (call: Call, next) => observe({ open: () => next(call), ...hooks[hook] }) },
      attempt: { place: 'adapt', handle: (attempt: Attempt, next) => next(attempt) },
    };
    const { gateway, run, runtime } = harness({ providers: [fakeProvider({})], plugins: [bad] });
    for (const result of [
      await errorOf(run(gateway.generate(user()))),
      (await run(drain(gateway.stream(user())))).error,
    ])
      expect(result).toMatchObject({ code: 'plugin-failed', message: 'The plugin "bad" failed: oh' });
    expect(runtime.clock.pending()).toBe(0);
  });

  it.each(['start', 'open'] as const)('yields first what it sets as its head in %s', async (hook) => {
    const warning: ModelEvent = { type: 'warning', warning: { code: 'own', message: 'First.' } };
    const late: GatewayPlugin = {
      name: 'late',
      request: {
        place: 'hedge',
        handle: (call, next) => {
          // As a program in JavaScript writes it: there is no such field before.
          const observer: { start(): undefined; open(): AsyncIterable<ModelEvent>; head?: readonly ModelEvent[] } = {
            start() {
              if (hook === 'start') this.head = [warning];
            },
            open() {
              if (hook === 'open') this.head = [warning];
              return next(call);
            },
          };
          return observe(observer);
        },
      },
    };
    const provider = fakeProvider({ script: () => [text('a'), finish()] });
    const { gateway, run } = harness({ providers: [provider], plugins: [late] });
    const { events } = await run(drain(gateway.stream(user())));
    expect(events[0]).toEqual(warning);
    expect((await run(gateway.generate(user()))).warnings).toEqual([warning.warning]);
  });

  it('changes the ending that outer layers and the reader see', async () => {
    const forgiving: GatewayPlugin = {
      name: 'forgiving',
      request: {
        place: 'hedge',
        handle: (call, next) => observe({ open: () => next(call), end: () => ({ kind: 'done' }) }),
      },
    };
    const provider = fakeProvider({ script: () => [text('half'), fault('network')] });
    const { gateway, run } = harness({ providers: [provider], plugins: [forgiving] });
    const { events, error } = await run(drain(gateway.stream(user())));
    expect(events.map(({ type }) => type)).toEqual(['route', 'text-delta']);
    expect(error).toBeUndefined();
  });
});

const asEvents = async (stream: CompletableStream): Promise<number> => {
  let count = 0;
  for await (const _ of stream) count += 1;
  return count;
};
const asOne = async (stream: CompletableStream): Promise<number> => {
  const { events, failure } = (await stream[COMPLETE]?.()) ?? { events: [] };
  if (failure !== undefined) throw failure.error;
  return events.length;
};

describe.each([
  ['event by event', asEvents],
  ['in one step', asOne],
])('a source that is read %s', (_way, read) => {
  it('leaves others their turn though it never waits, also after its finish', async () => {
    for (const event of [text('a'), finish()]) {
      let isOthersTurn = false;
      setImmediate(() => {
        isOthersTurn = true;
      });
      let sent = 0;
      const source = async function* (): AsyncGenerator<ModelEvent> {
        while (!isOthersTurn && sent < 100_000) {
          sent += 1;
          yield event;
        }
      };
      await read(observe({ open: source }));
      expect(sent).toBeLessThanOrEqual(1024);
    }
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('return');
      },
    ],
    ['returns nothing', () => undefined],
    ['rejects', () => Promise.reject(new Error('return'))],
    ['never settles', () => new Promise(() => {})],
  ])('may be interrupted, though its return %s', async (_kind, giveUp) => {
    let control: StreamControl | undefined;
    const source = { next: () => new Promise(() => {}), return: giveUp } as unknown as AsyncIterator<ModelEvent>;
    const stream = observe({
      start(given) {
        control = given;
        return undefined;
      },
      open: () => ({ [Symbol.asyncIterator]: () => source }),
    });
    const reading = read(stream);
    setImmediate(() => control?.interrupt(new Error('interrupted')));
    await expect(reading).rejects.toThrow('interrupted');
  });
});
