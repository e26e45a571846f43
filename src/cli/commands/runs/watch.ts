/** polyphony runs watch: follows a run that another process drives. */
import { defineCommand, examples } from '../../command.ts';
import { EXIT, exitCodeOfRun } from '../../input/exit-code.ts';
import { assertOneFormat, type FollowOptions, withFollowOptions } from '../../input/follow-options.ts';
import { withInterrupt } from '../../process/interrupt.ts';

export const command = defineCommand<FollowOptions, [run: string]>({
  define: (watch) =>
    withFollowOptions(watch)
      .argument('<run>', 'the id of the run')
      .addHelpText('after', examples('polyphony runs watch run_4f1c…', 'polyphony runs watch run_4f1c… --events')),
  handle: async (terminal, options, runId) => {
    assertOneFormat(options);
    const { withPolyphony } = await import('../../process/session.ts');
    const { eventView, showEvents, showResult } = await import('../../process/follow.ts');
    return withPolyphony(options, terminal, ({ polyphony: { runs } }) =>
      withInterrupt(terminal, async (signal) => {
        // Refuses an unknown run before anything is drawn.
        await runs.show(runId);
        await showEvents(runs.watch(runId, { signal }), eventView(options, terminal));
        if (signal.aborted) return EXIT.interrupted;
        const result = await runs.show(runId);
        if (!options.events) showResult(result, options, terminal);
        if (result.status !== 'running' && result.status !== 'interrupted') return exitCodeOfRun(result);
        const { quoted } = await import('../../input/command-name.ts');
        const { thisCommandWith } = await import('../../process/command-hint.ts');
        terminal.say(
          `no process drives this run any more; continue with: ${thisCommandWith(options)} runs resume ${quoted(runId)}`,
        );
        return EXIT.interrupted;
      }),
    );
  },
});
