/**
 * Runs in the store that wait for a moment: a `wait` step, the time of a question that is up. They are found shortly before, so that
 * what continues them is in the store when the moment comes, whoever else may be driving the run by then.
 */
import type { Clock } from '../core/clock.ts';
import { dateAt } from '../system/clock.ts';
import type { DueStart, Start } from './starts.ts';

/** A run that nobody drives, as a list of runs has it. */
export interface SuspendedRun {
  readonly runId: string;
  /** Epoch milliseconds of its last record: what it waits for changes with it. */
  readonly updatedAt: number;
}

export interface WaitsParts {
  /** Runs that are suspended and in which no other run is nested. */
  suspended(): Promise<readonly SuspendedRun[]>;
  /** When time itself goes on with the run, in epoch milliseconds. Undefined: it does not, or the run is not suspended any more. */
  moment(runId: string): Promise<number | undefined>;
  readonly clock: Pick<Clock, 'now'>;
}

export interface Waits {
  /** Those whose moment has come or comes within `aheadMs`, the earliest first; each until it is taken, for each time that it is suspended. */
  look(aheadMs: number): Promise<readonly DueStart[]>;
}

interface Known {
  readonly updatedAt: number;
  readonly dueMs: number | undefined;
  taken: boolean;
}

/** What the starts are called that continue waiting runs, beside `schedules.<name>` and `triggers.<name>`. */
export const WAIT = 'wait';

export function createWaits({ suspended, moment, clock }: WaitsParts): Waits {
  // A run is read again only where something has happened to it.
  let known = new Map<string, Known>();
  const refresh = async (): Promise<void> => {
    const next = new Map<string, Known>();
    for (const { runId, updatedAt } of await suspended()) {
      const before = known.get(runId);
      const isSame = before?.updatedAt === updatedAt;
      next.set(runId, isSame ? before : { updatedAt, dueMs: await moment(runId), taken: false });
    }
    known = next;
  };
  return {
    async look(aheadMs) {
      await refresh();
      const until = clock.now() + aheadMs;
      return [...known]
        .filter(([, { dueMs, taken }]) => !taken && dueMs !== undefined && dueMs <= until)
        .sort(([, one], [, other]) => (one.dueMs ?? 0) - (other.dueMs ?? 0))
        .map(([runId, entry]) => ({
          start: waitStart(runId, entry.dueMs ?? 0),
          taken: async () => {
            entry.taken = true;
          },
        }));
    },
  };
}

const waitStart = (runId: string, dueMs: number): Start => ({
  ...{ runId, by: WAIT, run: '', input: {}, dueMs },
  reason: dateAt(dueMs).toISOString(),
});
