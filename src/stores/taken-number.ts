/** What every store says of an event whose number the run has given already. */
import { PolyphonyError } from '../core/errors.ts';
import type { RunEvent } from '../core/run/engine.ts';

/**
 * The refusal of events that do not follow the last one of the run: another writer was faster, and to append them too would give
 * one number twice. Undefined: they follow it.
 *
 * @param last the highest number of the run so far, -1 for a run that is new to the journal
 */
export function takenNumber(runId: string, last: number, events: readonly RunEvent[]): PolyphonyError | undefined {
  let before = last;
  for (const { seq } of events) {
    if (!(seq > before)) return refusal(runId, seq, before);
    before = seq;
  }
  return undefined;
}

/** Without a cause: the store works, and somebody else drives the run. */
function refusal(runId: string, seq: number, last: number): PolyphonyError {
  const message = `Event ${seq} of run ${runId} cannot follow event ${last}, which the journal holds already, so nothing was appended: somebody else has written to this run. Leave it to them, or resume it from its journal.`;
  return new PolyphonyError('store-busy', message, { retryable: false, details: { runId, seq, last } });
}
