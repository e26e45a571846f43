/** polyphony runs replay: prints the events of a run from its journal. */
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
      for await (const event of polyphony.runs.replay(runId)) {
        if (options.json) all.push(event);
        else terminal.print(safeJson(event));
      }
      if (options.json) terminal.print(safeJson(all, 2));
      return EXIT.done;
    });
  },
});
