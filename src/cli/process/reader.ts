/** Handles a closed reader of the output (`| head`). Loaded at every start, so it imports only the exit codes. */
import { EXIT } from '../input/exit-code.ts';

/** Controllers of the active runs, which stop when the reader closes. */
export const stoppable = new Set<AbortController>();

/** Stops the active runs; exits when there is none. */
export function readerGone(): void {
  if (stoppable.size === 0) process.exit(EXIT.done);
  for (const controller of stoppable) controller.abort();
}
