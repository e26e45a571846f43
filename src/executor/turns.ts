/**
 * What happens to one run outside its own drive, one after the other: resume, answer, cancel, the last records. Each reads the
 * journal before it writes to it, so two at once would write the same place twice, or drive the run twice.
 */
export interface Turns {
  take<T>(runId: string, work: () => Promise<T>): Promise<T>;
  /** The end of what was begun last for the run. Never rejects. */
  last(runId: string): Promise<void> | undefined;
  /** Work of no run in particular, which `all` waits for. */
  keep(work: Promise<unknown>): void;
  /** Resolves when all that was begun has ended. */
  all(): Promise<unknown>;
}

const ignore = (): void => {};

export function createTurns(): Turns {
  const turns = new Map<string, Promise<void>>();
  const kept = new Set<Promise<unknown>>();
  return {
    take(runId, work) {
      const before = turns.get(runId);
      const result = before === undefined ? work() : before.then(work);
      const end = result.then(ignore, ignore);
      turns.set(runId, end);
      void end.then(() => {
        if (turns.get(runId) === end) turns.delete(runId);
      });
      return result;
    },
    last: (runId) => turns.get(runId),
    keep(work) {
      const end = work.then(ignore, ignore);
      kept.add(end);
      void end.then(() => kept.delete(end));
    },
    all: () => Promise.all([...turns.values(), ...kept]),
  };
}
