/** polyphony runs resume: continues a run. */
import { defineCommand, examples } from '../../command.ts';
import { assertOneFormat, type FollowOptions, withFollowOptions } from '../../input/follow-options.ts';

export const command = defineCommand<FollowOptions, [run: string]>({
  define: (resume) =>
    withFollowOptions(resume)
      .argument('<run>', 'the id of the run')
      .addHelpText('after', examples('polyphony runs resume run_4f1c…', 'polyphony runs resume run_4f1c… --json')),
  handle: async (terminal, options, runId) => {
    assertOneFormat(options);
    const { withPolyphony } = await import('../../process/session.ts');
    const { resumeRun } = await import('../../process/resume-run.ts');
    return withPolyphony(options, terminal, (session) => resumeRun(session, runId, options, terminal));
  },
});
