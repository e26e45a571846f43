/** polyphony batches show: shows one call, with its answer where it has one, or the calls of one batch. */

import { PolyphonyError } from '../../../core/errors.ts';
import type { Batches } from '../../../core/gateway.ts';
import { oneLine, printable, safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT } from '../../input/exit-code.ts';
import type { Terminal } from '../../screen/terminal.ts';

export const command = defineCommand<object, [id: string]>({
  define: (show) =>
    show
      .argument('<id>', 'the id of a call or of a batch, as `batches list` names them')
      .addHelpText(
        'after',
        examples('polyphony batches show run_4f1c…/kinds/1', 'polyphony batches show batch_9a… --json'),
      ),
  handle: async (terminal, options, id) => {
    const { existingStore } = await import('../../input/existing-store.ts');
    existingStore(options.store);
    const { withStoreToRead } = await import('../../process/session.ts');
    return withStoreToRead(options, terminal, async ({ polyphony }) => {
      const { batchesOf } = await import('./configured.ts');
      const { waitingText } = await import('../../screen/batches-text.ts');
      const batches = batchesOf(polyphony);
      const calls = (await batches.list()).filter((call) => call.id === id || call.batch === id);
      if (calls.length === 0) return showAnswer(batches, id, options.json === true, terminal);
      if (options.json) terminal.print(safeJson(calls, 2));
      else for (const call of calls) terminal.print(waitingText(call));
      return EXIT.done;
    });
  },
});

async function showAnswer(batches: Batches, id: string, json: boolean, terminal: Terminal): Promise<number> {
  try {
    const answer = await batches.result(id);
    if (json) terminal.print(safeJson({ id, answer: answer ?? null }, 2));
    else if (answer === undefined) terminal.say(`the call "${oneLine(id)}" has no answer yet`);
    else (await import('../../screen/batches-text.ts')).printAnswer(answer, terminal);
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof PolyphonyError)) throw error;
    const { code, message } = error;
    if (json) terminal.print(safeJson({ id, error: { code, message } }, 2));
    else terminal.say(`${code}: ${printable(message)}`);
    return EXIT.failed;
  }
}
