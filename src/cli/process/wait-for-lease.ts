/** Waits for the lease of a run whose process may have died: the lease expires by itself. */
import { PolyphonyError } from '../../core/errors.ts';
import { sleep, systemClock } from '../../system/clock.ts';
import { thisCommand } from '../input/command-name.ts';
import type { Terminal } from '../screen/terminal.ts';

/** Slightly more than the ten seconds after which the lease of a dead process expires. */
export const WAIT_MS = 12_000;
const PAUSE_MS = 400;

/** @throws store-busy when another process still drives the run after the wait */
export async function whenFree<T>(
  runId: string,
  terminal: Terminal,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const start = systemClock.monotonic();
  for (let announced = false; ; announced = true) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PolyphonyError) || error.code !== 'store-busy') throw error;
      if (systemClock.monotonic() - start > WAIT_MS) throw stillBusy(runId, error);
      if (!announced) terminal.say(`another process holds run ${runId}, or has just died: waiting up to 12 s`);
      await sleep(systemClock, PAUSE_MS, signal);
    }
  }
}

function stillBusy(runId: string, cause: PolyphonyError): PolyphonyError {
  const message = `Run ${runId} is driven by another process: stop it there, or follow it with ${thisCommand()} runs watch ${runId}.`;
  return new PolyphonyError('store-busy', message, { cause });
}
