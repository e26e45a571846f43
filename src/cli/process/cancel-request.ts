/** Cancels a run that another process drives: a request in the shared store, which the driving command polls. */

import { PolyphonyError } from '../../core/errors.ts';
import type { RunHandle } from '../../core/run/engine.ts';
import type { KeyValueStore } from '../../core/stores.ts';
import type { Polyphony } from '../../polyphony.ts';
import { systemClock } from '../../system/clock.ts';
import type { Terminal } from '../screen/terminal.ts';
import { whenFree } from './wait-for-lease.ts';

const POLL_MS = 1000;
/** Longer than a command waits for the run to stop. */
const REQUEST_TTL_MS = 15_000;

const keyOf = (runId: string): string => `cancel:${runId}`;

/**
 * Cancels a run: asks the process that drives it to stop, or waits for the lease of a process that died. Returns false when
 * the run had already ended.
 *
 * @throws not-found, store-busy when the process that drives the run does not stop
 */
export async function cancelAnywhere(
  { engine, stores: { keyValue } }: Pick<Polyphony, 'engine' | 'stores'>,
  runId: string,
  terminal: Terminal,
): Promise<boolean> {
  let asked = false;
  const cancel = async (): Promise<boolean> => {
    try {
      return await engine.cancel(runId, 'cancelled by the command');
    } catch (error) {
      const busy = error instanceof PolyphonyError && error.code === 'store-busy';
      if (busy && !asked) await keyValue.set(keyOf(runId), true, { ttlMs: REQUEST_TTL_MS });
      asked ||= busy;
      throw error;
    }
  };
  try {
    const closed = await whenFree(runId, terminal, undefined, cancel);
    return closed || (asked && (await engine.inspect(runId)).status === 'cancelled');
  } finally {
    if (asked) await keyValue.delete(keyOf(runId));
  }
}

/** Polls for a request to cancel the run, and cancels it; stops when the returned function is called. */
export function cancelOnRequest(store: KeyValueStore, handle: RunHandle): () => void {
  let stopped = false;
  let cancel = systemClock.schedule(POLL_MS, poll, { background: true });
  function poll(): void {
    store.get(keyOf(handle.runId)).then(onRead, pollLater);
  }
  function onRead(request: unknown): void {
    if (stopped) return;
    if (request === undefined) pollLater();
    else handle.cancel('cancelled by another process');
  }
  /** Also called when the store cannot be read: the run itself reports a broken store. */
  function pollLater(): void {
    if (!stopped) cancel = systemClock.schedule(POLL_MS, poll, { background: true });
  }
  return () => {
    stopped = true;
    cancel();
  };
}
