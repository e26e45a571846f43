/** polyphony runs replay: prints the events of a run from its journal. */
import { PolyphonyError } from '../../../core/errors.ts';
import type { RunEvent } from '../../../core/run/engine.ts';
import { safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT } from '../../input/exit-code.ts';

export const command = defineCommand<object, [run: string]>({
  define: (replay) =>
    replay.argument('<run>', 'the id of the run').addHelpText('after', examples('polyphony runs replay run_4f1c…')),
  handle: async (terminal, options, runId) => {
    const { withPolyphony } = await import('../../process/session.ts');
    return withPolyphony(options, terminal, async ({ polyphony }) => {
      const all: RunEvent[] = [];
      let count = 0;
      for await (const event of polyphony.engine.replay(runId)) {
        count += 1;
        if (options.json) all.push(event);
        else terminal.print(safeJson(event));
      }
      if (count === 0)
        throw new PolyphonyError(
          'not-found',
          `The journal has no run ${runId}: list the runs to see which ones exist.`,
        );
      if (options.json) terminal.print(safeJson(all, 2));
      return EXIT.done;
    });
  },
});
