/** polyphony batches cancel: cancels a call that waits, or a batch with all its calls. */
import { oneLine, safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT, UsageError } from '../../input/exit-code.ts';

interface Options {
  readonly yes?: boolean;
}

export const command = defineCommand<Options, [id: string]>({
  define: (cancel) =>
    cancel
      .argument('<id>', 'the id of a call or of a batch, as `batches list` names them')
      .option('-y, --yes', 'do not ask before cancelling')
      .addHelpText(
        'after',
        examples('polyphony batches cancel batch_9a…', 'polyphony batches cancel run_4f1c…/kinds/1 --yes --json'),
      ),
  handle: async (terminal, options, id) => {
    const { existingStore } = await import('../../input/existing-store.ts');
    existingStore(options.store);
    const { withPolyphony } = await import('../../process/session.ts');
    return withPolyphony(options, terminal, async ({ polyphony }) => {
      const { batchesOf } = await import('./configured.ts');
      const batches = batchesOf(polyphony);
      const name = oneLine(id);
      const count = (await batches.list()).filter((call) => call.id === id || call.batch === id).length;
      if (options.yes !== true && count > 0) {
        const what = `"${name}"${count === 1 ? '' : `, with ${count} calls`}`;
        const { confirmed } = await import('../../process/confirm.ts');
        const answer = await confirmed(`Cancel ${what}?`, terminal);
        if (answer === undefined) throw new UsageError(`this would cancel ${what}: add --yes to do so`);
        if (!answer) {
          terminal.say('nothing was cancelled');
          return EXIT.failed;
        }
      }
      const isCancelled = await batches.cancel(id);
      if (options.json) terminal.print(safeJson({ id, cancelled: isCancelled }, 2));
      else terminal.print(isCancelled ? `cancelled "${name}"` : `nothing waits under the id "${name}"`);
      return isCancelled ? EXIT.done : EXIT.failed;
    });
  },
});
