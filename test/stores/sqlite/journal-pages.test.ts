/** A run is read page by page, each as one text where that can be: what comes out is what was written. */
import { join } from 'node:path';
import Database from 'libsql';
import { expect, it } from 'vitest';
import type { RunEvent } from '../../../src/core/run/engine.ts';
import type { RunJournal } from '../../../src/core/stores.ts';
import { connect } from '../../../src/stores/sqlite/connection.ts';
import { type Sql, sqlOf } from '../../../src/stores/sqlite/database.ts';
import { sqliteJournal } from '../../../src/stores/sqlite/journal.ts';
import { sqliteStores } from '../../../src/stores/sqlite.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { systemProcesses } from '../../../src/system/processes.ts';
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

it.each([1, 498, 499, 500, 998])('gives %i events once while others write more between two queries', async (count) => {
  const { path, events } = await written(
    `others ${count}`,
    Array.from({ length: count }, (_, index) => `${index}`),
  );
  const other = sqlOf(new Database(path));
  const connection = connect({ path, clock: systemClock, powerSafe: false, busyMs: 1000, maximumBytes: undefined });
  let seq = count;
  const interrupted = (sql: Sql): Sql => ({
    ...sql,
    first(text, values) {
      const found = sql.first(text, values);
      if (seq < count + 8)
        other.run('INSERT INTO events (run_id, event) VALUES (?, ?)', ['run', JSON.stringify(eventOf(seq, 'later'))]);
      seq += 1;
      return found;
    },
  });
  const journal = sqliteJournal(
    { ...connection, read: (work) => connection.read((sql) => work(interrupted(sql))) },
    { clock: systemClock, processes: systemProcesses, close: connection.close },
  );
  const seen = (await readAll(journal)).map((event) => event.seq);
  expect(seen.slice(0, count)).toEqual(events.map((event) => event.seq));
  expect(seen).toEqual(seen.map((_, index) => index));
  await journal.close();
  other.close();
});
