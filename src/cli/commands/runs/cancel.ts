/** polyphony runs cancel: cancels a run, also one that another process drives. */
import { safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT } from '../../input/exit-code.ts';

export const command = defineCommand<object, [run: string]>({
  define: (cancel) =>
    cancel.argument('<run>', 'the id of the run').addHelpText('after', examples('polyphony runs cancel run_4f1c…')),
  handle: async (terminal, options, runId) => {
    const { withPolyphony } = await import('../../process/session.ts');
    const { cancelAnywhere } = await import('../../process/cancel-request.ts');
    return withPolyphony(options, terminal, async ({ polyphony }) => {
      const cancelled = await cancelAnywhere(polyphony, runId, terminal);
      const { status } = await polyphony.engine.inspect(runId);
      if (options.json) terminal.print(safeJson({ runId, cancelled, status }, 2));
      else terminal.say(cancelled ? `cancelled ${runId}` : `${runId} has already ended: its status is ${status}`);
      return cancelled ? EXIT.done : EXIT.failed;
    });
  },
});
