/** Whoever reads the output of the command. Loaded at every start, so it imports nothing but the exit codes. */
import { EXIT } from '../input/exit-code.ts';

/** What a lost reader stops: the runs that are under way. */
export const stoppable = new Set<AbortController>();

/** Nobody reads any more (`| head`): what runs is stopped, else there is nothing left to do. */
export function readerGone(): void {
  if (stoppable.size === 0) process.exit(EXIT.done);
  for (const controller of stoppable) controller.abort();
}
