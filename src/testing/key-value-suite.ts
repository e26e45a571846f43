/** The conformance suite of KeyValueStore. */
import assert from 'node:assert/strict';
import { PolyphonyError } from '../core/errors.ts';
import type { KeyValueStore } from '../core/stores.ts';
import { HOSTILE_IDS, type StoreSuiteOptions, storeTests } from './suite.ts';

/** Declares the tests that every key-value store passes. */
export function testKeyValueStore(options: StoreSuiteOptions<KeyValueStore>): void {
  valueTests(options);
  expiryTests(options);
  counterTests(options);
  refusalTests(options);
  pruneTests(options);
}

function valueTests(options: StoreSuiteOptions<KeyValueStore>): void {
  const check = storeTests(options);
  check('returns what was set, and undefined for what was not', async (store) => {
    assert.equal(await store.get('key'), undefined);
    for (const value of [null, false, 0, '', 0.1, 'text', [1, [null]], { a: { b: '世界\u0000' } }]) {
      await store.set('key', value);
      assert.deepEqual(await store.get('key'), value);
    }
    await store.delete('key');
    await store.delete('key');
    assert.equal(await store.get('key'), undefined);
  });
  check('keeps a value apart from the object that it was set from', async (store) => {
    const value = { list: [1] };
    await store.set('key', value);
    value.list.push(2);
    const read = await store.get('key');
    assert.deepEqual(read, { list: [1] });
    assert.notEqual(await store.get('key'), read, 'every reader gets a copy of its own');
  });
  check('refuses a value that is not JSON', async (store) => {
    await assert.rejects(async () => store.set('key', undefined), isInvalidRequest);
  });
  check('takes any text as key', async (store) => {
    for (const id of HOSTILE_IDS) await store.set(id, id);
    for (const id of HOSTILE_IDS) assert.equal(await store.get(id), id);
    assert.deepEqual(await store.keys('%'), ['%']);
    assert.deepEqual(await store.keys('_'), ['_', '__proto__']);
  });
  check('keeps keys apart that differ in half a surrogate pair, or refuses them', async (store) => {
    const keys = ['a\ud800', 'a\udfff', 'a\ufffd', 'a'];
    const kept: string[] = [];
    for (const key of keys) {
      const refused = await store.set(key, key).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (refused === undefined) kept.push(key);
      else assert.ok(isInvalidRequest(refused));
    }
    for (const key of kept) assert.equal(await store.get(key), key);
  });
  check('lists keys with a prefix in order, at most as many as asked for', async (store) => {
    for (const key of ['b:2', 'a', 'b:10', 'b:1', 'c', 'b']) await store.set(key, 1);
    assert.deepEqual(await store.keys('b:'), ['b:1', 'b:10', 'b:2']);
    assert.deepEqual(await store.keys('b:', 2), ['b:1', 'b:10']);
    assert.deepEqual(await store.keys(''), ['a', 'b', 'b:1', 'b:10', 'b:2', 'c']);
    assert.deepEqual(await store.keys('d'), []);
  });
}

function expiryTests(options: StoreSuiteOptions<KeyValueStore>): void {
  const check = storeTests(options);
  check('forgets a value when its time is over', async (store, clock) => {
    await store.set('key', 1, { ttlMs: 100 });
    await store.set('other', 1, { ttlMs: 200 });
    await clock.advance(99);
    assert.equal(await store.get('key'), 1);
    await clock.advance(1);
    assert.equal(await store.get('key'), undefined);
    assert.deepEqual(await store.keys(''), ['other']);
  });
  check('takes the time to live of the last set', async (store, clock) => {
    await store.set('key', 1, { ttlMs: 100 });
    await store.set('key', 2);
    await clock.advance(1000);
    assert.equal(await store.get('key'), 2);
  });
  check('lets a counter live as long as it was set to, and starts again after that', async (store, clock) => {
    await store.set('key', 5, { ttlMs: 100 });
    assert.deepEqual(await store.change([{ key: 'key', by: 1 }]), { ok: true, values: [6] });
    await clock.advance(100);
    assert.equal(await store.get('key'), undefined);
    assert.deepEqual(await store.change([{ key: 'key', by: 1 }]), { ok: true, values: [1] });
    await clock.advance(1000);
    assert.equal(await store.get('key'), 1);
  });
}

function counterTests(options: StoreSuiteOptions<KeyValueStore>): void {
  const check = storeTests(options);
  check('changes counters, from 0 or from their initial value', async (store) => {
    const changes = [
      { key: 'a', by: 2 },
      { key: 'b', by: -3, initial: 10 },
      { key: 'a', by: 5 },
    ];
    assert.deepEqual(await store.change(changes), { ok: true, values: [2, 7, 7] });
    assert.deepEqual(await store.change([{ key: 'b', by: 1, initial: 100 }]), { ok: true, values: [8] });
    assert.deepEqual([await store.get('a'), await store.get('b')], [7, 8]);
    assert.deepEqual(await store.change([]), { ok: true, values: [] });
  });
  check('changes none when one would exceed its limit', async (store) => {
    await store.change([
      { key: 'a', by: 5 },
      { key: 'b', by: 9 },
    ]);
    const changes = [
      { key: 'a', by: 1 },
      { key: 'new', by: 1 },
      { key: 'b', by: 2, limit: 10 },
    ];
    assert.deepEqual(await store.change(changes), { ok: false, refused: 2, value: 9 });
    assert.deepEqual([await store.get('a'), await store.get('b'), await store.get('new')], [5, 9, undefined]);
    assert.deepEqual(await store.change([{ key: 'b', by: 1, limit: 10 }]), { ok: true, values: [10] });
  });
  check('sees its own earlier changes of a key, and takes them back together', async (store) => {
    const twice = [
      { key: 'a', by: 6, limit: 10 },
      { key: 'a', by: 6, limit: 10 },
    ];
    assert.deepEqual(await store.change(twice), { ok: false, refused: 1, value: 0 });
    assert.equal(await store.get('a'), undefined);
  });
  check('allows only as many changes at the same time as the limit permits', async (store) => {
    const asked = Array.from({ length: 100 }, () =>
      store.change([
        { key: 'total', by: 1 },
        { key: 'a', by: 3, limit: 100 },
      ]),
    );
    const results = await Promise.all(asked);
    assert.equal(results.filter(({ ok }) => ok).length, 33);
    assert.deepEqual([await store.get('a'), await store.get('total')], [99, 33]);
  });
}

function refusalTests(options: StoreSuiteOptions<KeyValueStore>): void {
  const check = storeTests(options);
  check('refuses to change a value that is not a number, and changes nothing', async (store) => {
    await store.set('text', 'seven');
    const changes = [
      { key: 'a', by: 1 },
      { key: 'text', by: 1 },
    ];
    await assert.rejects(async () => store.change(changes), isInvalidRequest);
    assert.deepEqual([await store.get('a'), await store.get('text')], [undefined, 'seven']);
  });
  check('refuses to change a counter by a number that is not finite', async (store) => {
    await assert.rejects(async () => store.change([{ key: 'a', by: Number.NaN }]), isInvalidRequest);
    assert.equal(await store.get('a'), undefined);
  });
  check(
    'refuses a limit or an initial value that is no number, for a counter that exists and for a new one',
    async (store) => {
      await store.change([{ key: 'a', by: 1 }]);
      await store.change([{ key: 'b', by: 1 }]);
      for (const key of ['a', 'new']) {
        for (const limit of [Number.NaN, 'many' as never]) {
          const change = { key, by: 1, limit };
          await assert.rejects(async () => store.change([change]), isInvalidRequest);
          await assert.rejects(async () => store.change([{ key: 'b', by: 1 }, change]), isInvalidRequest);
        }
      }
      await assert.rejects(async () => store.change([{ key: 'new', by: 1, initial: Number.NaN }]), isInvalidRequest);
      assert.deepEqual([await store.get('a'), await store.get('b'), await store.get('new')], [1, 1, undefined]);
      assert.deepEqual(await store.change([{ key: 'a', by: 1, limit: Number.POSITIVE_INFINITY }]), {
        ok: true,
        values: [2],
      });
    },
  );
}

function isInvalidRequest(error: unknown): boolean {
  assert.ok(error instanceof PolyphonyError, `expected a PolyphonyError, got ${String(error)}`);
  assert.equal(error.code, 'invalid-request');
  return true;
}

/** The tests of a method that a store may leave out: they then pass without testing anything. */
function pruneTests(options: StoreSuiteOptions<KeyValueStore>): void {
  const check = storeTests(options);
  check('removes values that expired before a time, and nothing else', async (store, clock) => {
    if (store.prune === undefined) return;
    await store.set('short', 1, { ttlMs: 100 });
    await store.set('long', 2, { ttlMs: 5000 });
    await store.set('stays', 3);
    await store.change([{ key: 'counter', by: 1 }]);
    const start = clock.now();
    await clock.advance(1000);
    assert.deepEqual(await store.prune({ before: start + 50 }), { removed: 0 });
    assert.deepEqual(await store.prune({ before: start + 500, dryRun: true }), { removed: 1 });
    assert.deepEqual(await store.prune({ before: start + 500 }), { removed: 1 });
    assert.deepEqual(await store.prune({ before: start + 500 }), { removed: 0 });
    assert.deepEqual(await store.keys(''), ['counter', 'long', 'stays']);
  });
}
