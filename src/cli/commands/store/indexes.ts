/** polyphony store indexes: lists the indexes of passages, or deletes one. */
import { oneLine, safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT } from '../../input/exit-code.ts';
import { wholeNumber } from '../../input/option-values.ts';

interface Options {
  readonly limit: number;
  readonly delete?: string;
}

export const command = defineCommand<Options>({
  define: (indexes) =>
    indexes
      .option('-n, --limit <n>', 'the number of indexes', wholeNumber, 20)
      .option(
        '--delete <name>',
        'delete this index; the tool "index" makes it again, with the vectors that are still kept',
      )
      .addHelpText('after', examples('polyphony store indexes', 'polyphony store indexes --delete handbook')),
  handle: async (terminal, options) => {
    const { existingStore } = await import('../../input/existing-store.ts');
    existingStore(options.store);
    const { withStoreToRead } = await import('../../process/session.ts');
    return withStoreToRead(options, terminal, async ({ polyphony: { stores } }) => {
      if (options.delete !== undefined) {
        const isDeleted = (await stores.passages?.delete(options.delete)) === true;
        const name = oneLine(options.delete);
        if (options.json) terminal.print(safeJson({ index: options.delete, deleted: isDeleted }, 2));
        else terminal.print(isDeleted ? `deleted the index "${name}"` : `there is no index "${name}"`);
        return isDeleted ? EXIT.done : EXIT.failed;
      }
      const indexes = (await stores.passages?.list(options.limit)) ?? [];
      if (options.json) terminal.print(safeJson(indexes, 2));
      else if (indexes.length === 0) {
        const { resolve } = await import('node:path');
        terminal.say(`no indexes in ${oneLine(resolve(options.store))}: the tool "index" keeps passages there`);
      } else {
        const { dayName, dayOf } = await import('../../../core/money/calendar.ts');
        const { tableText } = await import('../../screen/result-text.ts');
        const rows = indexes.map(({ index, sources, passages, bytes, usedAt }) => [
          oneLine(index),
          String(sources),
          String(passages),
          String(bytes),
          dayName(dayOf(usedAt)),
        ]);
        terminal.print(tableText([['index', 'sources', 'passages', 'bytes', 'last use'], ...rows], terminal.paint));
      }
      return EXIT.done;
    });
  },
});
