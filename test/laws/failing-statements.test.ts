/**
 * A driver of which any one statement fails, once or from then on, while a run is begun, asks and is answered.
 *
 * 1. All settles: the run, the answer, the close. What fails says so with the code of a store.
 * 2. The file is whole. Once the driver works, the run goes on from its records to its end.
 * 3. No call whose node has its end on record is made again, and what the counter of the run holds is what the ledger says was paid.
 *
 * The environment variable POLYPHONY_STEP says every how many statements one fails.
 */
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { RunEvent, RunResult } from '../../src/core/run/engine.ts';
import type { Stores } from '../../src/core/stores.ts';
import type { Polyphony } from '../../src/index.ts';
import { checkSqliteStore, sqliteStores } from '../../src/stores/sqlite.ts';
import { type FakeRuntime, fakeRuntime } from '../../src/testing/fakes.ts';
import { collected } from '../executor/harness.ts';
import { temporaryFolder } from '../stores/folder.ts';
import { type Opened, open, plan, through } from './failing-store.ts';

const STEP = Number(process.env.POLYPHONY_STEP ?? 4) * 4;
const CODES = ['SQLITE_FULL', 'SQLITE_BUSY', 'SQLITE_IOERR_WRITE', 'SQLITE_CORRUPT', 'SQLITE_READONLY', 'SQLITE_NOMEM'];
const RUN = 'run';
const folder = temporaryFolder();

interface Failure {
  /** The statement that fails, from 1 on. */
  readonly nth: number;
  readonly code: string;
  readonly stays: boolean;
  count: number;
  text: string | undefined;
}

/** Undefined: all statements work. */
let failure: Failure | undefined;

/** ROLLBACK works: SQLite ends the transaction whatever it cannot write. */
function asStatement(text: string): void {
  if (failure === undefined || text === 'ROLLBACK') return;
  failure.count += 1;
  if (failure.count < failure.nth || (failure.count > failure.nth && !failure.stays)) return;
  failure.text ??= text;
  throw Object.assign(new Error('The driver fails, as the test wants it.'), { code: failure.code });
}

type Work = (...given: unknown[]) => unknown;

/** The driver's own statement, whose work is counted. */
function counted(statement: Record<string, unknown>, text: string): object {
  const own = (name: string): Work => (statement[name] as Work).bind(statement);
  const work =
    (name: string): Work =>
    (...given) => {
      asStatement(text);
      return own(name)(...given);
    };
  const all = { run: work('run'), get: work('get'), all: work('all') };
  return {
    ...all,
    raw() {
      own('raw')();
      return all;
    },
  };
}

const { prepare, exec } = Database.prototype;
beforeAll(async () => {
  // Loads what runs need: that takes its time, and no clock tells it.
  const runtime = fakeRuntime();
  const { polyphony } = await open(storesOf({ path: join(folder, 'first.db'), runtime }), runtime);
  await through(runtime, polyphony.close());
  Object.assign(Database.prototype, {
    prepare(this: InstanceType<typeof Database>, text: string) {
      return counted(prepare.call(this, text) as unknown as Record<string, unknown>, text);
    },
    exec(this: InstanceType<typeof Database>, text: string) {
      asStatement(text);
      return exec.call(this, text);
    },
  });
});
afterAll(() => void Object.assign(Database.prototype, { prepare, exec }));

interface Scene {
  readonly runtime: FakeRuntime;
  readonly path: string;
}

const storesOf = ({ path, runtime }: Scene): Stores => sqliteStores({ path, clock: runtime.clock, busyMs: 50 });

/** From the beginning, or from the records, to the end. */
async function toItsEnd(polyphony: Polyphony, isNew: boolean): Promise<RunResult> {
  const handle = await (isNew ? polyphony.start(plan, { items: [1, 2, 3] }, { runId: RUN }) : polyphony.resume(RUN));
  const result = await handle.result();
  return result.status === 'suspended' ? (await polyphony.runs.answer(RUN, 'ask', 'yes')).result() : result;
}

/** A file that may not be written is a matter of the config. */
function expectCode(error: unknown): void {
  if (typeof error !== 'string') expect(error).toBeInstanceOf(PolyphonyError);
  expect(typeof error === 'string' ? error : (error as PolyphonyError).code).toMatch(
    /^(store-|not-found|invalid-request|invalid-config)/,
  );
}

async function openedWith(scene: Scene): Promise<Opened | undefined> {
  const opened = await through(
    scene.runtime,
    Promise.resolve().then(() => open(storesOf(scene), scene.runtime)),
  );
  if (opened.status === 'fulfilled') return opened.value;
  expectCode(opened.reason);
  return undefined;
}

/** A run over a driver of which a statement fails. */
async function playFailing(scene: Scene): Promise<void> {
  const opened = await openedWith(scene);
  if (opened === undefined) return;
  const ended = await through(scene.runtime, toItsEnd(opened.polyphony, true));
  if (ended.status === 'rejected') expectCode(ended.reason);
  else if (ended.value.status === 'failed') expectCode(ended.value.error?.code);
  const closed = await through(scene.runtime, opened.polyphony.close());
  if (closed.status === 'rejected') expectCode(closed.reason);
  expect(scene.runtime.clock.pending()).toBe(0);
}

/** The next process, over a driver that works. */
async function goOn(scene: Scene): Promise<void> {
  await checkSqliteStore({ path: scene.path });
  const stores = storesOf(scene);
  const events = await collected(stores.journal.read(RUN));
  await scene.runtime.clock.advance(40_000);
  await expectNothingHeld(stores);
  const { polyphony, provider } = await open(stores, scene.runtime);
  const last = events.at(-1)?.type;
  if (last !== 'run-finished') {
    const ended = await through(scene.runtime, toItsEnd(polyphony, events.length === 0));
    expect(ended).toMatchObject({ status: 'fulfilled', value: { status: 'done' } });
    expectPaidOnce(
      events,
      provider.seen.map(({ id }) => id),
    );
  }
  await expectNothingHeld(stores);
  await through(scene.runtime, polyphony.close());
}

/** The counter of the run is what the ledger says was paid; that of a run that has ended is gone. */
async function expectNothingHeld({ ledger, keyValue }: Stores): Promise<void> {
  const totals = await ledger.totals('outcome', { scope: { kind: 'run', id: RUN } });
  const paid = totals.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
  expect((await keyValue.get(`budget:run:${RUN}`)) ?? paid).toBe(paid);
}

/** The calls of a node begin with its key. */
function expectPaidOnce(events: readonly RunEvent[], calls: readonly string[]): void {
  for (const event of events) {
    if (event.type !== 'node-finished') continue;
    expect(calls.filter((id) => id.startsWith(`${RUN}/${event.nodeId}`))).toEqual([]);
  }
}

async function playAll(stays: boolean): Promise<number> {
  for (let nth = stays ? 3 : 1; ; nth += STEP) {
    const ids = fakeRuntime();
    const runtime = { ...ids, ids: (prefix: string) => `${ids.ids(prefix)}_${nth}` };
    const scene = { runtime, path: join(folder, `${stays}-${nth}.db`) };
    const code = CODES[Math.floor(nth / STEP) % CODES.length] ?? '';
    const playing: Failure = { nth, code, stays, count: 0, text: undefined };
    failure = playing;
    try {
      await playFailing(scene);
      failure = undefined;
      await goOn(scene);
    } catch (error) {
      throw new Error(`${code} at statement ${nth} (${playing.text}), ${stays ? 'from then on' : 'once'}`, {
        cause: error,
      });
    } finally {
      failure = undefined;
    }
    if (playing.count < nth) return nth;
  }
}

it.each([false, true])('every statement may fail (from then on: %s)', { timeout: 900_000 }, async (stays) => {
  expect(await playAll(stays)).toBeGreaterThan(100);
});
