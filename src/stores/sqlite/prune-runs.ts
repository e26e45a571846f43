/** Removes old runs from the file, a bounded part per transaction. */
import type { Clock } from '../../core/clock.ts';
import type { Processes } from '../../core/processes.ts';
import type { PrunedRuns, PruneRunsOptions } from '../../core/stores.ts';
import { isHeld } from '../leases.ts';
import type { Sql } from './database.ts';
import { leaseOf } from './lease-term.ts';

/** The most runs that are looked at, and about the most events that are removed, in one transaction: some 20 ms. */
const RUNS = 500;
const EVENTS = 2000;

/** Of leases that do not say it, in milliseconds. */
const LEASE_MS = 10_000;

const FIRST_EVENT = '(SELECT event FROM events WHERE id = (SELECT min(id) FROM events WHERE run_id = r.run_id))';
/** The text is searched first, because most first events are long and few contain the word. */
const PARENT = `(SELECT CASE WHEN instr(e, '"kind":"nested"') > 0 AND json_extract(e, '$.parent.kind') = 'nested'
  THEN json_extract(e, '$.parent.runId') END FROM (SELECT ${FIRST_EVENT} AS e))`;
const CANDIDATES = `SELECT r.run_id, status, started_at, updated_at, ${PARENT} AS parent,
    l.owner, l.until, l.term,
    (SELECT count(*) FROM (SELECT 1 FROM events WHERE run_id = r.run_id LIMIT ${EVENTS}))
  FROM runs r LEFT JOIN leases l ON l.run_id = r.run_id
  WHERE (started_at, r.run_id) > (?, ?) AND started_at < ? ORDER BY started_at, r.run_id LIMIT ?`;
const IS_KNOWN = 'SELECT 1 FROM runs WHERE run_id = ?';
/** All that belongs to a run. */
const DELETIONS = [
  'DELETE FROM events WHERE run_id = ?',
  'DELETE FROM leases WHERE run_id = ?',
  'DELETE FROM runs WHERE run_id = ?',
];

const ENDED: ReadonlySet<unknown> = new Set(['done', 'failed', 'cancelled']);

/** Call it in a transaction, so that no run is taken up between the look at its lease and its removal. */
export function pruneRuns(
  sql: Sql,
  options: PruneRunsOptions,
  clock: Clock,
  processes: Processes | undefined,
): PrunedRuns {
  const { before, after, dryRun = false, unfinished = false } = options;
  const [startedAt, runId] =
    after === undefined ? [Number.MIN_SAFE_INTEGER, ''] : (JSON.parse(after) as [number, string]);
  const rows = sql.all(CANDIDATES, [startedAt, runId, before, RUNS]);
  const runIds: string[] = [];
  let left = EVENTS;
  for (const [index, [id, status, started, updated, parent, owner, until, term, events]] of rows.entries()) {
    const isDriven = owner !== null && isHeld(leaseOf([owner, until, term], LEASE_MS), clock, processes);
    const isNested = parent !== null;
    const isFree = isNested ? sql.first(IS_KNOWN, [String(parent)]) === undefined : unfinished || ENDED.has(status);
    if (!isFree || isDriven || Number(updated) >= before) continue;
    if (!isNested) runIds.push(String(id));
    if (dryRun) continue;
    for (const deletion of DELETIONS) sql.run(deletion, [String(id)]);
    left -= Number(events);
    if (left <= 0 && index + 1 < rows.length) return { ...counted(runIds), next: JSON.stringify([started, id]) };
  }
  const last = rows.at(-1);
  if (last === undefined || rows.length < RUNS) return counted(runIds);
  return { ...counted(runIds), next: JSON.stringify([last[2], last[0]]) };
}

const counted = (runIds: readonly string[]): PrunedRuns => ({ removed: runIds.length, runIds });
