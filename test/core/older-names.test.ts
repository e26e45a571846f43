/** The names from before the rule of units: this list only grows, and each name keeps its meaning. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { exactCache } from '../../plugins/caching/exact-cache.ts';
import { ConfigSchema } from '../../src/core/config/config-schema.ts';
import { OLDER_CONFIG_NAMES } from '../../src/core/config/older-names.ts';
import type { ModelRequest } from '../../src/core/model/model.ts';
import type { OlderName } from '../../src/core/older-names.ts';
import { OLDER_LIMIT_NAMES } from '../../src/gateway/calls/request-limits.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { fakeCard, fakeProvider, fakeRuntime, finish } from '../../src/testing/fakes.ts';
import { drain, errorOf, harness } from '../gateway/harness.ts';

const WORDS = { type: 'text-delta', text: 'Hi' } as const;
const OLDER_NAMES: readonly (readonly [older: string, name: string])[] = [
  ['retry.baseMilliseconds', 'retry.baseMs'],
  ['retry.maxMilliseconds', 'retry.maxMs'],
  ['breaker.cooldownMilliseconds', 'breaker.cooldownMs'],
  ['timeouts.connect', 'timeouts.connectMs'],
  ['timeouts.firstToken', 'timeouts.firstTokenMs'],
  ['timeouts.answer', 'timeouts.answerMs'],
  ['timeouts.idle', 'timeouts.idleMs'],
  ['timeouts.total', 'timeouts.totalMs'],
  ['affinity.ttlSeconds', 'affinity.ttlMs'],
  ['limits.milliseconds', 'limits.ms'],
  ['limits.p95Milliseconds', 'limits.p95Ms'],
  ['ttlSeconds', 'ttlMs'],
  ['timeSensitiveSeconds', 'timeSensitiveMs'],
  ['wait', 'waitMs'],
];

test('the list is the one of docs/reference/units.md', () => {
  const page = readFileSync(resolve(import.meta.dirname, '../../docs/reference/units.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([^`]+)` \| `([^`]+)`/gm)].map(([, older, name]) => [older, name]);
  expect(rows).toEqual(OLDER_NAMES);
});

test('the list is the one that the code accepts', () => {
  const parts = Object.entries<readonly OlderName[]>({ ...OLDER_CONFIG_NAMES, limits: OLDER_LIMIT_NAMES });
  const accepted = parts.flatMap(([part, names]) =>
    names.map(({ older, name }) => [`${part}.${older}`, `${part}.${name}`]),
  );
  expect(accepted).toEqual(OLDER_NAMES.filter(([older]) => older.includes('.')));
});

const message = (config: unknown): string => ConfigSchema.safeParse(config).error?.message ?? '';

describe('of the config', () => {
  const names = Object.entries<readonly OlderName[]>(OLDER_CONFIG_NAMES).flatMap(([part, all]) =>
    all.map(({ older, name, times = 1 }) => [older, name, part, times] as const),
  );

  it.each(names)('%s is %s of %s', (older, name, part, times) => {
    expect(ConfigSchema.parse({ [part]: { [older]: 7 } })).toEqual({ [part]: { [name]: 7 * times } });
    expect(ConfigSchema.parse({ [part]: { [name]: 7 } })).toEqual({ [part]: { [name]: 7 } });
    expect(ConfigSchema.parse({ [part]: { [older]: undefined, [name]: 7 } })).toEqual({ [part]: { [name]: 7 } });
    expect(message({ [part]: { [older]: 7, [name]: 7 } })).toContain(
      `\\"${older}\\" is the older name of \\"${name}\\"`,
    );
    expect(message({ [part]: { [older]: '7 s' } })).toContain(name);
  });

  it('changes nothing of what was given', () => {
    const config = Object.freeze({ timeouts: Object.freeze({ idle: 5 }), optimise: 'cost' as const });
    expect(ConfigSchema.parse(config)).toEqual({ timeouts: { idleMs: 5 }, optimise: 'cost' });
    expect(config).toEqual({ timeouts: { idle: 5 }, optimise: 'cost' });
  });

  it.each([undefined, null, 'text', [], { timeouts: null }, { retry: [] }])('leaves %j to the schema', (config) => {
    expect(ConfigSchema.safeParse(config).success).toBe(false);
  });

  it('is the same config to a polyphony under either name', async () => {
    const polyphony = await createPolyphony({ config: { timeouts: { connect: 5000 } } });
    await polyphony.reconfigure({ timeouts: { connectMs: 5000 }, retry: { baseMilliseconds: 5 } });
    await expect(polyphony.reconfigure({ timeouts: { connect: 4000 } })).rejects.toThrow('timeouts.connectMs');
    await expect(polyphony.reconfigure({ timeouts: { idle: 1, idleMs: 1 } })).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining('leave out "idle"'),
    });
    await polyphony.close();
  });
});

describe('of a request', () => {
  const chat = (limits: ModelRequest['limits']): ModelRequest => ({
    operation: 'chat',
    messages: [{ role: 'user', content: 'Hi' }],
    ...(limits === undefined ? {} : { limits }),
  });
  const models = [fakeCard({ id: 'one', expectedMs: 900 })];
  const slow = () =>
    harness({
      providers: (runtime) => [fakeProvider({ runtime, models, script: () => [{ waitMs: 90 }, WORDS, finish()] })],
    });

  it.each([{ milliseconds: 50 }, { ms: 50 }])('%j ends the call', async (limits) => {
    const { gateway, run } = slow();
    expect(await errorOf(run(gateway.call(chat(limits))))).toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('limits.ms'),
    });
    expect((await run(gateway.call(chat({ ms: 500 })))).finishReason).toBe('stop');
  });

  it.each([{ p95Milliseconds: 50 }, { p95Ms: 50 }])('%j excludes what is slower', (limits) => {
    const rejected = slow()
      .gateway.explain(chat(limits))
      .rejected.flatMap(({ failed }) => failed);
    expect(rejected.join(' ')).toContain('but the request allows at most 50 ms');
  });

  it('excludes what is slower where a layer wrote the limit', async () => {
    const { gateway, run } = harness({
      providers: [fakeProvider({ models })],
      plugins: [
        {
          name: 'hasty',
          request: {
            place: 'privacy',
            handle: (call, next) => next({ ...call, request: chat({ p95Milliseconds: 50 }) }),
          },
        },
      ],
    });
    expect(await errorOf(run(gateway.call(chat(undefined))))).toMatchObject({ code: 'no-route' });
  });

  it('is refused under both names, by the promise and by the stream', async () => {
    const { gateway } = slow();
    const both = chat({ ms: 1, milliseconds: 1 });
    const refusal = {
      code: 'invalid-request',
      message: expect.stringContaining('"limits.milliseconds" is the older name'),
    };
    expect(await errorOf(gateway.call(both))).toMatchObject(refusal);
    const { operation: _, ...request } = both as Extract<ModelRequest, { operation: 'chat' }>;
    expect((await drain(gateway.stream(request))).error).toMatchObject(refusal);
    expect(() => gateway.explain(both)).toThrow('leave out "limits.milliseconds"');
  });
});

describe('of options', () => {
  it.each([
    [{ ttlSeconds: 1, ttlMs: 1000 }, 'leave out "ttlSeconds"'],
    [{ timeSensitiveSeconds: 1, timeSensitiveMs: 1000 }, 'leave out "timeSensitiveSeconds"'],
    [{ ttlSeconds: -1 }, 'ttlMs is -1000'],
  ])('exactCache refuses %j', (options, part) => {
    expect(() => exactCache(options)).toThrow(part);
  });

  it.each([{ wait: 5 }, { waitMs: 5 }])('%j is a pause of a script', async (pause) => {
    const runtime = fakeRuntime();
    const { gateway, run } = harness({
      providers: [fakeProvider({ runtime, script: () => [pause, WORDS, finish()] })],
    });
    const answer = run(gateway.call({ operation: 'chat', messages: [{ role: 'user', content: 'Hi' }] }));
    await runtime.clock.runAll();
    await answer;
    expect(runtime.clock.monotonic()).toBe(5);
  });
});
