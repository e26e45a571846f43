/** Stores in the memory of the process: no file, no promise on the hot paths, and a bound on everything that would grow. */
import { assertKnownFields, CLOCK, COUNT, type KnownFields, OBJECT } from '../core/checked-options.ts';
import type { Clock } from '../core/clock.ts';
import type { RunEvent, RunStatus, RunSummary } from '../core/run/engine.ts';
import type { PassageBounds } from '../core/stores/passages.ts';
import type {
  CounterChange,
  CounterResult,
  KeyValueStore,
  PruneOptions,
  PruneRunsOptions,
  RunJournal,
  Stores,
} from '../core/stores.ts';
import { nearest } from '../language/suggest.ts';
import { systemClock } from '../system/clock.ts';
import { assertKey, type CounterCells, changeCounters, jsonText } from './counters.ts';
import { type MemoryLedgerOptions, memoryLedger } from './memory/ledger.ts';
import { memoryPassages } from './memory/passages.ts';
import { memoryThreads } from './memory/threads.ts';
import { isNested, newestFirst, progressed, progressOf } from './run-progress.ts';
import { takenNumber } from './taken-number.ts';

export interface MemoryStoresOptions extends MemoryLedgerOptions {
  /** @default the system clock */
  readonly clock?: Clock;
  /** How many ended runs are kept: the latest ones. @default 10_000 */
  readonly endedRuns?: number;
  /** What the indexes of passages may hold. @default 50,000 passages, 64 MiB of text, 256 MiB of vectors */
  readonly passages?: Partial<PassageBounds>;
}

const OPTIONS: KnownFields<MemoryStoresOptions> = {
  clock: CLOCK,
  endedRuns: COUNT,
  ledgerRows: COUNT,
  passages: OBJECT,
};

/**
 * Stores in memory, for one process. When rows beyond `ledgerRows` are dropped, the ledger's totals by day and by user, team,
 * tenant and tag stay right. Totals by request, node, run and session then count only the kept rows.
 *
 * @throws invalid-config for an option that does not exist, or cannot have its value
 */
export function memoryStores(
  options: MemoryStoresOptions = {},
): Stores & Required<Pick<Stores, 'threads' | 'passages'>> {
  assertKnownFields('memoryStores', options, OPTIONS, nearest, 'invalid-config');
  const clock = options.clock ?? systemClock;
  const journal = memoryJournal(clock, Math.max(1, options.endedRuns ?? 10_000));
  const ledger = memoryLedger(options);
  const keyValue = memoryKeyValue(clock);
  const passages = memoryPassages(clock, options.passages);
  return { journal, ledger, keyValue, threads: memoryThreads(clock), passages, close: async () => {} };
}

// ---------------------------------------------------------------------------------------------------- journal

interface Run {
  readonly events: RunEvent[];
  summary: RunSummary;
}

const ENDED: ReadonlySet<RunStatus> = new Set(['done', 'failed', 'cancelled']);

function memoryJournal(clock: Clock, endedRuns: number): RunJournal {
  const runs = new Map<string, Run>();
  const ended = new Set<string>();
  const leases = new Map<string, { readonly owner: string; readonly ends: number }>();
  const isHeld = (runId: string): boolean => (leases.get(runId)?.ends ?? 0) > clock.monotonic();
  const settle = ({ summary }: Run): void => {
    if (!ENDED.has(summary.status)) ended.delete(summary.runId);
    else ended.add(summary.runId);
    if (ended.size <= endedRuns) return;
    for (const oldest of ended) {
      ended.delete(oldest);
      runs.delete(oldest);
      return;
    }
  };
  return {
    append(runId, events) {
      const progress = progressOf(events);
      if (progress === undefined) return undefined;
      const before = runs.get(runId);
      const refusal = takenNumber(runId, before?.events.at(-1)?.seq ?? -1, events);
      if (refusal !== undefined) return Promise.reject(refusal);
      const run = before ?? { events: [], summary: progressed(runId, undefined, progress) };
      if (before === undefined) runs.set(runId, run);
      else before.summary = progressed(runId, before.summary, progress);
      for (const event of events) run.events.push(event);
      if (progress.status !== undefined) settle(run);
      return undefined;
    },
    async *read(runId) {
      yield* runs.get(runId)?.events.slice() ?? [];
    },
    async list({ status, limit, nested = false } = {}) {
      const listed = [...runs.values()].filter(({ events }) => nested || !isNested(events[0]));
      const summaries = listed.map(({ summary }) => summary);
      return summaries
        .filter((summary) => status === undefined || summary.status === status)
        .sort(newestFirst)
        .slice(0, limit);
    },
    async claim(runId, owner, leaseMs) {
      const now = clock.monotonic();
      const held = leases.get(runId);
      if (held !== undefined && held.owner !== owner && held.ends > now) return false;
      leases.set(runId, { owner, ends: now + leaseMs });
      return true;
    },
    async renew(runId, owner, leaseMs) {
      if (leases.get(runId)?.owner !== owner) return false;
      leases.set(runId, { owner, ends: clock.monotonic() + leaseMs });
      return true;
    },
    async release(runId, owner) {
      if (leases.get(runId)?.owner === owner) leases.delete(runId);
    },
    held: async (runIds) => new Set(runIds.filter(isHeld)),
    async prune(pruned) {
      const removed = prunableRuns(runs, pruned, isHeld);
      if (pruned.dryRun !== true) {
        for (const runId of removed) for (const map of [runs, ended, leases]) map.delete(runId);
        for (const runId of orphans(runs)) for (const map of [runs, ended, leases]) map.delete(runId);
      }
      return { removed: removed.length, runIds: removed };
    },
    close: async () => {},
  };
}

/** Runs that nobody needs any more, the oldest first; those of nodes go with the run of the node. */
function prunableRuns(
  runs: ReadonlyMap<string, Run>,
  { before, unfinished = false }: PruneRunsOptions,
  isHeld: (runId: string) => boolean,
): readonly string[] {
  const old = [...runs.values()].filter(
    ({ events, summary }) =>
      summary.startedAt < before &&
      summary.updatedAt < before &&
      !isNested(events[0]) &&
      (unfinished || ENDED.has(summary.status)) &&
      !isHeld(summary.runId),
  );
  return old.map(({ summary }) => summary.runId);
}

/** Runs of nodes whose own run is gone, at any depth. */
function* orphans(runs: ReadonlyMap<string, Run>): Generator<string> {
  for (const [runId, { events }] of runs) {
    const [first] = events;
    if (first?.type !== 'run-started' || !isNested(first)) continue;
    if (first.parent !== undefined && !runs.has(first.parent.runId)) yield runId;
  }
}

// ---------------------------------------------------------------------------------------------------- key and value

interface Cell {
  /** A number as it is; any other value as JSON text, so that no caller can change what another one reads. */
  value: number | string;
  /** When the value expires, in epoch milliseconds; Infinity for never. */
  readonly until: number;
}

interface Cells {
  /** The cell of a key, unless it has expired. */
  get(key: string): Cell | undefined;
  set(key: string, cell: Cell): void;
  delete(key: string): void;
  /** The keys that have not expired. */
  keys(): string[];
  prune(options: PruneOptions): number;
}

/** Removes expired cells after as many sets as there are keys, so that a set costs O(1) on average. */
function expiringCells(clock: Clock): Cells {
  const cells = new Map<string, Cell>();
  let untilSweep = 1000;
  const sweep = (): void => {
    const now = clock.now();
    for (const [key, { until }] of cells) if (until <= now) cells.delete(key);
    untilSweep = Math.max(1000, cells.size);
  };
  return {
    get(key) {
      const cell = cells.get(key);
      return cell === undefined || cell.until === Number.POSITIVE_INFINITY || cell.until > clock.now()
        ? cell
        : undefined;
    },
    set(key, cell) {
      cells.set(key, cell);
      untilSweep -= 1;
      if (untilSweep === 0) sweep();
    },
    delete: (key) => void cells.delete(key),
    keys() {
      sweep();
      return [...cells.keys()];
    },
    prune({ before, dryRun = false }) {
      const old = [...cells].filter(([, { until }]) => until < before);
      if (!dryRun) for (const [key] of old) cells.delete(key);
      return old.length;
    },
  };
}

const read = (cell: Cell): unknown => (typeof cell.value === 'number' ? cell.value : JSON.parse(cell.value));

/** Records what each write replaced, newest last. */
function undoableCells(cells: Cells): CounterCells {
  const replaced: { readonly key: string; readonly cell: Cell | undefined }[] = [];
  return {
    read(key) {
      const cell = cells.get(key);
      return cell && read(cell);
    },
    write(key, value) {
      const cell = cells.get(key);
      replaced.push({ key, cell });
      cells.set(key, { value, until: cell?.until ?? Number.POSITIVE_INFINITY });
    },
    undo() {
      for (let last = replaced.pop(); last !== undefined; last = replaced.pop()) {
        if (last.cell === undefined) cells.delete(last.key);
        else cells.set(last.key, last.cell);
      }
    },
  };
}

/**
 * The common case, without an object for each counter: all exist, no two are the same, and all have room for their change. Undefined
 * when the changes need `changeCounters`, which also refuses what is no number; then nothing was changed.
 */
function changeInPlace(cells: Cells, changes: readonly CounterChange[]): CounterResult | undefined {
  const [only] = changes;
  if (changes.length === 1 && only !== undefined) return changeOne(cells, only);
  const found: Cell[] = [];
  const values: number[] = [];
  for (const { key, by, limit = Number.POSITIVE_INFINITY } of changes) {
    const cell = cells.get(key);
    if (cell === undefined || typeof cell.value !== 'number' || found.includes(cell)) return undefined;
    const next = cell.value + by;
    if (!Number.isFinite(next) || !(next <= limit)) return undefined;
    found.push(cell);
    values.push(next);
  }
  found.forEach((cell, index) => {
    cell.value = values[index] as number;
  });
  return { ok: true, values };
}

function changeOne(
  cells: Cells,
  { key, by, limit = Number.POSITIVE_INFINITY }: CounterChange,
): CounterResult | undefined {
  const cell = cells.get(key);
  if (cell === undefined || typeof cell.value !== 'number') return undefined;
  const next = cell.value + by;
  if (!Number.isFinite(next) || !(next <= limit)) return undefined;
  cell.value = next;
  return { ok: true, values: [next] };
}

function memoryKeyValue(clock: Clock): KeyValueStore {
  const cells = expiringCells(clock);
  return {
    async get(key) {
      assertKey(key);
      const cell = cells.get(key);
      return cell && read(cell);
    },
    async set(key, value, { ttlMs } = {}) {
      assertKey(key);
      const finite = typeof value === 'number' && Number.isFinite(value);
      const until = ttlMs === undefined ? Number.POSITIVE_INFINITY : clock.now() + ttlMs;
      cells.set(key, { value: finite ? value : jsonText(key, value), until });
    },
    async delete(key) {
      assertKey(key);
      cells.delete(key);
    },
    async keys(prefix, limit = 1000) {
      const found = cells.keys().filter((key) => key.startsWith(prefix));
      return found.sort().slice(0, limit);
    },
    prune: async (options) => ({ removed: cells.prune(options) }),
    change: (changes) => changeInPlace(cells, changes) ?? changeCounters(undoableCells(cells), changes),
    close: async () => {},
  };
}
