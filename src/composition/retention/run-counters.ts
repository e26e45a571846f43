/** The counters of a run and of its nodes, which no later call needs. */

import { counterKey } from '../../core/counter-key.ts';
import type { KeyValueStore } from '../../core/stores.ts';

export async function forgetCounters(keyValue: KeyValueStore, runId: string): Promise<void> {
  const prefix = counterKey({ kind: 'node', id: `${runId}/` });
  const nodes = await keyValue.keys(prefix);
  // A run of its own may be called like this one and a node; what is below this one's nodes is forgotten with their runs.
  const own = nodes.filter((key) => !key.slice(prefix.length).includes('/'));
  for (const key of [counterKey({ kind: 'run', id: runId }), ...own]) await keyValue.delete(key);
}
