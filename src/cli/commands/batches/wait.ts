/** polyphony batches wait: sends what is queued and fetches answers, until none is missing. */
import { oneLine, safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT } from '../../input/exit-code.ts';

/** How often the calls that still wait are counted, in milliseconds. */
const LOOK_MS = 10_000;

export const command = defineCommand({
  define: (wait) =>
    wait
      .description(
        'Send what is queued, and fetch the answers of batches that no living process looks after, until no call waits or ' +
          'until Ctrl-C. What waits then is kept for the next process.',
      )
      .addHelpText('after', examples('polyphony batches wait')),
  handle: async (terminal, options) => {
    const { existingStore } = await import('../../input/existing-store.ts');
    existingStore(options.store);
    const { withPolyphony } = await import('../../process/session.ts');
    const { withInterrupt } = await import('../../process/interrupt.ts');
    const { sleep, systemClock } = await import('../../../system/clock.ts');
    return withPolyphony(options, terminal, ({ polyphony }) =>
      withInterrupt(terminal, async (signal) => {
        const { batchesOf } = await import('./configured.ts');
        const batches = batchesOf(polyphony);
        const stop = polyphony.gateway.onEvent?.((event) => {
          if (event.type === 'batch-sent' || event.type === 'batch-ended') terminal.say(oneLine(event.message));
        });
        try {
          let waiting = await batches.list();
          while (waiting.length > 0 && !signal.aborted) {
            await sleep(systemClock, LOOK_MS, signal).catch(() => undefined);
            waiting = await batches.list();
          }
          if (options.json) terminal.print(safeJson({ waiting: waiting.length }, 2));
          else
            terminal.say(
              waiting.length === 0 ? 'no call waits for a batch' : `calls that still wait: ${waiting.length}`,
            );
          return waiting.length === 0 ? EXIT.done : EXIT.interrupted;
        } finally {
          stop?.();
        }
      }),
    );
  },
});
