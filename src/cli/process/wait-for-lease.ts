/** Waiting for the lease of a run whose process may have died: it expires by itself. */
import { PolyphonyError } from '../../core/errors.ts';
import { sleep, systemClock } from '../../system/clock.ts';
import { thisCommand } from '../input/command-name.ts';
import type { Terminal } from '../screen/terminal.ts';

/** A little above the ten seconds after which the lease of a dead process is free. */
const PATIENCE_MS = 12_000;
const PAUSE_MS = 400;

/** @throws store-busy when another process still drives the run after the wait */
export async function whenFree<T>(
  runId: string,
  terminal: Terminal,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const start = systemClock.monotonic();
  for (let told = false; ; told = true) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PolyphonyError) || error.code !== 'store-busy') throw error;
      if (systemClock.monotonic() - start > PATIENCE_MS) throw stillBusy(runId, error);
      if (!told) terminal.say(`another process holds run ${runId}, or has just died: waiting up to 12 s`);
      await sleep(systemClock, PAUSE_MS, signal);
    }
  }
}

function stillBusy(runId: string, cause: PolyphonyError): PolyphonyError {
  const message = `Run ${runId} is driven by another process: stop it there, or follow it with ${thisCommand()} runs watch ${runId}.`;
  return new PolyphonyError('store-busy', message, { cause });
}
