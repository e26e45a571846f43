/** What is spent, asked of a ledger with a million rows of a year, and what the sums that answer it cost the writer of a row. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { DAY_MS } from '../../src/core/money/calendar.ts';
import type { LedgerFilter, LedgerGroup, LedgerRow, UsageLedger } from '../../src/core/stores.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { ledgerRow } from '../../src/testing/index.ts';
import type { Measurement } from './measurement.ts';

const ROWS = 1_000_000;
const DAYS = 365;
const START = Date.UTC(2025, 0, 1);
const END = START + DAYS * DAY_MS;
const [USERS, TEAMS, TENANTS, TAGS, MODELS, PROVIDERS] = [200, 20, 5, 8, 12, 4];
const TARGET_MS = 300;

/** The same number for the same input, from 0 to below 1. */
function spread(index: number, salt: number): number {
  let state = Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(salt, 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
  return ((state ^ (state >>> 13)) >>> 0) / 4_294_967_296;
}

/** In the order of time, as rows come. */
function rowOf(index: number, rows: number): LedgerRow {
  const at = (salt: number, count: number): number => Math.floor(spread(index, salt) * count);
  const user = at(1, USERS);
  const model = at(2, MODELS);
  const run = `run_${Math.floor(index / 10)}`;
  const purposes = ['answer', 'answer', 'answer', 'answer', 'judge'] as const;
  return ledgerRow({
    key: `call_${index}/1`,
    startedAt: START + Math.floor((index / rows) * DAYS * DAY_MS),
    target: { provider: `provider-${model % PROVIDERS}`, model: `model-${model}` },
    purpose: purposes[at(3, purposes.length)] ?? 'answer',
    outcome: spread(index, 4) < 0.05 ? 'error' : 'ok',
    costNanoUsd: at(7, 1_000_000),
    scopes: [
      { kind: 'session', id: `session_${Math.floor(index / 100)}_${at(6, 3)}` },
      { kind: 'user', id: `user-${user}` },
      { kind: 'team', id: `team-${user % TEAMS}` },
      { kind: 'tenant', id: `tenant-${user % TENANTS}` },
      { kind: 'tag', id: `feature=${at(5, TAGS)}` },
      { kind: 'run', id: run },
      { kind: 'node', id: `${run}/node_${index % 8}` },
    ],
  });
}

async function fill(ledger: UsageLedger, from: number, count: number, rows: number): Promise<void> {
  for (let index = from; index < from + count; index += 256) {
    const many = Math.min(256, from + count - index);
    await ledger.append(Array.from({ length: many }, (_, place) => rowOf(index + place, rows)));
  }
  await ledger.flush();
}

type Question = readonly [what: string, by: LedgerGroup | readonly LedgerGroup[], filter?: LedgerFilter];

const LATEST: LedgerFilter = { from: END - 30 * DAY_MS + 1_234_567 };
const MIDDLE: LedgerFilter = { from: START + 100 * DAY_MS + 7, to: START + 200 * DAY_MS + 7 };
const COSTLIEST: LedgerFilter = { limit: 100 };
const ONE_TEAM: LedgerFilter = { scope: { kind: 'team', id: 'team-7' } };

const EIGHT: readonly LedgerGroup[] = [
  ...(['scope:run', 'scope:node', 'scope:session', 'scope:user'] as const),
  ...(['scope:team', 'scope:tag', 'model', 'day'] as const),
];

const QUESTIONS: readonly Question[] = [
  ['model, all time', 'model'],
  ['day, all time', 'day'],
  ['month, purpose, outcome, all time', ['month', 'purpose', 'outcome']],
  ['user, all time', 'scope:user'],
  ['team, model, all time', ['scope:team', 'model']],
  ['tag, model, all time', ['scope:tag', 'model']],
  ['team, tag, model, month, all time', ['scope:team', 'scope:tag', 'model', 'month']],
  ['tenant, outcome, all time', ['scope:tenant', 'outcome']],
  ['team, day, all time', ['scope:team', 'day']],
  ['model, one team, all time', 'model', ONE_TEAM],
  ['day, one team, all time', 'day', ONE_TEAM],
  ['team, model, last 30 days', ['scope:team', 'model'], LATEST],
  ['team, tag, model, day, last 30 days', ['scope:team', 'scope:tag', 'model', 'day'], LATEST],
  ['user, model, 100 days that are no months', ['scope:user', 'model'], MIDDLE],
  ['model, one provider, 100 days', 'model', { ...MIDDLE, provider: 'provider-1' }],
  ['the 100 costliest of 30,000 sessions, all time', 'scope:session', COSTLIEST],
  ['the 100 costliest of 100,000 runs, all time', 'scope:run', COSTLIEST],
  ['the 100 costliest of 800,000 nodes, all time', 'scope:node', COSTLIEST],
  ['the 100 costliest runs, last 30 days', 'scope:run', { ...LATEST, ...COSTLIEST }],
  ['the 100 costliest runs of one team, all time', 'scope:run', { ...ONE_TEAM, ...COSTLIEST }],
  ['the 100 costliest of 700,000 of run, model, all time', ['scope:run', 'model'], COSTLIEST],
  [
    'the 100 costliest of 990,000 of user, session, model, all time',
    ['scope:user', 'scope:session', 'model'],
    COSTLIEST,
  ],
  ['the 100 costliest of 800,000 of run, node, all time', ['scope:run', 'scope:node'], COSTLIEST],
  [
    'the 100 costliest of 930,000 of user, tag, model, day, all time',
    ['scope:user', 'scope:tag', 'model', 'day'],
    COSTLIEST,
  ],
  ['the 100 costliest of a million of eight groups, all time', EIGHT, COSTLIEST],
];

/** Without a target, because the list of what was asked for takes longer than its sums. */
const LISTS: readonly Question[] = [
  ['all of 30,000 sessions', 'scope:session'],
  ['all of 100,000 runs', 'scope:run'],
  ['all of 700,000 of run, model', ['scope:run', 'model']],
  ['all of a million of eight groups', EIGHT],
];

interface Timed {
  readonly ms: number;
  /** Of the processor, which other programs on the machine change less. */
  readonly cpuMs: number;
}

/** The fastest of five, because what else the machine does only makes it slower. */
async function timed(work: () => Promise<unknown>): Promise<Timed> {
  let [ms, cpuMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < 5; round += 1) {
    const [start, before] = [performance.now(), process.cpuUsage()];
    await work();
    const { user, system } = process.cpuUsage(before);
    [ms, cpuMs] = [Math.min(ms, performance.now() - start), Math.min(cpuMs, (user + system) / 1000)];
  }
  return { ms, cpuMs };
}

async function questions(folder: string): Promise<readonly Measurement[]> {
  const stores = sqliteStores({ path: join(folder, 'spend.db') });
  const { ledger } = stores;
  try {
    const begun = performance.now();
    await fill(ledger, 0, ROWS, ROWS);
    const filledMs = performance.now() - begun;
    const measured: Measurement[] = [
      { name: 'a row written, of a million', value: (filledMs * 1000) / ROWS, unit: 'µs' },
    ];
    for (const [what, by, filter] of [...QUESTIONS, ...LISTS]) {
      const { ms, cpuMs: value } = await timed(() => ledger.totals(by, filter));
      const figure = { name: what, value, unit: 'ms', details: { wall: ms } };
      measured.push(QUESTIONS.some(([asked]) => asked === what) ? { ...figure, target: { below: TARGET_MS } } : figure);
    }
    return measured;
  } finally {
    await stores.close();
  }
}

const WRITTEN = 50_000;
const ROUNDS = 4;

/** The sums are off where they hold every id already. */
function withoutSums(path: string): void {
  const database = new Database(path);
  database.exec('UPDATE ledger_parts_summed SET up_to = 1000000000000');
  database.close();
}

/** In turns, because the machine is not equally fast at all times. */
async function writing(folder: string): Promise<readonly Measurement[]> {
  const names = ['sums', 'none'] as const;
  const paths = names.map((name) => join(folder, `${name}.db`));
  const opened = [];
  const best = names.map(() => Number.POSITIVE_INFINITY);
  try {
    for (const [index, path] of paths.entries()) {
      const stores = sqliteStores({ path });
      opened.push(stores);
      await stores.ledger.totals('model');
      if (names[index] === 'none') withoutSums(path);
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [index, { ledger }] of opened.entries()) {
        const before = process.cpuUsage();
        await fill(ledger, round * WRITTEN, WRITTEN, ROWS);
        const { user, system } = process.cpuUsage(before);
        best[index] = Math.min(best[index] ?? 0, (user + system) / 1000);
      }
    }
  } finally {
    for (const stores of opened) await stores.close();
  }
  const [sums = 0, none = 0] = best.map((cpuMs) => (cpuMs * 1000) / WRITTEN);
  return [
    {
      name: 'a row costs more because of its sums',
      value: sums - none,
      unit: 'µs',
      details: { with: sums, without: none },
    },
  ];
}

export async function run(): Promise<readonly Measurement[]> {
  const folder = mkdtempSync(join(tmpdir(), 'polyphony-bench-'));
  try {
    return [...(await writing(folder)), ...(await questions(folder))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
