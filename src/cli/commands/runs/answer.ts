/** polyphony runs answer: answers the question of a suspended run, and continues the run. */
import { safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT } from '../../input/exit-code.ts';
import { assertOneFormat, type FollowOptions, withFollowOptions } from '../../input/follow-options.ts';

type Options = FollowOptions & { readonly resume: boolean };

export const command = defineCommand<Options, [run: string, node: string, answer: string]>({
  define: (answer) =>
    withFollowOptions(answer)
      .argument('<run>', 'the id of the run')
      .argument('<node>', 'the node that asks the question')
      .argument('<answer>', 'one of the choices, or a text')
      .option('--no-resume', 'only record the answer')
      .addHelpText(
        'after',
        examples(
          'polyphony runs answer run_4f1c… review yes',
          'polyphony runs answer run_4f1c… name "Ada" --no-resume',
        ),
      ),
  handle: async (terminal, options, runId, nodeId, answer) => {
    assertOneFormat(options);
    const { withPolyphony } = await import('../../process/session.ts');
    const { whenFree } = await import('../../process/wait-for-lease.ts');
    return withPolyphony(options, terminal, async (session) => {
      await whenFree(runId, terminal, undefined, () => session.polyphony.engine.answer(runId, nodeId, answer));
      if (options.resume) {
        const { resumeRun } = await import('../../process/resume-run.ts');
        return resumeRun(session, runId, options, terminal);
      }
      const { quoted } = await import('../../input/command-name.ts');
      const { thisCommandWith } = await import('../../process/command-hint.ts');
      if (options.json) terminal.print(safeJson({ runId, nodeId, answered: true }, 2));
      else terminal.say(`answered; continue with: ${thisCommandWith(options)} runs resume ${quoted(runId)}`);
      return EXIT.done;
    });
  },
});
