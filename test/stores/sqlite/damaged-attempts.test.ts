/** An attempt of a dead process that cannot be read keeps no other from being booked, and no total from being read. */
import { join } from 'node:path';
import Database from 'libsql';
import { expect, it } from 'vitest';
import { sqliteStores } from '../../../src/stores/sqlite.ts';
import { ledgerRow } from '../../../src/testing/index.ts';
import { temporaryFolder } from '../folder.ts';

const folder = temporaryFolder();

const rowText = (key: string): string =>
  JSON.stringify(ledgerRow({ key, uncertain: true, costNanoUsd: 7, scopes: [{ kind: 'user', id: 'ann' }] }));
const changed = (from: string | RegExp, to: string) => (text: string) => text.replace(from, to);
const INSERT = 'INSERT INTO attempts (owner, number, sent, held_nano_usd, counters, row) VALUES (?, ?, 1, ?, ?, ?)';

it.each([
  ['no JSON', changed('{', '['), 10],
  ['no scopes', changed('"scopes"', '"was"'), 10],
  ['nothing for a scope', changed('"scopes":[', '"scopes":[null,'), 10],
  ['true for a name', changed('"id":"ann"', '"id":true'), 10],
  ['no key', changed('"key"', '"was"'), 10],
  ['no target', changed('"target"', '"was"'), 10],
  ['true for a model', changed(/"model":"[^"]*"/, '"model":true'), 10],
  ['a text for its cost', changed('"costNanoUsd":7', '"costNanoUsd":"7"'), 10],
  ['an object for its tokens', changed(/"input":\d+/, '"input":{}'), 10],
  ['true for its tokens', changed(/"input":\d+/, '"input":true'), 10],
  ['a text for what is held', (text: string) => text, 'much'],
])('of an attempt with %s', async (what, damage, held) => {
  const path = join(folder, `${what}.db`);
  const before = sqliteStores({ path });
  await before.keyValue.set('budget:user:ann', 30);
  await before.close();
  const database = new Database(path);
  const insert = database.prepare(INSERT);
  insert.run('dead', 1, 10, '["budget:user:ann"]', rowText('a'));
  insert.run('dead', 2, held, '["budget:user:ann"]', damage(rowText('damaged')));
  insert.run('dead', 3, 10, '["budget:user:ann"]', rowText('b'));
  database.close();
  const { attempts, keyValue, ledger, close } = sqliteStores({ path });
  expect(await ledger.totals('scope:user')).toMatchObject([{ group: 'ann', attempts: 2, costNanoUsd: 14 }]);
  await attempts?.recover?.('run');
  expect(await keyValue.get('budget:user:ann')).toBe(24);
  await close();
});
