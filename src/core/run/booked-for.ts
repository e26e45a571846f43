/** How an engine learns what was paid for a run and stands in none of its records. */
import type { NanoUsd } from '../money/money.ts';
import type { Paid, Usage } from '../money/usage.ts';

/** What the records of a run hold of a node. */
export interface CountedOfNode {
  /** The sum of the amounts that are known. */
  readonly costNanoUsd: NanoUsd;
  readonly usage: Usage;
}

/**
 * All that was ever paid for the run beyond what its records hold.
 *
 * @param counted what they hold, by the ids of nodes; undefined: no process has ever died in the middle of the run, so that only what is
 * marked as uncertain can be missing
 */
export type BookedFor = (runId: string, counted: ReadonlyMap<string, CountedOfNode> | undefined) => Promise<Paid>;
