/** The conformance suite of AttemptBook: two processes on the same data, of which one dies. */
import assert from 'node:assert/strict';
import type { Clock } from '../core/clock.ts';
import type { Processes } from '../core/processes.ts';
import type { AttemptBook, LedgerRow, NewAttempt, OpenAttempt, Stores } from '../core/stores.ts';
import { fakeClock } from './fakes.ts';
import { ledgerRow } from './ledger-suite.ts';
import { gather, type TestFunction } from './suite.ts';

export interface AttemptBookSuiteOptions {
  readonly test: TestFunction;
  /** Opens the data that all stores of this `data` share, as a process would that `processes` names. */
  readonly make: (options: {
    readonly data: string;
    readonly clock: Clock;
    readonly processes: Processes;
  }) => Stores & { readonly attempts: AttemptBook };
}

/** One process on the data. */
interface Process {
  readonly stores: Stores;
  readonly book: AttemptBook;
}
interface Both {
  readonly one: Process;
  readonly two: Process;
  /** What both can tell of the first: undefined, nothing. */
  setAlive(alive: boolean | undefined): void;
}

const SCOPES = [
  { kind: 'run', id: 'r' },
  { kind: 'user', id: 'ann' },
] as const;
const KEYS = SCOPES.map(({ kind, id }) => `budget:${kind}:${id}`);
const HELD = 500;
const ESTIMATE = 70;

const expected = (key: string): LedgerRow =>
  ledgerRow({ key, scopes: SCOPES, outcome: 'cancelled', costNanoUsd: ESTIMATE, estimated: true, uncertain: true });
const real = (key: string, costNanoUsd: number): LedgerRow => ledgerRow({ key, scopes: SCOPES, costNanoUsd });

const attemptOf = (key: string, fields: Partial<NewAttempt> = {}): NewAttempt => ({
  row: expected(key),
  holds: KEYS.map((counter) => ({ key: counter, limit: 1000 })),
  heldNanoUsd: HELD,
  isSent: true,
  ...fields,
});

async function opened({ book }: Process, key: string, fields?: Partial<NewAttempt>): Promise<OpenAttempt> {
  const result = await book.open(attemptOf(key, fields));
  assert.ok(result.ok, `${key} was refused`);
  return result.attempt;
}

const countersOf = ({ stores }: Process): Promise<unknown[]> =>
  Promise.all(KEYS.map((key) => stores.keyValue.get(key)));
const rowsOf = ({ stores }: Process): Promise<LedgerRow[]> => gather(stores.ledger.rows());

async function expectSpent(process: Process, spent: number, rows: number): Promise<void> {
  assert.equal((await rowsOf(process)).length, rows);
  assert.deepEqual(
    await countersOf(process),
    KEYS.map(() => spent),
  );
  const [total] = await process.stores.ledger.totals('scope:user');
  assert.equal(total?.costNanoUsd ?? 0, spent);
}

let data = 0;

function bookTests({
  test,
  make,
}: AttemptBookSuiteOptions): (name: string, run: (both: Both) => Promise<void>) => void {
  return (name, run) => {
    test(name, async () => {
      const clock = fakeClock();
      let alive: boolean | undefined = true;
      data += 1;
      const open = (id: number): Process => {
        const self = `process:host:${id}:1`;
        const isAlive = (other: string): boolean | undefined => (other.startsWith('process:host:1:') ? alive : true);
        const stores = make({ data: `book ${data}`, clock, processes: { self: () => self, isAlive } });
        return { stores, book: stores.attempts };
      };
      const [one, two] = [open(1), open(2)];
      const setAlive = (next: boolean | undefined): void => {
        alive = next;
      };
      try {
        await run({ one, two, setAlive });
      } finally {
        await one.stores.close();
        await two.stores.close();
      }
    });
  };
}

/** Declares the tests that every book of attempts passes. */
export function testAttemptBook(options: AttemptBookSuiteOptions): void {
  settlementTests(options);
  recoveryTests(options);
}

function settlementTests(options: AttemptBookSuiteOptions): void {
  const check = bookTests(options);
  check('holds in every counter until the attempt is settled with its row', async ({ one, two }) => {
    const attempt = await opened(one, 'a/1');
    assert.deepEqual(await countersOf(two), [HELD, HELD]);
    assert.deepEqual(await rowsOf(two), []);
    await attempt.settle(90, real('a/1', 90));
    await one.stores.ledger.flush();
    await expectSpent(two, 90, 1);
  });
  check('refuses in all counters or in none, and says which', async ({ one }) => {
    await one.stores.keyValue.change([{ key: KEYS[1] ?? '', by: 600 }]);
    const result = await one.book.open(attemptOf('a/1'));
    assert.deepEqual(result, { ok: false, refused: 1, value: 600 });
    assert.deepEqual(await countersOf(one), [undefined, 600]);
  });
  check('gives back what was not sent, without a row', async ({ one }) => {
    await (await opened(one, 'a/1', { isSent: false })).settle(0, undefined);
    await expectSpent(one, 0, 0);
  });
  check('writes a row of its own for a second attempt of the same key', async ({ one }) => {
    await (await opened(one, 'a/1')).settle(90, real('a/1', 90));
    await (await opened(one, 'a/1')).settle(20, real('a/1', 20));
    await one.stores.ledger.flush();
    await expectSpent(one, 110, 2);
  });
  check('keeps many at once apart', async ({ one }) => {
    const names = Array.from({ length: 300 }, (_, index) => `k${index}/1`);
    const all = await Promise.all(names.map((name) => opened(one, name, { heldNanoUsd: 2 })));
    await Promise.all(all.map((attempt, index) => attempt.settle(1, real(names[index] ?? '', 1))));
    await expectSpent(one, 300, 300);
  });
}

function recoveryTests(options: AttemptBookSuiteOptions): void {
  const check = bookTests(options);
  check('books what a dead process had sent, once, and gives back the rest', async ({ one, two, setAlive }) => {
    await opened(one, 'a/1', { heldNanoUsd: 300 });
    await opened(one, 'b/1', { heldNanoUsd: 300, isSent: false });
    await (await opened(one, 'c/1', { heldNanoUsd: 300, isSent: false })).send();
    assert.equal(await two.book.recover(), false, 'the process lives');
    setAlive(false);
    await Promise.all([two.book.recover(), two.book.recover()]);
    await two.book.recover();
    await expectSpent(two, 2 * ESTIMATE, 2);
    const rows = await gather(two.stores.ledger.rows({ uncertain: true }));
    assert.deepEqual(rows.map(({ key, uncertain }) => [key, uncertain]).sort(), [
      ['a/1', true],
      ['c/1', true],
    ]);
    assert.equal((await two.stores.ledger.totals('provider'))[0]?.uncertain, 2);
  });
  check('recovers where it is read, too', async ({ one, two, setAlive }) => {
    await opened(one, 'a/1');
    setAlive(false);
    await expectSpent(two, ESTIMATE, 1);
  });
  check(
    'leaves the attempts of a process that renews its claim, where nobody can ask whether it lives',
    async (both) => {
      const { one, two, setAlive } = both;
      const attempt = await opened(one, 'a/1');
      setAlive(undefined);
      assert.equal(await two.book.recover(), false);
      await attempt.settle(90, real('a/1', 90));
      await one.stores.ledger.flush();
      await expectSpent(two, 90, 1);
    },
  );
  check('corrects what was booked for a process that lived after all', async ({ one, two, setAlive }) => {
    const attempt = await opened(one, 'a/1');
    const unsent = await opened(one, 'b/1', { isSent: false });
    setAlive(false);
    await two.book.recover();
    await attempt.settle(90, real('a/1', 90));
    await unsent.settle(5, real('b/1', 5));
    await expectSpent(two, 95, 2);
    assert.deepEqual(await gather(two.stores.ledger.rows({ uncertain: true })), []);
  });
  check('books what a former driver of a run left, although it lives', async ({ one, two }) => {
    await opened(one, 'a/1');
    await two.book.recover('another');
    assert.deepEqual(await countersOf(two), [HELD, HELD]);
    await two.book.recover('r');
    await expectSpent(two, ESTIMATE, 1);
  });
  check('lowers the counter of a run to what is known to be spent and held', async ({ one, two }) => {
    await (await opened(one, 'a/1')).settle(90, real('a/1', 90));
    await one.stores.keyValue.change([{ key: KEYS[0] ?? '', by: 700 }]);
    await opened(two, 'b/1', { heldNanoUsd: 100 });
    await two.book.recover('r');
    assert.deepEqual(await countersOf(two), [190, 190]);
  });
  check('books what is open when it is closed', async ({ one, two }) => {
    await opened(one, 'a/1');
    await one.stores.close();
    await expectSpent(two, ESTIMATE, 1);
  });
}
