/** A journal whose failures are promises that reject with an error of a store, whatever the store itself throws. */
import type { RunEvent } from '../core/run/engine.ts';
import type { RunJournal } from '../core/stores.ts';
import { storeFailure } from '../runs/state/store-failure.ts';

/** `append` stays as it is: it is the hot path, and the recorder takes care of its failures. */
export function guardedJournal(inner: RunJournal): RunJournal {
  const { held, renew } = inner;
  return {
    append: (runId, events) => inner.append(runId, events),
    read: (runId) => guardedEvents(inner, runId),
    list: (filter) => guarded('list', () => inner.list(filter)),
    claim: (runId, owner, leaseMs) => guarded('claim', () => inner.claim(runId, owner, leaseMs)),
    ...(renew === undefined
      ? {}
      : { renew: (runId, owner, leaseMs) => guarded('renew', () => renew.call(inner, runId, owner, leaseMs)) }),
    release: (runId, owner) => guarded('release', () => inner.release(runId, owner)),
    ...(held === undefined ? {} : { held: (runIds) => guarded('held', () => held.call(inner, runIds)) }),
    close: () => guarded('close', () => inner.close()),
  };
}

async function guarded<T>(operation: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storeFailure(error, operation);
  }
}

async function* guardedEvents(inner: RunJournal, runId: string): AsyncGenerator<RunEvent> {
  try {
    yield* inner.read(runId);
  } catch (error) {
    throw storeFailure(error, 'read');
  }
}
