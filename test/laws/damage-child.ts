/**
 * The process that the damage law watches: uses damaged stores one after the other, and says what came of each.
 *
 *   damage-child.ts <store> <folder> <first seed> <seeds>
 *
 * It prints the seed before it touches a file, so that the seed is known when the process dies.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { PolyphonyError } from '../../src/core/errors.ts';
import type { RunEvent } from '../../src/core/run/engine.ts';
import type { Stores } from '../../src/core/stores.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { checkSqliteStore, repairSqliteStore, type StoreRepair, sqliteStores } from '../../src/stores/sqlite.ts';
import { bytesOf, damage, ROWS, RUNS, runName, VALUES } from './damage-file.ts';

const [store = '', folder = '', first = '0', seeds = '0'] = process.argv.slice(2);
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const failures: string[] = [];
process.on('unhandledRejection', (error) => failures.push(`unhandled ${String(error)}`));

const OURS = new Set(['store-corrupt', 'store-newer', 'store-busy', 'store-full', 'invalid-config', 'invalid-request']);
/** A run that cannot be found, or whose plan can no longer run: only where the content of a record was changed. */
const OF_CONTENT = new Set(['not-found', 'invalid-plan']);
/** Much longer than any step takes, also on a busy machine. */
const HANGS_MS = 60_000;
const HANGS = Symbol('hangs');

/** The result of a step, or undefined when it failed with a code that it may fail with. */
async function step<T>(
  name: string,
  work: () => Promise<T> | T,
  more: ReadonlySet<string> = new Set(),
): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof HANGS>((resolve) => {
    timer = setTimeout(() => resolve(HANGS), HANGS_MS);
  });
  try {
    const result = await Promise.race([Promise.resolve().then(work), late]);
    if (result !== HANGS) return result;
    failures.push(`${name} hangs`);
  } catch (error) {
    const { code, message } = error as PolyphonyError;
    if (!OURS.has(code) && !more.has(code)) failures.push(`${name}: ${code} ${message}`);
  } finally {
    clearTimeout(timer);
  }
  return undefined;
}

/** The number of events of a run that has its first one, without which it cannot be used. */
async function countEvents(events: AsyncIterable<RunEvent>): Promise<number> {
  let found = 0;
  for await (const { type } of events) {
    if (found === 0 && type !== 'run-started') return 0;
    found += 1;
  }
  return found;
}

async function count(items: AsyncIterable<unknown>): Promise<number> {
  let found = 0;
  for await (const _item of items) found += 1;
  return found;
}

const inAnyRun = new Set([...OF_CONTENT, 'invalid-output']);

/** Uses every operation of the stores. Returns the events of each run that could be read. */
async function use(path: string, isWhole: boolean): Promise<ReadonlyMap<string, number>> {
  const stores = sqliteStores({ path, busyMs: 2000 });
  const { journal, ledger, keyValue } = stores;
  const read = new Map<string, number>();
  const listed = await step('list', () => journal.list());
  const isLost = (name: string, found: number | undefined, expected: number): void => {
    if (isWhole && found !== undefined && found < expected) failures.push(`${name}: ${found} of ${expected}`);
  };
  isLost('list', listed && new Set(listed.map(({ runId }) => runId)).size, RUNS);
  for (let index = 0; index < RUNS; index += 1) {
    const runId = runName(index);
    const events = await step('read', () => countEvents(journal.read(runId)));
    if (events !== undefined) read.set(runId, events);
  }
  isLost('rows', await step('rows', () => count(ledger.rows())), ROWS);
  const totals = await step('totals', () => ledger.totals('model'));
  isLost(
    'totals',
    totals?.reduce((sum, { attempts }) => sum + attempts, 0),
    ROWS,
  );
  const users = await step('totals by user', () => ledger.totals('scope:user'));
  isLost(
    'totals by user',
    users?.reduce((sum, { attempts }) => sum + attempts, 0),
    ROWS,
  );
  const keys = await step('keys', () => keyValue.keys('value '));
  isLost('keys', keys?.length, VALUES);
  for (const key of ['value 0003', 'value 0077']) await step('get', () => keyValue.get(key));
  await step('set', () => keyValue.set('value 0005', 1));
  await step('change', () => keyValue.change([{ key: 'value 0005', by: 1 }]));
  await step('claim', () => journal.claim('run_new', 'owner', 1000));
  await step('append', () => journal.append('run_new', [{ type: 'run-resumed', seq: 0, at: 1, runId: 'run_new' }]));
  await step('release', () => journal.release('run_new', 'owner'));
  await step('flush', () => ledger.flush());
  await useRuns(stores);
  return read;
}

async function useRuns(stores: Stores): Promise<void> {
  const polyphony = await createPolyphony({ plugins: [], stores });
  const { engine } = polyphony;
  await step('inspect', () => engine.inspect(runName(7)), inAnyRun);
  await step('answer', () => engine.answer(runName(6), 'c', 'yes'), inAnyRun);
  await step('resume', async () => (await engine.resume(runName(6))).result(), inAnyRun);
  await step('close', () => polyphony.close());
}

/** What was readable before a repair is there after it, and the damaged file stands unchanged beside it. */
async function repair(path: string, readable: ReadonlyMap<string, number>): Promise<void> {
  await step('check', () => checkSqliteStore({ path }));
  const before = bytesOf(path);
  const repaired = await step<StoreRepair | undefined>('repair', () => repairSqliteStore({ path }));
  if (repaired === undefined) return;
  if (!existsSync(repaired.keptAs)) failures.push('the damaged file is gone');
  else if (bytesOf(repaired.keptAs) !== before) failures.push('the damaged file was changed');
  await checkSqliteStore({ path }).catch((error: PolyphonyError) => failures.push(`repaired, but ${error.message}`));
  const saved = new Set([...repaired.runs.saved, ...repaired.runs.incomplete]);
  const stores = sqliteStores({ path });
  for (const [runId, events] of readable) {
    const isThere = saved.has(runId) && (await countEvents(stores.journal.read(runId))) >= events;
    if (events > 0 && !isThere) failures.push(`${runId} was readable and is not in the repaired file`);
  }
  const polyphony = await createPolyphony({ plugins: [], stores });
  for (const { runId } of await stores.journal.list()) {
    await step('inspect a saved run', () => polyphony.engine.inspect(runId));
  }
  await polyphony.close();
}

for (let seed = Number(first); seed < Number(first) + Number(seeds); seed += 1) {
  say({ seed });
  const path = join(folder, `${seed}.db`);
  const { name, isWhole } = damage(store, path, seed);
  const readable = await use(path, isWhole);
  await repair(path, readable);
  say({ seed, name, failures: failures.splice(0) });
  for (const file of ['', '.damaged']) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${file}${suffix}`, { force: true });
  }
}
