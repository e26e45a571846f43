/** The conformance suite of RunJournal. */
import assert from 'node:assert/strict';
import type { Plan } from '../core/plan/plan.ts';
import type { NodeResult, RunEvent } from '../core/run/engine.ts';
import type { RunJournal } from '../core/stores.ts';
import { gather, HOSTILE_IDS, type StoreSuiteOptions, storeTests } from './suite.ts';

const START = 1_700_000_000_000;

const planOf = (nodes: number, goal: string): Plan => ({
  version: 1,
  goal,
  nodes: Array.from({ length: nodes }, (_, index) => ({ id: `n${index}`, use: 'value' })),
});

const resultOf = (costNanoUsd: number | null, output: unknown = null): NodeResult => ({
  output,
  meta: { costUsd: costNanoUsd === null ? null : costNanoUsd / 1e9, ms: 1, warnings: [] },
  costNanoUsd,
});

type Started = Extract<RunEvent, { type: 'run-started' }>;

const started = (runId: string, at = START, nodes = 3, goal = 'a goal'): Started => ({
  type: 'run-started',
  seq: 0,
  at,
  runId,
  plan: planOf(nodes, goal),
  planHash: 'hash',
  input: { a: 1 },
});

const finished = (runId: string, seq: number, costNanoUsd: number | null = 10, output?: unknown): RunEvent => ({
  type: 'node-finished',
  seq,
  at: START + seq,
  runId,
  nodeId: `n${seq}`,
  result: resultOf(costNanoUsd, output),
});

const ended = (runId: string, seq: number, costNanoUsd: number | null): RunEvent => ({
  type: 'run-finished',
  seq,
  at: START + seq,
  runId,
  output: 'done',
  usage: { input: 1, output: 1 },
  costNanoUsd,
  ms: seq,
});

/** Declares the tests that every journal passes. They use only the clock that `make` gets. */
export function testJournal(options: StoreSuiteOptions<RunJournal>): void {
  recordTests(options);
  summaryTests(options);
  leaseTests(options);
  pruneTests(options);
}

function recordTests(options: StoreSuiteOptions<RunJournal>): void {
  const check = storeTests(options);
  check('reads events in the order of their appends', async (journal) => {
    const events = [started('run'), ...Array.from({ length: 1200 }, (_, index) => finished('run', index + 1))];
    await journal.append('run', events.slice(0, 1));
    await journal.append('run', events.slice(1, 700));
    await journal.append('run', events.slice(700));
    assert.deepEqual(await gather(journal.read('run')), events);
  });
  check('keeps the order of appends that nobody waited for', async (journal) => {
    const events = [started('run'), ...Array.from({ length: 50 }, (_, index) => finished('run', index + 1))];
    await Promise.all(events.map((event) => journal.append('run', [event])));
    assert.deepEqual(await gather(journal.read('run')), events);
  });
  check('reads what a resolved append wrote, also before the next one', async (journal) => {
    await journal.append('run', [started('run')]);
    assert.equal((await gather(journal.read('run'))).length, 1);
    await journal.append('run', [finished('run', 1)]);
    assert.equal((await gather(journal.read('run'))).length, 2);
  });
  check('gives no number of a run twice', async (journal) => {
    const events = [started('run'), finished('run', 1), finished('run', 4)];
    await journal.append('run', events);
    const refused = async (...more: RunEvent[]): Promise<void> => {
      const append = async (): Promise<void> => journal.append('run', more);
      await assert.rejects(append, { code: 'store-busy', retryable: false });
    };
    await refused(finished('run', 4));
    await refused(finished('run', 2));
    await refused(started('run'));
    await refused(ended('run', 4, 1));
    await refused(finished('run', 4), finished('run', 5));
    await refused(finished('run', 5), finished('run', 5));
    await refused(finished('run', 6), finished('run', 5));
    await refused(finished('run', 5), { type: 'run-suspended', seq: 5, at: START, runId: 'run', waiting: [] });
    assert.deepEqual(await gather(journal.read('run')), events, 'nothing of a refused append is kept');
    const [summary] = await journal.list();
    assert.deepEqual([summary?.status, summary?.nodes.finished, summary?.costNanoUsd], ['running', 2, 20]);
    await journal.append('run', [finished('run', 5)]);
    await journal.append('other', [started('other')]);
    assert.equal((await gather(journal.read('run'))).length, 4, 'and the next one goes on');
  });
  check('gives a number to one of many that append at the same time', async (journal) => {
    await journal.append('run', [started('run')]);
    const append = async (cost: number): Promise<void> => journal.append('run', [finished('run', 1, cost)]);
    const appended = await Promise.allSettled([1, 2, 3, 4, 5].map(append));
    assert.equal(appended.filter(({ status }) => status === 'fulfilled').length, 1);
    const won = appended.findIndex(({ status }) => status === 'fulfilled') + 1;
    assert.deepEqual(await gather(journal.read('run')), [started('run'), finished('run', 1, won)]);
    assert.equal((await journal.list())[0]?.costNanoUsd, won);
  });
  check('reads nothing of a run that it does not know', async (journal) => {
    await journal.append('run', []);
    assert.deepEqual(await gather(journal.read('run')), []);
    assert.deepEqual(await journal.list(), []);
  });
  check('keeps runs apart, whatever their ids', async (journal) => {
    for (const id of HOSTILE_IDS) await journal.append(id, [started(id)]);
    for (const id of HOSTILE_IDS) assert.deepEqual(await gather(journal.read(id)), [started(id)]);
    assert.equal((await journal.list()).length, HOSTILE_IDS.length);
  });
  check('keeps every JSON value as it is', async (journal) => {
    const output = {
      text: 'naïve "世界"\n\u0000🎼',
      deep: [[{ a: null }], []],
      number: 0.1,
      large: 2 ** 53,
      not: false,
    };
    await journal.append('run', [started('run'), finished('run', 1, 0, output)]);
    assert.deepEqual((await gather(journal.read('run')))[1], finished('run', 1, 0, output));
  });
  check('closes twice without an error', async (journal) => {
    await journal.append('run', [started('run')]);
    await journal.close();
  });
}

function summaryTests(options: StoreSuiteOptions<RunJournal>): void {
  const check = storeTests(options);
  check('sums up a run as it goes on', async (journal) => {
    await journal.append('run', [started('run', START, 4, 'to sum up')]);
    await journal.append('run', [finished('run', 1, 10), finished('run', 2, 5)]);
    const nodes = { total: 4, finished: 2 };
    const running = { runId: 'run', goal: 'to sum up', startedAt: START };
    const summary = { ...running, status: 'running', updatedAt: START + 2, costNanoUsd: 15, nodes };
    assert.deepEqual(await journal.list(), [summary]);
    await journal.append('run', [ended('run', 3, 17)]);
    const done = { ...running, status: 'done', updatedAt: START + 3, costNanoUsd: 17, nodes };
    assert.deepEqual(await journal.list(), [done]);
  });
  check('counts what was paid before the first node', async (journal) => {
    await journal.append('run', [{ ...started('run'), paid: { costNanoUsd: 4 } }, finished('run', 1, 10)]);
    assert.equal((await journal.list())[0]?.costNanoUsd, 14);
  });
  check('says that a cost is unknown rather than 0', async (journal) => {
    await journal.append('run', [started('run'), finished('run', 1, null)]);
    await journal.append('run', [finished('run', 2, 5)]);
    assert.equal((await journal.list())[0]?.costNanoUsd, null);
  });
  check('follows a run that is suspended, resumed, revised and cancelled', async (journal) => {
    const status = async (): Promise<unknown> => (await journal.list())[0]?.status;
    const base = { at: START, runId: 'run' };
    await journal.append('run', [started('run'), { ...base, type: 'run-suspended', seq: 1, waiting: ['n0'] }]);
    assert.equal(await status(), 'suspended');
    const revised = { ...base, seq: 3, plan: planOf(7, 'revised'), planHash: 'other', reason: 'why' };
    await journal.append('run', [{ ...base, type: 'run-resumed', seq: 2 }]);
    assert.equal(await status(), 'running');
    await journal.append('run', [{ ...revised, type: 'plan-revised' }]);
    assert.equal((await journal.list())[0]?.nodes.total, 7);
    const totals = { usage: { input: 0, output: 0 }, costNanoUsd: 0, ms: 1 };
    await journal.append('run', [{ ...base, type: 'run-cancelled', seq: 4, reason: 'asked', ...totals }]);
    assert.equal(await status(), 'cancelled');
  });
  check('lists the newest first, by status, at most as many as asked for', async (journal) => {
    for (const [index, id] of ['b', 'a', 'c'].entries()) await journal.append(id, [started(id, START + index)]);
    await journal.append('a', [ended('a', 1, 0)]);
    const ids = async (filter?: Parameters<RunJournal['list']>[0]): Promise<string[]> =>
      (await journal.list(filter)).map(({ runId }) => runId);
    assert.deepEqual(await ids(), ['c', 'a', 'b']);
    assert.deepEqual(await ids({ limit: 2 }), ['c', 'a']);
    assert.deepEqual(await ids({ status: 'running' }), ['c', 'b']);
    assert.deepEqual(await ids({ status: 'done', limit: 5 }), ['a']);
  });
  check('lists runs that a node of another run started only when asked for them', async (journal) => {
    const within = (kind: 'nested' | 'fork'): Pick<Started, 'parent'> => ({
      parent: { runId: 'a', nodeId: 'n', kind },
    });
    await journal.append('a', [started('a', START)]);
    await journal.append('a.n', [{ ...started('a.n', START + 1), ...within('nested') }]);
    await journal.append('forked', [{ ...started('forked', START + 2), ...within('fork') }]);
    // Fields of the same names in an input or in tags have no effect.
    const misleading = { kind: 'nested', parent: { kind: 'nested' } };
    await journal.append('b', [{ ...started('b', START + 3), input: misleading, tags: { kind: 'nested' } }]);
    const ids = async (filter?: Parameters<RunJournal['list']>[0]): Promise<string[]> =>
      (await journal.list(filter)).map(({ runId }) => runId);
    assert.deepEqual(await ids(), ['b', 'forked', 'a']);
    assert.deepEqual(await ids({ nested: false, status: 'running', limit: 2 }), ['b', 'forked']);
    assert.deepEqual(await ids({ limit: 3, status: 'running' }), ['b', 'forked', 'a'], 'a limit counts what is listed');
    assert.deepEqual(await ids({ nested: true }), ['b', 'forked', 'a.n', 'a']);
    assert.deepEqual(await ids({ nested: true, limit: 3, status: 'running' }), ['b', 'forked', 'a.n']);
  });
}

function leaseTests(options: StoreSuiteOptions<RunJournal>): void {
  const check = storeTests(options);
  check('gives a run to one owner until the lease ends', async (journal, clock) => {
    assert.equal(await journal.claim('run', 'one', 1000), true);
    assert.equal(await journal.claim('run', 'two', 1000), false);
    assert.equal(await journal.claim('other', 'two', 1000), true);
    await clock.advance(600);
    assert.equal(await journal.claim('run', 'one', 1000), true, 'an owner renews its own lease');
    await clock.advance(600);
    assert.equal(await journal.claim('run', 'two', 1000), false, 'a renewed lease counts from its renewal');
    await clock.advance(400);
    assert.equal(await journal.claim('run', 'two', 1000), true, 'a lease ends by itself');
    assert.equal(await journal.claim('run', 'one', 1000), false);
  });
  check('takes a release from the owner only', async (journal) => {
    await journal.claim('run', 'one', 1000);
    await journal.release('run', 'two');
    assert.equal(await journal.claim('run', 'two', 1000), false);
    await journal.release('run', 'one');
    assert.equal(await journal.claim('run', 'two', 1000), true);
  });
  check('renews a lease that has ended, unless another owner has had the run since', async (journal, clock) => {
    if (journal.renew === undefined) return;
    const renew = (owner: string) => journal.renew?.('run', owner, 1000);
    assert.equal(await renew('one'), false, 'there is none to renew');
    await journal.claim('run', 'one', 1000);
    await clock.advance(5000);
    assert.equal(await renew('one'), true);
    assert.equal(await journal.claim('run', 'two', 1000), false, 'it counts from its renewal');
    await clock.advance(5000);
    assert.equal(await journal.claim('run', 'two', 1000), true);
    assert.equal(await renew('one'), false);
    await journal.release('run', 'two');
    assert.equal(await renew('one'), false, 'two had it, and has released it');
    assert.equal(await journal.claim('run', 'three', 1000), true);
  });
  check('tells which runs are held, and takes none of them', async (journal, clock) => {
    if (journal.held === undefined) return;
    const held = async (): Promise<string[]> => [...((await journal.held?.(['one', 'two', 'none'])) ?? [])].sort();
    assert.deepEqual(await held(), []);
    await journal.claim('one', 'somebody', 1000);
    await journal.claim('two', 'somebody', 2000);
    assert.deepEqual(await held(), ['one', 'two']);
    assert.equal(await journal.claim('none', 'another', 1000), true);
    await journal.release('none', 'another');
    await clock.advance(1500);
    assert.deepEqual(await held(), ['two'], 'a lease ends by itself');
    await journal.release('two', 'somebody');
    assert.deepEqual(await held(), []);
  });
  check('gives a run to one of many that ask at the same time', async (journal) => {
    const owners = Array.from({ length: 20 }, (_, index) => `owner ${index}`);
    const won = await Promise.all(owners.map((owner) => journal.claim('run', owner, 1000)));
    assert.equal(won.filter(Boolean).length, 1);
  });
}

/** The tests of a method that a store may leave out: they then pass without testing anything. */
function pruneTests(options: StoreSuiteOptions<RunJournal>): void {
  const check = storeTests(options);
  const nested = (runId: string, parent: string): Started => ({
    ...started(runId),
    parent: { runId: parent, nodeId: 'n', kind: 'nested' },
  });
  const suspended = (runId: string): RunEvent => ({
    type: 'run-suspended',
    seq: 1,
    at: START + 1,
    runId,
    waiting: ['n0'],
  });
  const ids = async (journal: RunJournal): Promise<string[]> =>
    (await journal.list({ nested: true })).map(({ runId }) => runId).sort();
  const fill = async (journal: RunJournal): Promise<void> => {
    await journal.append('old', [started('old'), ended('old', 1, 5)]);
    await journal.append('old.n', [nested('old.n', 'old')]);
    await journal.append('old.n.n', [nested('old.n.n', 'old.n'), ended('old.n.n', 1, 5)]);
    await journal.append('asks', [started('asks'), suspended('asks')]);
    await journal.append('asks.n', [nested('asks.n', 'asks'), ended('asks.n', 1, 5)]);
    await journal.append('left', [started('left')]);
    await journal.append('new', [started('new', START + 1000), ended('new', 1000, 5)]);
    await journal.append('later', [started('later'), ended('later', 2000, 5)]);
  };
  check('removes runs that ended before a time, with those of their nodes', async (journal) => {
    if (journal.prune === undefined) return;
    await fill(journal);
    const before = START + 500;
    assert.deepEqual(await journal.prune({ before, dryRun: true }), { removed: 1, runIds: ['old'] });
    assert.equal((await ids(journal)).length, 8, 'a dry run removes nothing');
    assert.deepEqual(await journal.prune({ before }), { removed: 1, runIds: ['old'] });
    assert.deepEqual(await ids(journal), ['asks', 'asks.n', 'later', 'left', 'new']);
    assert.deepEqual(await gather(journal.read('old')), []);
    assert.deepEqual(await gather(journal.read('old.n.n')), []);
    assert.equal((await gather(journal.read('asks'))).length, 2);
    assert.deepEqual(await journal.prune({ before }), { removed: 0, runIds: [] });
  });
  check('removes unfinished runs when asked to, and none that somebody holds', async (journal, clock) => {
    if (journal.prune === undefined) return;
    await fill(journal);
    await journal.claim('left', 'somebody', 1000);
    await journal.claim('old', 'somebody', 1000);
    const before = START + 500;
    assert.deepEqual((await journal.prune({ before, unfinished: true })).runIds, ['asks']);
    assert.deepEqual(await ids(journal), ['later', 'left', 'new', 'old', 'old.n', 'old.n.n']);
    await clock.advance(1001);
    assert.deepEqual((await journal.prune({ before })).runIds, ['old']);
    assert.deepEqual((await journal.prune({ before, unfinished: true })).runIds, ['left']);
    assert.deepEqual(await ids(journal), ['later', 'new']);
  });
  check('removes any number of runs, part by part', async (journal) => {
    if (journal.prune === undefined) return;
    const names = Array.from({ length: 1100 }, (_, index) => `run ${String(index).padStart(4, '0')}`);
    await Promise.all(names.map((name) => journal.append(name, [started(name), ended(name, 1, 1)])));
    let [removed, parts, after] = [0, 0, undefined as string | undefined];
    do {
      const part = await journal.prune({ before: START + 500, ...(after === undefined ? {} : { after }) });
      removed += part.removed;
      after = part.next;
      parts += 1;
    } while (after !== undefined && parts < 1100);
    assert.equal(removed, 1100);
    assert.deepEqual(await ids(journal), []);
  });
}
