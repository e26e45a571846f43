/** What an operator sees and does about calls that wait for a batch: a process left one answered, two sent and one queued. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createPolyphony } from '../../src/index.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeRuntime } from '../../src/testing/fakes.ts';
import { BATCH_COST, batchProvider, fakeServer } from '../gateway/batches/vendor.ts';
import { call, folderWith } from './call.ts';

const folder = folderWith({ 'c.json': { batches: {} }, 'none.json': {} });
const store = join(folder, 'store.db');
const batches = (...given: readonly string[]) =>
  call('--store', store, '--config', join(folder, 'c.json'), 'batches', ...given);

const ask = (text: string) =>
  ({ operation: 'chat', messages: [{ role: 'user', content: text }], maxOutputTokens: 50 }) as const;
const scopes = [{ kind: 'tenant', id: 'acme', capNanoUsd: 1_000_000_000 }] as const;

beforeAll(async () => {
  const runtime = fakeRuntime();
  // Answers are kept for a week from now.
  await runtime.clock.advance(Date.now() - runtime.clock.now());
  const server = fakeServer();
  const polyphony = await createPolyphony({
    defaults: false,
    runtime,
    providers: [batchProvider(server, runtime)],
    stores: sqliteStores({ path: store }),
    config: { batches: { flushMs: 1000, pollMs: 60_000 } },
  });
  const { gateway } = polyphony;
  await gateway.batches?.queue(ask('one'), { id: 'answered', scopes });
  for (let turn = 0; turn < 500 && (await gateway.batches?.list())?.length !== 0; turn += 1)
    await runtime.clock.advance(60_000);
  server.takesMs = Number.POSITIVE_INFINITY;
  for (const id of ['sent-1', 'sent-2']) await gateway.batches?.queue(ask(id), { id, scopes });
  for (let turn = 0; turn < 100 && server.batches.length < 2; turn += 1) await runtime.clock.advance(1000);
  await runtime.clock.advance(1000);
  await gateway.batches?.queue(ask('four'), { id: 'queued' });
  await polyphony.close();
});

interface Listed {
  readonly waiting: readonly { readonly id: string; readonly batch: string | null }[];
  readonly answered: object;
}
const listed = async (): Promise<Listed> => JSON.parse((await batches('list', '--json')).out) as Listed;

describe('polyphony batches', () => {
  it('lists what waits by batch, what it holds, and what the answers have cost', async () => {
    const { waiting, answered } = await listed();
    expect(waiting.map(({ id }) => id)).toEqual(['sent-1', 'sent-2', 'queued']);
    expect(answered).toEqual({ answers: 1, failures: 0, costNanoUsd: BATCH_COST });
    const { out } = await batches();
    expect(out).toMatch(/batch_\S+ +fake\/one +2 +\$0\.\d+/);
    expect(out).toMatch(/queued +fake\/one +1 +–/);
    expect(out).toContain('cost: $0.00002');
    expect((await batches('list', '--calls', '-n', '1')).err).toContain('2 more');
  });

  it('shows a call that waits with who pays, a batch with its calls, and an answer with its cost', async () => {
    expect((await batches('show', 'sent-1')).out).toMatch(/sent in batch_\S+, fake\/one, since .* \(tenant acme\)/);
    const batch = (await listed()).waiting[0]?.batch ?? '';
    expect(JSON.parse((await batches('show', batch, '--json')).out)).toHaveLength(2);
    const { out } = await batches('show', 'answered');
    expect(out).toContain('answer ');
    expect(out).toContain('fake/one, $0.00002');
    expect(await batches('show', 'nobody')).toMatchObject({ code: 1, err: expect.stringContaining('not-found') });
  });

  it('asks before it cancels, cancels once, and says when nothing waits', async () => {
    expect((await batches('cancel', 'queued')).err).toContain('add --yes');
    expect(await batches('cancel', 'queued', '--yes')).toMatchObject({
      code: 0,
      out: expect.stringContaining('queued'),
    });
    expect(await batches('cancel', 'queued', '--yes')).toMatchObject({ code: 1 });
    const batch = (await listed()).waiting[0]?.batch ?? '';
    expect((await batches('cancel', batch)).err).toContain('with 2 calls');
    expect(await batches('cancel', batch, '--yes', '--json')).toMatchObject({ code: 0 });
    expect((await listed()).waiting.map(({ id }) => id)).toEqual(['sent-1', 'sent-2']);
    for (const id of ['sent-1', 'sent-2']) await batches('cancel', id, '--yes');
    expect((await batches('show', 'sent-1')).out).toMatch(/^sent-1: cancelled in batch_/);
  });

  it('waits for nothing where nothing waits, and names what is missing in the config', async () => {
    const empty = join(folderWith(), 'empty.db');
    await call('--store', empty, '--config', join(folder, 'c.json'), 'batches', 'list');
    const waited = await call('--store', empty, '--config', join(folder, 'c.json'), 'batches', 'wait');
    expect(waited).toMatchObject({ code: 0, err: expect.stringContaining('no call waits') });
    const without = await call('--store', store, '--config', join(folder, 'none.json'), 'batches', 'list');
    expect(without).toMatchObject({ code: 2, err: expect.stringContaining('no "batches"') });
  });
});
