/** The conformance suite of PassageStore. */
import assert from 'node:assert/strict';
import { PolyphonyError } from '../core/errors.ts';
import { PASSAGE_NAME_LENGTH, type Passage, type PassageBounds, type PassageStore } from '../core/stores/passages.ts';
import { HOSTILE_IDS, type StoreSuiteOptions, storeTests } from './suite.ts';

export interface PassageSuiteOptions extends Pick<StoreSuiteOptions<PassageStore>, 'test'> {
  readonly make: (
    options: Parameters<StoreSuiteOptions<PassageStore>['make']>[0] & { readonly passages?: Partial<PassageBounds> },
  ) => PassageStore | Promise<PassageStore>;
}

/** Declares the tests that every store of passages passes. */
export function testPassageStore(options: PassageSuiteOptions): void {
  sourceTests(options);
  wordTests(options);
  vectorTests(options);
  boundTests(options);
  pruneTests(options);
}

const DAY_MS = 86_400_000;

/** The key of a text in these tests is the text itself. */
const passage = (text: string, source = 'a.md', number = 0): Passage => ({
  key: `k ${text}`,
  text,
  source,
  start: number,
  end: number + text.length,
  line: number + 1,
  endLine: number + 1,
});

const put = (store: PassageStore, index: string, source: string, texts: readonly string[]): Promise<void> =>
  store.put({
    index,
    source,
    digest: texts.join('|'),
    passages: texts.map((text, number) => passage(text, source, number)),
  });

async function found(store: PassageStore, options: Parameters<PassageStore['find']>[0]): Promise<readonly string[]> {
  return (await store.find(options)).passages.map(({ text }) => text);
}

const refusedAs = (code: string) => (error: unknown) => error instanceof PolyphonyError && error.code === code;

function sourceTests(options: PassageSuiteOptions): void {
  const check = storeTests(options);
  check('keeps the digest of each source, and replaces its passages', async (store) => {
    assert.equal(await store.sources('docs'), undefined);
    await put(store, 'docs', 'a.md', ['red apples', 'green pears']);
    await put(store, 'docs', 'b.md', ['blue plums']);
    await put(store, 'docs', 'a.md', ['yellow apples']);
    assert.deepEqual([...((await store.sources('docs')) ?? [])].sort(), [
      ['a.md', 'yellow apples'],
      ['b.md', 'blue plums'],
    ]);
    assert.deepEqual(await found(store, { index: 'docs', query: 'red green pears', most: 5 }), []);
    assert.deepEqual(await found(store, { index: 'docs', query: 'apples', most: 5 }), ['yellow apples']);
    await store.remove('docs', ['a.md', 'missing.md']);
    assert.deepEqual(await found(store, { index: 'docs', query: 'apples plums', most: 5 }), ['blue plums']);
    const [summary] = await store.list();
    assert.deepEqual([summary?.sources, summary?.passages, summary?.bytes], [1, 1, 10]);
  });
  check('returns a passage as it was given', async (store) => {
    const given: Passage = { ...passage('Naïve 世界 🎼\u0000 end'), heading: 'Rules > Days', endLine: 7 };
    await store.put({ index: 'docs', source: 'a.md', digest: '1', passages: [given] });
    const { passages } = await store.find({ index: 'docs', query: 'naive', most: 1 });
    const { score, ...rest } = passages[0] ?? { score: 0 };
    assert.ok(score > 0);
    assert.deepEqual(rest, given);
  });
  check('keeps indexes apart, and takes any text as their names', async (store) => {
    for (const id of HOSTILE_IDS) await put(store, id, id, [`word ${id}`]);
    for (const id of HOSTILE_IDS)
      assert.deepEqual(await found(store, { index: id, query: 'word', most: 9 }), [`word ${id}`]);
    assert.equal((await store.list()).length, HOSTILE_IDS.length);
    assert.equal(await store.delete("o'brien"), true);
    assert.equal(await store.delete("o'brien"), false);
    await assert.rejects(store.find({ index: "o'brien", query: 'word', most: 1 }), refusedAs('invalid-request'));
  });
  check('refuses names that are empty, too long or no text', async (store) => {
    for (const name of ['', 'x'.repeat(PASSAGE_NAME_LENGTH + 1), 'a\ud800']) {
      await assert.rejects(async () => put(store, name, 'a.md', ['a']), refusedAs('invalid-request'));
      await assert.rejects(async () => put(store, 'docs', name, ['a']), refusedAs('invalid-request'));
    }
  });
}

function wordTests(options: PassageSuiteOptions): void {
  const check = storeTests(options);
  check('ranks by words: rare ones and short passages count for more', async (store) => {
    const texts = ['the lockers are emptied', 'the rooms are open', 'the rooms are cleaned on Monday by the staff'];
    await put(store, 'docs', 'a.md', texts);
    assert.deepEqual(await found(store, { index: 'docs', query: 'When are LOCKERS open?', most: 1 }), [texts[0]]);
    assert.deepEqual(await found(store, { index: 'docs', query: 'rooms', most: 9 }), [texts[1], texts[2]]);
    assert.equal((await store.find({ index: 'docs', query: 'rooms', most: 9 })).ranking, 'lexical');
  });
  check('finds words without regard to case and marks, of any script, and nothing without words', async (store) => {
    const texts = ['Ÿves goûte', 'русский текст', '日本語の文', 'x_y AND "z" OR NEAR(b)'];
    await put(store, 'docs', 'a.md', texts);
    for (const [query, text] of [
      ['yves', texts[0]],
      ['GOUTE', texts[0]],
      ['РУССКИЙ', texts[1]],
      ['本語', texts[2]],
      ['near', texts[3]],
      ['words:z" -b *', texts[3]],
    ] as const)
      assert.deepEqual(await found(store, { index: 'docs', query, most: 9 }), [text]);
    for (const query of ['', '  ', '?!"', 'absent']) {
      assert.deepEqual(await found(store, { index: 'docs', query, most: 9 }), []);
    }
  });
}

function vectorTests(options: PassageSuiteOptions): void {
  const check = storeTests(options);
  const texts = ['north', 'east', 'south'];
  const vectors = [
    { key: 'k north', vector: [0, 1] },
    { key: 'k east', vector: [1, 0] },
    { key: 'k south', vector: [0, -1] },
  ];
  check('names the texts without a vector, each once, part by part', async (store) => {
    await put(store, 'docs', 'a.md', ['c', 'a', 'b', 'a']);
    await put(store, 'docs', 'b.md', ['b']);
    const first = await store.missing({ index: 'docs', model: 'm', most: 2 });
    assert.deepEqual(first, [
      { key: 'k a', text: 'a' },
      { key: 'k b', text: 'b' },
    ]);
    assert.deepEqual(await store.missing({ index: 'docs', model: 'm', most: 2, after: 'k b' }), [
      { key: 'k c', text: 'c' },
    ]);
    await store.keep({ index: 'docs', model: 'm', vectors: [{ key: 'k b', vector: [1] }] });
    assert.equal((await store.missing({ index: 'docs', model: 'm', most: 9 })).length, 2);
    assert.equal((await store.missing({ index: 'docs', model: 'other', most: 9 })).length, 3);
    assert.deepEqual(await store.missing({ index: 'none', model: 'm', most: 9 }), []);
  });
  check('keeps the vector of a text that is put again, or elsewhere', async (store) => {
    await put(store, 'docs', 'a.md', texts);
    await store.keep({ index: 'docs', model: 'm', vectors });
    await put(store, 'docs', 'a.md', ['new', ...texts]);
    await put(store, 'other', 'z.md', texts);
    const missing = await store.missing({ index: 'docs', model: 'm', most: 9 });
    assert.deepEqual(missing, [{ key: 'k new', text: 'new' }]);
    assert.deepEqual(await store.missing({ index: 'other', model: 'm', most: 9 }), []);
  });
  check('ranks by vectors and words together, and by words where there are no vectors', async (store) => {
    await put(store, 'docs', 'a.md', texts);
    const near = { model: 'm', vector: [0.9, 0.1] };
    const lexical = await store.find({ index: 'docs', query: 'south', most: 9, near });
    assert.deepEqual([lexical.ranking, lexical.passages.length], ['lexical', 1]);
    await store.keep({ index: 'docs', model: 'm', vectors });
    const hybrid = await store.find({ index: 'docs', query: 'upwards', most: 9, near });
    assert.deepEqual(
      [hybrid.ranking, ...hybrid.passages.map(({ text }) => text)],
      ['hybrid', 'east', 'north', 'south'],
    );
    const both = await found(store, { index: 'docs', query: 'north', most: 1, near });
    assert.deepEqual(both, ['north']);
    const none = await store.find({ index: 'docs', query: 'x', most: 9, near: { ...near, model: 'other' } });
    assert.deepEqual(none, { passages: [], ranking: 'lexical' });
  });
  check('takes a vector of zeros, and refuses a query of another length', async (store) => {
    await put(store, 'docs', 'a.md', ['none', 'east']);
    await store.keep({ index: 'docs', model: 'm', vectors: [{ key: 'k none', vector: [0, 0] }, ...vectors] });
    const find = (vector: readonly number[]) =>
      found(store, { index: 'docs', query: '', most: 9, near: { model: 'm', vector } });
    assert.deepEqual(await find([1, 1]), ['east', 'none']);
    assert.equal((await find([0, 0])).length, 2);
    await assert.rejects(find([1, 1, 1]), refusedAs('invalid-request'));
  });
}

function boundTests(options: PassageSuiteOptions): void {
  const check = storeTests({
    ...options,
    make: (made) => options.make({ ...made, passages: { passages: 4, textBytes: 40, vectorBytes: 32 } }),
  });
  const indexes = async (store: PassageStore) => (await store.list()).map(({ index }) => index).sort();
  check('forgets the indexes that were not used for longest', async (store, clock) => {
    for (const name of ['a', 'b', 'c', 'd']) {
      await put(store, name, 'x', [`text ${name}`]);
      await clock.advance(DAY_MS);
    }
    await store.sources('a');
    await clock.advance(DAY_MS);
    await put(store, 'e', 'x', ['text e']);
    assert.deepEqual(await indexes(store), ['a', 'c', 'd', 'e']);
    await put(store, 'f', 'x', ['f'.repeat(30)]);
    assert.deepEqual(await indexes(store), ['e', 'f']);
  });
  check('refuses an index that does not fit alone, and keeps all as it was', async (store) => {
    await put(store, 'a', 'x', ['1', '2', '3']);
    await put(store, 'b', 'x', ['1']);
    await assert.rejects(put(store, 'a', 'y', ['4', '5']), refusedAs('limit-exceeded'));
    await assert.rejects(put(store, 'a', 'x', ['x'.repeat(41)]), refusedAs('limit-exceeded'));
    assert.deepEqual(await indexes(store), ['a', 'b']);
    await put(store, 'a', 'x', ['5', '6', '7', '8']);
    assert.deepEqual(await indexes(store), ['a']);
  });
  check('forgets vectors that the index does not need, and refuses those that do not fit', async (store, clock) => {
    await put(store, 'a', 'x', ['1', '2', '3', '4']);
    const keep = (model: string, ...keys: string[]) =>
      store.keep({ index: 'a', model, vectors: keys.map((key) => ({ key: `k ${key}`, vector: [1, 1] })) });
    const missing = async (model: string) =>
      (await store.missing({ index: 'a', model, most: 9 })).map(({ text }) => text);
    await keep('old', '1', '2');
    await clock.advance(1000);
    await keep('new', '1', '2', '3');
    assert.deepEqual([await missing('old'), await missing('new')], [['1', '3', '4'], ['4']]);
    await keep('new', '4');
    assert.deepEqual(await missing('old'), ['1', '2', '3', '4']);
    await assert.rejects(keep('new', '5'), refusedAs('limit-exceeded'));
    assert.deepEqual(await missing('new'), []);
  });
}

function pruneTests(options: PassageSuiteOptions): void {
  const check = storeTests(options);
  check('removes indexes that were not used since, and vectors that no index needs', async (store, clock) => {
    for (let number = 0; number < 12; number += 1) await put(store, `old ${number}`, 'x', [`text ${number}`, 'shared']);
    const vectors = [{ key: 'k text 1' }, { key: 'k shared' }].map((one) => ({ ...one, vector: [1] }));
    await store.keep({ index: 'old 1', model: 'm', vectors });
    await clock.advance(DAY_MS);
    await put(store, 'kept', 'x', ['shared']);
    await clock.advance(DAY_MS);
    const before = clock.now() - DAY_MS;
    assert.equal((await store.prune({ before, dryRun: true })).removed, 12);
    let removed = 0;
    for (let after: string | undefined, part = 0; part < 20; part += 1) {
      const pruned = await store.prune({ before, ...(after === undefined ? {} : { after }) });
      removed += pruned.removed;
      after = pruned.next;
      if (after === undefined) break;
    }
    assert.equal(removed, 12);
    assert.deepEqual(
      (await store.list()).map(({ index }) => index),
      ['kept'],
    );
    await put(store, 'kept', 'y', ['text 1']);
    assert.deepEqual(await store.missing({ index: 'kept', model: 'm', most: 9 }), [
      { key: 'k text 1', text: 'text 1' },
    ]);
  });
}
