/**
 * The stores. Each has a conformance suite in polyphony/testing (testJournal, testLedger, testKeyValueStore, testThreadStore
 * for stores/threads.ts and testPassageStore for stores/passages.ts) that every implementation passes. All are safe for several processes at the same time unless an implementation says otherwise.
 */

import type { AttemptRecord, Scope } from './model/model.ts';
import type { NanoUsd } from './money/money.ts';
import type { RunEvent, RunFilter, RunSummary } from './run/engine.ts';
import type { PassageStore } from './stores/passages.ts';
import type { Pruned, PruneOptions } from './stores/pruning.ts';
import type { ThreadStore } from './stores/threads.ts';

export type { Pruned, PruneOptions } from './stores/pruning.ts';

export interface PruneRunsOptions extends PruneOptions {
  /** Also runs that are suspended, or that a process left behind. @default false */
  readonly unfinished?: boolean;
}

export interface PrunedRuns extends Pruned {
  /** The removed runs; those of their nodes are not named. */
  readonly runIds: readonly string[];
}

/** An append-only record of each run: what `resume` replays. */
export interface RunJournal {
  /**
   * Appends in order. Events are kept as they are: their values may be references to earlier events of the run. Resolves when
   * the events are committed; undefined: they already are. Each number (`seq`) of a run is given once: events that do not all
   * follow the last one of the run are refused, and none of them is kept.
   *
   * @throws store-full, store-corrupt; store-busy, which is not `retryable` where another writer has given the number
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
  /**
   * Renews a lease that may have ended meanwhile; false where another owner has claimed the run since, also one that has released it.
   *
   * @default nobody can tell: a process that stood still for longer than its lease gives its runs up
   */
  renew?(runId: string, owner: string, leaseMs: number): Promise<boolean>;
  release(runId: string, owner: string): Promise<void>;
  /**
   * Those of the runs that somebody holds now, by a lease that has not ended. Takes no lease, so it is in nobody's way.
   *
   * @default nobody can tell: a run whose process died is shown as running
   */
  held?(runIds: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Removes runs that have ended, the oldest first. A run that somebody holds stays. A run that a node of another run started
   * stays as long as that run does, and is removed after it, whatever its status is.
   *
   * @default the journal keeps every run
   */
  prune?(options: PruneRunsOptions): Promise<PrunedRuns>;
  close(): Promise<void>;
}

/** One row per request that was sent. A row with an existing key changes nothing. */
export interface LedgerRow extends AttemptRecord {
  readonly callId: string;
  readonly session?: string;
  /** Nobody knows how the attempt ended, because its process died: usage and cost are what was expected of it. */
  readonly uncertain?: true;
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
  /** Only rows that are marked so. */
  readonly uncertain?: true;
  /** A whole number from 0 on; another one is refused. @default all */
  readonly limit?: number;
}

export type LedgerGroup = 'provider' | 'model' | 'purpose' | 'day' | 'month' | 'outcome' | `scope:${Scope['kind']}`;

export interface LedgerTotal {
  /** Where several groups were asked for, the first of them. */
  readonly group: string;
  /** One for each group that was asked for, in that order; absent where one was asked for by its name alone. */
  readonly groups?: readonly string[];
  readonly attempts: number;
  readonly errors: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** The sum of the known costs. */
  readonly costNanoUsd: NanoUsd;
  /** Attempts whose cost is unknown. */
  readonly unpriced: number;
  /** Attempts that are marked `uncertain`; absent when there are none. */
  readonly uncertain?: number;
}

export interface UsageLedger {
  /** Returns immediately if rows are committed in groups; `flush` waits for them. */
  append(rows: readonly LedgerRow[]): Promise<void> | undefined;
  flush(): Promise<void>;
  /** Newest first by `startedAt`. */
  rows(filter?: LedgerFilter): AsyncIterable<LedgerRow>;
  /**
   * In ascending order of groups: `provider/model` for models, `2026-03-31` (UTC) for days, `2026-03` for months. A row counts once
   * in each of its scopes of the given kind, and nowhere if it has none; of several kinds, once for each combination. With
   * `limit`, only so many groups: those that cost most, most first; which of several that cost the same is not said.
   */
  totals(by: LedgerGroup | readonly LedgerGroup[], filter?: LedgerFilter): Promise<readonly LedgerTotal[]>;
  /** Removes rows by `startedAt`; totals then leave them out. @default the ledger keeps every row */
  prune?(options: PruneOptions): Promise<Pruned>;
  close(): Promise<void>;
}

/** One of several counters that change together or not at all. */
export interface CounterChange {
  readonly key: string;
  readonly by: number;
  /** The change is refused if the counter would exceed this. @default no limit */
  readonly limit?: number | undefined;
  /** The start value of a counter that does not exist. @default 0 */
  readonly initial?: number | undefined;
}

export interface KeyValueStore {
  /** What it holds outlives this process, so that what is observed of models is worth keeping in it. @default false */
  readonly lasting?: boolean;
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
  /** Removes values that expired; those without an expiry stay. @default expired values are removed by other means */
  prune?(options: PruneOptions): Promise<Pruned>;
  close(): Promise<void>;
}
export type CounterResult =
  | { readonly ok: true; readonly values: readonly number[] }
  | { readonly ok: false; readonly refused: number; readonly value: number };

/** An attempt that is about to be sent, with the money that it holds. */
export interface NewAttempt {
  /** The row that stays if its process dies: marked `uncertain`, at what it is expected to cost, at most what it holds. */
  readonly row: LedgerRow;
  /** The counters that hold `heldNanoUsd` each. Refused together, as in `change`. */
  readonly holds: readonly Omit<CounterChange, 'by'>[];
  readonly heldNanoUsd: NanoUsd;
  /** False: what it holds is given back if its process dies before `send`. */
  readonly isSent: boolean;
}

/** An attempt that is written down with its holds. */
export interface OpenAttempt {
  /** Resolves when it is committed that the request is sent now. */
  send(): Promise<void>;
  /**
   * Makes the holds the real cost, writes the row of the ledger, and removes the attempt: all or nothing. Undefined: nothing was
   * sent. What cannot be written is kept and tried again. The caller calls it exactly once.
   *
   * `soon`: together with others, within the time that rows of the ledger may wait; no attempt of this process is refused because
   * of it. Returns a promise only for `now`. @default now
   */
  settle(actualNanoUsd: NanoUsd, row: LedgerRow | undefined, when?: 'now' | 'soon'): Promise<void> | undefined;
}

export type AttemptResult =
  | { readonly ok: true; readonly attempt: OpenAttempt }
  | { readonly ok: false; readonly refused: number; readonly value: number };

/**
 * Keeps counters and ledger equal when a process is killed: one transaction writes an attempt and its holds before it is sent,
 * one settles it. For stores that can change counters and rows in one transaction.
 */
export interface AttemptBook {
  /** The stores that it writes to. It is not used with others, such as where a program replaced one of the two. */
  readonly keyValue: KeyValueStore;
  readonly ledger: UsageLedger;
  open(attempt: NewAttempt): Promise<AttemptResult>;
  /**
   * Books what processes left that are dead: at its estimate what was sent, and gives back the rest. Several may do it at once.
   * With `runId`, whose lease the caller holds, also what a former driver of the run left, dead or not; and the counters of the
   * run are lowered to what the ledger says and open attempts hold, where an earlier release left more in them. True when
   * there was something to do.
   */
  recover(runId?: string): Promise<boolean>;
}

export interface Stores {
  readonly journal: RunJournal;
  readonly ledger: UsageLedger;
  readonly keyValue: KeyValueStore;
  /** What nodes with a `thread` remember. @default none: such a node fails as `unsupported` */
  readonly threads?: ThreadStore;
  /** What the tools `index` and `search` and `embed` with an `index` keep. @default none: they fail as `unsupported` */
  readonly passages?: PassageStore;
  /** @default none: a killed process leaves what it held in the counters, and no row of what was under way */
  readonly attempts?: AttemptBook;
  /** Gives the space of what was removed back to the disk; takes long and blocks others. @default the space is only used again */
  compact?(): Promise<void>;
  close(): Promise<void>;
}
