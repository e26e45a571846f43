/**
 * The three stores. Each has a conformance suite in polyphony/testing (testJournal, testLedger, testKeyValueStore) that every
 * implementation passes. All are safe for several processes at the same time unless an implementation says otherwise.
 */

import type { AttemptRecord, Scope } from './model/model.ts';
import type { NanoUsd } from './money/money.ts';
import type { RunEvent, RunFilter, RunSummary } from './run/engine.ts';

/** An append-only record of each run: what `resume` replays. */
export interface RunJournal {
  /**
   * Appends in order. Events are kept as they are: their values may be references to earlier events of the run. Resolves when
   * the events are committed; undefined: they already are. One writer per run at a time.
   *
   * @throws store-full, store-busy, store-corrupt
   */
  append(runId: string, events: readonly RunEvent[]): Promise<void> | undefined;
  /** Oldest first; empty for an unknown run. */
  read(runId: string): AsyncIterable<RunEvent>;
  /** Newest first. Unless `nested` is set, leaves out runs whose first event names a `parent` of the kind `nested`. */
  list(filter?: RunFilter): Promise<readonly RunSummary[]>;
  /**
   * Takes or renews the right to write a run; false while another owner holds it. Expires after `leaseMs` without renewal.
   */
  claim(runId: string, owner: string, leaseMs: number): Promise<boolean>;
  release(runId: string, owner: string): Promise<void>;
  close(): Promise<void>;
}

/** One row per request that was sent. A row with an existing key changes nothing. */
export interface LedgerRow extends AttemptRecord {
  readonly callId: string;
  readonly session?: string;
  /** Every scope that was charged, without its cap. */
  readonly scopes: readonly Pick<Scope, 'kind' | 'id'>[];
}

export interface LedgerFilter {
  /** Epoch milliseconds, inclusive. */
  readonly from?: number;
  /** Epoch milliseconds, exclusive. */
  readonly to?: number;
  readonly scope?: Pick<Scope, 'kind' | 'id'>;
  readonly provider?: string;
  readonly limit?: number;
}

export type LedgerGroup = 'provider' | 'model' | 'purpose' | 'day' | 'outcome' | `scope:${Scope['kind']}`;

export interface LedgerTotal {
  readonly group: string;
  readonly attempts: number;
  readonly errors: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** The sum of the known costs. */
  readonly costNanoUsd: NanoUsd;
  /** Attempts whose cost is unknown. */
  readonly unpriced: number;
}

export interface UsageLedger {
  /** Returns immediately if rows are committed in groups; `flush` waits for them. */
  append(rows: readonly LedgerRow[]): Promise<void> | undefined;
  flush(): Promise<void>;
  /** Newest first by `startedAt`. */
  rows(filter?: LedgerFilter): AsyncIterable<LedgerRow>;
  /**
   * In ascending order of groups: `provider/model` for models, `2026-03-31` (UTC) for days. A row counts once in each of its
   * scopes of the given kind, and nowhere if it has none. `limit` is ignored.
   */
  totals(by: LedgerGroup, filter?: LedgerFilter): Promise<readonly LedgerTotal[]>;
  close(): Promise<void>;
}

/** One of several counters that change together or not at all. */
export interface CounterChange {
  readonly key: string;
  readonly by: number;
  /** The change is refused if the counter would exceed this. @default no limit */
  readonly limit?: number;
  /** The start value of a counter that does not exist. @default 0 */
  readonly initial?: number;
}

export interface KeyValueStore {
  get(key: string): Promise<unknown>;
  /** Takes JSON values. They expire `ttlMs` from now. @default no expiry */
  set(key: string, value: unknown, options?: { readonly ttlMs?: number }): Promise<void>;
  delete(key: string): Promise<void>;
  /** Keys with a prefix, in order, at most `limit`. @default 1000 */
  keys(prefix: string, limit?: number): Promise<readonly string[]>;
  /**
   * Changes all counters or none, atomically across processes. `refused` is the index of the first change that would
   * exceed its limit, `value` the counter's current value. A memory store returns the result without a promise.
   */
  change(changes: readonly CounterChange[]): CounterResult | Promise<CounterResult>;
  close(): Promise<void>;
}
export type CounterResult =
  | { readonly ok: true; readonly values: readonly number[] }
  | { readonly ok: false; readonly refused: number; readonly value: number };

export interface Stores {
  readonly journal: RunJournal;
  readonly ledger: UsageLedger;
  readonly keyValue: KeyValueStore;
  close(): Promise<void>;
}
