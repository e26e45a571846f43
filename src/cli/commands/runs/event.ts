/** polyphony runs event: gives an event to the runs that wait for it, and continues them. */
import { defined } from '../../../core/defined.ts';
import type { EventOutcome } from '../../../core/run/runs.ts';
import { oneLine, printable, safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT } from '../../input/exit-code.ts';
import type { Terminal } from '../../screen/terminal.ts';

interface Options {
  readonly run?: string;
}

export const command = defineCommand<Options, [name: string, payload: string | undefined]>({
  define: (event) =>
    event
      .argument('<name>', 'the name of the event')
      .argument('[payload]', 'its payload as JSON, or a text')
      .option('--run <run>', 'only this run, and those nested in it')
      .addHelpText(
        'after',
        examples(
          `polyphony runs event paid '{"order": "A-17", "cents": 2500}'`,
          'polyphony runs event approved --run run_4f1c…',
        ),
      ),
  handle: async (terminal, options, name, payload) => {
    const { withPolyphony } = await import('../../process/session.ts');
    const { WAIT_MS } = await import('../../process/wait-for-lease.ts');
    return withPolyphony(options, terminal, async ({ polyphony }) => {
      const sent = await polyphony.runs.event(name, payloadOf(payload), {
        ...defined({ runId: options.run }),
        waitMs: WAIT_MS,
      });
      const results = await Promise.all(sent.runs.map((handle) => handle.result()));
      const { runs: _runs, ...receipt } = sent;
      const runs = results.map(({ runId, status }) => ({ runId, status }));
      if (options.json) terminal.print(safeJson({ ...receipt, runs }, 2));
      else say(name, receipt, runs, terminal);
      const isRefused = sent.refused.length + sent.left.length > 0 || runs.some(({ status }) => status === 'failed');
      return isRefused ? EXIT.failed : EXIT.done;
    });
  },
});

function payloadOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function say(
  name: string,
  { delivered, refused, left }: Omit<EventOutcome, 'runs'>,
  runs: readonly { readonly runId: string; readonly status: string }[],
  terminal: Terminal,
): void {
  if (delivered.length + refused.length === 0) terminal.say(`nothing waits for the event ${oneLine(name)}`);
  for (const { runId, id } of delivered) terminal.say(`${oneLine(id)} of run ${runId} took it`);
  for (const { runId, id, error } of refused) {
    const remedy = error.code === 'store-busy' ? ' Then send the event again.' : '';
    terminal.say(`${oneLine(id)} of run ${runId} waits on: ${printable(error.message)}${remedy}`);
  }
  for (const { runId, status } of runs) terminal.say(`run ${runId} is ${status}`);
  for (const { runId, error } of left) terminal.say(`run ${runId} did not go on: ${printable(error.message)}`);
}
