import { describe, expect, test } from 'vitest';
import { memoryStores } from '../../src/stores/memory.ts';
import {
  fakeClock,
  ledgerRow,
  testJournal,
  testKeyValueStore,
  testLedger,
  testPassageStore,
  testThreadStore,
} from '../../src/testing/index.ts';

describe('conformance', () => {
  testJournal({ test, make: ({ clock }) => memoryStores({ clock }).journal });
  testLedger({ test, make: ({ clock }) => memoryStores({ clock }).ledger });
  testKeyValueStore({ test, make: ({ clock }) => memoryStores({ clock }).keyValue });
  testThreadStore({ test, make: ({ clock }) => memoryStores({ clock }).threads });
  testPassageStore({ test, make: (options) => memoryStores(options).passages });
});

describe('hot paths', () => {
  test('answer without a promise', () => {
    const { journal, ledger, keyValue } = memoryStores({ clock: fakeClock() });
    expect(journal.append('run', [{ type: 'run-resumed', seq: 0, at: 1, runId: 'run' }])).toBeUndefined();
    expect(ledger.append([ledgerRow({ key: 'a/1' })])).toBeUndefined();
    expect(keyValue.change([{ key: 'a', by: 1 }])).toEqual({ ok: true, values: [1] });
  });
});

test("a row that is read is its reader's own, though rows share what is in them", async () => {
  const { ledger } = memoryStores({ clock: fakeClock() });
  const scopes = [{ kind: 'tenant', id: 'press' }] as const;
  const target = { provider: 'acme', model: 'large' };
  ledger.append([ledgerRow({ key: 'a/1', scopes, target }), ledgerRow({ key: 'b/1', scopes, target })]);
  for (let times = 0; times < 2; times += 1) {
    let read = 0;
    for await (const row of ledger.rows()) {
      read += 1;
      // As a program in JavaScript may.
      const own = row as unknown as { scopes: { kind: string; id: string }[]; target: { model: string } };
      expect(own.target.model).toBe('large');
      own.target.model = 'mine';
      expect(own.scopes.pop()).toEqual({ kind: 'tenant', id: 'press' });
    }
    expect(read).toBe(2);
  }
});

describe('bounds', () => {
  test('the ledger drops its oldest rows and keeps its totals', async () => {
    const { ledger } = memoryStores({ clock: fakeClock(), ledgerRows: 3 });
    const ann = { kind: 'user', id: 'ann' } as const;
    for (let index = 0; index < 10; index++) {
      const run = { kind: 'run', id: `run ${index}` } as const;
      ledger.append([ledgerRow({ key: `k${index}/1`, startedAt: 1_700_000_000_000 + index, scopes: [ann, run] })]);
    }
    const keys: string[] = [];
    for await (const { key } of ledger.rows()) keys.push(key);
    expect(keys).toEqual(['k9/1', 'k8/1', 'k7/1']);
    for (const by of ['provider', 'model', 'purpose', 'day', 'outcome', 'scope:user'] as const) {
      expect(await ledger.totals(by)).toMatchObject([{ attempts: 10, costNanoUsd: 10_000, inputTokens: 1000 }]);
    }
    expect(await ledger.totals('scope:run')).toHaveLength(3);
  });

  test('the journal drops the runs that ended first, and none that goes on', async () => {
    const { journal } = memoryStores({ clock: fakeClock(), endedRuns: 2 });
    const base = { seq: 0, at: 1, usage: { input: 0, output: 0 }, costNanoUsd: 0, ms: 0 };
    journal.append('open', [{ type: 'run-resumed', seq: 0, at: 1, runId: 'open' }]);
    for (const runId of ['a', 'b', 'c']) {
      journal.append(runId, [{ ...base, type: 'run-cancelled', runId, reason: 'asked' }]);
    }
    journal.append('b', [{ type: 'run-resumed', seq: 1, at: 2, runId: 'b' }]);
    for (const runId of ['d', 'e']) {
      journal.append(runId, [{ ...base, type: 'run-cancelled', runId, reason: 'asked' }]);
    }
    expect((await journal.list()).map(({ runId }) => runId)).toEqual(['open', 'e', 'd', 'b']);
  });
});
