/** Rows of the file become records, or the error that the file is damaged. */
import type { RunEvent, RunSummary, StoredStatus } from '../../core/run/engine.ts';
import type { LedgerRow } from '../../core/stores.ts';
import { isStoredEvent, isStoredRow } from '../stored-records.ts';
import type { SqlRow } from './database.ts';
import { corruptError, parseStored } from './errors.ts';

/** @throws store-corrupt when the text is no event of this run */
export function eventOf(text: unknown, runId: string, path: string): RunEvent {
  const event = parseStored(text, path);
  if (isStoredEvent(event, runId)) return event;
  throw corruptError(path, `a record of run ${runId} that is no event of it`);
}

/** @throws store-corrupt when the text is no row of the ledger */
export function ledgerRowOf(text: unknown, path: string): LedgerRow {
  const row = parseStored(text, path);
  if (isStoredRow(row)) return row;
  throw corruptError(path, 'a record that is no row of the ledger');
}

const STATUSES: ReadonlySet<unknown> = new Set<StoredStatus>(['running', 'suspended', 'done', 'failed', 'cancelled']);

/** The columns of a summary, in the order in which `summaryOf` takes them. */
export const RUN_COLUMNS = 'run_id, status, goal, started_at, updated_at, cost_nano_usd, total, finished';

/** @throws store-corrupt when a column holds what cannot be there */
export function summaryOf(row: SqlRow, path: string): RunSummary {
  const [runId, status, goal, startedAt, updatedAt, cost, total, finished] = row;
  const numbers = [startedAt, updatedAt, total, finished, cost ?? 0];
  const isWhole = typeof runId === 'string' && typeof goal === 'string' && numbers.every(Number.isFinite);
  if (!isWhole || !STATUSES.has(status)) throw corruptError(path, `the summary of run ${String(runId).slice(0, 100)}`);
  return {
    runId,
    status: status as StoredStatus,
    goal,
    startedAt: Number(startedAt),
    updatedAt: Number(updatedAt),
    costNanoUsd: cost === null ? null : Number(cost),
    nodes: { total: Number(total), finished: Number(finished) },
  };
}
