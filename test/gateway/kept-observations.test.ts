/** What was observed survives a restart where the stores do, fades as if there had been none, and costs no call anything. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { CorrectedFigure } from '../../src/core/gateway.ts';
import type { KeyValueStore, Stores } from '../../src/core/stores.ts';
import { createGateway } from '../../src/gateway/create-gateway.ts';
import { MOST_SAVED, readSaved } from '../../src/gateway/routing/figures/saved-observations.ts';
import { createStatistics } from '../../src/gateway/routing/statistics.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { type FakeRuntime, fakeCard, fakeProvider, fakeRuntime, finish } from '../../src/testing/fakes.ts';
import { noTransport } from './harness.ts';

const KEY = 'gateway:observations';
const MINUTE = 60_000;

interface Watched extends KeyValueStore {
  readonly reads: string[];
  readonly writes: string[];
}

function watched(runtime: FakeRuntime, changed: Partial<KeyValueStore> = {}): { stores: Stores; keyValue: Watched } {
  const stores = memoryStores({ clock: runtime.clock });
  const reads: string[] = [];
  const writes: string[] = [];
  const keyValue: Watched = {
    ...stores.keyValue,
    lasting: true,
    get: (key) => {
      reads.push(key);
      return stores.keyValue.get(key);
    },
    set: (key, value, options) => {
      writes.push(key);
      return stores.keyValue.set(key, value, options);
    },
    reads,
    writes,
    ...changed,
  };
  return { stores, keyValue };
}

function started(runtime: FakeRuntime, keyValue: KeyValueStore, models: readonly string[] = ['a', 'b']) {
  const provider = fakeProvider({
    runtime,
    models: models.map((id) => fakeCard({ id, strengths: { general: 0.8 } })),
    script: () => [{ waitMs: 400 }, { type: 'text-delta', text: 'ok' }, finish()],
  });
  const warn = vi.fn();
  const logger = { info() {}, warn, error() {}, debug() {} };
  const gateway = createGateway({ providers: [provider], runtime, keyValue, transport: noTransport, logger });
  const done = async <T>(promise: Promise<T>): Promise<T> => {
    let settled = false;
    const over = (): void => {
      settled = true;
    };
    promise.then(over, over);
    for (let step = 0; step < 10_000 && !settled; step += 1) await runtime.clock.runAll(1);
    return promise;
  };
  const call = (id = 'a') => done(gateway.generate({ prompt: 'x', model: `fake/${id}` }));
  const figures = (of: string, id = 'a'): CorrectedFigure | undefined =>
    gateway
      .explain({ operation: 'chat', messages: [{ role: 'user', content: 'x' }], model: `fake/${id}` })
      .candidates[0]?.figures?.find((figure) => figure.of === of);
  return { gateway, done, call, figures, warn };
}

describe('observations in stores that last', () => {
  it('are there for the next process, as old as they are, and shown with the figure that they correct', async () => {
    const runtime = fakeRuntime();
    const { keyValue } = watched(runtime);
    const one = started(runtime, keyValue);
    for (let attempt = 0; attempt < 3; attempt += 1) await one.call();
    one.gateway.rate?.({ provider: 'fake', model: 'a' }, 'general', 0.2);
    const before = one.figures('general');
    await one.done(one.gateway.close());
    expect(before).toMatchObject({ observed: 0.2, observations: 1 });
    await runtime.clock.advance(5 * MINUTE);

    const two = started(runtime, keyValue);
    expect(two.figures('general')?.observations).toBe(0);
    await two.gateway.recall?.();
    expect(two.figures('general')?.used).toBeCloseTo(before?.used ?? 0, 3);
    expect(two.figures('latency')?.observed).toBeCloseTo(400, -2);
    expect(two.figures('latency')?.observations).toBeCloseTo(1.5, 1);
    expect(two.figures('reliability')?.observations).toBeCloseTo(1.5, 1);
    await runtime.clock.advance(24 * 60 * MINUTE);
    expect(two.figures('general')?.observations).toBeCloseTo(0.5, 1);
    expect(two.figures('latency')).toMatchObject({ observed: null });
    await two.done(two.gateway.close());
  });

  it('are read with the first call, which does not wait, and what it observed itself is not lost', async () => {
    const runtime = fakeRuntime();
    const first = watched(runtime);
    const one = started(runtime, first.keyValue);
    await one.call();
    await one.done(one.gateway.close());
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const get = async (key: string) => {
      await opened;
      return first.stores.keyValue.get(key);
    };
    const two = started(runtime, { ...first.keyValue, get });
    await two.call();
    expect(two.figures('reliability')?.observations).toBeCloseTo(1, 1);
    open();
    await two.gateway.recall?.();
    expect(two.figures('reliability')?.observations).toBeCloseTo(2, 1);
    await two.done(two.gateway.close());
  });

  it('are written at most once in five minutes and at the end, and neither read nor written without a call', async () => {
    const runtime = fakeRuntime();
    const { keyValue } = watched(runtime);
    const idle = started(runtime, keyValue);
    await idle.done(idle.gateway.close());
    expect([keyValue.reads, keyValue.writes]).toEqual([[], []]);
    const one = started(runtime, keyValue);
    for (let attempt = 0; attempt < 20; attempt += 1) await one.call();
    expect(keyValue.writes).toEqual([]);
    await runtime.clock.advance(5 * MINUTE);
    for (let attempt = 0; attempt < 20; attempt += 1) await one.call();
    expect(keyValue.writes).toEqual([KEY]);
    await one.done(one.gateway.close());
    expect(keyValue.writes).toEqual([KEY, KEY]);
    expect(keyValue.reads).toEqual([KEY]);
    expect(runtime.clock.pending()).toBe(0);
  });

  it('of models that this process does not know stay for the next one that does', async () => {
    const runtime = fakeRuntime();
    const { keyValue } = watched(runtime);
    const one = started(runtime, keyValue);
    await one.call('b');
    await one.done(one.gateway.close());
    const two = started(runtime, keyValue, ['a']);
    await two.call('a');
    await two.done(two.gateway.close());
    const three = started(runtime, keyValue);
    await three.gateway.recall?.();
    expect(three.figures('reliability', 'a')?.observations).toBeCloseTo(1, 1);
    expect(three.figures('reliability', 'b')?.observations).toBeCloseTo(1, 1);
    await three.done(three.gateway.close());
  });

  it('fail no call and keep no gateway from closing when the store fails or hangs', async () => {
    const runtime = fakeRuntime();
    const fails = watched(runtime, {
      get: () => Promise.reject(new Error('no disk')),
      set: () => Promise.reject(new Error('no disk')),
    });
    const one = started(runtime, fails.keyValue);
    expect((await one.call()).text).toBe('ok');
    await one.done(one.gateway.close());
    expect(one.warn).toHaveBeenCalledTimes(2);
    const hangs = watched(runtime, { set: () => new Promise(() => {}) });
    const two = started(runtime, hangs.keyValue);
    await two.call();
    const from = runtime.clock.now();
    await two.done(two.gateway.close());
    expect(runtime.clock.now() - from).toBeLessThanOrEqual(5000);
    expect(runtime.clock.pending()).toBe(0);
  });
});

it('observations stay in the process where the stores do not last', async () => {
  const runtime = fakeRuntime();
  const { keyValue } = watched(runtime, { lasting: false });
  const one = started(runtime, keyValue);
  await one.call();
  await one.gateway.recall?.();
  await runtime.clock.advance(6 * MINUTE);
  await one.call();
  await one.done(one.gateway.close());
  expect([keyValue.reads, keyValue.writes]).toEqual([[], []]);
});

describe('what is saved', () => {
  it('is bounded, whatever was observed', () => {
    const statistics = createStatistics();
    for (let target = 0; target < 150; target += 1) {
      const one = statistics.of({ provider: 'p', model: `m${target}` });
      for (let sample = 0; sample < 100; sample += 1) {
        const totalMs = 1.07 ** sample;
        one.record({ totalMs, firstTokenMs: totalMs, outcome: 'ok', outputTokens: 9, nowMs: target });
        one.rate(`a field with a rather long name ${sample}`, 0.123456789, target);
      }
    }
    const saved = statistics.saved(1000);
    expect(saved).toHaveLength(MOST_SAVED.targets);
    expect(JSON.stringify(saved).length).toBeLessThan(1_000_000);
    expect(readSaved(JSON.parse(JSON.stringify(saved)), 1000)).toEqual(saved);
  });

  it('counts only where it has the expected shape, and never as newer than now', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.array(fc.anything())), (value) => {
        expect(() => createStatistics().restore(readSaved(value, 0))).not.toThrow();
      }),
    );
    const good = { provider: 'p', model: 'm', region: null, at: 9e15, outcomes: [1, 0] };
    const odd = {
      total: [
        [1, -1],
        [2, 'x'],
        [3, 1e9],
        [5, 1],
      ],
      firstToken: 7,
      scores: [['f', 2, 1]],
      tokens: 'many',
    };
    expect(
      readSaved(
        [
          { ...good, ...odd },
          { ...good, at: 'x' },
          { ...good, outcomes: [Number.NaN, 0] },
        ],
        50,
      ),
    ).toEqual([{ ...good, at: 50, total: [[5, 1]], firstToken: [], scores: [], tokens: null }]);
  });
});
