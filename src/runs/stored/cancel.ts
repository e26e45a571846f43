/** Cancels a run that no living process drives, by ending its journal. */

import { changeStored, type StoredRuns } from './change.ts';

/** Returns false when the run is already over. Throws not-found, store-busy. */
export function cancelStored(stored: StoredRuns, runId: string, reason: string): Promise<boolean> {
  return changeStored(stored, runId, ({ status, usage, spent, priced, activeMs }) => {
    if (status === 'done' || status === 'failed' || status === 'cancelled') return undefined;
    return { type: 'run-cancelled', reason, usage, costNanoUsd: priced ? spent : null, ms: activeMs };
  });
}
