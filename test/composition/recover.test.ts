/** `recover`: runs that other processes left behind go on when a program starts. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../src/core/plan/plan.ts';
import { definePlugin } from '../../src/core/plugin.ts';
import type { RunEvent } from '../../src/core/run/engine.ts';
import type { Stores } from '../../src/core/stores.ts';
import { createPolyphony, type PolyphonyOptions } from '../../src/polyphony.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeRuntime } from '../../src/testing/fakes.ts';
import { temporaryFolder } from '../stores/folder.ts';

const folder = temporaryFolder();
let files = 0;

const planOf = (use: string): Plan => ({ version: 1, nodes: [{ id: 'a', use }], output: '{{a}}' });

/** What a process left that died right after the first record. */
const left = (runId: string, use = 'tool:count', at = 1): RunEvent => ({
  type: 'run-started',
  seq: 0,
  at,
  runId,
  plan: planOf(use),
  planHash: 'unknown',
  input: {},
});

const leave = async ({ journal }: Stores, runIds: readonly string[], use?: string): Promise<void> => {
  for (const [at, runId] of runIds.entries()) await journal.append(runId, [left(runId, use, at)]);
};

/** A program with a tool that counts its calls, and a log. */
async function program(stores: Stores, work: () => Promise<unknown>, options: PolyphonyOptions = {}) {
  const log: { readonly level: string; readonly fields: Readonly<Record<string, unknown>>; readonly text: string }[] =
    [];
  const write = (level: string) => (fields: object, text: string) =>
    void log.push({ level, fields: { ...fields }, text });
  const logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const count = { name: 'count', description: 'Counts.', input: { type: 'object' }, output: {}, run: work };
  const plugin = definePlugin({ name: 'counting', tools: [count as never] });
  const polyphony = await createPolyphony({
    plugins: [plugin],
    defaults: false,
    stores,
    logger: logger as never,
    ...options,
  });
  return { polyphony, log };
}

/** Real time, because SQLite has no other; a run takes a few milliseconds, and many times that on a busy machine. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 6000; turn += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it never holds');
}

describe('recover', () => {
  it('goes on with every interrupted run, each in one of two programs', async () => {
    const path = join(folder, `${++files}.db`);
    const before = sqliteStores({ path });
    const runIds = Array.from({ length: 12 }, (_, index) => `left_${index}`);
    await leave(before, runIds);
    await before.close();
    let calls = 0;
    const work = async () => ++calls;
    const stores = [sqliteStores({ path }), sqliteStores({ path })];
    const both = await Promise.all(stores.map((own) => program(own, work, { recover: true })));
    const done = () => both.flatMap(({ log }) => log.filter(({ fields }) => fields.status === 'done'));
    await until(async () => done().length === runIds.length);
    expect(calls).toBe(runIds.length);
    const ended = done();
    expect(ended.map(({ fields }) => fields.runId).sort()).toEqual([...runIds].sort());
    expect(both.flatMap(({ log }) => log.filter(({ level }) => level === 'warn'))).toEqual([]);
    for (const { polyphony } of both) await polyphony.close();
  });

  it('says nothing of the end of a run that another program ended after it was listed', async () => {
    const stores = memoryStores();
    await leave(stores, ['one', 'two']);
    const first = await program(stores, async () => 1);
    const { read } = stores.journal;
    let reads = 0;
    const journal: Stores['journal'] = {
      ...stores.journal,
      async *read(runId, ...rest) {
        reads += 1;
        // Between the list and the first look at a run, the other program ends it.
        if (reads === 1) await (await first.polyphony.resume(runId)).result();
        yield* read(runId, ...rest);
      },
    };
    const { polyphony, log } = await program({ ...stores, journal }, async () => 1, { recover: true });
    await until(async () => log.some(({ fields }) => fields.status === 'done'));
    await until(async () => log.some(({ text }) => text.includes('ended by somebody else')));
    expect(log.filter(({ fields }) => fields.status === 'done').map(({ fields }) => fields.runId)).toEqual(['two']);
    await polyphony.close();
    await first.polyphony.close();
  });

  it('drives at most so many at the same time, the oldest first', async () => {
    const stores = memoryStores();
    const runIds = ['one', 'two', 'three', 'four', 'five'];
    await leave(stores, runIds);
    const running = { now: 0, most: 0 };
    const work = async () => {
      running.now += 1;
      running.most = Math.max(running.most, running.now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running.now -= 1;
      return 1;
    };
    const { polyphony, log } = await program(stores, work, { recover: { concurrency: 2 } });
    await until(async () => (await polyphony.runs.list({ status: 'done' })).length === runIds.length);
    expect(running.most).toBe(2);
    const begun = log.filter(({ text }) => text === 'an interrupted run goes on').map(({ fields }) => fields.runId);
    expect(begun).toEqual(runIds);
    await polyphony.close();
  });

  it('logs a run whose parts are not known here, and goes on with the others', async () => {
    const stores = memoryStores();
    await leave(stores, ['strange'], 'tool:missing');
    await leave(stores, ['known']);
    const { polyphony, log } = await program(stores, async () => 1, { recover: true });
    await until(async () => (await polyphony.runs.show('known')).status === 'done');
    await until(async () => log.some(({ level }) => level === 'warn'));
    const [warning] = log.filter(({ level }) => level === 'warn');
    expect(warning).toMatchObject({ fields: { runId: 'strange', error: { code: 'invalid-plan' } } });
    expect(JSON.stringify(warning)).toContain('workflows: [it]');
    expect((await polyphony.runs.show('strange')).status).toBe('interrupted');
    await expect(polyphony.resume('strange')).rejects.toThrow('workflows: [it]');
    await expect(polyphony.runs.fork('strange', { from: 'a' })).rejects.toThrow('workflows: [it]');
    await polyphony.close();
  });

  it('looks again when the leases of processes that nobody can ask have ended', async () => {
    const runtime = fakeRuntime();
    const stores = memoryStores({ clock: runtime.clock });
    await leave(stores, ['late']);
    await stores.journal.claim('late', 'a host that died just now', 10_000);
    const { polyphony } = await program(stores, async () => 1, { recover: true, runtime });
    const status = async () => (await polyphony.runs.show('late')).status;
    for (let turn = 0; turn < 20; turn += 1) await runtime.clock.advance(10);
    expect(await status()).toBe('running');
    await runtime.clock.advance(12_000);
    for (let turn = 0; turn < 20; turn += 1) await runtime.clock.advance(10);
    expect(await status()).toBe('done');
    await polyphony.close();
    expect(runtime.clock.pending()).toBe(0);
  });

  it('ends with the program', async () => {
    const runtime = fakeRuntime();
    const stores = memoryStores({ clock: runtime.clock });
    await leave(stores, ['late']);
    await stores.journal.claim('late', 'somebody', 1_000_000);
    const { polyphony, log } = await program(stores, async () => 1, { recover: true, runtime });
    for (let turn = 0; turn < 20; turn += 1) await runtime.clock.advance(10);
    await polyphony.close();
    expect(runtime.clock.pending()).toBe(0);
    expect(log.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it('is off unless it is asked for, and takes whole numbers only', async () => {
    const stores = memoryStores();
    await leave(stores, ['left']);
    const { polyphony } = await program(stores, async () => 1);
    await polyphony.runs.list();
    expect((await polyphony.runs.show('left')).status).toBe('interrupted');
    await polyphony.close();
    for (const concurrency of [0, -1, 1.5, Number.NaN, '2' as never]) {
      await expect(createPolyphony({ recover: { concurrency } })).rejects.toMatchObject({ code: 'invalid-config' });
    }
  });
});
