/** Changes a run that nobody drives: locks it, reads its journal, appends an event, unlocks it. */

import type { Plan, ValidPlan } from '../../core/plan/plan.ts';
import type { RunEvent } from '../../core/run/engine.ts';
import type { RunJournal } from '../../core/stores.ts';
import { knownRun, type Restored } from '../journal/restore.ts';
import { type EventDraft, stamp } from '../state/recorder.ts';
import type { RunHost } from '../state/run-state.ts';
import { storeFailure } from '../state/store-failure.ts';

/** What the rules for stored runs need. */
export interface StoredRuns extends RunHost {
  /** Validates the plan of a journal again, against today's catalogue. Throws invalid-plan. */
  readonly validPlan: (plan: Plan) => ValidPlan;
  /** Reserves the run until the returned function is called. Throws store-busy while somebody else drives it. */
  readonly lock: (runId: string) => Promise<() => Promise<void>>;
}

/**
 * Appends the event that `decide` returns for the current state of the run, if any.
 *
 * @returns whether an event was appended
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
    await appended(journal, runId, [stamp(draft, restored.nextSeq, runtime.clock.now(), runId)]);
    return true;
  } finally {
    await release();
  }
}

/** @throws the error of a store, whatever the store throws */
export async function appended(journal: RunJournal, runId: string, events: readonly RunEvent[]): Promise<void> {
  try {
    await journal.append(runId, events);
  } catch (error) {
    throw storeFailure(error, 'append');
  }
}
