/** Changing a run that nobody drives: locked, read, written, unlocked. */

import type { Plan, ValidPlan } from '../../core/plan/plan.ts';
import { knownRun, type Restored } from '../journal/restore.ts';
import { type EventDraft, stamp } from '../state/recorder.ts';
import type { RunHost } from '../state/run-state.ts';

/** What the rules for stored runs work with. */
export interface StoredRuns extends RunHost {
  /** Validates the plan of a journal again, against today's catalogue. Throws invalid-plan. */
  readonly validPlan: (plan: Plan) => ValidPlan;
  /** Keeps everybody else from driving the run, until what it returns is called. Throws store-busy while somebody does. */
  readonly lock: (runId: string) => Promise<() => Promise<void>>;
}

/**
 * Appends the event that `decide` makes of the run as it stands, if it makes one.
 *
 * @returns whether it made one
 * @throws not-found; store-busy while another process drives the run
 */
export async function changeStored(
  { journal, runtime, lock }: StoredRuns,
  runId: string,
  decide: (restored: Restored) => EventDraft | undefined,
): Promise<boolean> {
  await knownRun(journal, runId);
  const release = await lock(runId);
  try {
    const restored = await knownRun(journal, runId);
    const draft = decide(restored);
    if (draft === undefined) return false;
    await journal.append(runId, [stamp(draft, restored.nextSeq, runtime.clock.now(), runId)]);
    return true;
  } finally {
    await release();
  }
}
