/** The store of threads: what was said under a key, for nodes that go on with a conversation. */
import type { Pruned, PruneOptions } from './pruning.ts';

/** The most characters of the key of a thread, and of the name of one that reads or writes it. */
export const THREAD_KEY_LENGTH = 500;

/** A question with its answer. */
export interface ThreadEntry {
  /** From 1, in the order of the ends. */
  readonly seq: number;
  /** Who wrote it: the run and the node. A thread has at most one entry of each. */
  readonly writer: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly question: string;
  readonly answer: string;
}

/** What a node sees of a thread. */
export interface ThreadView {
  /** The newest ones that no summary tells, oldest first. */
  readonly entries: readonly ThreadEntry[];
  /** What was said before them. */
  readonly summary?: string;
}

/** Bytes of questions and answers that `read` gives at most, where it is not told another bound. */
export const THREAD_READ_BYTES = 16_777_216;

export interface ThreadSummary {
  readonly key: string;
  /** Entries that are kept. */
  readonly entries: number;
  /** Epoch milliseconds of the last entry. */
  readonly updatedAt: number;
}

/** Safe for several processes at the same time. Every method that names a key throws invalid-request for one with half a surrogate pair. */
export interface ThreadStore {
  /**
   * What `reader` sees: the thread as it was when this reader opened it for the first time, or when `like` did, so that who runs
   * again after a crash sees the same. Entries that came later, its own too, are left out; those that were deleted are gone.
   *
   * @param most entries at most, the newest ones
   * @param mostBytes at most, of UTF-8, of the questions and answers that it shows: from the oldest on they are left out, and those that
   *   are left out are not read into memory together. @default no bound
   */
  open(options: {
    readonly key: string;
    readonly reader: string;
    /** Another reader whose view it gets, where that one has opened the thread. @default none */
    readonly like?: string;
    readonly most: number;
    readonly mostBytes?: number;
  }): Promise<ThreadView>;
  /** Adds the entry of a writer. A second one of the same writer takes the place of the first. Resolves when it is committed. */
  append(entry: Pick<ThreadEntry, 'writer' | 'question' | 'answer'> & { readonly key: string }): Promise<void>;
  /**
   * Keeps a summary of what was said up to an entry, for this reader and for those that open the thread later. The entries stay.
   *
   * @returns the summary up to there: that of another one, who was first
   */
  summarise(options: {
    readonly key: string;
    readonly reader: string;
    readonly upTo: number;
    readonly summary: string;
  }): Promise<string>;
  /** Those that changed last come first. @default at most 100 */
  list(limit?: number): Promise<readonly ThreadSummary[]>;
  /**
   * The newest entries, oldest first, and the last summary; undefined where there is no such thread.
   *
   * @param limit entries at most. @default 1000
   * @param mostBytes at most, of UTF-8, of their questions and answers, as for `open`. @default 16 MiB
   */
  read(key: string, limit?: number, mostBytes?: number): Promise<ThreadView | undefined>;
  /** @returns whether there was one */
  delete(key: string): Promise<boolean>;
  /** Removes whole threads by the time of their last entry, and what only readers before then need. */
  prune(options: PruneOptions): Promise<Pruned>;
  close(): Promise<void>;
}
