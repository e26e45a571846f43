/** A run is read page by page, each as one text where that can be: what comes out is what was written. */
import { join } from 'node:path';
import Database from 'libsql';
import { expect, it } from 'vitest';
import type { RunEvent } from '../../../src/core/run/engine.ts';
import type { RunJournal } from '../../../src/core/stores.ts';
import type { Connection } from '../../../src/stores/sqlite/connection.ts';
import { type Sql, sqlOf } from '../../../src/stores/sqlite/database.ts';
import { type SqliteJournalParts, sqliteJournal } from '../../../src/stores/sqlite/journal.ts';
import { sqliteStores } from '../../../src/stores/sqlite.ts';
import { temporaryFolder } from '../folder.ts';

const folder = temporaryFolder();

const eventOf = (seq: number, name: string): RunEvent =>
  ({ type: 'tool-call', seq, at: 1000 + seq, runId: 'run', nodeId: 'node', name, index: 0 }) as unknown as RunEvent;

async function readAll({ read }: RunJournal): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of read('run')) events.push(event);
  return events;
}

interface Written {
  readonly path: string;
  readonly events: readonly RunEvent[];
}

async function written(name: string, texts: readonly string[]): Promise<Written> {
  const path = join(folder, `${name}.db`);
  const events = texts.map((text, seq) => eventOf(seq, text));
  const { journal, close } = sqliteStores({ path });
  await journal.append('other', [{ ...eventOf(0, 'of another run'), runId: 'other' }]);
  await journal.append('run', events);
  await close();
  return { path, events };
}

async function reread(path: string): Promise<readonly RunEvent[]> {
  const { journal, close } = sqliteStores({ path });
  return readAll(journal).finally(close);
}

function change(path: string, script: string): void {
  const database = new Database(path);
  database.exec(script);
  database.close();
}

const TEXTS = ['a\nb', 'a\u2028b', '"', '\\n', '', '\0', '\ufeff', '😀', '\r\n'];

it.each([0, 1, 499, 500, 501, 1000, 1203])('reads %i events', async (count) => {
  const texts = Array.from({ length: count }, (_, index) => `${index} ${TEXTS[index % TEXTS.length]}`);
  const { path, events } = await written(`events ${count}`, texts);
  expect(await reread(path)).toEqual(events);
});

it('reads a page that is too large for one text', async () => {
  const large = Array.from({ length: 501 }, (_, index) => String(index).padEnd(40_000, 'x'));
  const { path, events } = await written('large', large);
  expect(await reread(path)).toEqual(events);
});

it('reads events that somebody has laid out in lines', async () => {
  const { path, events } = await written('lines', ['one', 'two', 'three']);
  const lines = JSON.stringify(events[1], null, 2);
  change(path, `UPDATE events SET event = '${lines}' WHERE json_extract(event, '$.seq') = 1`);
  expect(await reread(path)).toEqual(events);
});

it('reads each event once while another process writes between two statements', async () => {
  const { path, events } = await written('growing', [...Array(300).keys()].map(String));
  const later = [...Array(400).keys()].map((index) => eventOf(300 + index, 'later'));
  const [own, other] = [sqlOf(new Database(path)), new Database(path)];
  let isWritten = false;
  const growing: Sql = {
    ...own,
    first(text, values) {
      const row = own.first(text, values);
      const insert = other.prepare('INSERT INTO events (run_id, event) VALUES (?, ?)');
      if (!isWritten) for (const event of later) insert.run('run', JSON.stringify(event));
      isWritten = true;
      return row;
    },
  };
  const connection = { path, read: async (work: (sql: Sql) => unknown) => work(growing) } as Connection;
  const read = await readAll(sqliteJournal(connection, {} as SqliteJournalParts));
  expect(read).toEqual([...events, ...later].slice(0, read.length));
  expect(read.length).toBeGreaterThanOrEqual(events.length);
  own.close();
  other.close();
});

it.each([
  ['a text that is not UTF-8', "CAST(x'7b22ff227d' AS TEXT)"],
  ['no JSON', "'{'"],
  ['several lines of no event', "'1' || char(10) || '2'"],
  ['nothing', "''"],
  ['a number', '5'],
  ['bytes', "x'00ff'"],
])('says that an event is damaged that is %s', async (what, value) => {
  const { path } = await written(what, ['one', 'two', 'three']);
  change(path, `UPDATE events SET event = ${value} WHERE json_extract(event, '$.seq') = 1`);
  await expect(reread(path)).rejects.toMatchObject({ code: 'store-corrupt' });
});
