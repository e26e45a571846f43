/** Every promise of a store suite catches a store that breaks it. */
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/core/run/engine.ts';
import type { CounterChange, KeyValueStore, LedgerRow, RunJournal, UsageLedger } from '../../src/core/stores.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { testJournal, testKeyValueStore, testLedger } from '../../src/testing/index.ts';
import { failuresOf } from './broken.ts';

type Break<Store> = (store: Store) => Partial<Store>;

const NOTHING = { removed: 0, runIds: [] };

const journals: Readonly<Record<string, readonly [Break<RunJournal>, string]>> = {
  'forgets the last event of an append': [
    (store) => ({ append: (id, events) => store.append(id, events.slice(0, -1)) }),
    'reads events in the order of their appends',
  ],
  'appends later when nobody waits': [
    (store) => ({
      append: async (id, events) => {
        if (events[0]?.seq === 3) await new Promise((resolve) => setImmediate(resolve));
        await store.append(id, events)?.catch(() => undefined);
      },
    }),
    'keeps the order of appends that nobody waited for',
  ],
  'resolves before it has written': [
    (store) => ({
      append: (id, events) => void setImmediate(() => store.append(id, events)?.catch(() => undefined)) as undefined,
    }),
    'reads what a resolved append wrote, also before the next one',
  ],
  'drops what another writer was faster with': [
    (store) => ({ append: async (id, events) => store.append(id, events)?.catch(() => undefined) }),
    'gives no number of a run twice',
  ],
  'keeps a part of what it refuses': [
    (store) => ({
      append: async (id, events) => {
        for (const event of events) await store.append(id, [event]);
      },
    }),
    'gives no number of a run twice',
  ],
  'looks at numbers before it waits': [
    (store) => {
      const waiting: RunEvent[] = [];
      return {
        append: async (id, events) => {
          await new Promise((resolve) => setImmediate(resolve));
          for (const event of events) await store.append(id, [{ ...event, seq: waiting.push(event) }]);
        },
      };
    },
    'gives a number to one of many that append at the same time',
  ],
  'takes a run to tell whether it is held': [
    (store) => ({
      held: async (ids) => {
        const claims = await Promise.all(ids.map((id) => store.claim(id, 'who asks', 1000)));
        return new Set(ids.filter((_, index) => claims[index] === false));
      },
    }),
    'tells which runs are held, and takes none of them',
  ],
  'makes a run of nothing': [
    (store) => ({
      append: (id, events) =>
        store.append(id, events.length === 0 ? [{ type: 'run-resumed', seq: 0, at: 0, runId: id }] : events),
    }),
    'reads nothing of a run that it does not know',
  ],
  'mixes runs up': [(store) => ({ read: () => store.read('_') }), 'keeps runs apart, whatever their ids'],
  'loses a value': [
    (store) => ({
      append: (id, events) =>
        store.append(id, JSON.parse(JSON.stringify(events).replaceAll('null', '0')) as RunEvent[]),
    }),
    'keeps every JSON value as it is',
  ],
  'lists the oldest first': [
    (store) => ({ list: async (filter) => (await store.list(filter)).toReversed() }),
    'lists the newest first, by status, at most as many as asked for',
  ],
  'lists nested runs': [
    (store) => ({ list: (filter) => store.list({ ...filter, nested: true }) }),
    'lists runs that a node of another run started only when asked for them',
  ],
  'lists no nested runs': [
    (store) => ({ list: (filter) => store.list({ ...filter, nested: false }) }),
    'lists runs that a node of another run started only when asked for them',
  ],
  'takes an unknown cost for 0': [
    (store) => ({
      list: async (filter) => (await store.list(filter)).map((run) => ({ ...run, costNanoUsd: run.costNanoUsd ?? 0 })),
    }),
    'says that a cost is unknown rather than 0',
  ],
  'never sees a run end': [
    (store) => ({
      list: async (filter) => (await store.list(filter)).map((run) => ({ ...run, status: 'running' as const })),
    }),
    'follows a run that is suspended, resumed, revised and cancelled',
  ],
  'leases for ever': [
    (store) => ({ claim: (id, owner) => store.claim(id, owner, Number.POSITIVE_INFINITY) }),
    'gives a run to one owner until the lease ends',
  ],
  'renews what another owner has had': [
    () => ({ renew: async () => true }),
    'renews a lease that has ended, unless another owner has had the run since',
  ],
  'lets anybody release': [
    (store) => ({ release: async (id) => void (await Promise.all(['one', 'two'].map((o) => store.release(id, o)))) }),
    'takes a release from the owner only',
  ],
  'removes what a dry run asks for': [
    (store) => ({ prune: async (options) => (await store.prune?.({ ...options, dryRun: false })) ?? NOTHING }),
    'removes runs that ended before a time, with those of their nodes',
  ],
  'removes what is unfinished': [
    (store) => ({ prune: async (options) => (await store.prune?.({ ...options, unfinished: true })) ?? NOTHING }),
    'removes runs that ended before a time, with those of their nodes',
  ],
  'removes what somebody holds': [
    (store) => ({
      prune: async (options) => {
        await Promise.all(['left', 'old'].map((runId) => store.release(runId, 'somebody')));
        return (await store.prune?.(options)) ?? NOTHING;
      },
    }),
    'removes unfinished runs when asked to, and none that somebody holds',
  ],
  'removes one part': [
    (store) => ({
      prune: async (options) => {
        const many = (await store.list()).length > 1000;
        return many ? NOTHING : ((await store.prune?.(options)) ?? NOTHING);
      },
    }),
    'removes any number of runs, part by part',
  ],
  'leases to everybody': [() => ({ claim: async () => true }), 'gives a run to one of many that ask at the same time'],
};

const ledgers: Readonly<Record<string, readonly [Break<UsageLedger>, string]>> = {
  'counts a key twice': [
    (store) => {
      let count = 0;
      const append = (rows: readonly LedgerRow[]) =>
        store.append(rows.map((row) => ({ ...row, key: `${row.key}#${++count}` })));
      return { append };
    },
    'counts a key once, whatever comes again under it',
  ],
  'drops a field': [
    (store) => ({ append: (rows) => store.append(rows.map((row) => ({ ...row, totalMs: 0 }))) }),
    'keeps every field of a row',
  ],
  'takes `to` as inclusive': [
    (store) => ({ rows: (f = {}) => store.rows(f.to === undefined ? f : { ...f, to: f.to + 1 }) }),
    'filters rows by time, scope and provider, newest first',
  ],
  'ends after a page': [
    (store) => ({ rows: (f = {}) => store.rows({ limit: 1000, ...f }) }),
    'reads more rows than a page holds, each once',
  ],
  'counts an unknown price as none at all': [
    (store) => ({
      totals: async (...query) => (await store.totals(...query)).map((total) => ({ ...total, unpriced: 0 })),
    }),
    'adds up by every group',
  ],
  'forgets the filter of totals': [(store) => ({ totals: (by) => store.totals(by) }), 'adds up what a filter leaves'],
  'removes nothing': [
    () => ({ prune: async () => ({ removed: 2 }) }),
    'removes rows that started before a time, also from its totals',
  ],
  'removes one row at most': [
    () => ({ prune: async () => ({ removed: 1 }) }),
    'removes any number of rows, part by part',
  ],
  'loses tokens': [
    (store) => ({
      totals: async (...query) => (await store.totals(...query)).map((total) => ({ ...total, inputTokens: 0 })),
    }),
    'adds up tokens, and counts unknown usage as 0',
  ],
};

const one = (store: KeyValueStore, changes: readonly CounterChange[]) =>
  changes.map((change) => store.change([change]));

const keyValues: Readonly<Record<string, readonly [Break<KeyValueStore>, string]>> = {
  'forgets null': [
    (store) => ({ get: async (key) => (await store.get(key)) ?? undefined }),
    'returns what was set, and undefined for what was not',
  ],
  'shares its objects': [
    () => {
      const values = new Map<string, unknown>();
      return { set: async (key, value) => void values.set(key, value), get: async (key) => values.get(key) };
    },
    'keeps a value apart from the object that it was set from',
  ],
  'takes undefined': [
    (store) => ({ set: async (key, value, options) => store.set(key, value ?? null, options) }),
    'refuses a value that is not JSON',
  ],
  'takes a prefix for a pattern': [
    (store) => ({ keys: (prefix, limit) => store.keys(prefix === '_' ? '' : prefix, limit) }),
    'takes any text as key',
  ],
  'lists every key': [
    (store) => ({ keys: (prefix) => store.keys(prefix, 9999) }),
    'lists keys with a prefix in order, at most as many as asked for',
  ],
  'keeps values for ever': [
    (store) => ({ set: (key, value) => store.set(key, value) }),
    'forgets a value when its time is over',
  ],
  'refuses no change': [
    (store) => ({ change: (changes) => store.change(changes.map(({ limit: _, ...change }) => change)) }),
    'changes none when one would exceed its limit',
  ],
  'changes one after the other': [
    (store) => ({
      change: async (changes) => {
        const results = await Promise.all(one(store, changes));
        const refused = results.findIndex(({ ok }) => !ok);
        const values = results.flatMap((result) => (result.ok ? result.values : []));
        return refused === -1 ? { ok: true, values } : { ok: false, refused, value: 0 };
      },
    }),
    'sees its own earlier changes of a key, and takes them back together',
  ],
  'reads, waits and writes': [
    (store) => ({
      change: async (changes) => {
        const before = await Promise.all(changes.map(({ key }) => store.get(key)));
        await new Promise((resolve) => setImmediate(resolve));
        await Promise.all(changes.map(({ key }, index) => store.set(key, before[index] ?? 0)));
        return store.change(changes);
      },
    }),
    'allows only as many changes at the same time as the limit permits',
  ],
  'counts from whatever is there': [
    (store) => ({
      change: (changes) => {
        const numbers = changes.filter(({ key }) => key !== 'text');
        return store.change(numbers);
      },
    }),
    'refuses to change a value that is not a number, and changes nothing',
  ],
  'counts by nothing': [
    (store) => ({
      change: (changes) => store.change(changes.map((change) => ({ ...change, by: change.by || 0 }))),
    }),
    'refuses to change a counter by a number that is not finite',
  ],
  'removes what has not expired': [
    (store) => ({
      prune: async (options) => {
        if (options.dryRun !== true) await store.delete('long');
        return (await store.prune?.(options)) ?? { removed: 0 };
      },
    }),
    'removes values that expired before a time, and nothing else',
  ],
  'starts at 0': [
    (store) => ({ change: (changes) => store.change(changes.map(({ initial: _, ...change }) => change)) }),
    'changes counters, from 0 or from their initial value',
  ],
};

describe('testJournal', () => {
  test('passes the memory store', async () => {
    expect(await failuresOf((run) => testJournal({ test: run, make: () => memoryStores().journal }))).toEqual([
      'gives a run to one owner until the lease ends',
      'renews a lease that has ended, unless another owner has had the run since',
      'tells which runs are held, and takes none of them',
      'removes unfinished runs when asked to, and none that somebody holds',
    ]);
    const passing = await failuresOf((run) => testJournal({ test: run, make: (o) => memoryStores(o).journal }));
    expect(passing).toEqual([]);
  });
  test.each(Object.entries(journals))('catches one that %s', async (_, [broken, caught]) => {
    const make = (options: object): RunJournal => {
      const { journal } = memoryStores(options);
      return { ...journal, ...broken(journal) };
    };
    expect(await failuresOf((run) => testJournal({ test: run, make }))).toContain(caught);
  });
});

describe('testLedger', () => {
  test('passes the memory store', async () => {
    expect(await failuresOf((run) => testLedger({ test: run, make: (o) => memoryStores(o).ledger }))).toEqual([]);
  });
  test.each(Object.entries(ledgers))('catches one that %s', async (_, [broken, caught]) => {
    const make = (options: object): UsageLedger => {
      const { ledger } = memoryStores(options);
      return { ...ledger, ...broken(ledger) };
    };
    expect(await failuresOf((run) => testLedger({ test: run, make }))).toContain(caught);
  });
});

describe('testKeyValueStore', () => {
  test('passes the memory store', async () => {
    expect(await failuresOf((run) => testKeyValueStore({ test: run, make: (o) => memoryStores(o).keyValue }))).toEqual(
      [],
    );
  });
  test.each(Object.entries(keyValues))('catches one that %s', async (_, [broken, caught]) => {
    const make = (options: object): KeyValueStore => {
      const { keyValue } = memoryStores(options);
      return { ...keyValue, ...broken(keyValue) };
    };
    expect(await failuresOf((run) => testKeyValueStore({ test: run, make }))).toContain(caught);
  });
});
