/** Cancelling a run that no living process drives: its journal is closed. */

import type { Host } from '../runs/state/run-state.ts';
import { withRun } from './with-lease.ts';

/** False when the run is over already. Throws not-found, store-busy. */
export function cancelStored(host: Host, runId: string, reason: string): Promise<boolean> {
  return withRun(host, runId, async ({ status, usage, spent, priced, activeMs }) => {
    if (status === 'done' || status === 'failed' || status === 'cancelled') return undefined;
    return { type: 'run-cancelled', reason, usage, costNanoUsd: priced ? spent : null, ms: activeMs };
  });
}
