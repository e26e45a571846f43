/** Ids of runs whose plan is made before they begin: another caller with such an id is refused before its planner is paid. */
import type { Runtime } from '../../core/clock.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { RunJournal } from '../../core/stores.ts';
import { takeLease } from '../../executor/lease.ts';

/** Takes an id until the returned function is called. @throws invalid-request for the id of a run, store-busy where others use it */
export type ReserveId = (runId: string) => Promise<() => Promise<void>>;

const LEASE_MS = 10_000;

export function reservedIds({ clock, ids, processes }: Runtime, journal: RunJournal): ReserveId {
  const reserved = new Set<string>();
  return async function reserve(runId) {
    if (reserved.has(runId)) throw exists(runId);
    reserved.add(runId);
    const id = ids('planning');
    const owner = processes === undefined ? id : `${processes.self()}#${id}`;
    let release = async (): Promise<void> => {};
    let isGiven = false;
    const giveBack = async (): Promise<void> => {
      if (isGiven) return;
      isGiven = true;
      // A lease that cannot be given back ends by itself.
      await release().catch(() => undefined);
      reserved.delete(runId);
    };
    try {
      // Losing it has no effect: the start of the run claims it anew.
      release = await takeLease({ journal, clock, runId, owner, leaseMs: LEASE_MS, onLost: () => {} });
      for await (const _event of journal.read(runId)) throw exists(runId);
      return giveBack;
    } catch (error) {
      await giveBack();
      throw error;
    }
  };
}

const exists = (runId: string): PolyphonyError =>
  new PolyphonyError('invalid-request', `Run ${runId} already exists: resume it, or choose another id.`);
