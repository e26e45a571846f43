/** A store of schema version 1, with killed runs in it: it is migrated, and its runs go on to their ends. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createPolyphony } from '../../src/polyphony.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { systemClock } from '../../src/system/clock.ts';
import { fakeCard, fakeProvider, finish } from '../../src/testing/index.ts';
import { temporaryFolder } from './folder.ts';

const folder = temporaryFolder();
let copies = 0;

/** A copy of the file that `fixtures/write-version-1.ts` wrote with a release of that version. */
function oldStore(): string {
  const path = join(folder, `${++copies}.db`);
  writeFileSync(path, gunzipSync(readFileSync(resolve(import.meta.dirname, 'fixtures/version-1.db.gz'))));
  return path;
}

async function open(path: string, options: Parameters<typeof sqliteStores>[0] = { path }) {
  const script = () => [{ type: 'text-delta', text: 'done' } as const, finish({ usage: { input: 20, output: 30 } })];
  const models = [fakeCard({ id: 'small', maxOutputTokens: 2000 })];
  return createPolyphony({
    plugins: [],
    providers: [fakeProvider({ models, script })],
    stores: sqliteStores(options),
    config: { budgets: [{ scope: 'tenant', id: 'acme', usd: 20 }] },
  });
}

/** The version of the schema, at its place in the file. */
const versionOf = (path: string): number => readFileSync(path).readUInt32BE(60);

describe('a store of schema version 1', () => {
  it('is migrated when it is opened, and lists what it listed', async () => {
    const path = oldStore();
    expect(versionOf(path)).toBe(1);
    // While the session's target has not expired.
    const clock = { ...systemClock, now: () => Date.UTC(2026, 10, 29, 1, 30) };
    const polyphony = await open(path, { path, clock });
    const runs = (await polyphony.runs.list({ nested: true })).map(({ runId, status }) => `${runId} ${status}`);
    expect(runs.toSorted()).toEqual([
      'failed failed',
      'finished done',
      'forked done',
      'forked.each.0 done',
      'forked.each.1 done',
      'interrupted interrupted',
      'leased interrupted',
      'nesting done',
      'nesting.each.0 done',
      'nesting.each.1 done',
      'suspended suspended',
    ]);
    expect(await polyphony.stores.ledger.totals('scope:tenant')).toMatchObject([
      { attempts: 10, costNanoUsd: 720_000 },
    ]);
    expect((await polyphony.runs.show('forked')).output).toEqual((await polyphony.runs.show('nesting')).output);
    await polyphony.close();
    expect(versionOf(path)).toBe(9);
  });

  it('keeps the sessions that are bound at the time', async () => {
    let now = 0;
    const then = sqliteStores({ path: oldStore(), clock: { ...systemClock, now: () => now } });
    now = (await then.journal.list()).find(({ runId }) => runId === 'finished')?.startedAt ?? 0;
    expect(await then.keyValue.get('affinity:chat:talk')).toEqual({ provider: 'fake', model: 'small' });
    await then.close();
  });

  it('is migrated once by two that open it at the same time', async () => {
    const path = oldStore();
    const [one, two] = [sqliteStores({ path }), sqliteStores({ path })];
    const lists = await Promise.all([one.journal.list(), two.journal.list()]);
    expect(lists.map((list) => list.length)).toEqual([7, 7]);
    await Promise.all([one.close(), two.close()]);
    expect(versionOf(path)).toBe(9);
  });

  it('resumes the run that waits for an answer', async () => {
    const polyphony = await open(oldStore());
    const run = await polyphony.runs.answer('suspended', 'go', 'yes');
    expect(await run.result()).toMatchObject({ status: 'done', output: 'done' });
    await polyphony.close();
  });

  it('finishes a run whose budget a killed process had used up with what it held', async () => {
    const path = oldStore();
    const polyphony = await open(path);
    const { keyValue } = polyphony.stores;
    expect(await keyValue.get('budget:run:interrupted')).toBe(4_132_000);
    const result = await (await polyphony.resume('interrupted')).result();
    expect(result).toMatchObject({ status: 'done', output: 'done', costNanoUsd: 160_000 });
    // What others pay for is theirs to correct: the money of a tenant may also have been spent without a row.
    expect(await keyValue.get('budget:tenant:acme')).toBe(8_824_000 + 80_000);
    await polyphony.close();
  });

  it('resumes a run whose lease was written by a clock that ran a year ahead', async () => {
    const polyphony = await open(oldStore());
    expect(await (await polyphony.resume('leased')).result()).toMatchObject({ status: 'done' });
    await polyphony.close();
  });

  it('leaves a run alone while the lease of its unknown owner may hold', async () => {
    const path = oldStore();
    // A moment of the process that died: the lease has some seconds left.
    const row = await sqliteStores({ path }).journal.list({ status: 'running' });
    const leased = row.find(({ runId }) => runId === 'leased');
    const clock = { ...systemClock, now: () => leased?.updatedAt ?? 0 };
    const polyphony = await open(path, { path, clock });
    await expect(polyphony.resume('leased')).rejects.toMatchObject({ code: 'store-busy' });
    await polyphony.close();
    const later = await open(path, { path, clock: { ...clock, now: () => clock.now() + 11_000 } });
    expect(await (await later.resume('leased')).result()).toMatchObject({ status: 'done' });
    await later.close();
  });
});
