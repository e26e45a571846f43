/** polyphony batches list: lists what waits, by batch, and sums up what the answers have cost. */
import { safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT } from '../../input/exit-code.ts';
import { wholeNumber } from '../../input/option-values.ts';

interface Options {
  readonly limit: number;
  readonly calls?: boolean;
}

export const command = defineCommand<Options>({
  define: (list) =>
    list
      .option('-n, --limit <n>', 'the number of lines, those that wait longest', wholeNumber, 20)
      .option('--calls', 'a line for each call instead of each batch')
      .addHelpText('after', examples('polyphony batches list', 'polyphony batches list --calls --json')),
  handle: async (terminal, options) => {
    const { withStoreToRead } = await import('../../process/session.ts');
    return withStoreToRead(options, terminal, async ({ polyphony }) => {
      const { batchesOf } = await import('./configured.ts');
      const { lineOfBatch, lineOfCall, printWaiting, totalsOf } = await import('../../screen/batches-text.ts');
      const batches = batchesOf(polyphony);
      const answered = totalsOf(await batches.answered());
      if (options.json) {
        terminal.print(safeJson({ waiting: await batches.list(), answered }, 2));
        return EXIT.done;
      }
      const { limit, calls = false } = options;
      const groups = await batches.waiting();
      const lines = calls ? (await batches.list(limit)).map(lineOfCall) : groups.slice(0, limit).map(lineOfBatch);
      const all = calls ? groups.reduce((sum, group) => sum + group.calls, 0) : groups.length;
      printWaiting(lines, { what: calls ? 'call' : 'batch', all }, answered, terminal);
      return EXIT.done;
    });
  },
});
