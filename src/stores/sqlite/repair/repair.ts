/**
 * Saves what can be read of a damaged SQLite file into a new one, which takes its place. The damaged file is kept beside it
 * under another name; it is never changed and never overwritten.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { PolyphonyError } from '../../../core/errors.ts';
import { storeError } from '../errors.ts';
import { createNewFile, type NewFile, type SavedRuns } from './new-file.ts';
import { type DamageCount, type FoundRecord, recordsOf } from './tables.ts';

export interface StoreRepair {
  /** Where the damaged file is now, with its log beside it. */
  readonly keptAs: string;
  readonly runs: SavedRuns;
  readonly ledgerRows: { readonly saved: number; readonly lost: number };
  readonly values: { readonly saved: number; readonly lost: number };
  /** What could be neither read nor told apart: pages of 4 KiB, and records. */
  readonly unreadable: DamageCount;
}

/** What the repair makes anew, so that damage in it is no loss. */
const DERIVED_TREES: ReadonlySet<string> = new Set([
  ...['scopes', 'ledger_scopes', 'sqlite_stat1', 'sqlite_sequence'],
  ...['ledger_payers', 'ledger_payer_scopes', 'ledger_days', 'ledger_summed', 'ledger_changed_days'],
  ...['ledger_day_totals', 'ledger_models', 'ledger_months'],
  ...['ledger_labels', 'ledger_hours', 'ledger_hours_summed', 'ledger_changed_hours'],
  ...['ledger_parts', 'ledger_parts_summed', 'ledger_changed_parts'],
  ...['passage_indexes', 'passage_sources', 'passages', 'passage_vectors', 'passage_words'],
  ...['data', 'idx', 'docsize', 'config'].map((part) => `passage_words_${part}`),
]);
/** Records per transaction. */
const GROUP = 1000;

/**
 * @throws store-full when the new file does not fit, store-busy when a run in the file is being driven, store-corrupt when
 *   nothing could be read; the damaged file is then where it was
 */
export async function rebuildFile(path: string, nowMs: number): Promise<StoreRepair> {
  const target = freeName(`${path}.repaired`);
  try {
    const saved = await fill(path, target, nowMs);
    const keptAs = freeName(`${path}.damaged`);
    swap(path, keptAs, target);
    return { keptAs, ...saved };
  } catch (error) {
    for (const suffix of SUFFIXES) rmSync(`${target}${suffix}`, { force: true });
    throw storeError(error, path);
  }
}

async function fill(path: string, target: string, nowMs: number): Promise<Omit<StoreRepair, 'keptAs'>> {
  const unreadable: DamageCount = { pages: 0, records: 0 };
  const file = await createNewFile(target);
  try {
    for (const group of grouped(recordsOf(path, DERIVED_TREES, unreadable))) file.add(group);
    refuseDriven(file, path, nowMs);
    const runs = file.finishRuns();
    const ledgerRows = { saved: file.count('ledger'), lost: file.lost.ledgerRows };
    const values = { saved: file.count('cells'), lost: file.lost.values };
    if (runs.saved.length + runs.incomplete.length + ledgerRows.saved + values.saved === 0) {
      const message = `Nothing of the store ${path} can be read, so nothing was changed: restore it from a backup, or move it away to start with an empty one.`;
      throw new PolyphonyError('store-corrupt', message);
    }
    return { runs, ledgerRows, values, unreadable };
  } finally {
    file.close();
  }
}

function* grouped(records: Iterable<FoundRecord>): Generator<readonly FoundRecord[]> {
  let group: FoundRecord[] = [];
  for (const record of records) {
    group.push(record);
    if (group.length < GROUP) continue;
    yield group;
    group = [];
  }
  yield group;
}

/** A program that goes on writing to the old file would lose what it writes. */
function refuseDriven({ leases }: NewFile, path: string, nowMs: number): void {
  const driven = leases.find(({ until }) => until > nowMs);
  if (driven === undefined) return;
  const message = `Run ${driven.runId} in the store ${path} is being driven: stop the programs that use the store, then repair it.`;
  throw new PolyphonyError('store-busy', message);
}

const SUFFIXES = ['', '-wal', '-shm', '-journal'];

/** The name itself, or with the first number that is not in use. */
function freeName(name: string): string {
  const isFree = (candidate: string): boolean => SUFFIXES.every((suffix) => !existsSync(`${candidate}${suffix}`));
  let candidate = name;
  for (let number = 2; !isFree(candidate); number += 1) candidate = `${name}-${number}`;
  return candidate;
}

function swap(path: string, keptAs: string, target: string): void {
  const move = (from: string, to: string): void => {
    for (const suffix of SUFFIXES) if (existsSync(`${from}${suffix}`)) renameSync(`${from}${suffix}`, `${to}${suffix}`);
  };
  move(path, keptAs);
  try {
    move(target, path);
  } catch (error) {
    move(keptAs, path);
    throw error;
  }
}
