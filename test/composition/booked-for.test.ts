/** What a resumed run learns from the ledger of what its dead processes have paid. */
import { expect, it } from 'vitest';
import { bookedForOf } from '../../src/composition/booked-for.ts';
import type { LedgerFilter, LedgerRow, Stores } from '../../src/core/stores.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { ledgerRow } from '../../src/testing/ledger-suite.ts';

const row = (nodeId: string | undefined, costNanoUsd: number, uncertain?: true): LedgerRow => ({
  ...ledgerRow({ key: `${nodeId}/${costNanoUsd}`, costNanoUsd, usage: { input: costNanoUsd, output: 0 } }),
  ...(uncertain === undefined ? {} : { uncertain }),
  scopes: [{ kind: 'run', id: 'r' }, ...(nodeId === undefined ? [] : [{ kind: 'node' as const, id: `r/${nodeId}` }])],
});

function storesWith(rows: readonly LedgerRow[]): { readonly stores: Stores; readonly asked: LedgerFilter[] } {
  const asked: LedgerFilter[] = [];
  const memory = memoryStores();
  const ledger = {
    ...memory.ledger,
    async *rows(filter: LedgerFilter = {}) {
      asked.push(filter);
      for (const one of rows) if (filter.uncertain !== true || one.uncertain === true) yield one;
    },
  };
  const attempts = { ledger, keyValue: memory.keyValue, open: () => Promise.reject(new Error('not here')) };
  return { asked, stores: { ...memory, ledger, attempts: { ...attempts, recover: async () => undefined } } as never };
}

const counted = (costNanoUsd: number) => ({ costNanoUsd, usage: { input: costNanoUsd, output: 0 } });

it('is what the rows of each node hold beyond its records, and never less than what is uncertain', async () => {
  const rows = [row('a', 100), row('a', 40), row('b', 7), row('c', 5, true), row('d', 9), row(undefined, 3, true)];
  const { stores } = storesWith([...rows, row(undefined, 50)]);
  // a: 40 were recorded; b: more than its rows, by a step of the user's own; c and d: nothing was.
  const known = new Map([
    ['a', counted(40)],
    ['b', counted(20)],
  ]);
  expect(await bookedForOf(stores)?.('r', known)).toEqual({
    costNanoUsd: 100 + 5 + 9 + 3,
    usage: { input: 100 + 5 + 9 + 3, output: 0 },
  });
});

it('reads only what is uncertain of a run in which no process has died', async () => {
  const { stores, asked } = storesWith([row('a', 100), row('a', 8, true)]);
  expect(await bookedForOf(stores)?.('r', undefined)).toMatchObject({ costNanoUsd: 8 });
  expect(asked).toEqual([{ scope: { kind: 'run', id: 'r' }, uncertain: true }]);
});
