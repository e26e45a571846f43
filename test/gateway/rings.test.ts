import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { Attempt, Middleware, ModelEvent } from '../../src/core/model/model.ts';
import { ATTEMPT_LAYERS, type AttemptRingLayer, type Logger, REQUEST_LAYERS } from '../../src/core/plugin.ts';
import { createGateway } from '../../src/gateway/create-gateway.ts';
import type { GatewayPlugin } from '../../src/gateway/gateway-plugin.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeProvider, fakeRuntime } from '../../src/testing/fakes.ts';
import { drain, errorOf, fault, harness, noTransport, user } from './harness.ts';

const chat = { operation: 'chat' as const, ...user() };
const pass: Middleware = (call, next) => next(call);
const passAttempt: Middleware<Attempt> = (attempt, next) => next(attempt);

describe('rings', () => {
  it('stand in the order of the contract', () => {
    const request = REQUEST_LAYERS.map(
      (place): GatewayPlugin => ({ name: `at-${place}`, request: { place, handle: pass } }),
    );
    const attempt = ATTEMPT_LAYERS.map(
      (place): GatewayPlugin => ({ name: `at-${place}`, attempt: { place, handle: passAttempt } }),
    );
    const { gateway } = harness({ providers: [], plugins: [...request, ...attempt] });
    const explained = gateway.explain(chat);
    const placesOf = (names: readonly string[]): readonly string[] =>
      names.filter((name) => name.startsWith('plugin:')).map((name) => name.slice('plugin:at-'.length));
    expect(placesOf(explained.requestRing)).toEqual(REQUEST_LAYERS);
    expect(placesOf(explained.attemptRing)).toEqual(ATTEMPT_LAYERS);
    expect(harness({ providers: [] }).gateway.explain(chat).attemptRing).toEqual(ATTEMPT_LAYERS);
  });

  it('put plugins before, in and after a layer, behind what is built in', () => {
    const at = (name: string, place: AttemptRingLayer['place']): GatewayPlugin => ({
      name,
      attempt: { place, handle: passAttempt },
    });
    const plugins = [
      at('after', { after: 'budget' }),
      at('in', 'budget'),
      at('before', { before: 'budget' }),
      at('in-too', 'budget'),
    ];
    const { attemptRing } = harness({ providers: [], plugins }).gateway.explain(chat);
    expect(attemptRing.slice(3, 8)).toEqual(['plugin:before', 'budget', 'plugin:in', 'plugin:in-too', 'plugin:after']);
  });

  it('refuse a place behind the last layer, and name the plugin', () => {
    const plugin: GatewayPlugin = { name: 'late', attempt: { place: { after: 'provider' }, handle: passAttempt } };
    expect(() => harness({ providers: [], plugins: [plugin] })).toThrow(
      /The plugin "late" cannot be placed in the ring/,
    );
  });

  it('take providers and plugins late, for calls that begin afterwards', async () => {
    const { gateway, run } = harness({ providers: [] });
    expect((await errorOf(run(gateway.generate(user())))).message).toContain('register a provider');
    const seen: string[] = [];
    const spy: GatewayPlugin = {
      name: 'spy',
      providers: [fakeProvider({})],
      request: {
        place: 'cache',
        handle: (call, next) => {
          seen.push(call.id);
          return next(call);
        },
      },
    };
    gateway.register({ plugins: [spy] });
    await run(gateway.generate(user(), { id: 'x' }));
    expect(seen).toEqual(['x']);
    expect(gateway.models()).toHaveLength(1);
    expect(() => gateway.register({ providers: [fakeProvider({})] })).toThrow(/Two providers have the id "fake"/);
    await run(gateway.generate(user()));
  });

  it('let calls that layers make pass by the slots that judge or remember answers, and no other', async () => {
    const seen: string[] = [];
    const spy = (place: (typeof REQUEST_LAYERS)[number]): GatewayPlugin => ({
      name: place,
      request: {
        place,
        handle: (call, next) => {
          seen.push(place);
          return next(call);
        },
      },
    });
    const { gateway, run } = harness({ providers: [fakeProvider({})], plugins: [...REQUEST_LAYERS].map(spy) });
    await run(gateway.generate(user(), { purpose: 'judge' }));
    expect(seen).toEqual(REQUEST_LAYERS.filter((place) => !['moderation', 'cache', 'escalation'].includes(place)));
    seen.length = 0;
    await run(gateway.generate(user(), { purpose: 'planner' }));
    expect(seen).toEqual(REQUEST_LAYERS);
  });
});

it('number and aim attempts also where a layer passes on a call without its target', async () => {
  const plain: GatewayPlugin = {
    name: 'plain',
    request: {
      place: 'hedge',
      handle(call, next) {
        const { target: _, ...rest } = call as Attempt;
        return next(rest);
      },
    },
  };
  let asked = 0;
  const script = () => {
    asked += 1;
    return asked === 1 ? [fault('invalid-credential')] : 'Yes.';
  };
  const providers = ['one', 'two'].map((id) => fakeProvider({ id, script }));
  const { gateway, run } = harness({ providers, plugins: [plain] });
  const { attempts, target } = await run(gateway.generate(user()));
  expect(attempts.map(({ key }) => key.split('/').at(-1))).toEqual(['1', '2']);
  expect(attempts.at(-1)?.target).toEqual(target);
});

describe('a plugin that fails', () => {
  const scopes = [{ kind: 'run' as const, id: 'r', capNanoUsd: 1_000_000_000 }];
  const throwing: Middleware<Attempt> = async function* (attempt, next) {
    for await (const event of next(attempt)) {
      yield event;
      if (event.type === 'text-delta') throw new TypeError('x is not a function');
    }
  };

  it.each(['limiter', 'budget', 'timeouts'] as const)('at "%s" is named, and leaves no money held', async (place) => {
    const { gateway, run, runtime, stores, rows } = harness({
      providers: [fakeProvider({})],
      plugins: [{ name: 'bad', attempt: { place, handle: throwing } }],
    });
    const { error } = await run(drain(gateway.stream(user(), { scopes })));
    expect(error).toMatchObject({
      code: 'plugin-failed',
      message: 'The plugin "bad" failed: x is not a function',
      details: { plugin: 'bad' },
    });
    const [row] = await rows();
    expect(await stores.keyValue.get('budget:run:r')).toBe(row?.costNanoUsd);
    expect(row?.costNanoUsd).toBeGreaterThan(0);
    expect(runtime.clock.pending()).toBe(0);
  });

  it('before anything is streamed costs nothing', async () => {
    const sudden: Middleware<Attempt> = () => {
      throw new Error('at once');
    };
    const { gateway, run, stores, rows } = harness({
      providers: [fakeProvider({})],
      plugins: [{ name: 'bad', attempt: { place: 'adapt', handle: sudden } }],
    });
    expect((await errorOf(run(gateway.generate(user(), { scopes })))).message).toBe('The plugin "bad" failed: at once');
    expect(await stores.keyValue.get('budget:run:r')).toBe(0);
    expect(await rows()).toEqual([]);
  });

  it('keeps its own error where it throws one of ours', async () => {
    const blocking: Middleware = () => {
      throw new PolyphonyError('blocked', 'not this');
    };
    const { gateway, run } = harness({
      providers: [fakeProvider({})],
      plugins: [{ name: 'guard', request: { place: 'moderation', handle: blocking } }],
    });
    expect((await errorOf(run(gateway.generate(user())))).code).toBe('blocked');
  });

  it('may hold back, repeat and add events: the stream is its own then', async () => {
    const twice: Middleware = async function* (call, next) {
      const events: ModelEvent[] = [];
      for await (const event of next(call))
        events.push(event.type === 'text-delta' ? { ...event, text: event.text + event.text } : event);
      yield* events;
    };
    const { gateway, run } = harness({
      providers: [fakeProvider({})],
      plugins: [{ name: 'twice', request: { place: 'moderation', handle: twice } }],
    });
    expect((await run(gateway.generate(user()))).content).toEqual([{ type: 'text', text: 'okok' }]);
  });
});

describe('telemetry', () => {
  it('writes one line a call, with the figures, and none of the prompt', async () => {
    const lines: { readonly level: string; readonly fields: object; readonly message: string }[] = [];
    const write = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message });
    const logger: Logger = { debug: () => {}, info: write('info'), warn: write('warn'), error: write('error') };
    const runtime = fakeRuntime();
    const gateway = createGateway({
      providers: [fakeProvider({})],
      runtime,
      keyValue: memoryStores({ clock: runtime.clock }).keyValue,
      logger,
      transport: noTransport,
    });
    await gateway.generate(user('a secret'), { id: 'c' });
    await errorOf(gateway.generate({ ...user(), model: 'nothing' }));
    expect(lines).toMatchObject([
      { level: 'info', message: 'answered', fields: { call: 'c', target: 'fake/one', attempts: 1, cost: '$0.00002' } },
      { level: 'warn', fields: { code: 'no-route' } },
    ]);
    expect(JSON.stringify(lines)).not.toContain('secret');
    expect(gateway.explain(chat).requestRing[0]).toBe('telemetry');
  });
});

describe('the gateway', () => {
  it('takes a new config while calls are under way', async () => {
    const { gateway, run, runtime } = harness({
      providers: (made) => [
        fakeProvider({
          runtime: made,
          script: () => [
            { wait: 10 },
            { type: 'text-delta', text: 'a' },
            { type: 'finish', reason: 'stop', usage: { input: 1, output: 1 } },
          ],
        }),
      ],
    });
    const call = gateway.generate(user());
    await runtime.clock.advance(1);
    gateway.reconfigure({ aliases: { cheap: 'one' } });
    await run(call);
    await run(gateway.generate({ ...user(), model: 'cheap' }));
  });

  it('closes its providers and the transport once, and takes no calls afterwards', async () => {
    let closed = 0;
    const close = async (): Promise<void> => {
      closed += 1;
    };
    const runtime = fakeRuntime();
    const gateway = createGateway({
      providers: [{ ...fakeProvider({}), close }],
      runtime,
      keyValue: memoryStores().keyValue,
      transport: { ...noTransport, close },
    });
    await Promise.all([gateway.close(), gateway.close()]);
    expect(closed).toBe(2);
    expect((await errorOf(gateway.generate(user()))).message).toContain('The gateway is closed');
  });
});
