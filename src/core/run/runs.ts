/** Existing runs, by id: the same operations as `polyphony runs`. */
import type { ErrorRecord } from '../errors.ts';
import type {
  AnswerOptions,
  EventOptions,
  EventReceipt,
  RunEvent,
  RunFilter,
  RunHandle,
  RunOptions,
  RunResult,
  RunSummary,
} from './engine.ts';

export type ContinueOptions = Pick<RunOptions, 'signal' | 'concurrency'>;

export interface ForkOptions extends RunOptions {
  /** The first node that runs again; all nodes after it also run again. */
  readonly from: string;
  /** Replaces fields of `in` of that node. @default unchanged */
  readonly with?: Readonly<Record<string, unknown>>;
}

/** What an event has come to. A run that took it and is in neither list goes on in another process, which has resumed it by itself. */
export interface EventOutcome extends EventReceipt {
  /** Those that took it and go on in this process. */
  readonly runs: readonly RunHandle[];
  /** Those that took it and could not go on in this process, with the reason: resume them where their parts are known. */
  readonly left: readonly { readonly runId: string; readonly error: ErrorRecord }[];
}

/**
 * Runs of any process. A run that another living process drives can be read and watched, but changing it throws
 * `store-busy`. An unknown id throws `not-found`.
 */
export interface Runs {
  /** Newest first, without the runs that nodes of other runs started. Those whose process is gone are `interrupted`. */
  list(filter?: RunFilter): Promise<readonly RunSummary[]>;
  /** Status, output, cost and nodes of a run, as its journal has them now. */
  show(runId: string): Promise<RunResult>;
  /**
   * The run's events from the first one on: as they happen if this process drives the run, else from the journal, read at
   * most every 300 ms, without events that no journal keeps (`node-ready`, `node-delta`, `budget-warning`). Ends when the
   * run ends or is suspended, when the signal aborts, when the polyphony is closed, and up to 15 seconds after the process
   * that drove the run has died: `show` then says `interrupted`, and `resume` continues the run.
   */
  watch(runId: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<RunEvent>;
  /** Continues a run that was interrupted, suspended or failed; finished nodes are not paid again. */
  resume(runId: string, options?: ContinueOptions): Promise<RunHandle>;
  /** Starts a new run with the finished nodes of an old one. Throws invalid-request for a node that the plan does not have. */
  fork(runId: string, options: ForkOptions): Promise<RunHandle>;
  /**
   * Records the answer to a node and continues the run, which the returned handle follows. A run that this process still
   * drives continues by itself; `signal` and `concurrency` are then ignored. Throws not-found if the node or item asks
   * nothing, or the run has ended, and invalid-request if the answer does not fit the question, or several items ask and
   * none is named.
   */
  answer(runId: string, nodeId: string, answer: unknown, options?: ContinueOptions & AnswerOptions): Promise<RunHandle>;
  /**
   * Gives an event to every node of every run in the store that waits for one of this name and that the payload matches, once
   * each, and continues those runs. Nothing keeps it for nodes that begin to wait later. What does not take it waits on, and is
   * listed as `refused`. Throws invalid-request for what is no name or no JSON.
   */
  event(name: string, payload?: unknown, options?: EventOptions): Promise<EventOutcome>;
  /** Cancels a run that this process drives or that no process drives. False: it had already ended. */
  cancel(runId: string, reason?: string): Promise<boolean>;
  /** The journalled events, with every value in full; makes no calls. */
  replay(runId: string): AsyncIterable<RunEvent>;
}
