/** Resumes a run whose process stopped, and follows it to its end. */
import type { FollowOptions } from '../input/follow-options.ts';
import type { SharedOptions } from '../input/shared-options.ts';
import type { Terminal } from '../screen/terminal.ts';
import { follow } from './follow.ts';
import { withInterrupt } from './interrupt.ts';
import type { Session } from './session.ts';
import { whenFree } from './wait-for-lease.ts';

/** @returns the exit code of the run */
export function resumeRun(
  { polyphony }: Session,
  runId: string,
  options: FollowOptions & SharedOptions,
  terminal: Terminal,
): Promise<number> {
  return withInterrupt(terminal, async (signal) => {
    const handle = await whenFree(runId, terminal, signal, () => polyphony.resume(runId, { signal }));
    return follow(handle, polyphony, options, terminal);
  });
}
