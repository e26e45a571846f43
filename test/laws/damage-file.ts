/** A store in a file, and the ways in which it is damaged. */
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import Database from 'libsql';
import type { Plan } from '../../src/core/plan/plan.ts';
import type { LedgerRow } from '../../src/core/stores.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeRuntime, seededRandom } from '../../src/testing/fakes.ts';

export const RUNS = 24;
export const ROWS = 160;
export const VALUES = 120;
const PAGE = 4096;

export const runName = (index: number): string => `run_${String(index).padStart(3, '0')}`;

const row = (index: number): LedgerRow => ({
  key: `call_${index}/1`,
  callId: `call_${index}`,
  target: { provider: 'fake', model: index % 2 === 0 ? 'small' : 'large' },
  purpose: 'answer',
  startedAt: 1_000_000 + index,
  queueMs: 0,
  firstTokenMs: 1,
  totalMs: 2,
  outcome: 'ok',
  usage: { input: 10, output: 5 },
  costNanoUsd: 7,
  scopes: [{ kind: 'user', id: `user ${index % 7}` }],
});

/** Writes a store with runs that ended and one that waits for an answer. The log beside it holds the last commits. */
export async function writeStore(path: string): Promise<void> {
  // The same bytes each time, so that a seed means the same damage.
  const runtime = fakeRuntime();
  const stores = sqliteStores({ path, clock: runtime.clock });
  const polyphony = await createPolyphony({ plugins: [], stores, runtime });
  for (let index = 0; index < RUNS; index += 1) {
    const text = `${index} `.repeat(index % 5 === 0 ? 2500 : 60);
    const value = { id: 'a', use: 'value', in: { text } };
    const copy = { id: 'b', use: 'value', in: { text: '{{a.text}}' } };
    const asks = index % 6 === 0 ? [{ id: 'c', use: 'human', in: { question: 'Go on?' }, after: ['b'] }] : [];
    const plan: Plan = { version: 1, goal: `goal ${index}`, nodes: [value, copy, ...asks] };
    await (await polyphony.start(plan, {}, { runId: runName(index) })).result();
  }
  await stores.ledger.append(Array.from({ length: ROWS }, (_, index) => row(index)));
  for (let index = 0; index < VALUES; index += 1) {
    await stores.keyValue.set(`value ${String(index).padStart(4, '0')}`, { text: 'v'.repeat(index), index });
  }
  await stores.ledger.flush();
  // Copied while it is open: closing would empty the log.
  for (const suffix of ['', '-wal']) copyFileSync(`${path}${suffix}`, `${path}.open${suffix}`);
  await polyphony.close();
}

type Damage = (bytes: Buffer, random: () => number) => Buffer;

const anywhere = (random: () => number, size: number): number => Math.floor(random() * size);
const pageOf = (bytes: Buffer, number: number): Buffer => bytes.subarray(number * PAGE, (number + 1) * PAGE);
const somePage = (bytes: Buffer, random: () => number): Buffer =>
  pageOf(bytes, anywhere(random, Math.floor(bytes.length / PAGE)));

function flip(bytes: Buffer, random: () => number, from = 0, size = bytes.length): void {
  const at = from + anywhere(random, size);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << anywhere(random, 8));
}

/** Damage to the bytes of the file. */
const BYTES: Readonly<Record<string, Damage>> = {
  'one bit flipped': (bytes, random) => {
    flip(bytes, random);
    return bytes;
  },
  'bits flipped': (bytes, random) => {
    for (let left = 1 + anywhere(random, 30); left > 0; left -= 1) flip(bytes, random);
    return bytes;
  },
  'text that is no UTF-8': (bytes, random) => {
    const texts = ['goal', 'run_', '"type"', 'user ', 'call_', 'value ', 'running', 'done', 'CREATE', 'runs_by'];
    const text = texts[anywhere(random, texts.length)] ?? '';
    const places: number[] = [];
    for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + 1)) places.push(at);
    const place = places[anywhere(random, places.length)];
    if (place !== undefined) bytes[place + anywhere(random, text.length)] = 0xff;
    return bytes;
  },
  'page zeroed': (bytes, random) => {
    somePage(bytes, random).fill(0);
    return bytes;
  },
  'page of noise': (bytes, random) => {
    const page = somePage(bytes, random);
    for (let at = 0; at < page.length; at += 1) page[at] = anywhere(random, 256);
    return bytes;
  },
  'pages swapped': (bytes, random) => {
    const [one, other] = [somePage(bytes, random), somePage(bytes, random)];
    const copy = Buffer.from(one);
    other.copy(one);
    copy.copy(other);
    return bytes;
  },
  'page copied over another': (bytes, random) => {
    somePage(bytes, random).copy(somePage(bytes, random));
    return bytes;
  },
  'file cut': (bytes, random) => bytes.subarray(0, anywhere(random, bytes.length)),
  'header changed': (bytes, random) => {
    flip(bytes, random, 0, 100);
    return bytes;
  },
  'schema changed': (bytes, random) => {
    flip(bytes, random, 100, PAGE - 100);
    return bytes;
  },
  'page header changed': (bytes, random) => {
    const page = somePage(bytes, random);
    page[anywhere(random, 12)] = anywhere(random, 256);
    return bytes;
  },
  'pages in a circle': (bytes, random) => {
    const pages = Math.floor(bytes.length / PAGE);
    for (let number = 1; number < pages; number += 1) {
      const page = pageOf(bytes, number);
      if (page[0] !== 5 && page[0] !== 2) continue;
      const cells = page.readUInt16BE(3);
      for (let cell = 0; cell < cells; cell += 1) {
        if (random() < 0.7) page.writeUInt32BE(number + 1, page.readUInt16BE(12 + cell * 2));
      }
      page.writeUInt32BE(number + 1, 8);
    }
    return bytes;
  },
};

/** What stands in a file that SQLite finds whole. */
const CONTENT: Readonly<Record<string, string>> = {
  'a number as run id': 'UPDATE events SET run_id = 5 WHERE id = (SELECT max(id) FROM events)',
  'an event that is a blob': "UPDATE events SET event = x'ff00ff' WHERE id % 9 = 0",
  'an event that is no JSON': "UPDATE events SET event = '{' WHERE id % 9 = 0",
  'an event that is a number': "UPDATE events SET event = '5' WHERE id % 9 = 0",
  'an event without its fields': `UPDATE events SET event = '{"type":"node-finished"}' WHERE id % 9 = 0`,
  'a result that is text': `UPDATE events SET event = json_set(event, '$.result', 'x') WHERE id % 3 = 0`,
  'a plan without nodes': `UPDATE events SET event = json_set(event, '$.plan', 5) WHERE id % 3 = 0`,
  'an unknown event': `UPDATE events SET event = json_set(event, '$.type', 'unknown') WHERE id % 5 = 0`,
  'the same event twice': 'INSERT INTO events (run_id, event) SELECT run_id, event FROM events WHERE id % 4 = 0',
  'missing first events': "DELETE FROM events WHERE event LIKE '%run-started%'",
  'a run without events': "DELETE FROM events WHERE run_id = 'run_003'",
  'events without a run': "DELETE FROM runs WHERE run_id = 'run_003'",
  'an unknown status': "UPDATE runs SET status = 'x' WHERE run_id = 'run_003'",
  'text as time': "UPDATE runs SET started_at = 'yesterday' WHERE run_id = 'run_003'",
  'a huge time': 'UPDATE runs SET started_at = 9223372036854775807, updated_at = -9223372036854775807',
  'an endless time': 'UPDATE runs SET updated_at = 9e999',
  'negative ids': 'UPDATE events SET id = -id',
  'the largest id': 'UPDATE events SET id = 9223372036854775807 WHERE id = (SELECT max(id) FROM events)',
  'the largest ledger id': 'UPDATE ledger SET id = 9223372036854775807 WHERE id = (SELECT max(id) FROM ledger)',
  'a ledger row that is no JSON': "UPDATE ledger SET row = 'x' WHERE id % 3 = 0",
  'a ledger row that is a list': "UPDATE ledger SET row = '[]' WHERE id % 3 = 0",
  'costs that are text': "UPDATE ledger SET cost_nano_usd = 'x', input_tokens = 'y'",
  'costs without end': 'UPDATE ledger SET cost_nano_usd = 9223372036854775807',
  'scopes that nobody has': 'DELETE FROM scopes',
  'a value that is no JSON': "UPDATE cells SET value = '{' WHERE rowid % 3 = 0",
  'a value that is a blob': "UPDATE cells SET value = x'ff' WHERE rowid % 3 = 0",
  'a key that is a blob': "UPDATE cells SET key = x'ff' WHERE rowid = 3",
  'a counter that is text': `UPDATE cells SET value = '"x"'`,
  'an end that is text': "UPDATE cells SET until = 'x' WHERE rowid = 3",
  'a lease without end': "INSERT INTO leases (run_id, owner, until) VALUES ('run_000', 'x', 9223372036854775807)",
  'a lease that is text': "INSERT INTO leases (run_id, owner, until) VALUES ('run_000', x'ff', 'y')",
  'no table of values': 'DROP TABLE cells',
  'no table of events': 'DROP TABLE events',
  'no index of runs': 'DROP INDEX runs_by_start',
  'a table with another column': 'ALTER TABLE runs RENAME COLUMN goal TO aim',
  'a trigger': "CREATE TRIGGER t AFTER INSERT ON events BEGIN SELECT RAISE(ABORT, 'no'); END",
  'a version before the first': 'PRAGMA user_version = 0',
  'a negative version': 'PRAGMA user_version = -5',
  'another program': 'PRAGMA application_id = 5',
};

export interface MadeDamage {
  readonly name: string;
  /** Nothing that was committed may be missing unless an error says that the file is damaged. */
  readonly isWhole: boolean;
}

/** Writes a damaged copy of the store at `from` to `to`, chosen by `seed`. */
export function damage(from: string, to: string, seed: number): MadeDamage {
  const random = seededRandom(seed);
  const kinds = [...Object.keys(BYTES), 'log damaged', 'content changed'];
  const kind = kinds[seed % kinds.length] ?? '';
  const change = BYTES[kind];
  if (change !== undefined) {
    writeFileSync(to, change(readFileSync(from), random));
    return { name: kind, isWhole: true };
  }
  if (kind === 'log damaged') {
    copyFileSync(`${from}.open`, to);
    const log = readFileSync(`${from}.open-wal`);
    for (let left = 1 + anywhere(random, 3); left > 0; left -= 1) flip(log, random);
    writeFileSync(`${to}-wal`, random() < 0.3 ? log.subarray(0, anywhere(random, log.length)) : log);
    return { name: kind, isWhole: false };
  }
  const statements = Object.entries(CONTENT);
  const [name, statement] = statements[Math.floor(seed / kinds.length) % statements.length] ?? ['', ''];
  copyFileSync(from, to);
  const database = new Database(to);
  database.exec(statement);
  database.close();
  return { name, isWhole: false };
}

export const bytesOf = (path: string): string =>
  ['', '-wal']
    .map((suffix) => (existsSync(`${path}${suffix}`) ? readFileSync(`${path}${suffix}`, 'base64') : ''))
    .join();
