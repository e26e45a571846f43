/** polyphony runs fork: repeats a run from a node onwards, as a new run. */
import { defined } from '../../../core/defined.ts';
import type { Plan } from '../../../core/plan/plan.ts';
import type { Polyphony } from '../../../polyphony.ts';
import { defineCommand, examples } from '../../command.ts';
import { assertOneFormat, type FollowOptions, withFollowOptions } from '../../input/follow-options.ts';
import { collectValues } from '../../input/option-values.ts';
import type { InputFor } from '../../input/run-input.ts';
import { withInterrupt } from '../../process/interrupt.ts';

interface Options extends FollowOptions {
  readonly from: string;
  readonly with: readonly string[];
  readonly input: readonly string[];
}

export const command = defineCommand<Options, [run: string]>({
  define: (fork) =>
    withFollowOptions(fork)
      .argument('<run>', 'the id of the run')
      .requiredOption('--from <node>', 'the first node that runs again')
      .option('-i, --input <value>', 'changed fields of the input of the run (repeatable)', collectValues, [])
      .option('--with <value>', 'changed fields of the `in` of that node (repeatable)', collectValues, [])
      .addHelpText(
        'after',
        examples(
          'polyphony runs fork run_4f1c… --from summary',
          'polyphony runs fork run_4f1c… --from page -i path=other.md           other input for the run',
          'polyphony runs fork run_4f1c… --from page --with path=other.md       other input for only this node',
        ),
      ),
  handle: async (terminal, options, runId) => {
    assertOneFormat(options);
    const { inputOf } = await import('../../input/run-input.ts');
    const [ofNode, ofRun] = await Promise.all([inputOf(options.with), inputOf(options.input)]);
    const { withPolyphony } = await import('../../process/session.ts');
    const { follow } = await import('../../process/follow.ts');
    return withPolyphony(options, terminal, ({ polyphony }) =>
      withInterrupt(terminal, async (signal) => {
        const { engine } = polyphony;
        const changed = ofNode();
        const input = options.input.length === 0 ? undefined : await changedInput(engine, runId, ofRun);
        const handle = await engine.fork(runId, {
          from: options.from,
          signal,
          ...defined({ with: changed, input }),
        });
        return follow(handle, polyphony, options, terminal);
      }),
    );
  },
});

/** The old run's input with the given fields changed; undefined when there is no such run, which the fork then reports. */
async function changedInput(
  engine: Polyphony['engine'],
  runId: string,
  inputFor: InputFor,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { fullEvents } = await import('../../../core/run/full-events.ts');
  let before: unknown;
  let plan: Plan | undefined;
  for await (const event of fullEvents(engine.replay(runId))) {
    if (event.type === 'run-started') before = event.input;
    if (event.type === 'run-started' || event.type === 'plan-revised') plan = event.plan;
  }
  if (plan === undefined) return undefined;
  return { ...(typeof before === 'object' ? before : {}), ...inputFor(plan) };
}
