/** Changes a run that nobody drives: locks it, reads its journal, appends an event, unlocks it. */

import type { Plan, ValidPlan } from '../../core/plan/plan.ts';
import type { RunEvent } from '../../core/run/engine.ts';
import { VALUE_BOUNDS } from '../../core/run/value-bounds.ts';
import type { RunJournal } from '../../core/stores.ts';
import { knownRun } from '../journal/restore.ts';
import type { Restored } from '../journal/restored.ts';
import { rootOf } from '../journal/root.ts';
import { createWritten, newWrittenBytes, tooMuchWritten } from '../records/written.ts';
import { type EventDraft, stamp } from '../state/recorder.ts';
import type { RunHost } from '../state/run-state.ts';
import { storeFailure } from '../state/store-failure.ts';
import type { CheckAnswer } from './own-answer.ts';

/** `onLost` is called when another process takes the run meanwhile. */
export type Lock = (runId: string, onLost?: (error: unknown) => void) => Promise<() => Promise<void>>;

/** What the rules for stored runs need. */
export interface StoredRuns extends RunHost {
  /** Validates the plan of a journal again, against today's catalogue. Throws invalid-plan. */
  readonly validPlan: (plan: Plan) => ValidPlan;
  /** Whether this process drives the run now. @default it drives none */
  readonly drives?: (runId: string) => boolean;
  /**
   * The input of a run that begins, as its plan reads it; `isPlanned`: the plan was written for a request. Throws invalid-request.
   *
   * @default as it is
   */
  readonly readInput?:
    | ((
        plan: Plan,
        input: Readonly<Record<string, unknown>>,
        from: { readonly isPlanned: boolean },
      ) => Promise<Readonly<Record<string, unknown>>>)
    | undefined;
  /** Of a person's answer, by the schema of a workflow's own. @default what the question says decides */
  readonly checkAnswer?: CheckAnswer | undefined;
  /** Reserves the run until the returned function is called. Throws store-busy while somebody else drives it. */
  readonly lock: Lock;
}

/** Nobody else writes to the run meanwhile. A nested run has no lease of its own: whoever holds that of its root writes to it. */
async function reserve({ journal, lock, drives }: StoredRuns, runId: string): Promise<() => Promise<void>> {
  const root = await rootOf(journal, runId);
  return root !== runId && drives?.(root) === true ? async () => {} : lock(root);
}

type Decided = EventDraft | readonly EventDraft[] | undefined;

/**
 * Appends the event, or the events, that `decide` returns for the current state of the run, if any.
 *
 * @returns whether an event was appended
 * @throws not-found; store-busy while another process drives the run; limit-exceeded when the run may not write that much more
 */
export async function changeStored(
  stored: StoredRuns,
  runId: string,
  decide: (restored: Restored) => Decided | Promise<Decided>,
): Promise<boolean> {
  const { journal, runtime, valueBounds } = stored;
  await knownRun(journal, runId, 'look');
  const release = await reserve(stored, runId);
  try {
    const restored = await knownRun(journal, runId);
    const decided = (await decide(restored)) ?? [];
    const drafts = 'type' in decided ? [decided] : decided;
    if (drafts.length === 0) return false;
    const now = runtime.clock.now();
    const bytes = newWrittenBytes((valueBounds?.() ?? VALUE_BOUNDS).writtenBytes);
    const written = createWritten(runId, bytes, restored.values, restored.writtenBytes);
    const events = drafts.map((draft, index) => {
      const event = stamp(draft, restored.nextSeq + index, now, runId);
      const kept = written.keep(event);
      if (kept === undefined) throw tooMuchWritten(event, bytes.limit);
      return kept;
    });
    await appended(journal, runId, events);
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
