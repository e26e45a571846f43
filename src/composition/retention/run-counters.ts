/** The counters of a run and of its nodes, which no later call needs. */
import type { KeyValueStore } from '../../core/stores.ts';
import { counterKey } from '../../gateway/money/reservation.ts';

export async function forgetCounters(keyValue: KeyValueStore, runId: string): Promise<void> {
  const nodes = await keyValue.keys(counterKey({ kind: 'node', id: `${runId}/` }));
  for (const key of [counterKey({ kind: 'run', id: runId }), ...nodes]) await keyValue.delete(key);
}
