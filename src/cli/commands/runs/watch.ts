/** polyphony runs watch: follows a run that another process drives, by polling its journal. */
import type { RunResult } from '../../../core/run/engine.ts';
import { sleep, systemClock } from '../../../system/clock.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT, exitCodeOfRun } from '../../input/exit-code.ts';
import { assertOneFormat, type FollowOptions, withFollowOptions } from '../../input/follow-options.ts';
import { withInterrupt } from '../../process/interrupt.ts';
import type { Session } from '../../process/session.ts';
import type { LiveView } from '../../screen/live-view.ts';

export const command = defineCommand<FollowOptions, [run: string]>({
  define: (watch) =>
    withFollowOptions(watch)
      .argument('<run>', 'the id of the run')
      .addHelpText('after', examples('polyphony runs watch run_4f1c…', 'polyphony runs watch run_4f1c… --events')),
  handle: async (terminal, options, runId) => {
    assertOneFormat(options);
    const { withPolyphony } = await import('../../process/session.ts');
    const { eventView, showResult } = await import('../../process/follow.ts');
    return withPolyphony(options, terminal, (session) =>
      withInterrupt(terminal, async (signal) => {
        // Refuses an unknown run before anything is drawn.
        await session.polyphony.engine.inspect(runId);
        const view = eventView(options, terminal);
        const result = await untilEnded(session, runId, view, signal).finally(() => view.stop());
        if (signal.aborted) return EXIT.interrupted;
        if (!options.events) showResult(result, options, terminal);
        if (result.status !== 'running') return exitCodeOfRun(result);
        const { quoted, thisCommand } = await import('../../input/command-name.ts');
        terminal.say(
          `no process drives this run any more; continue with: ${thisCommand()} runs resume ${quoted(runId)}`,
        );
        return EXIT.interrupted;
      }),
    );
  },
});

const PAUSE_MS = 300;
/** After this time without an event, the lease is checked to see whether the run's process is still alive. */
const IDLE_MS = 5000;

/** Returns the result once the run has ended, is suspended, or was abandoned (its status is then still `running`). */
async function untilEnded(
  { polyphony }: Session,
  runId: string,
  view: LiveView,
  signal: AbortSignal,
): Promise<RunResult> {
  let seen = -1;
  let lastEventAt = systemClock.monotonic();
  for (;;) {
    const start = systemClock.monotonic();
    for await (const event of polyphony.engine.replay(runId)) {
      if (event.seq <= seen) continue;
      seen = event.seq;
      lastEventAt = systemClock.monotonic();
      view.onEvent(event);
    }
    const result = await polyphony.engine.inspect(runId);
    const now = systemClock.monotonic();
    if (result.status !== 'running' || signal.aborted) return result;
    if (now - lastEventAt > IDLE_MS) {
      if (await isAbandoned(polyphony, runId)) return result;
      lastEventAt = now;
    }
    // Reading a long journal takes a while: at most a tenth of the time is spent on it.
    await sleep(systemClock, Math.max(PAUSE_MS, 10 * (now - start)), signal).catch(() => {});
  }
}

/** True when the lease can be taken, so that no process drives the run. Releases it at once. */
async function isAbandoned({ stores }: Session['polyphony'], runId: string): Promise<boolean> {
  const owner = `watch-${process.pid}`;
  if (!(await stores.journal.claim(runId, owner, 1000))) return false;
  await stores.journal.release(runId, owner);
  return true;
}
