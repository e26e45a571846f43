/** Runs that exist, by id: the words of `polyphony runs`. */
import type { RunEvent, RunFilter, RunHandle, RunOptions, RunResult, RunSummary } from './engine.ts';

export type ContinueOptions = Pick<RunOptions, 'signal' | 'concurrency'>;

export interface ForkOptions extends RunOptions {
  /** The first node that runs again, and all behind it. */
  readonly from: string;
  /** Replaces fields of `in` of that node. @default as it was */
  readonly with?: Readonly<Record<string, unknown>>;
}

/**
 * Whatever process began them. A run that another living process drives can be read and watched; what would change it throws
 * `store-busy`. An id that the journal does not know throws `not-found`.
 */
export interface Runs {
  /** Newest first, without the runs that nodes of other runs started. */
  list(filter?: RunFilter): Promise<readonly RunSummary[]>;
  /** Status, output, cost and nodes of a run as its journal has them now. */
  show(runId: string): Promise<RunResult>;
  /**
   * The run's events from its first one on, whoever drives it: as they happen where this process does, else from the journal,
   * read every 300 ms at most, without events that no journal keeps (`node-ready`, `node-delta`, `budget-warning`). Ends when
   * the run ends or is suspended, when the signal aborts or the polyphony is closed, and when the process that drove the run
   * is gone, which takes up to 15 seconds to notice: `show` then still says `running`, and `resume` goes on with it.
   */
  watch(runId: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<RunEvent>;
  /** Goes on with a run that was interrupted, suspended or failed; what is finished is not paid again. */
  resume(runId: string, options?: ContinueOptions): Promise<RunHandle>;
  /** A new run with the finished nodes of an old one. Throws invalid-request for a node that the plan does not have. */
  fork(runId: string, options: ForkOptions): Promise<RunHandle>;
  /**
   * Records what a node asked for and goes on with the run, which the returned handle follows. A run that this process still
   * drives goes on by itself; `options` then mean nothing. Throws not-found when the node asks nothing, invalid-request when
   * the answer is none of the choices.
   */
  answer(runId: string, nodeId: string, answer: unknown, options?: ContinueOptions): Promise<RunHandle>;
  /** Ends a run that this process drives or that nobody drives. False: it had ended already. */
  cancel(runId: string, reason?: string): Promise<boolean>;
  /** The journalled events, without any call. */
  replay(runId: string): AsyncIterable<RunEvent>;
}
