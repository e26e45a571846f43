/**
 * The law of what is removed. Whatever runs a store holds, and whatever is asked for, in memory and in SQLite:
 *
 * 1. Only runs go that ended before the time, or are unfinished and asked for; never one that somebody holds.
 * 2. A run of a node goes exactly when the run around it is gone.
 * 3. What stays is unchanged, and a dry run changes nothing and names the same runs.
 */
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../src/core/run/engine.ts';
import type { Stores } from '../../src/core/stores.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeClock } from '../../src/testing/index.ts';
import { temporaryFolder } from '../stores/folder.ts';

const NOW = 1_700_000_000_000;

interface Given {
  readonly age: number;
  /** How long it took. */
  readonly took: number;
  readonly status: 'running' | 'suspended' | 'run-finished' | 'run-failed' | 'run-cancelled';
  readonly isHeld: boolean;
  /** Runs within runs, one in the other. */
  readonly levels: number;
  readonly events: number;
}

const given: fc.Arbitrary<Given> = fc.record({
  age: fc.integer({ min: 0, max: 100 }),
  took: fc.integer({ min: 0, max: 60 }),
  status: fc.constantFrom('running', 'suspended', 'run-finished', 'run-failed', 'run-cancelled'),
  isHeld: fc.boolean(),
  levels: fc.constantFrom(0, 0, 0, 1, 2),
  events: fc.constantFrom(0, 0, 3, 1500),
});

const TOTALS = { usage: { input: 0, output: 0 }, costNanoUsd: 0, ms: 1 };
const FAILED = { ...TOTALS, error: { code: 'timeout', message: 'late', retryable: true } } as const;

function eventsOf(runId: string, { age, took, status, events }: Given, parent?: string): readonly RunEvent[] {
  const at = NOW - age;
  const end = at + took;
  const base = { runId, at: end, seq: events + 1 };
  const started: RunEvent = {
    type: 'run-started',
    seq: 0,
    at,
    runId,
    plan: { version: 1, goal: 'g', nodes: [] },
    planHash: 'h',
    input: {},
    ...(parent === undefined ? {} : { parent: { runId: parent, nodeId: 'n', kind: 'nested' } }),
  };
  const between = Array.from(
    { length: events },
    (_, index): RunEvent => ({ type: 'run-resumed', seq: index + 1, at, runId }),
  );
  const last: Record<Given['status'], RunEvent> = {
    running: { ...base, type: 'run-resumed' },
    suspended: { ...base, type: 'run-suspended', waiting: ['n'] },
    'run-finished': { ...base, ...TOTALS, type: 'run-finished', output: 1 },
    'run-failed': { ...base, ...FAILED, type: 'run-failed' },
    'run-cancelled': { ...base, ...TOTALS, type: 'run-cancelled', reason: 'asked' },
  };
  return [started, ...between, last[status]];
}

/** The names of a run and of those within it, from the outside in. */
const namesOf = (index: number, levels: number): readonly string[] =>
  Array.from({ length: levels + 1 }, (_, level) => [`run ${index}`, ...Array(level).fill('n')].join('.'));

async function fill({ journal }: Stores, all: readonly Given[]): Promise<void> {
  for (const [index, run] of all.entries()) {
    const names = namesOf(index, run.levels);
    for (const [level, name] of names.entries()) await journal.append(name, eventsOf(name, run, names[level - 1]));
    if (run.isHeld) await journal.claim(`run ${index}`, 'somebody', 1000);
  }
}

async function contentOf({ journal }: Stores): Promise<ReadonlyMap<string, number>> {
  const content = new Map<string, number>();
  for (const { runId } of await journal.list({ nested: true })) {
    let events = 0;
    for await (const _event of journal.read(runId)) events += 1;
    content.set(runId, events);
  }
  return content;
}

async function pruneAll({ journal }: Stores, before: number, unfinished: boolean, dryRun: boolean): Promise<string[]> {
  const runIds: string[] = [];
  let after: string | undefined;
  do {
    const part = await journal.prune?.({ before, unfinished, dryRun, ...(after === undefined ? {} : { after }) });
    runIds.push(...(part?.runIds ?? []));
    after = part?.next;
  } while (after !== undefined);
  return runIds.sort();
}

async function holds(stores: Stores, all: readonly Given[], age: number, unfinished: boolean): Promise<void> {
  const before = NOW - age;
  await fill(stores, all);
  const content = await contentOf(stores);
  const gone = all.flatMap(({ age: startedAgo, took, status, isHeld, levels }, index) => {
    const isOver = unfinished || status.startsWith('run-');
    const isOld = NOW - startedAgo + took < before;
    return isOver && isOld && !isHeld ? [{ run: `run ${index}`, names: namesOf(index, levels) }] : [];
  });
  const runs = gone.map(({ run }) => run).sort();
  expect(await pruneAll(stores, before, unfinished, true)).toEqual(runs);
  expect(await contentOf(stores)).toEqual(content);
  expect(await pruneAll(stores, before, unfinished, false)).toEqual(runs);
  const names = new Set(gone.flatMap((one) => one.names));
  expect(await contentOf(stores)).toEqual(new Map([...content].filter(([name]) => !names.has(name))));
  for (const name of names) for await (const event of stores.journal.read(name)) expect(event).toBeUndefined();
}

const folder = temporaryFolder();
const makers = {
  memory: () => memoryStores({ clock: fakeClock(NOW) }),
  SQLite: (number: number) => sqliteStores({ path: join(folder, `${number}.db`), clock: fakeClock(NOW) }),
};

test.each(Object.entries(makers))('%s removes what is over and old, and nothing else', async (_name, make) => {
  let files = 0;
  const lists = fc.array(given, { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(lists, fc.integer({ min: -10, max: 110 }), fc.boolean(), async (all, age, unfinished) => {
      files += 1;
      const stores = make(files);
      try {
        await holds(stores, all, age, unfinished);
      } finally {
        await stores.close();
      }
    }),
    { numRuns: 25 },
  );
});
