/** Changing a run that nobody drives: locked, read, written, unlocked. */

import { knownRun, type Restored } from '../runs/journal/restore.ts';
import { type EventDraft, stamp } from '../runs/state/recorder.ts';
import type { Host } from '../runs/state/run-state.ts';
import { takeLease } from './lease.ts';

/**
 * Appends the event that `decide` makes of the run as it stands, if it makes one.
 *
 * @throws not-found, store-busy while another process drives the run
 */
export async function withRun(
  host: Host,
  runId: string,
  decide: (restored: Restored) => Promise<EventDraft | undefined>,
): Promise<boolean> {
  const { journal, runtime, owner, leaseMs } = host;
  await knownRun(journal, runId);
  const release = await takeLease({ journal, clock: runtime.clock, runId, owner, leaseMs, onLost: () => {} });
  try {
    const restored = await knownRun(journal, runId);
    const draft = await decide(restored);
    if (draft === undefined) return false;
    const event = stamp(draft, restored.nextSeq, runtime.clock.now(), runId);
    await journal.append(runId, [event]);
    return true;
  } finally {
    await release();
  }
}
