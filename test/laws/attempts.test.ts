/**
 * The law of attempts under `kill -9`: a process that makes capped calls and runs is killed at random moments, again and again.
 * Once the next one has opened the store:
 *
 * 1. Each counter is the sum of the ledger's rows of its scope, and no attempt is open.
 * 2. Every request that reached the provider has a row of its own.
 * 3. No cap was exceeded.
 * 4. No node that was finished runs again, and each run ends with what was booked for it in its total.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/core/money/money.ts';
import type { LedgerRow, Stores } from '../../src/core/stores.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { seededRandom } from '../../src/testing/fakes.ts';
import { temporaryFolder } from '../stores/folder.ts';
import { killable } from './killable.ts';

const KILLS = Number(process.env.POLYPHONY_KILLS ?? 6);
const SEED = Number(process.env.POLYPHONY_SEED ?? 20_261_129);
/** Calls at the same time of one life: as many may be written down and not sent yet when it is killed. */
const CONCURRENCY = 6 + 2 * 3;
/** The first line comes before the store is opened, then there is one for each request. */
const MOST_LINES = 60;
const MOST_MS = 30;
const folder = temporaryFolder();
const child = killable('attempts-child');

interface Line {
  readonly life: number;
  readonly sent?: string;
  readonly finished?: readonly string[];
  readonly ended?: string;
  readonly status?: string;
  readonly costNanoUsd?: number;
}

const linesOf = (log: string): Line[] =>
  existsSync(log)
    ? readFileSync(log, 'utf8')
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Line)
    : [];

async function rowsOf({ ledger }: Stores): Promise<LedgerRow[]> {
  const rows: LedgerRow[] = [];
  for await (const row of ledger.rows()) rows.push(row);
  return rows;
}

async function expectCountersToAgree({ keyValue, ledger }: Stores): Promise<void> {
  const spentOf = new Map<string, number>();
  for (const kind of ['run', 'node', 'session', 'user', 'tenant'] as const) {
    for (const { group, costNanoUsd } of await ledger.totals(`scope:${kind}`)) {
      spentOf.set(`budget:${kind}:${group}`, costNanoUsd);
    }
  }
  for (const key of await keyValue.keys('budget', 100_000)) {
    const spent = spentOf.get(key) ?? 0;
    expect([key, await keyValue.get(key)]).toEqual([key, spent]);
    if (key.startsWith('budget:tenant:')) expect(spent).toBeLessThanOrEqual(usdToNano(0.002));
    if (key.startsWith('budget:run:')) expect(spent).toBeLessThanOrEqual(usdToNano(0.01));
  }
}

const counted = (ids: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
};

function expectEveryRequestToHaveItsRow(rows: readonly LedgerRow[], lines: readonly Line[], lives: number): void {
  const sent = lines.flatMap((line) => line.sent ?? []);
  const rowsByCall = counted(rows.map(({ callId }) => callId));
  for (const [id, requests] of counted(sent))
    expect([id, rowsByCall.get(id) ?? 0]).toEqual([id, expect.toSatisfy((count: number) => count >= requests)]);
  expect(rows.length).toBeLessThanOrEqual(sent.length + lives * CONCURRENCY);
}

function expectNoNodeToRunAgain(lines: readonly Line[]): void {
  const lastSent = new Map<string, number>();
  for (const [index, { sent }] of lines.entries())
    if (sent !== undefined) lastSent.set(sent.split('/').slice(0, 2).join('/'), index);
  for (const [index, { finished = [] }] of lines.entries())
    for (const node of finished) expect([node, (lastSent.get(node) ?? -1) < index]).toEqual([node, true]);
}

function expectTotalsToHoldWhatWasBooked(rows: readonly LedgerRow[], lines: readonly Line[]): void {
  for (const { ended, status, costNanoUsd = 0 } of lines) {
    if (ended === undefined) continue;
    expect(status).toBe('done');
    const own = rows.filter(({ scopes }) => scopes.some(({ kind, id }) => kind === 'run' && id === ended));
    const sum = (some: readonly LedgerRow[]): number => some.reduce((cost, row) => cost + (row.costNanoUsd ?? 0), 0);
    expect(costNanoUsd).toBeGreaterThanOrEqual(sum(own.filter(({ uncertain }) => uncertain)));
    expect(costNanoUsd).toBeLessThanOrEqual(sum(own));
  }
}

async function expectAgreement(database: string, log: string, lives: number): Promise<void> {
  const stores = sqliteStores({ path: database });
  try {
    await expectCountersToAgree(stores);
    // These read everything, so a long series does them now and then.
    if (lives % 20 === 0 || lives < 7 || lives > KILLS) {
      const [rows, lines] = [await rowsOf(stores), linesOf(log)];
      expectEveryRequestToHaveItsRow(rows, lines, lives);
      expectNoNodeToRunAgain(lines);
      expectTotalsToHoldWhatWasBooked(rows, lines);
    }
  } finally {
    await stores.close();
  }
  const file = new Database(database);
  for (const table of ['attempts', 'settled', 'owners']) {
    expect([table, file.prepare(`SELECT count(*) FROM ${table}`).raw().get([])]).toEqual([table, [0]]);
  }
  file.close();
}

describe('kill -9 in the middle of calls', () => {
  afterAll(() => child.clean());

  it(`leaves counters and ledger equal after each of ${KILLS} kills`, {
    timeout: 60_000 + KILLS * 20_000,
  }, async () => {
    const random = seededRandom(SEED);
    const [database, log] = [join(folder, 'money.db'), join(folder, 'log')];
    for (let life = 0; life < KILLS; life += 1) {
      const kill = { afterLines: 1 + Math.floor(random() * MOST_LINES), afterMs: random() * MOST_MS };
      await child.live([database, log, String(life)], life % 4 === 3 ? { ...kill, afterLines: 1 } : kill);
      await expectAgreement(database, log, life + 1);
    }
    await child.live([database, log, String(KILLS), 'last']);
    await expectAgreement(database, log, KILLS + 1);
    const lines = linesOf(log);
    expect(lines.filter(({ sent }) => sent !== undefined).length).toBeGreaterThan(KILLS);
  });
});
