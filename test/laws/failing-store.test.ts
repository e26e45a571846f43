/**
 * A store of which any one operation fails, once or from then on, while a run is begun or changed in any way.
 *
 * 1. The run ends within a second of the store's failure, with the code of a store where its journal failed, and the error
 *    says what is kept; closing ends too.
 * 2. Nothing is left: no live run, timer, lease or reservation, and no rejection that nobody handles.
 * 3. The journal holds a prefix of what was shown.
 * 4. Once the store works, the run goes on from its records to its end, and no node whose end is recorded is paid again.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import { type RunEvent, type RunResult, TRANSIENT_EVENTS } from '../../src/core/run/engine.ts';
import type { Stores } from '../../src/core/stores.ts';
import { createPolyphony, type Polyphony } from '../../src/index.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { type FakeProvider, type FakeRuntime, fakeProvider, fakeRuntime } from '../../src/testing/fakes.ts';
import { collected } from '../executor/harness.ts';
import { temporaryFolder } from '../stores/folder.ts';
import { ANSWER, type Failure, failingStores, failureOf, KINDS, open, plan, through } from './failing-store.ts';

const folder = temporaryFolder();
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
beforeAll(() => void process.on('unhandledRejection', onUnhandled));
afterAll(() => void process.off('unhandledRejection', onUnhandled));

/** Every how many operations one fails. All of them take a minute, so `npm test` plays a quarter, other ones for each kind; CI plays all. */
const STEP = Number(process.env.POLYPHONY_STEP ?? 4);
/** A file takes three times as long. */
const STEP_IN_FILE = STEP === 1 ? 1 : STEP * 3;

const RUN = 'run';
const INPUT = { items: [1, 2, 3] };

/** What a caller does, and how far the run has come before. */
interface Entry {
  readonly before: 'nothing' | 'suspended' | 'answered';
  readonly act: (polyphony: Polyphony) => Promise<RunResult | unknown>;
  /** It closes the stores: what is left is read from others over the same records. */
  readonly closes?: boolean;
}

const ENTRIES: Readonly<Record<string, Entry>> = {
  start: { before: 'nothing', act: async (p) => (await p.start(plan, INPUT, { runId: RUN })).result() },
  request: {
    before: 'nothing',
    act: async (p) => (await p.start('Ask about the ferry', INPUT, { runId: RUN })).result(),
  },
  resume: { before: 'answered', act: async (p) => (await p.resume(RUN)).result() },
  fork: {
    before: 'suspended',
    act: async (p) => (await p.runs.fork(RUN, { from: 'items', runId: 'fork' })).result(),
  },
  answer: { before: 'suspended', act: async (p) => (await p.runs.answer(RUN, 'ask', 'yes')).result() },
  cancel: { before: 'suspended', act: (p) => p.runs.cancel(RUN) },
  'cancel while it runs': {
    before: 'nothing',
    async act(p) {
      const handle = await p.start(plan, INPUT, { runId: RUN });
      for await (const event of handle.events()) if (event.type === 'node-started') break;
      await p.runs.cancel(RUN).catch(() => undefined);
      return handle.result();
    },
  },
  'close while it runs': {
    before: 'nothing',
    closes: true,
    async act(p) {
      const handle = await p.start(plan, INPUT, { runId: RUN });
      for await (const event of handle.events()) if (event.type === 'node-started') break;
      await p.close().catch(() => undefined);
      return handle.result();
    },
  },
};

/** The memory store is kept over both lives of a process, as a file is. */
const kept = (stores: Stores): Stores => ({ ...stores, close: async () => {} });

const inMemory = (runtime: FakeRuntime): (() => Stores) => {
  const stores = memoryStores({ clock: runtime.clock });
  return () => kept(stores);
};

let files = 0;
const inFile = (runtime: FakeRuntime): (() => Stores) => {
  files += 1;
  const path = join(folder, `${files}.db`);
  return () => sqliteStores({ path, clock: runtime.clock });
};

interface Scene {
  readonly runtime: FakeRuntime;
  readonly stores: () => Stores;
  readonly entry: Entry;
  readonly failure: Failure;
}

/** Brings the run to where the entry begins, over stores that work. */
async function prepare({ runtime, stores, entry }: Scene): Promise<readonly RunEvent[]> {
  if (entry.before === 'nothing') return [];
  const { polyphony, shown } = await open(stores(), runtime);
  const work = async () => {
    await (await polyphony.start(plan, INPUT, { runId: RUN })).result();
    if (entry.before === 'answered') await polyphony.engine.answer(RUN, 'ask', 'yes');
    await polyphony.close();
  };
  const done = await through(runtime, work());
  expect(done.status).toBe('fulfilled');
  return entry.before === 'answered' ? collected(await replayed(stores, runtime)) : shown.filter(isOfRun);
}

async function replayed(stores: () => Stores, runtime: FakeRuntime): Promise<AsyncIterable<RunEvent>> {
  const opened = stores();
  const events = await collected(opened.journal.read(RUN));
  await through(runtime, opened.close());
  return (async function* () {
    yield* events;
  })();
}

const isOfRun = ({ runId }: RunEvent): boolean => runId === RUN;
const isKept = ({ type }: RunEvent): boolean => !TRANSIENT_EVENTS.has(type);

/** Plays the scene with the failure, and says whether it came so far. */
async function play(scene: Scene): Promise<boolean> {
  const { runtime, stores, entry, failure } = scene;
  const before = await prepare(scene);
  const healthy = stores();
  const { polyphony, shown } = await open(failingStores(healthy, failure), runtime);
  const began = runtime.clock.monotonic();
  const settled = await through(runtime, entry.act(polyphony));
  const tookMs = runtime.clock.monotonic() - began;
  expectHonest(settled, failure);
  // The lease of a journal that does not answer is given up after ten seconds; nothing here does that.
  expect(tookMs).toBeLessThanOrEqual(1000);
  const left = entry.closes === true ? stores() : healthy;
  const stored = await through(runtime, collected(left.journal.read(RUN)));
  if (failure.failed?.startsWith('journal.') && !failure.stays) await expectNothingHeld(scene, left);
  const closed = await through(runtime, polyphony.close());
  if (closed.status === 'rejected') expect(failure.failed).toBeDefined();
  for (const opened of new Set([left, healthy])) await through(runtime, opened.close());
  expect(runtime.clock.pending()).toBe(0);
  expect(unhandled).toEqual([]);
  expectPrefix(stored, [...before, ...shown.filter(isOfRun)]);
  await expectToGoOn(scene);
  return failure.nth <= failure.count;
}

/** How often the money is looked at: what a caller left behind is given back once its file has answered, which no clock tells. */
const LOOKS = 200;

/** The counter of the run is what was paid. */
async function expectNothingHeld(scene: Scene, stores: Stores): Promise<void> {
  let [held, paid] = await moneyOf(scene, stores);
  for (let look = 1; look < LOOKS && held !== paid; look += 1) [held, paid] = await moneyOf(scene, stores);
  expect(held).toBe(paid);
}

async function moneyOf({ runtime }: Scene, { keyValue, ledger }: Stores): Promise<readonly [unknown, number]> {
  const totals = await through(runtime, ledger.totals('outcome', { scope: { kind: 'run', id: RUN } }));
  const counter = await through(runtime, keyValue.get(`budget:run:${RUN}`));
  if (counter.status === 'rejected' || totals.status === 'rejected') throw new Error('the store fails');
  const paid = totals.value.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
  return [counter.value ?? paid, paid];
}

function expectHonest(settled: PromiseSettledResult<unknown>, failure: Failure): void {
  if (settled.status === 'rejected') {
    expect(settled.reason).toBeInstanceOf(PolyphonyError);
    if (failure.failed?.startsWith('journal.')) expect(settled.reason.code).toMatch(/^store-/);
    return;
  }
  const result = settled.value as RunResult | boolean;
  if (typeof result === 'boolean') return;
  const { status, error } = result;
  // A failure at the end of a lease concerns nobody: it ends by itself.
  const isFatal = failure.failed === 'journal.append' && result.runId === failure.runId;
  // What has no room as a whole may have room record by record.
  const mayRecover = !failure.stays && failure.what === KINDS.full?.[0]?.what;
  if (isFatal && error === undefined && !mayRecover)
    expect(status).toBe('done or suspended, although its journal failed');
  if (error?.code.startsWith('store-') && failure.failed === 'journal.append') {
    expect(error.message).toMatch(/The journal holds run .*: resume it from there|Nothing of run .* was recorded/);
    expect(error.details).toHaveProperty('resumable');
  }
}

function expectPrefix(stored: PromiseSettledResult<RunEvent[]>, shown: readonly RunEvent[]): void {
  if (stored.status === 'rejected') throw stored.reason;
  // An answer to a suspended run is recorded without a run that would show it.
  const compared = (events: readonly RunEvent[]) =>
    events.filter((event) => isKept(event) && event.type !== 'answer').map(({ seq, type }) => `${seq} ${type}`);
  const journal = compared(stored.value);
  const wasCancelledWhileStored = stored.value.at(-1)?.type === 'run-cancelled';
  const all = compared(shown);
  if (wasCancelledWhileStored && all.length < journal.length) journal.pop();
  expect(all.slice(0, journal.length)).toEqual(journal);
}

/** The next process, over stores that work: the lease is free, no money is held, and the run comes to its end. */
async function expectToGoOn({ runtime, stores, failure }: Scene): Promise<void> {
  const opened = stores();
  const events = await collected(opened.journal.read(RUN));
  const isFree = await opened.journal.claim(RUN, 'somebody', 1);
  await opened.journal.release(RUN, 'somebody');
  const wasReleased = failure.failed !== 'journal.release' && failure.failed !== 'journal.claim' && !failure.stays;
  if (wasReleased) expect(isFree).toBe(true);
  else await runtime.clock.advance(20_000);
  const { polyphony, provider } = await open(opened, runtime);
  const last = events.at(-1)?.type;
  if (events.length > 0 && last !== 'run-cancelled') {
    const work = async () => {
      let result = await (await polyphony.resume(RUN)).result();
      if (result.status === 'suspended') result = await (await polyphony.runs.answer(RUN, 'ask', 'yes')).result();
      return result;
    };
    const ended = await through(runtime, work());
    expect(ended).toMatchObject({ status: 'fulfilled', value: { status: 'done' } });
    expectPaidOnce(events, provider.seen);
    await expectKept(opened);
  }
  await through(runtime, polyphony.close());
}

/** What was said is remembered once, and the passages are there once. */
async function expectKept({ threads, passages }: Stores): Promise<void> {
  const view = await threads?.open({ key: 'talk', reader: 'law', most: 5 });
  expect(view?.entries).toMatchObject([{ question: 'When does the ferry leave?', answer: ANSWER }]);
  expect(await passages?.list()).toMatchObject([{ index: 'notes', passages: 1 }]);
}

/** The calls of a node begin with its key. */
function expectPaidOnce(events: readonly RunEvent[], later: FakeProvider['seen']): void {
  const again = later.map(({ id }) => id);
  for (const event of events) {
    if (event.type !== 'node-finished') continue;
    expect(again.filter((id) => id.startsWith(`${RUN}/${event.nodeId}`))).toEqual([]);
  }
}

async function playAll(make: typeof inMemory, entry: Entry, kind: string, stays: boolean): Promise<number> {
  const step = make === inFile ? STEP_IN_FILE : STEP;
  for (let nth = 1 + (((stays ? 2 : 1) * Object.keys(KINDS).indexOf(kind)) % step); ; nth += step) {
    const ids = fakeRuntime();
    const runtime = { ...ids, ids: (prefix: string) => `${ids.ids(prefix)}_${nth}` };
    const failure = failureOf(kind, nth, stays);
    try {
      if (!(await play({ runtime, stores: make(runtime), entry, failure }))) return nth - step;
    } catch (error) {
      throw new Error(`${kind} at operation ${nth} (${failure.failed}), ${stays ? 'from then on' : 'once'}`, {
        cause: error,
      });
    }
  }
}

describe.each(Object.keys(ENTRIES))('a store that fails at any operation: %s', (name) => {
  const entry = ENTRIES[name] as Entry;
  it.each(Object.keys(KINDS))('in memory, %s', { timeout: 300_000 }, async (kind) => {
    expect(await playAll(inMemory, entry, kind, false)).toBeGreaterThan(3);
  });

  it('in memory, and stays so', { timeout: 300_000 }, async () => {
    expect(await playAll(inMemory, entry, 'full', true)).toBeGreaterThan(3);
  });

  it.each(Object.keys(KINDS))('in a file, %s', { timeout: 600_000 }, async (kind) => {
    expect(await playAll(inFile, entry, kind, false)).toBeGreaterThan(3);
  });

  it('in a file, and stays so', { timeout: 600_000 }, async () => {
    expect(await playAll(inFile, entry, 'full', true)).toBeGreaterThan(3);
  });
});

it('ends a call that is under way, and holds no money for it', async () => {
  const runtime = fakeRuntime();
  const stores = memoryStores({ clock: runtime.clock });
  const journal: Stores['journal'] = {
    ...stores.journal,
    append: (runId, events) =>
      events.some(({ type }) => type === 'node-finished')
        ? Promise.reject(new PolyphonyError('store-full', 'The store is full: make room.'))
        : stores.journal.append(runId, events),
  };
  const provider = fakeProvider({ runtime, script: () => [{ type: 'text-delta', text: 'so far' }, { hang: true }] });
  const config = { budgets: [{ scope: 'run', usd: 1 }] } as const;
  const polyphony = await createPolyphony({
    providers: [provider],
    defaults: false,
    runtime,
    stores: { ...stores, journal },
    config,
  });
  const nodes = [
    { id: 'call', use: 'llm', in: { prompt: 'Say it.' } },
    { id: 'wait', use: 'wait', in: { seconds: 1 } },
  ];
  const handle = await polyphony.start({ version: 1, nodes }, {}, { runId: RUN });
  const ended = await through(runtime, handle.result());
  expect(ended).toMatchObject({ value: { status: 'failed', error: { code: 'store-full' } } });
  expect(provider.seen.map(({ signal }) => signal.aborted)).toEqual([true]);
  await through(runtime, polyphony.close());
  const [paid] = await stores.ledger.totals('outcome');
  expect(paid).toMatchObject({ group: 'cancelled', attempts: 1 });
  expect(await stores.keyValue.get(`budget:run:${RUN}`)).toBe(paid?.costNanoUsd);
});
