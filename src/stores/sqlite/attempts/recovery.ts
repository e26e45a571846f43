/** Finds what processes left that have died, and books it. Each runs in one transaction, so that two at once do it once. */
import type { Clock } from '../../../core/clock.ts';
import { counterKey } from '../../../core/counter-key.ts';
import type { Processes } from '../../../core/processes.ts';
import { isHeld, newLease } from '../../leases.ts';
import type { Sql } from '../database.ts';
import { leaseOf, termText } from '../lease-term.ts';
import { attemptsOf, bookAttempt, bookingOf, markRecovered, type StoredAttempt } from './attempt-queries.ts';

/** How long the attempts of a process are its own without renewal, where nobody can ask whether it lives, in milliseconds. */
export const OWNER_LEASE_MS = 10_000;

export interface RecoveryParts {
  /** Of the file, for errors. */
  readonly path: string;
  readonly clock: Clock;
  readonly processes: Processes;
  /** The owner whose attempts are never recovered; undefined: nobody's. */
  readonly self: string | undefined;
}

const SAVE_OWNER = `INSERT INTO owners (owner, process, until, term, recovered) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (owner) DO UPDATE SET until = excluded.until, term = excluded.term`;
const OTHER_OWNERS = `SELECT owner, process, until, term FROM owners WHERE owner <> ?
  UNION ALL SELECT DISTINCT owner, '', 0, NULL FROM attempts WHERE owner <> ? AND owner NOT IN (SELECT owner FROM owners)`;
const REMOVE_OWNER = `DELETE FROM owners WHERE owner = ?
  AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.owner = owners.owner)`;
const OWNERS_OF_ATTEMPTS = 'SELECT DISTINCT owner FROM attempts';
const SPENT = `SELECT coalesce(sum(l.cost_nano_usd), 0) FROM scopes s JOIN ledger_scopes x ON x.scope_id = s.id
  JOIN ledger l ON l.id = x.ledger_id WHERE s.kind = ? AND s.name = ?`;
const FIRST_EVENT = 'SELECT event FROM events WHERE run_id = ? ORDER BY id LIMIT 1';
const COUNTERS = 'SELECT key, CAST(value AS INTEGER) FROM cells WHERE key = ? OR (key >= ? AND key < ?)';
const SET_COUNTER = 'UPDATE cells SET value = ? WHERE key = ?';

/** Says that the owner of attempts is alive. One that was there before and is gone was recovered by another. */
export function renewOwner(sql: Sql, owner: string, { clock, processes }: RecoveryParts, isNew: boolean): void {
  const lease = newLease(processes.self(), OWNER_LEASE_MS, clock);
  sql.run(SAVE_OWNER, [owner, lease.owner, lease.until, termText(lease), isNew ? 0 : 1]);
}

/**
 * Owners of attempts whose process has died, as far as this can be told. One of this process renews its claim while anything of it is open, so
 * its claim decides: a book whose disk failed until it was closed left its attempts there, and its process lives.
 */
export function deadOwners(sql: Sql, { clock, processes, self = '' }: RecoveryParts): readonly string[] {
  const dead = sql.all(OTHER_OWNERS, [self, self]).filter(([, ...row]) => {
    const lease = leaseOf(row, OWNER_LEASE_MS);
    const isAlive = lease.owner === processes.self() ? undefined : processes.isAlive(lease.owner);
    return !(isAlive ?? isHeld(lease, clock, undefined));
  });
  return dead.map(([owner]) => String(owner));
}

export function recoverDead(sql: Sql, parts: RecoveryParts): void {
  for (const owner of deadOwners(sql, parts)) recoverOwner(sql, owner, parts);
}

export function recoverOwner(sql: Sql, owner: string, parts: RecoveryParts): void {
  book(sql, attemptsOf(sql, owner), parts);
  sql.run(REMOVE_OWNER, [owner]);
}

function book(sql: Sql, attempts: readonly StoredAttempt[], { clock, path }: RecoveryParts): void {
  const at = bookingOf(sql, path, clock.now());
  for (const attempt of attempts) bookAttempt(at, attempt);
  at.counters.write();
}

/** Books what a former driver of the run left, whether it is dead or has only lost its lease, and whatever is settled. */
export function recoverRun(sql: Sql, runId: string, parts: RecoveryParts): void {
  const isOfRun = ({ entry }: StoredAttempt): boolean =>
    entry?.row.scopes.some(({ kind, id }) => kind === 'run' && id === runId) === true;
  for (const [owner] of sql.all(OWNERS_OF_ATTEMPTS)) {
    const name = String(owner);
    const left = attemptsOf(sql, name).filter((one) => one.isSettled || (name !== parts.self && isOfRun(one)));
    if (left.length === 0) continue;
    book(sql, left, parts);
    markRecovered(sql, name);
  }
  lowerCounters(sql, runId);
}

const COUNTED = 'SELECT coalesce(sum(a.held_nano_usd), 0) FROM attempts a, json_each(a.counters) c WHERE c.value = ?';
const RUN_COST = 'SELECT coalesce(cost_nano_usd, 0) FROM runs WHERE run_id = ?';

/**
 * Earlier releases left in the counters what a killed process held. Nobody else drives the run now, so its own counters may be
 * lowered to what is known to be spent or held. A counter is never raised, and those of its nodes are left alone in a fork,
 * whose nodes begin with what the forked run paid.
 */
function lowerCounters(sql: Sql, runId: string): void {
  const prefix = counterKey({ kind: 'node', id: `${runId}/` });
  const ofRun = counterKey({ kind: 'run', id: runId });
  const counters = sql.all(COUNTERS, [ofRun, prefix, `${prefix}\u{10ffff}`]);
  if (counters.length === 0) return;
  const isFork = String(sql.first(FIRST_EVENT, [runId])?.[0] ?? '').includes('"kind":"fork"');
  for (const [name, value] of counters) {
    const key = String(name);
    const isOfRun = key === ofRun;
    if (isFork && !isOfRun) continue;
    const scope = isOfRun ? ['run', runId] : ['node', `${runId}/${key.slice(prefix.length)}`];
    const [spent = 0] = sql.first(SPENT, scope) ?? [];
    const recorded = isOfRun ? (sql.first(RUN_COST, [runId])?.[0] ?? 0) : 0;
    const known = Math.max(Number(spent), Number(recorded)) + Number(sql.first(COUNTED, [key])?.[0] ?? 0);
    if (known < Number(value)) sql.run(SET_COUNTER, [String(known), key]);
  }
}
