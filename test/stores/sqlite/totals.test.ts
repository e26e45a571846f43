/** Totals from sums are those of the rows, for every grouping, filter and time, whatever became of the rows. */
import { join } from 'node:path';
import fc from 'fast-check';
import Database from 'libsql';
import { describe, expect, it } from 'vitest';
import type { ScopeKind } from '../../../src/core/model/model.ts';
import { DAY_MS } from '../../../src/core/money/calendar.ts';
import type {
  LedgerFilter,
  LedgerGroup,
  LedgerRow,
  LedgerTotal,
  Stores,
  UsageLedger,
} from '../../../src/core/stores.ts';
import { memoryStores } from '../../../src/stores/memory.ts';
import { sqliteStores } from '../../../src/stores/sqlite.ts';
import { ledgerRow } from '../../../src/testing/index.ts';
import { toVersion } from '../fixtures/older-schema.ts';
import { temporaryFolder } from '../folder.ts';

const START = Date.UTC(2025, 10, 20);

const anyRow = fc.record({
  day: fc.nat(100),
  ms: fc.nat(DAY_MS - 1),
  provider: fc.constantFrom('p', 'q'),
  model: fc.constantFrom('m', 'n'),
  purpose: fc.constantFrom('answer' as const, 'judge' as const),
  outcome: fc.constantFrom('ok' as const, 'error' as const),
  costNanoUsd: fc.option(fc.nat(1000)),
  user: fc.option(fc.constantFrom('ada', 'bob')),
  team: fc.option(fc.constantFrom('x', 'y')),
  tags: fc.uniqueArray(fc.constantFrom('a=1', 'a=2', 'b=1'), { maxLength: 2 }),
  run: fc.option(fc.constantFrom('r1', 'r2')),
  outer: fc.option(fc.constantFrom('r2', 'r3')),
  node: fc.option(fc.nat(20).map((number) => `n${number}`)),
  session: fc.option(fc.constantFrom('s1', 's2')),
  uncertain: fc.option(fc.constant(true as const), { freq: 10 }),
  usage: fc.option(fc.record({ input: fc.nat(5000), output: fc.nat(300) })),
});

type AnyRow = typeof anyRow extends fc.Arbitrary<infer T> ? T : never;

function rowOf(row: AnyRow, index: number): LedgerRow {
  const { day, ms, provider, model, user, team, tags, run, outer, node, session, uncertain, ...rest } = row;
  const scope = (kind: ScopeKind, id: string | null) => (id === null ? [] : [{ kind, id }]);
  return ledgerRow({
    ...rest,
    ...(uncertain === null ? {} : { uncertain }),
    key: `c${index}/1`,
    startedAt: START + day * DAY_MS + ms,
    target: { provider, model },
    scopes: [
      ...scope('session', session),
      ...scope('run', run),
      ...scope('run', outer),
      ...scope('node', node),
      ...scope('user', user),
      ...scope('team', team),
      ...tags.flatMap((tag) => scope('tag', tag)),
    ],
  });
}

const group = fc.constantFrom<LedgerGroup>(
  ...(['provider', 'model', 'purpose', 'day', 'month', 'outcome'] as const),
  ...(['scope:user', 'scope:team', 'scope:tag'] as const),
  ...(['scope:run', 'scope:node', 'scope:session', 'scope:request'] as const),
);
/** Some of them several times. */
const groups = fc.array(group, { minLength: 1, maxLength: 4 });
/** Often the first moment of a day or a month. */
const moment = fc.oneof(
  fc.integer({ min: -5, max: 106 }).map((day) => START + day * DAY_MS),
  fc.constantFrom(Date.UTC(2025, 11, 1), Date.UTC(2026, 0, 1), Date.UTC(2026, 1, 1)),
  fc.integer({ min: START, max: START + 101 * DAY_MS }),
);
const fields = {
  from: moment,
  to: moment,
  provider: fc.constantFrom('p', 'q', 'nobody'),
  scope: fc.constantFrom<NonNullable<LedgerFilter['scope']>>(
    { kind: 'user', id: 'ada' },
    { kind: 'tag', id: 'a=1' },
    { kind: 'run', id: 'r1' },
    { kind: 'session', id: 's2' },
    { kind: 'team', id: 'nobody' },
  ),
  uncertain: fc.constant(true as const),
};
/** Few fields mostly, because what has all of them is nothing nearly always. */
const filter: fc.Arbitrary<LedgerFilter> = fc.oneof(
  fc.constant({}),
  fc.constant({}),
  ...Object.entries(fields).map(([name, field]) => fc.record({ [name]: field as fc.Arbitrary<unknown> })),
  fc.record({ from: fields.from, to: fields.to }),
  fc.record({ from: fields.from, scope: fields.scope }),
  fc.record(fields, { requiredKeys: [] }),
);
const asked = fc.array(fc.tuple(groups, filter), { minLength: 10, maxLength: 10 });

const folder = temporaryFolder();
let files = 0;

async function withBoth(work: (memory: Stores, sqlite: Stores, path: string) => Promise<void>): Promise<void> {
  files += 1;
  const path = join(folder, `${files}.db`);
  const [memory, sqlite] = [memoryStores(), sqliteStores({ path })];
  try {
    await work(memory, sqlite, path);
  } finally {
    await memory.close();
    await sqlite.close();
  }
}

/** Part by part, as a store removes. */
async function pruneAll(ledger: UsageLedger, before: number): Promise<void> {
  let after: string | undefined;
  do {
    const pruned = await ledger.prune?.({ before, ...(after === undefined ? {} : { after }) });
    after = pruned?.next;
  } while (after !== undefined);
}

async function expectEqual(
  memory: Stores,
  sqlite: Stores,
  questions: readonly (readonly [LedgerGroup[], LedgerFilter])[],
) {
  for (const [by, given] of questions) {
    const what = JSON.stringify([by, given]);
    const all = await memory.ledger.totals(by, given);
    expect(await sqlite.ledger.totals(by, given), what).toEqual(all);
    await expectCostliest(memory, sqlite, [by, given], all);
  }
}

/** With a limit: the groups of the highest costs, most first; which of several that cost the same is not said. */
async function expectCostliest(
  memory: Stores,
  sqlite: Stores,
  [by, filter]: readonly [LedgerGroup[], LedgerFilter],
  all: readonly LedgerTotal[],
): Promise<void> {
  for (const limit of [2]) {
    const expected = all
      .map(({ costNanoUsd }) => costNanoUsd)
      .sort((a, b) => b - a)
      .slice(0, limit);
    for (const { ledger } of [memory, sqlite]) {
      const costliest = await ledger.totals(by, { ...filter, limit });
      expect(costliest.map(({ costNanoUsd }) => costNanoUsd)).toEqual(expected);
      for (const total of costliest) expect(all).toContainEqual(total);
    }
  }
}

/** As if all of them were old enough to be summed: the rows that wait for it are few otherwise. */
const times = (rows: readonly AnyRow[], least: number): readonly LedgerRow[] =>
  Array.from({ length: Math.max(least, rows.length) }, (_, index) => rowOf(rows[index % rows.length] as AnyRow, index));

describe('totals of a file', () => {
  it('are those of the rows, by any groups, filter and time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRow, { minLength: 1, maxLength: 40 }), asked, async (rows, questions) => {
        await withBoth(async (memory, sqlite) => {
          const all = times(rows, 300);
          for (const stores of [memory, sqlite]) await stores.ledger.append(all);
          await expectEqual(memory, sqlite, questions);
        });
      }),
      { numRuns: 25 },
    );
  });

  it('follow rows that are removed, and rows that are changed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyRow, { minLength: 5, maxLength: 40 }),
        asked,
        moment,
        async (rows, questions, before) => {
          await withBoth(async (memory, sqlite, path) => {
            const all = times(rows, 300);
            await sqlite.ledger.append(all);
            await sqlite.ledger.totals('model');
            const database = new Database(path);
            // A row that was uncertain is replaced by its end.
            database.exec(`UPDATE ledger SET outcome = 'error', cost_nano_usd = 5, row =
            json_set(row, '$.outcome', 'error', '$.costNanoUsd', 5) WHERE id % 7 = 0`);
            database.close();
            const changed = all.map((row, index) =>
              (index + 1) % 7 === 0 ? { ...row, outcome: 'error' as const, costNanoUsd: 5 } : row,
            );
            await memory.ledger.append(changed);
            await expectEqual(memory, sqlite, questions);
            for (const { ledger } of [memory, sqlite]) await pruneAll(ledger, before);
            await expectEqual(memory, sqlite, questions);
            const rest = new Database(path);
            const empty = rest
              .prepare(`SELECT count(*) FROM ledger_parts WHERE part NOT IN (SELECT (id - 1) / 256 FROM ledger)`)
              .raw()
              .get();
            rest.close();
            expect(empty).toEqual([0]);
          });
        },
      ),
      { numRuns: 15 },
    );
  });

  it('are summed anew in a file of an earlier release', async () => {
    await withBoth(async (memory, _sqlite, path) => {
      const older = `${path}.older`;
      const first = sqliteStores({ path: older });
      const all = fc.sample(anyRow, { seed: 7, numRuns: 600 }).map(rowOf);
      for (const { ledger } of [memory, first]) await ledger.append(all);
      await first.ledger.totals('model');
      await first.close();
      const database = new Database(older);
      toVersion(database, 7);
      database.exec(`INSERT INTO ledger_days SELECT CAST(started_at / 86400000 AS INTEGER), 1, provider, model, purpose, outcome,
        count(*), 0, 0, 0, 0, 0, 0 FROM ledger GROUP BY 1, 3, 4, 5, 6;
        UPDATE ledger_summed SET up_to = (SELECT max(id) FROM ledger);
        INSERT INTO ledger_payers (id, scopes) VALUES (900, '[["user","removed"]]');
        INSERT INTO ledger_payer_scopes (payers_id, kind, name) VALUES (900, 'user', 'removed')`);
      database.close();
      const migrated = sqliteStores({ path: older });
      await expectEqual(memory, migrated, [
        [['scope:tag', 'model', 'month'], {}],
        [['day', 'outcome'], {}],
        [['scope:user'], { from: Date.UTC(2026, 0, 3) }],
      ]);
      const after = new Database(older);
      const left = ['days', 'day_totals', 'months'].map((table) =>
        after.prepare(`SELECT count(*) FROM ledger_${table}`).raw().get(),
      );
      left.push(after.prepare(`SELECT count(*) FROM ledger_payer_scopes WHERE name = 'removed'`).raw().get());
      after.close();
      expect(left).toEqual([[0], [0], [0], [0]]);
      await migrated.close();
    });
  });

  it('hold while a program of the release before that has the file open keeps its own sums', async () => {
    const rows = Array.from(
      { length: 50 },
      (_, day): AnyRow => ({
        ...{ day, ms: 5, provider: 'p', model: 'm', purpose: 'answer', outcome: 'ok', costNanoUsd: 7 },
        ...{ user: 'ada', team: 'x', tags: [], run: null, outer: null, node: null, session: null },
        ...{ uncertain: null, usage: null },
      }),
    );
    await withBoth(async (memory, sqlite, path) => {
      const all = times(rows, 600);
      for (const stores of [memory, sqlite]) await stores.ledger.append(all.slice(0, 300));
      await sqlite.ledger.totals('model');
      const later = all.slice(300);
      await sqlite.ledger.append(later);
      await sqlite.ledger.flush();
      const database = new Database(path);
      // It knows the sums by day and payers, and the id up to which they go.
      const [upTo] = database.prepare('SELECT up_to FROM ledger_summed').raw().get() as [number];
      database.exec(`BEGIN; INSERT INTO ledger_days SELECT CAST(started_at / 86400000 AS INTEGER),
        (SELECT max(id) FROM ledger_payers), provider, model, purpose, outcome, count(*), 0, sum(input_tokens),
        sum(output_tokens), sum(cost_nano_usd), 0, 0 FROM ledger WHERE id > ${upTo} GROUP BY 1, 3, 4, 5, 6
        ON CONFLICT (day, payers_id, provider, model, purpose, outcome) DO UPDATE SET attempts = attempts + excluded.attempts,
        input_tokens = input_tokens + excluded.input_tokens, output_tokens = output_tokens + excluded.output_tokens,
        cost_nano_usd = cost_nano_usd + excluded.cost_nano_usd;
        UPDATE ledger_summed SET up_to = (SELECT max(id) FROM ledger); COMMIT`);
      database.close();
      await memory.ledger.append(later);
      await expectEqual(memory, sqlite, [
        [['scope:user', 'model'], {}],
        [['month', 'scope:team'], {}],
        [['day'], {}],
        [['outcome'], { provider: 'p' }],
      ]);
    });
  });
});

it.each([-1, 1.5, Number.NaN, '3'])('refuses the limit %s, as of rows', async (limit) => {
  const refusal = { code: 'invalid-request', message: expect.stringContaining('give a whole number from 0 on') };
  await withBoth(async (memory, sqlite) => {
    for (const { ledger } of [memory, sqlite]) {
      await expect(ledger.totals('model', { limit: limit as number })).rejects.toMatchObject(refusal);
      const rows = ledger.rows({ limit: limit as number })[Symbol.asyncIterator]();
      await expect(rows.next()).rejects.toMatchObject(refusal);
    }
  });
});

it('takes a limit beyond all that there is', async () => {
  await withBoth(async (memory, sqlite) => {
    for (const { ledger } of [memory, sqlite]) {
      await ledger.append([ledgerRow({ key: 'a/1', startedAt: START })]);
      for (const [limit, count] of [
        [0, 0],
        [Number.MAX_SAFE_INTEGER, 1],
        [Number.POSITIVE_INFINITY, 1],
      ] as const) {
        expect(await ledger.totals('scope:run', { limit })).toHaveLength(0);
        expect(await ledger.totals('model', { limit })).toHaveLength(count);
      }
    }
  });
});
