/** The conformance suite of ThreadStore. */
import assert from 'node:assert/strict';
import { PolyphonyError } from '../core/errors.ts';
import type { ThreadStore, ThreadView } from '../core/stores/threads.ts';
import { HOSTILE_IDS, type StoreSuiteOptions, storeTests } from './suite.ts';

/** Declares the tests that every store of threads passes. */
export function testThreadStore(options: StoreSuiteOptions<ThreadStore>): void {
  entryTests(options);
  readerTests(options);
  summaryTests(options);
  readTests(options);
  listTests(options);
  pruneTests(options);
}

const said = (view: ThreadView | undefined): readonly string[] | undefined =>
  view?.entries.map(({ question, answer }) => `${question} ${answer}`);

const say = (store: ThreadStore, key: string, number: number): Promise<void> =>
  store.append({ key, writer: `run_${number}/chat`, question: `q${number}`, answer: `a${number}` });

function entryTests(options: StoreSuiteOptions<ThreadStore>): void {
  const check = storeTests(options);
  check('keeps what is said under a key, in the order of the ends, apart from other keys', async (store) => {
    assert.equal(await store.read('ann'), undefined);
    await Promise.all([say(store, 'ann', 1), say(store, 'ben', 2), say(store, 'ann', 3)]);
    assert.deepEqual(said(await store.read('ann')), ['q1 a1', 'q3 a3']);
    assert.deepEqual(said(await store.read('ben')), ['q2 a2']);
    assert.deepEqual(said(await store.read('ann', 1)), ['q3 a3']);
  });
  check('has one entry of each writer: a second one takes the place of the first', async (store) => {
    await say(store, 'ann', 1);
    await say(store, 'ann', 2);
    await store.append({ key: 'ann', writer: 'run_1/chat', question: 'q1', answer: 'again' });
    assert.deepEqual(said(await store.read('ann')), ['q1 again', 'q2 a2']);
  });
  check('takes any text as key and as what is said', async (store) => {
    for (const id of HOSTILE_IDS) await store.append({ key: id, writer: id, question: id, answer: `${id}\u0000` });
    for (const id of HOSTILE_IDS) assert.deepEqual(said(await store.read(id)), [`${id} ${id}\u0000`]);
    assert.equal((await store.list()).length, HOSTILE_IDS.length);
  });
  check('refuses a key with half a surrogate pair', async (store) => {
    const refused = (error: unknown): boolean => error instanceof PolyphonyError && error.code === 'invalid-request';
    await assert.rejects(async () => say(store, 'a\ud800', 1), refused);
    await assert.rejects(async () => store.open({ key: 'a\udfff', reader: 'r', most: 1 }), refused);
  });
}

function readerTests(options: StoreSuiteOptions<ThreadStore>): void {
  const check = storeTests(options);
  check('shows a reader the same each time, whatever is said later', async (store) => {
    await say(store, 'ann', 1);
    const open = (reader: string) => store.open({ key: 'ann', reader, most: 10 });
    assert.deepEqual(said(await open('run_2/chat')), ['q1 a1']);
    await say(store, 'ann', 2);
    assert.deepEqual(said(await open('run_2/chat')), ['q1 a1']);
    assert.deepEqual(said(await open('run_3/chat')), ['q1 a1', 'q2 a2']);
  });
  check('shows a reader what another one saw, where that one has opened the thread', async (store) => {
    await say(store, 'ann', 1);
    await store.open({ key: 'ann', reader: 'first', most: 10 });
    await say(store, 'ann', 2);
    const open = (reader: string, like: string) => store.open({ key: 'ann', reader, like, most: 10 });
    assert.deepEqual(said(await open('fork', 'first')), ['q1 a1']);
    assert.deepEqual(said(await open('other', 'nobody')), ['q1 a1', 'q2 a2']);
  });
  check('shows at most as many as asked for, the newest ones', async (store) => {
    for (const number of [1, 2, 3]) await say(store, 'ann', number);
    assert.deepEqual(said(await store.open({ key: 'ann', reader: 'r', most: 2 })), ['q2 a2', 'q3 a3']);
  });
  check('shows at most as many bytes as asked for, of the newest ones, whatever their letters take', async (store) => {
    const say = (writer: string, question: string, answer: string) =>
      store.append({ key: 'ann', writer, question, answer });
    await say('1', 'q', 'a');
    await say('2', 'ä'.repeat(10), `${'😀'.repeat(5)}\u0000x`);
    await say('3', 'q3', 'a3');
    const seen = async (mostBytes: number) => {
      const { entries } = await store.open({ key: 'ann', reader: 'r', most: 10, mostBytes });
      return entries.map(({ writer }) => writer);
    };
    for (const [bytes, writers] of [
      [48, ['1', '2', '3']],
      [47, ['2', '3']],
      [46, ['2', '3']],
      [45, ['3']],
      [4, ['3']],
      [3, []],
      [0, []],
    ] as const)
      assert.deepEqual(await seen(bytes), writers, `${bytes} bytes`);
    assert.equal((await store.open({ key: 'ann', reader: 'r', most: 1, mostBytes: 100 })).entries.length, 1);
    await store.summarise({ key: 'ann', reader: 'r', upTo: 2, summary: 'so far' });
    assert.deepEqual(await seen(48), ['3']);
    assert.equal((await store.open({ key: 'ann', reader: 'r', most: 10, mostBytes: 0 })).summary, 'so far');
  });
  check('leaves out what was deleted, and does not show a reader what came after', async (store) => {
    await say(store, 'ann', 1);
    await store.open({ key: 'ann', reader: 'early', most: 10 });
    assert.equal(await store.delete('ann'), true);
    assert.equal(await store.delete('ann'), false);
    assert.equal(await store.read('ann'), undefined);
    await say(store, 'ann', 2);
    assert.deepEqual(said(await store.read('ann')), ['q2 a2']);
  });
}

function summaryTests(options: StoreSuiteOptions<ThreadStore>): void {
  const check = storeTests(options);
  check('keeps a summary for its reader and for later ones, not for those before', async (store) => {
    for (const number of [1, 2, 3]) await say(store, 'ann', number);
    const open = (reader: string) => store.open({ key: 'ann', reader, most: 10 });
    const { entries } = await open('run_4/chat');
    await open('run_5/chat');
    const upTo = entries[1]?.seq ?? 0;
    assert.equal(await store.summarise({ key: 'ann', reader: 'run_4/chat', upTo, summary: 'so far' }), 'so far');
    for (const reader of ['run_4/chat', 'run_6/chat']) {
      const view = await open(reader);
      assert.deepEqual([view.summary, said(view)], ['so far', ['q3 a3']]);
    }
    const before = await open('run_5/chat');
    assert.deepEqual([before.summary, before.entries.length], [undefined, 3]);
    const whole = await store.read('ann');
    assert.deepEqual([whole?.summary, whole?.entries.length], ['so far', 3]);
  });
  check('keeps the first summary up to an entry', async (store) => {
    await say(store, 'ann', 1);
    const { entries } = await store.open({ key: 'ann', reader: 'a', most: 1 });
    const upTo = entries[0]?.seq ?? 0;
    await store.open({ key: 'ann', reader: 'b', most: 1 });
    assert.equal(await store.summarise({ key: 'ann', reader: 'a', upTo, summary: 'one' }), 'one');
    assert.equal(await store.summarise({ key: 'ann', reader: 'b', upTo, summary: 'two' }), 'one');
  });
}

function readTests(options: StoreSuiteOptions<ThreadStore>): void {
  const check = storeTests(options);
  check('reads no more entries and no more bytes than it is asked for, the newest ones', async (store) => {
    for (const number of [1, 2, 3]) await say(store, 'ann', number);
    const entry = 'q1a1'.length;
    const read = async (limit: number, mostBytes: number) => said(await store.read('ann', limit, mostBytes));
    assert.deepEqual(await read(10, 3 * entry), ['q1 a1', 'q2 a2', 'q3 a3']);
    assert.deepEqual(await read(10, 3 * entry - 1), ['q2 a2', 'q3 a3']);
    assert.deepEqual(await read(1, 3 * entry), ['q3 a3']);
    assert.deepEqual(await read(10, entry - 1), []);
    assert.deepEqual(await read(0, entry), []);
  });
  check('reads no more than 16 MiB where nobody asks for more', async (store) => {
    const answer = 'é'.repeat(1024 * 1024);
    for (let count = 0; count < 12; count += 1) {
      await store.append({ key: 'ann', writer: `run_${count}/chat`, question: '', answer });
    }
    const kept = await store.read('ann');
    assert.deepEqual([kept?.entries.length, kept?.entries.at(-1)?.writer], [8, 'run_11/chat']);
    assert.equal((await store.read('ann', 1000, Number.POSITIVE_INFINITY))?.entries.length, 12);
  });
}

function listTests(options: StoreSuiteOptions<ThreadStore>): void {
  const check = storeTests(options);
  check('lists threads with what they hold, those that changed last first', async (store, clock) => {
    await store.open({ key: 'empty', reader: 'r', most: 1 });
    await say(store, 'ann', 1);
    const at = clock.now();
    await clock.advance(1000);
    await say(store, 'ben', 2);
    await say(store, 'ben', 3);
    assert.deepEqual(await store.list(), [
      { key: 'ben', entries: 2, updatedAt: at + 1000 },
      { key: 'ann', entries: 1, updatedAt: at },
    ]);
    assert.equal((await store.list(1)).length, 1);
  });
}

function pruneTests(options: StoreSuiteOptions<ThreadStore>): void {
  const check = storeTests(options);
  check('removes threads that have not changed since, and counts them before', async (store, clock) => {
    for (let number = 0; number < 120; number += 1) await say(store, `old ${number}`, number);
    await say(store, 'kept', 1000);
    await clock.advance(1000);
    await say(store, 'kept', 1001);
    const before = clock.now();
    assert.equal((await store.prune({ before, dryRun: true })).removed, 120);
    let removed = 0;
    for (let after: string | undefined, part = 0; part < 10; part += 1) {
      const pruned = await store.prune({ before, ...(after === undefined ? {} : { after }) });
      removed += pruned.removed;
      after = pruned.next;
      if (after === undefined) break;
    }
    assert.equal(removed, 120);
    assert.deepEqual(
      (await store.list()).map(({ key, entries }) => [key, entries]),
      [['kept', 2]],
    );
  });
}
