/**
 * Another connection holds the lock of the store's file, for longer than anybody wants to wait.
 *
 * 1. A run or a call that its caller aborts ends at once, whatever it was about to write.
 * 2. What has to be written is written when the lock is free, and closing waits for it.
 * 3. A lock that stays ends in store-busy.
 */
import { join } from 'node:path';
import Database from 'libsql';
import { describe, expect, test } from 'vitest';
import type { RunResult } from '../../src/core/run/engine.ts';
import type { Stores } from '../../src/core/stores.ts';
import { createPolyphony, definePlugin, type Plan, type Polyphony } from '../../src/index.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { systemRuntime } from '../../src/system/clock.ts';
import { fakeProvider } from '../../src/testing/fakes.ts';
import { temporaryFolder } from '../stores/folder.ts';

const folder = temporaryFolder();
let files = 0;

/** Long enough that a caller who waits for it does not get there before the test gives up. */
const BUSY_MS = 60_000;

interface Lock {
  release(): void;
}

/** What another process does that writes for a long time. */
function lock(path: string): Lock {
  const database = new Database(path);
  database.exec('BEGIN IMMEDIATE');
  return {
    release() {
      database.exec('COMMIT');
      database.close();
    },
  };
}

async function opened(busyMs = BUSY_MS) {
  files += 1;
  const path = join(folder, `${files}.db`);
  const stores: Stores = sqliteStores({ path, busyMs, ledgerDelayMs: 1 });
  await stores.journal.append('other', []);
  await stores.keyValue.set('made', true);
  let atWork = (): void => {};
  const working = new Promise<void>((resolve) => {
    atWork = resolve;
  });
  const plugin = definePlugin({
    name: 'work',
    tools: [
      {
        name: 'work',
        description: 'Works until it is stopped.',
        input: { type: 'object' },
        run: (_input, { signal }) =>
          new Promise((_, reject) => {
            atWork();
            signal.addEventListener('abort', () => reject(signal.reason), { once: true });
          }),
      },
    ],
  });
  const provider = fakeProvider({ runtime: systemRuntime });
  const polyphony = await createPolyphony({
    providers: [provider],
    plugins: [plugin],
    defaults: false,
    stores,
    config: { budgets: [{ scope: 'user', usd: 1 }] },
  });
  return { path, polyphony, working, provider };
}

const work: Plan = { version: 1, nodes: [{ id: 'work', use: 'tool:work' }] };
const ask: Plan = { version: 1, nodes: [{ id: 'ask', use: 'human', in: { question: 'Go on?' } }] };

async function last(polyphony: Polyphony, runId: string): Promise<string | undefined> {
  let type: string | undefined;
  for await (const event of polyphony.engine.replay(runId)) type = event.type;
  return type;
}

/** The result, but no longer than a test waits: far less than the store's patience. */
const soon = <T>(work: Promise<T>): Promise<T> =>
  Promise.race([
    work,
    new Promise<never>((_, reject) => setTimeout(() => reject(new Error('it waits for the lock')), BUSY_MS / 3)),
  ]);

describe('an abort while another process holds the lock', () => {
  test('ends a run that waits for its lease; nothing of it is recorded', async () => {
    const { path, polyphony } = await opened();
    const held = lock(path);
    const controller = new AbortController();
    const handle = await polyphony.start(work, {}, { signal: controller.signal });
    controller.abort();
    expect(await soon(handle.result())).toMatchObject({ status: 'cancelled', nodes: [{ state: 'waiting' }] });
    held.release();
    await polyphony.close();
    const later = sqliteStores({ path });
    expect(await later.journal.list()).toEqual([]);
    expect(await later.journal.claim(handle.runId, 'somebody', 1000)).toBe(true);
    await later.close();
  });

  test('ends a run that works; its last records follow, and closing waits for them', async () => {
    const { path, polyphony, working } = await opened();
    const controller = new AbortController();
    const handle = await polyphony.start(work, {}, { signal: controller.signal });
    await working;
    const held = lock(path);
    controller.abort();
    const result: RunResult = await soon(handle.result());
    expect(result).toMatchObject({ status: 'cancelled', nodes: [{ id: 'work', state: 'cancelled' }] });
    const seen = [];
    for await (const { type } of handle.events()) seen.push(type);
    expect(seen).not.toContain('run-cancelled');
    expect(await last(polyphony, handle.runId)).not.toBe('run-cancelled');
    const closing = polyphony.close();
    held.release();
    await closing;
    const later = sqliteStores({ path });
    const kept = [];
    for await (const { type } of later.journal.read(handle.runId)) kept.push(type);
    expect(kept).toEqual(['run-started', 'node-started', 'node-cancelled', 'run-cancelled']);
    expect(await later.journal.claim(handle.runId, 'somebody', 1000)).toBe(true);
    await later.close();
  });

  test('ends a run that its operator cancels, and lets another command wait for its records', async () => {
    const { path, polyphony, working } = await opened();
    const handle = await polyphony.start(work);
    await working;
    const held = lock(path);
    expect(await soon(polyphony.runs.cancel(handle.runId))).toBe(true);
    const again = polyphony.runs.cancel(handle.runId);
    held.release();
    expect(await again).toBe(false);
    expect(await polyphony.runs.show(handle.runId)).toMatchObject({ status: 'cancelled' });
    await polyphony.close();
  });

  test.each([0, 3, 20, 60])('ends a resume that waits for the lease, %i ms after it began', async (ms) => {
    const { path, polyphony } = await opened();
    const { runId } = await (await polyphony.start(ask)).result();
    const held = lock(path);
    const controller = new AbortController();
    const resumed = polyphony.resume(runId, { signal: controller.signal });
    setTimeout(() => controller.abort(), ms);
    await expect(soon(resumed)).rejects.toMatchObject({ code: 'cancelled' });
    held.release();
    await polyphony.close();
    const later = sqliteStores({ path });
    expect(await later.journal.list()).toMatchObject([{ runId, status: 'suspended' }]);
    expect(await later.journal.claim(runId, 'somebody', 1000)).toBe(true);
    await later.close();
  });

  test('ends a call that waits for its budget, which holds nothing afterwards', async () => {
    const { path, polyphony, provider } = await opened();
    const held = lock(path);
    const controller = new AbortController();
    const call = polyphony.gateway.generate(
      { messages: [{ role: 'user', content: 'Hello' }] },
      { signal: controller.signal, scopes: [{ kind: 'user', id: 'ada' }] },
    );
    setTimeout(() => controller.abort(), 20);
    await expect(soon(call)).rejects.toMatchObject({ code: 'cancelled' });
    const closing = polyphony.close();
    held.release();
    await closing;
    expect(provider.seen).toEqual([]);
    const later = sqliteStores({ path });
    expect(await later.keyValue.get('budget:user:ada')).toBe(0);
    await later.close();
  });
});

test('a lock that stays ends the run with store-busy, and closing ends', async () => {
  const { path, polyphony } = await opened(50);
  const held = lock(path);
  const result = await (await polyphony.start(work)).result();
  expect(result).toMatchObject({ status: 'failed', error: { code: 'store-busy', details: { resumable: false } } });
  expect(result.error?.message).toMatch(/locked by another process.*Nothing of run .* was recorded: start it again/);
  await polyphony.close();
  held.release();
});
