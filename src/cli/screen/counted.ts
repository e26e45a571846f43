/** Counts with their words. */
import type { PruneReport } from '../../composition/retention/prune.ts';

/** A count with its word: `1 node`, `2 nodes`. */
export const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/** What was, or would be, removed from a store. */
export const countsOf = ({ runs, ledgerRows, values, threads = 0, indexes = 0 }: PruneReport): string => {
  const kept = indexes === 0 ? '' : ` and ${indexes} ${indexes === 1 ? 'index' : 'indexes'}`;
  const more = threads === 0 ? kept : ` and ${counted(threads, 'thread')}${kept}`;
  return `${counted(runs, 'run')}, ${counted(ledgerRows, 'row')} of the ledger and ${counted(values, 'value')}${more}`;
};
