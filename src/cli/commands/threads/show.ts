/** polyphony threads show: shows what was said in one thread. */
import type { ThreadView } from '../../../core/stores/threads.ts';
import { oneLine, printable, safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT } from '../../input/exit-code.ts';
import { wholeNumber } from '../../input/option-values.ts';
import type { Terminal } from '../../screen/terminal.ts';

interface Options {
  readonly limit: number;
}

export const command = defineCommand<Options, [key: string]>({
  define: (show) =>
    show
      .argument('<key>', 'the key of the thread')
      .option('-n, --limit <n>', 'the number of questions, the newest ones', wholeNumber, 50)
      .addHelpText('after', examples('polyphony threads show ann', 'polyphony threads show ann -n 5 --json')),
  handle: async (terminal, options, key) => {
    const { existingStore } = await import('../../input/existing-store.ts');
    existingStore(options.store);
    const { withStoreToRead } = await import('../../process/session.ts');
    return withStoreToRead(options, terminal, async ({ polyphony: { stores } }) => {
      const thread = await stores.threads?.read(key, options.limit);
      if (thread === undefined) {
        terminal.say(`there is no thread "${oneLine(key)}"`);
        return EXIT.failed;
      }
      if (options.json) terminal.print(safeJson({ key, ...thread }, 2));
      else await printThread(thread, terminal);
      return EXIT.done;
    });
  },
});

async function printThread({ summary, entries }: ThreadView, { print, paint }: Terminal): Promise<void> {
  const { dayName, dayOf } = await import('../../../core/money/calendar.ts');
  if (summary !== undefined) print(`${paint.dim('summary of what was said before')}\n${printable(summary)}\n`);
  for (const { at, writer, question, answer } of entries) {
    print(paint.dim(`${dayName(dayOf(at))}  ${oneLine(writer)}`));
    print(`${paint.bold('question')} ${printable(question)}`);
    print(`${paint.bold('answer')}   ${printable(answer)}\n`);
  }
}
