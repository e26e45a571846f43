/** polyphony spend, where there are more groups than anybody reads. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { ledgerRow } from '../../src/testing/index.ts';
import { call, folderWith } from './call.ts';

async function ledgerOf(runs: number): Promise<string> {
  const path = join(folderWith(), 'spent.db');
  const stores = sqliteStores({ path });
  await stores.ledger.append(
    Array.from({ length: runs }, (_, index) =>
      ledgerRow({
        key: `c${index}/1`,
        costNanoUsd: ((index * 5) % runs) * 1_000_000,
        scopes: [
          { kind: 'run', id: `run_${(index * 5) % runs}` },
          { kind: 'user', id: `user${index % 2}` },
        ],
      }),
    ),
  );
  await stores.close();
  return path;
}

it('shows the runs that cost most, most first, and says that there are more', async () => {
  const path = await ledgerOf(301);
  const { out, err } = await call('--store', path, 'spend', '--by', 'run');
  const runs = out.match(/^ *run_\d+/gm)?.map((run) => run.trim());
  expect(runs).toEqual(Array.from({ length: 100 }, (_, index) => `run_${300 - index}`));
  expect(err).toBe('the 100 that cost most are shown: --limit <count> shows more\n');
});

it('says of a single one what it is', async () => {
  const { err } = await call('--store', await ledgerOf(3), 'spend', '--by', 'run', '--limit', '1');
  expect(err).toBe('the one that costs most is shown: --limit <count> shows more\n');
});

it('shows as many as are asked for, as a document too, and says nothing where these are all', async () => {
  const path = await ledgerOf(301);
  const three = await call('--store', path, 'spend', '--by', 'run,user', '--limit', '3', '--json');
  expect(JSON.parse(three.out)).toMatchObject([
    { groups: ['run_300', 'user0'], costUsd: 0.3 },
    { groups: ['run_299', 'user0'] },
    { groups: ['run_298', 'user0'] },
  ]);
  expect(three.err).toContain('the 3 that cost most');
  const all = await call('--store', path, 'spend', '--by', 'run', '--limit', '301', '--json');
  expect(JSON.parse(all.out)).toHaveLength(301);
  expect(all.err).toBe('');
  const users = await call('--store', path, 'spend', '--by', 'user');
  expect(users.err).toBe('');
});
