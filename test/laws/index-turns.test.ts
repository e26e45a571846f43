/** The law of long indexings: while a source of a few megabytes is written, the event loop turns, so that timers beside it fire. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import type { Passage } from '../../src/core/stores/passages.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';

const folder = mkdtempSync(join(tmpdir(), 'polyphony-index-turns-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const COUNT = 1000;
const passagesOf = (word: string): Passage[] =>
  Array.from({ length: COUNT }, (_, at) => {
    const text = `${word}${at} `.repeat(100);
    return { key: `${word}${at}`, text, source: 'a', start: 0, end: text.length, line: 1, endLine: 1 };
  });

it('lets the event loop turn, part by part', async () => {
  const stores = sqliteStores({ path: join(folder, 'one.db') });
  // Opening the file takes turns too.
  await stores.passages.list();
  let isOver = false;
  const work = stores.passages
    .put({ index: 'notes', source: 'a', digest: 'd', passages: passagesOf('word') })
    .then(() => {
      isOver = true;
    });
  let turns = 0;
  for (; !isOver; turns += 1) await setImmediate();
  await work;
  expect(turns).toBeGreaterThan(8);
  await stores.close?.();
});

it('leaves whole what was begun last, of two that write one source', async () => {
  const stores = sqliteStores({ path: join(folder, 'two.db') });
  const put = (word: string) =>
    stores.passages.put({ index: 'notes', source: 'a', digest: word, passages: passagesOf(word) });
  await Promise.all([put('first'), put('second')]);
  expect(await stores.passages.sources('notes')).toEqual(new Map([['a', 'second']]));
  const kept = await stores.passages.missing({ index: 'notes', model: 'm', most: 2 * COUNT });
  expect(kept).toHaveLength(COUNT);
  expect(kept.every(({ key }) => key.startsWith('second'))).toBe(true);
  await stores.close?.();
});
