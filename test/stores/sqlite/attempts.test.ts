/** The book of attempts in SQLite: the suite, and what it does when the file cannot be written. */
import { join } from 'node:path';
import { expect, it, test } from 'vitest';
import { sqliteStores } from '../../../src/stores/sqlite.ts';
import { ledgerRow, testAttemptBook } from '../../../src/testing/index.ts';
import { temporaryFolder } from '../folder.ts';

const folder = temporaryFolder();

testAttemptBook({
  test,
  make: ({ data, ...options }) => {
    const stores = sqliteStores({ path: join(folder, `${data}.db`), ...options });
    if (stores.attempts === undefined) throw new Error('no book');
    return { ...stores, attempts: stores.attempts };
  },
});

it('keeps a settlement that finds no room, and writes it when there is', async () => {
  const path = join(folder, 'full.db');
  const stores = sqliteStores({ path, maximumBytes: 400_000 });
  const opened = await stores.attempts?.open({
    row: ledgerRow({ key: 'a/1', uncertain: true }),
    holds: [{ key: 'budget:user:ann' }],
    heldNanoUsd: 500,
    isSent: true,
  });
  if (opened?.ok !== true) throw new Error('refused');
  const filling = Array.from({ length: 90 }, (_, index) => stores.keyValue.set(`x${index}`, 'x'.repeat(4000)));
  const refused = await Promise.allSettled(filling);
  expect(refused.at(-1)?.status).toBe('rejected');
  const settled = opened.attempt.settle(
    9,
    ledgerRow({ key: 'a/1', error: { code: 'overloaded', message: 'x'.repeat(9000) }, costNanoUsd: 9 }),
  );
  await expect(settled).rejects.toMatchObject({ code: 'store-full' });
  for (let index = 0; index < 90; index += 1) await stores.keyValue.delete(`x${index}`);
  await stores.ledger.flush();
  expect(await stores.keyValue.get('budget:user:ann')).toBe(9);
  expect(await stores.ledger.totals('provider')).toMatchObject([{ attempts: 1, costNanoUsd: 9 }]);
  await stores.close();
});

it('fails one attempt whose counter holds no number, and not those that are written with it', async () => {
  const stores = sqliteStores({ path: join(folder, 'mixed.db') });
  const { attempts, keyValue } = stores;
  await keyValue.set('budget:user:bob', 'much');
  const open = (key: string, counter: string) =>
    attempts?.open({ row: ledgerRow({ key }), holds: [{ key: counter }], heldNanoUsd: 5, isSent: true });
  const results = await Promise.allSettled([
    open('a/1', 'budget:user:ann'),
    open('b/1', 'budget:user:bob'),
    open('c/1', 'budget:user:ann'),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await keyValue.get('budget:user:ann')).toBe(10);
  await stores.close();
});

/** Moments at which the book is closed, in turns of the event loop after the second attempt was opened, and in promises after those. */
const MOMENTS = [0, 1, 2, 3, 4, 5].flatMap((turns) => [0, 2, 4, 8].map((promises) => ({ turns, promises })));

it('holds nothing for an attempt that waited for settlements while the book was closed, whenever that is', async () => {
  const seen = new Set<string>();
  for (const { turns, promises } of MOMENTS) {
    const path = join(folder, `closing-${turns}-${promises}.db`);
    const stores = sqliteStores({ path });
    const holds = [{ key: 'budget:user:ann', limit: 100 }];
    const open = (key: string) =>
      stores.attempts?.open({ row: ledgerRow({ key, uncertain: true }), holds, heldNanoUsd: 80, isSent: true });
    const first = await open('a/1');
    if (first?.ok !== true) throw new Error('refused');
    // It finds no room, and waits for the first, whose settlement gives most of it back.
    const second = open('b/1')?.then(
      ({ ok }) => (ok ? 'held' : 'refused'),
      ({ code }) => String(code),
    );
    void first.attempt.settle(10, ledgerRow({ key: 'a/1', costNanoUsd: 10 }), 'soon');
    for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
    for (let promise = 0; promise < promises; promise += 1) await Promise.resolve();
    await stores.close();
    const outcome = (await second) ?? '';
    seen.add(outcome);
    const after = sqliteStores({ path });
    const [total] = await after.ledger.totals('provider');
    expect(total?.attempts).toBe(outcome === 'held' ? 2 : 1);
    expect(await after.keyValue.get('budget:user:ann')).toBe(total?.costNanoUsd);
    await after.close();
  }
  expect([...seen]).toContain('invalid-request');
});
