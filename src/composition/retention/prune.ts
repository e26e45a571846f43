/** Removes what is old from the stores, part by part, so that neither this process nor others wait for long. */
import {
  assertKnownFields,
  BOOLEAN,
  type KnownFields,
  numberFrom,
  OBJECT,
  SIGNAL,
} from '../../core/checked-options.ts';
import type { Clock } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import { defined } from '../../core/defined.ts';
import { PolyphonyError } from '../../core/errors.ts';
import { DAY_MS, dayName, dayOf } from '../../core/money/calendar.ts';
import type { Pruned, PruneOptions, Stores } from '../../core/stores.ts';
import { nearest } from '../../language/suggest.ts';
import { sleep } from '../../system/clock.ts';
import { forgetCounters } from './run-counters.ts';

/** Epoch milliseconds: what was last changed before is removed. What is left out stays. */
export interface PruneTimes {
  /** Runs that have ended. A run that somebody drives stays, and a run of a node stays as long as the run around it. */
  readonly runs?: number;
  /** Rows of the ledger. Those of the current day or month stay while a cap counts by day or by month. */
  readonly ledger?: number;
  /** Values that expired, and counters of days and months that are over. */
  readonly values?: number;
  /** Threads in which nothing was said since. */
  readonly threads?: number;
  /** Indexes of passages that were not used since. */
  readonly indexes?: number;
}

export interface PruneRequest {
  readonly before: PruneTimes;
  /** Also runs that are suspended, or that a process left behind. @default false */
  readonly unfinished?: boolean;
  /** Removes nothing, and counts what would be. @default false */
  readonly dryRun?: boolean;
  /** Ends it after the current part; what was removed stays removed. */
  readonly signal?: AbortSignal;
}

export interface PruneReport {
  /** Without the runs of nodes. */
  readonly runs: number;
  readonly ledgerRows: number;
  readonly values: number;
  /** Absent where threads were not looked at. */
  readonly threads?: number;
  /** Absent where indexes were not looked at. */
  readonly indexes?: number;
}

export interface PruneParts {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly config: () => Config;
}

const TIME = numberFrom(0, Number.MAX_SAFE_INTEGER, 'epoch milliseconds');
const TIMES: KnownFields<PruneTimes> = { runs: TIME, ledger: TIME, values: TIME, threads: TIME, indexes: TIME };
const REQUEST: KnownFields<PruneRequest> = { before: OBJECT, unfinished: BOOLEAN, dryRun: BOOLEAN, signal: SIGNAL };

/** What is misspelt would remove nothing, or something else. */
function assertPruneRequest(request: PruneRequest): void {
  assertKnownFields('What is removed', request, REQUEST, nearest);
  if (request.before === undefined)
    throw new PolyphonyError('invalid-request', 'What is removed has no time: give { before: { runs, ledger, … } }.');
  assertKnownFields('before', request.before, TIMES, nearest);
}

/** Between two parts, so that others get at the file. */
const PAUSE_MS = 20;

export async function pruneStores(parts: PruneParts, request: PruneRequest): Promise<PruneReport> {
  assertPruneRequest(request);
  const { before, dryRun = false, unfinished = false } = request;
  const { journal, ledger, keyValue, threads, passages } = parts.stores;
  const repeat = (prune: ((options: PruneOptions) => Promise<Pruned>) | undefined, time: number | undefined) =>
    prune === undefined || time === undefined
      ? 0
      : everyPart(parts, request, (after) => prune({ ...after, dryRun, before: time }));
  const runs = await repeat(
    journal.prune &&
      (async (options) => {
        const pruned = await journal.prune?.({ ...options, unfinished });
        if (!dryRun) await Promise.all((pruned?.runIds ?? []).map((runId) => forgetCounters(keyValue, runId)));
        return pruned ?? { removed: 0 };
      }),
    before.runs,
  );
  const ledgerRows = await repeat(ledger.prune?.bind(ledger), ledgerTime(parts, before.ledger));
  const expired = await repeat(keyValue.prune?.bind(keyValue), before.values);
  const counters = before.values === undefined ? 0 : await prunePeriods(parts, request, before.values);
  const said = before.threads === undefined ? undefined : await repeat(threads?.prune.bind(threads), before.threads);
  const indexes =
    before.indexes === undefined ? undefined : await repeat(passages?.prune.bind(passages), before.indexes);
  return { runs, ledgerRows, values: expired + counters, ...defined({ threads: said, indexes }) };
}

async function everyPart(
  { clock }: PruneParts,
  { signal }: PruneRequest,
  prune: (options: Pick<PruneOptions, 'after'>) => Promise<Pruned>,
): Promise<number> {
  let removed = 0;
  let after: string | undefined;
  while (signal?.aborted !== true) {
    const part = await prune(after === undefined ? {} : { after });
    removed += part.removed;
    after = part.next;
    if (after === undefined) break;
    await sleep(clock, PAUSE_MS, signal).catch(() => undefined);
  }
  return removed;
}

/** The start of the current period stays the latest time, so that a cap's counter can always be compared with its rows. */
function ledgerTime({ clock, config }: PruneParts, before: number | undefined): number | undefined {
  if (before === undefined) return undefined;
  const periods = new Set(config().budgets?.map(({ period }) => period));
  let day = dayOf(clock.now());
  if (periods.has('month')) while (!dayName(day).endsWith('-01')) day -= 1;
  return periods.has('month') || periods.has('day') ? Math.min(before, day * DAY_MS) : before;
}

const PERIOD = /^budget@(\d{4}-\d\d(?:-\d\d)?):/;
const KEYS = 1000;

/** Counters of days and months that ended before. Their keys begin with the period, so that the oldest come first. */
async function prunePeriods(
  parts: PruneParts,
  { dryRun = false, signal }: PruneRequest,
  before: number,
): Promise<number> {
  const { keyValue } = parts.stores;
  const today = dayName(dayOf(before));
  const isOver = (key: string): boolean => {
    const period = PERIOD.exec(key)?.[1];
    return period !== undefined && period < today.slice(0, period.length);
  };
  if (dryRun) return (await keyValue.keys('budget@', Number.MAX_SAFE_INTEGER)).filter(isOver).length;
  return everyPart(parts, signal === undefined ? { before: {} } : { before: {}, signal }, async () => {
    const keys = await keyValue.keys('budget@', KEYS);
    const over = keys.filter(isOver);
    await Promise.all(over.map((key) => keyValue.delete(key)));
    const isLast = over.length === 0 || keys.length < KEYS;
    return isLast ? { removed: over.length } : { removed: over.length, next: 'more' };
  });
}
