/** Files that do not take the first record of a run: it ends with the code of the store, and closing ends. */
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createPolyphony, type Plan, type Stores } from '../../src/index.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { temporaryFolder } from './folder.ts';

const folder = temporaryFolder();

const plan: Plan = {
  version: 1,
  input: { text: 'string' },
  nodes: [{ id: 'a', use: 'value', in: { text: '{{input.text}}' } }],
};
const input = { text: 'x'.repeat(200_000) };

async function made(name: string): Promise<string> {
  const path = join(folder, name);
  const stores = sqliteStores({ path });
  await stores.journal.list();
  await stores.close();
  return path;
}

async function expectToFail(stores: Stores, code: string, runId?: string): Promise<void> {
  const polyphony = await createPolyphony({ defaults: false, stores });
  const handle = await polyphony.start(plan, input, runId === undefined ? {} : { runId });
  const result = await handle.result();
  expect(result).toMatchObject({ status: 'failed', error: { code, details: { resumable: false } } });
  expect(result.error?.message).toContain(`Nothing of run ${handle.runId} was recorded: start it again.`);
  await polyphony.close().catch((error: unknown) => expect(error).toMatchObject({ code }));
}

test.each([undefined, 'named'])('a file that is full (run %s)', async (runId) => {
  const path = await made(`full-${runId}.db`);
  await expectToFail(sqliteStores({ path, maximumBytes: statSync(path).size }), 'store-full', runId);
});

test.each([undefined, 'named'])('a file with damaged pages (run %s)', async (runId) => {
  const path = await made(`damaged-${runId}.db`);
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(statSync(path).size - 4096 * 2, 0x5a), 0, undefined, 4096 * 2);
  closeSync(file);
  await expectToFail(sqliteStores({ path }), 'store-corrupt', runId);
});
