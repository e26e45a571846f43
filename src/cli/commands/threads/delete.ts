/** polyphony threads delete: deletes what was said in one thread, with its summaries. */
import { oneLine, safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT, UsageError } from '../../input/exit-code.ts';

interface Options {
  readonly yes?: boolean;
}

export const command = defineCommand<Options, [key: string]>({
  define: (remove) =>
    remove
      .argument('<key>', 'the key of the thread')
      .option('-y, --yes', 'do not ask before deleting')
      .addHelpText('after', examples('polyphony threads delete ann', 'polyphony threads delete ann --yes --json')),
  handle: async (terminal, options, key) => {
    const { existingStore } = await import('../../input/existing-store.ts');
    existingStore(options.store);
    const { withPolyphony } = await import('../../process/session.ts');
    return withPolyphony(options, terminal, async ({ polyphony: { stores } }) => {
      const name = oneLine(key);
      if (options.yes !== true && (await stores.threads?.read(key, 1)) !== undefined) {
        const { confirmed } = await import('../../process/confirm.ts');
        const answer = await confirmed(`Delete the thread "${name}"?`, terminal);
        if (answer === undefined) throw new UsageError(`this would delete the thread "${name}": add --yes to do so`);
        if (!answer) {
          terminal.say('nothing was deleted');
          return EXIT.failed;
        }
      }
      const isDeleted = (await stores.threads?.delete(key)) === true;
      if (options.json) terminal.print(safeJson({ key, deleted: isDeleted }, 2));
      else terminal.print(isDeleted ? `deleted the thread "${name}"` : `there is no thread "${name}"`);
      return isDeleted ? EXIT.done : EXIT.failed;
    });
  },
});
