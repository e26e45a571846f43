/** The conformance suite of UsageLedger. */
import assert from 'node:assert/strict';
import type { LedgerFilter, LedgerRow, UsageLedger } from '../core/stores.ts';
import { gather, HOSTILE_IDS, type StoreSuiteOptions, storeTests } from './suite.ts';

/** 2023-11-14, 22:13:20 UTC. */
const START = 1_700_000_000_000;
const DAY_MS = 86_400_000;

export function ledgerRow(row: Partial<LedgerRow> & Pick<LedgerRow, 'key'>): LedgerRow {
  return {
    callId: row.key.split('/')[0] ?? row.key,
    scopes: [],
    target: { provider: 'acme', model: 'small' },
    purpose: 'answer',
    startedAt: START,
    queueMs: 0,
    firstTokenMs: 20,
    totalMs: 50,
    outcome: 'ok',
    usage: { input: 100, output: 10 },
    costNanoUsd: 1000,
    ...row,
  };
}

const error = { code: 'overloaded', message: 'try later' } as const;
const ann = { kind: 'user', id: 'ann' } as const;
const bob = { kind: 'user', id: 'bob' } as const;
const red = { kind: 'team', id: 'red' } as const;

/** Four attempts of two providers and two users on two days; one failed, one has no known price. */
const SAMPLE: readonly LedgerRow[] = [
  ledgerRow({ key: 'a/1', scopes: [ann, red] }),
  ledgerRow({ key: 'a/2', startedAt: START + 10, scopes: [ann, red], target: { provider: 'bolt', model: 'large' } }),
  ledgerRow({ key: 'b/1', startedAt: START + 20, scopes: [bob], outcome: 'error', error, usage: null, costNanoUsd: 0 }),
  ledgerRow({ key: 'c/1', startedAt: START + DAY_MS, scopes: [bob, red], purpose: 'judge', costNanoUsd: null }),
];

/** Declares the tests that every ledger passes. */
export function testLedger(options: StoreSuiteOptions<UsageLedger>): void {
  rowTests(options);
  totalTests(options);
  dayTests(options);
  pruneTests(options);
}

async function keysOf(ledger: UsageLedger, filter?: LedgerFilter): Promise<string[]> {
  return (await gather(ledger.rows(filter))).map(({ key }) => key);
}

function rowTests(options: StoreSuiteOptions<UsageLedger>): void {
  const check = storeTests(options);
  check('keeps every field of a row', async (ledger) => {
    await ledger.append(SAMPLE);
    await ledger.flush();
    assert.deepEqual(await gather(ledger.rows()), [...SAMPLE].reverse());
  });
  check('counts a key once, whatever comes again under it', async (ledger) => {
    const row = ledgerRow({ key: 'a/1', scopes: [ann] });
    await ledger.append([row, row]);
    await ledger.append([{ ...row, costNanoUsd: 9, scopes: [bob] }]);
    await ledger.flush();
    await ledger.append([row]);
    await ledger.flush();
    assert.deepEqual(await gather(ledger.rows()), [row]);
    assert.deepEqual(
      (await ledger.totals('scope:user')).map(({ group, attempts, costNanoUsd }) => [group, attempts, costNanoUsd]),
      [['ann', 1, 1000]],
    );
  });
  check('filters rows by time, scope and provider, newest first', async (ledger) => {
    await ledger.append(SAMPLE);
    await ledger.flush();
    assert.deepEqual(await keysOf(ledger, { limit: 2 }), ['c/1', 'b/1']);
    assert.deepEqual(await keysOf(ledger, { from: START + 10, to: START + DAY_MS }), ['b/1', 'a/2']);
    assert.deepEqual(await keysOf(ledger, { scope: ann }), ['a/2', 'a/1']);
    assert.deepEqual(await keysOf(ledger, { scope: red, to: START + 1 }), ['a/1']);
    assert.deepEqual(await keysOf(ledger, { provider: 'bolt' }), ['a/2']);
    assert.deepEqual(await keysOf(ledger, { scope: bob, provider: 'bolt' }), []);
    assert.deepEqual(await keysOf(ledger, { scope: { kind: 'team', id: 'ann' } }), []);
  });
  check('reads more rows than a page holds, each once', async (ledger) => {
    const rows = Array.from({ length: 1203 }, (_, index) =>
      ledgerRow({ key: `k${index}/1`, startedAt: START + (index % 7) }),
    );
    await Promise.all(rows.map((row) => ledger.append([row])));
    await ledger.flush();
    const keys = await keysOf(ledger);
    assert.equal(keys.length, rows.length);
    assert.equal(new Set(keys).size, rows.length);
    assert.equal((await keysOf(ledger, { limit: 700 })).length, 700);
  });
  check('takes any text as key and scope', async (ledger) => {
    await ledger.append(HOSTILE_IDS.map((id) => ledgerRow({ key: id, scopes: [{ kind: 'tag', id }] })));
    await ledger.flush();
    for (const id of HOSTILE_IDS) assert.deepEqual(await keysOf(ledger, { scope: { kind: 'tag', id } }), [id]);
    assert.equal((await ledger.totals('scope:tag')).length, HOSTILE_IDS.length);
  });
}

type Total = readonly [group: string, attempts: number, errors: number, costNanoUsd: number, unpriced: number];

function totalTests(options: StoreSuiteOptions<UsageLedger>): void {
  const check = storeTests(options);
  const totalsOf = async (ledger: UsageLedger, ...query: Parameters<UsageLedger['totals']>): Promise<Total[]> => {
    const totals = await ledger.totals(...query);
    return totals.map((total) => [total.group, total.attempts, total.errors, total.costNanoUsd, total.unpriced]);
  };
  check('adds up by every group', async (ledger) => {
    await ledger.append(SAMPLE);
    await ledger.flush();
    assert.deepEqual(await totalsOf(ledger, 'provider'), [
      ['acme', 3, 1, 1000, 1],
      ['bolt', 1, 0, 1000, 0],
    ]);
    assert.deepEqual(await totalsOf(ledger, 'model'), [
      ['acme/small', 3, 1, 1000, 1],
      ['bolt/large', 1, 0, 1000, 0],
    ]);
    assert.deepEqual(await totalsOf(ledger, 'purpose'), [
      ['answer', 3, 1, 2000, 0],
      ['judge', 1, 0, 0, 1],
    ]);
    assert.deepEqual(await totalsOf(ledger, 'outcome'), [
      ['error', 1, 1, 0, 0],
      ['ok', 3, 0, 2000, 1],
    ]);
    assert.deepEqual(await totalsOf(ledger, 'day'), [
      ['2023-11-14', 3, 1, 2000, 0],
      ['2023-11-15', 1, 0, 0, 1],
    ]);
    assert.deepEqual(await totalsOf(ledger, 'scope:user'), [
      ['ann', 2, 0, 2000, 0],
      ['bob', 2, 1, 0, 1],
    ]);
    assert.deepEqual(await totalsOf(ledger, 'scope:team'), [['red', 3, 0, 2000, 1]]);
    assert.deepEqual(await totalsOf(ledger, 'scope:run'), []);
  });
  check('adds up tokens, and counts unknown usage as 0', async (ledger) => {
    await ledger.append(SAMPLE);
    await ledger.flush();
    const [acme] = await ledger.totals('provider');
    assert.deepEqual([acme?.inputTokens, acme?.outputTokens], [200, 20]);
  });
  check('adds up what a filter leaves', async (ledger) => {
    await ledger.append(SAMPLE);
    await ledger.flush();
    assert.deepEqual(await totalsOf(ledger, 'provider', { scope: ann }), [
      ['acme', 1, 0, 1000, 0],
      ['bolt', 1, 0, 1000, 0],
    ]);
    assert.deepEqual(await totalsOf(ledger, 'scope:user', { scope: red }), [
      ['ann', 2, 0, 2000, 0],
      ['bob', 1, 0, 0, 1],
    ]);
    assert.deepEqual(await totalsOf(ledger, 'day', { from: START + DAY_MS }), [['2023-11-15', 1, 0, 0, 1]]);
    assert.deepEqual(await totalsOf(ledger, 'outcome', { to: START }), []);
    assert.deepEqual(await totalsOf(ledger, 'model', { provider: 'bolt', from: START, to: START + 11 }), [
      ['bolt/large', 1, 0, 1000, 0],
    ]);
  });
}

/** Totals over days that lie between the ends of a filter, and rows that change afterwards: where a store keeps sums of days. */
function dayTests(options: StoreSuiteOptions<UsageLedger>): void {
  const check = storeTests(options);
  const first = START - (START % DAY_MS);
  const many = Array.from({ length: 3000 }, (_, index) =>
    ledgerRow({
      key: `d${index}/1`,
      startedAt: first + Math.floor((index / 3000) * 5 * DAY_MS),
      scopes: [
        { kind: 'team', id: `team${index % 3}` },
        { kind: 'user', id: `user${index % 6}` },
        { kind: 'run', id: `r${index % 9}` },
      ],
      target: { provider: 'acme', model: index % 2 === 0 ? 'small' : 'large' },
      costNanoUsd: index,
    }),
  );
  const sumsOf = async (ledger: UsageLedger, ...query: Parameters<UsageLedger['totals']>) =>
    (await ledger.totals(...query)).map(({ group, groups, attempts, costNanoUsd }) => [
      groups ?? group,
      attempts,
      costNanoUsd,
    ]);
  /** The same by hand. */
  const expected = (rows: readonly LedgerRow[], groups: (row: LedgerRow) => readonly string[]) => {
    const sums = new Map<string, [readonly string[], number, number]>();
    for (const row of rows) {
      const sum = sums.get(JSON.stringify(groups(row))) ?? [groups(row), 0, 0];
      sums.set(JSON.stringify(groups(row)), [sum[0], sum[1] + 1, sum[2] + (row.costNanoUsd ?? 0)]);
    }
    return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum);
  };
  const scopeOf = (row: LedgerRow, kind: string): string => row.scopes.find((scope) => scope.kind === kind)?.id ?? '';
  check('adds up by several groups at once', async (ledger) => {
    await ledger.append(many);
    await ledger.flush();
    for (const kind of ['user', 'run'] as const) {
      const got = await sumsOf(ledger, ['scope:team', `scope:${kind}`, 'model']);
      const byHand = expected(many, (row) => [scopeOf(row, 'team'), scopeOf(row, kind), `acme/${row.target.model}`]);
      assert.deepEqual(got, byHand);
    }
    assert.deepEqual(await sumsOf(ledger, ['provider']), [[['acme'], 3000, 4_498_500]]);
    assert.deepEqual(await sumsOf(ledger, 'month'), [['2023-11', 3000, 4_498_500]]);
  });
  check('adds up between any two times', async (ledger) => {
    await ledger.append(many);
    await ledger.flush();
    const times = [0, 1, DAY_MS / 2, DAY_MS, DAY_MS + 7, 3 * DAY_MS, 4.5 * DAY_MS, 9 * DAY_MS].map(
      (after) => first + after,
    );
    for (const from of [undefined, ...times]) {
      for (const to of [undefined, ...times]) {
        const filter = { scope: { kind: 'team', id: 'team1' }, ...(from && { from }), ...(to && { to }) } as const;
        const rows = many.filter(
          (row) => scopeOf(row, 'team') === 'team1' && row.startedAt >= (from ?? 0) && row.startedAt < (to ?? Infinity),
        );
        assert.deepEqual(
          await sumsOf(ledger, ['scope:user'], filter),
          expected(rows, (row) => [scopeOf(row, 'user')]),
        );
      }
    }
  });
  check('leaves out of its totals what was removed since', async (ledger) => {
    if (ledger.prune === undefined) return;
    await ledger.append(many);
    await ledger.flush();
    await ledger.totals('day');
    const before = first + 1.5 * DAY_MS;
    for (let next: unknown = ''; next !== undefined; ) next = (await ledger.prune({ before })).next;
    const left = many.filter(({ startedAt }) => startedAt >= before);
    assert.deepEqual(
      await sumsOf(ledger, ['scope:user']),
      expected(left, (row) => [scopeOf(row, 'user')]),
    );
    for (let next: unknown = ''; next !== undefined; ) next = (await ledger.prune({ before: first + 9 * DAY_MS })).next;
    assert.deepEqual(await sumsOf(ledger, 'model'), []);
    await ledger.append(many.slice(0, 5));
    await ledger.flush();
    assert.deepEqual(await sumsOf(ledger, ['provider']), [[['acme'], 5, 10]]);
  });
}

/** The tests of a method that a store may leave out: they then pass without testing anything. */
function pruneTests(options: StoreSuiteOptions<UsageLedger>): void {
  const check = storeTests(options);
  check('removes rows that started before a time, also from its totals', async (ledger) => {
    if (ledger.prune === undefined) return;
    await ledger.append(SAMPLE);
    assert.deepEqual(await ledger.prune({ before: START + 20, dryRun: true }), { removed: 2 });
    assert.deepEqual(await keysOf(ledger), ['c/1', 'b/1', 'a/2', 'a/1']);
    assert.deepEqual(await ledger.prune({ before: START + 20 }), { removed: 2 });
    assert.deepEqual(await keysOf(ledger), ['c/1', 'b/1']);
    assert.deepEqual(await keysOf(ledger, { scope: ann }), []);
    assert.deepEqual(await keysOf(ledger, { scope: red }), ['c/1']);
    const users = await ledger.totals('scope:user');
    assert.deepEqual(
      users.map(({ group, attempts }) => [group, attempts]),
      [['bob', 2]],
    );
    await ledger.append([ledgerRow({ key: 'd/1', scopes: [ann] })]);
    await ledger.flush();
    assert.deepEqual(await keysOf(ledger, { scope: ann }), ['d/1'], 'a scope whose rows were removed takes new ones');
  });
  check('removes any number of rows, part by part', async (ledger) => {
    if (ledger.prune === undefined) return;
    await ledger.append(Array.from({ length: 700 }, (_, index) => ledgerRow({ key: `${index}/1`, scopes: [ann] })));
    let [removed, parts, more] = [0, 0, true];
    while (more && parts < 700) {
      const part = await ledger.prune({ before: START + 1 });
      removed += part.removed;
      more = part.next !== undefined;
      parts += 1;
    }
    assert.equal(removed, 700);
    assert.deepEqual(await ledger.totals('model'), []);
  });
}
