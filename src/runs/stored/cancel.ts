/** Cancelling a run that no living process drives: its journal is closed. */

import { changeStored, type StoredRuns } from './change.ts';

/** False when the run is over already. Throws not-found, store-busy. */
export function cancelStored(stored: StoredRuns, runId: string, reason: string): Promise<boolean> {
  return changeStored(stored, runId, ({ status, usage, spent, priced, activeMs }) => {
    if (status === 'done' || status === 'failed' || status === 'cancelled') return undefined;
    return { type: 'run-cancelled', reason, usage, costNanoUsd: priced ? spent : null, ms: activeMs };
  });
}
