/** polyphony threads list: lists the threads of the store. */
import { oneLine, safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT } from '../../input/exit-code.ts';
import { wholeNumber } from '../../input/option-values.ts';

interface Options {
  readonly limit: number;
}

export const command = defineCommand<Options>({
  define: (list) =>
    list
      .option('-n, --limit <n>', 'the number of threads', wholeNumber, 20)
      .addHelpText('after', examples('polyphony threads list', 'polyphony threads list -n 100 --json')),
  handle: async (terminal, options) => {
    const { withStoreToRead } = await import('../../process/session.ts');
    return withStoreToRead(options, terminal, async ({ polyphony: { stores } }) => {
      const threads = (await stores.threads?.list(options.limit)) ?? [];
      if (options.json) terminal.print(safeJson(threads, 2));
      else if (threads.length === 0) {
        const { resolve } = await import('node:path');
        terminal.say(`no threads in ${oneLine(resolve(options.store))}: nodes with "thread" keep what was said there`);
      } else {
        const { dayName, dayOf } = await import('../../../core/money/calendar.ts');
        const { tableText } = await import('../../screen/result-text.ts');
        const rows = threads.map(({ key, entries, updatedAt }) => [
          oneLine(key),
          String(entries),
          dayName(dayOf(updatedAt)),
        ]);
        terminal.print(tableText([['thread', 'questions', 'last'], ...rows], terminal.paint));
      }
      return EXIT.done;
    });
  },
});
