/** polyphony runs show: shows the nodes of a run, and its result. */
import type { Plan } from '../../../core/plan/plan.ts';
import type { NodeReport } from '../../../core/run/engine.ts';
import type { Polyphony } from '../../../polyphony.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT } from '../../input/exit-code.ts';
import type { SharedOptions } from '../../input/shared-options.ts';
import type { Terminal } from '../../screen/terminal.ts';

export const command = defineCommand<object, [run: string]>({
  define: (show) =>
    show.argument('<run>', 'the id of the run').addHelpText('after', examples('polyphony runs show run_4f1c…')),
  handle: (terminal, options, runId) => showRun(runId, options, terminal),
});

/** @returns the exit code */
export async function showRun(runId: string, options: SharedOptions, terminal: Terminal): Promise<number> {
  const { withStoreToRead } = await import('../../process/session.ts');
  const { mayGoOn, showResult } = await import('../../process/follow.ts');
  return withStoreToRead(options, terminal, async ({ polyphony }) => {
    const result = await polyphony.runs.show(runId);
    if (!options.json) terminal.print(`${await nodeTable(result.nodes, terminal)}\n`);
    const isKnown = options.json || !mayGoOn(result) || (await isKnownHere(polyphony, runId));
    showResult(result, options, terminal, isKnown);
    if (!isKnown) terminal.say(UNKNOWN);
    return EXIT.done;
  });
}

const UNKNOWN =
  'this run cannot be continued here, because its workflow, a tool or a step of it is not known: resume it in the program that has them, or name its plugins in the config';

/** Whether everything that the plan of the run names is there: a run of a program may have steps of its own. */
async function isKnownHere({ runs, validate }: Pick<Polyphony, 'runs' | 'validate'>, runId: string): Promise<boolean> {
  let plan: Plan | undefined;
  for await (const event of runs.replay(runId)) if ('plan' in event) plan = event.plan;
  const { issues } = await validate(plan);
  return !issues.some(({ code, severity }) => code === 'use.unknown' && severity === 'error');
}

async function nodeTable(nodes: readonly NodeReport[], { paint }: Terminal): Promise<string> {
  const { usdToNano } = await import('../../../core/money/money.ts');
  const { costText, durationText } = await import('../../screen/progress.ts');
  const { tableText } = await import('../../screen/result-text.ts');
  const rows = nodes.map(({ id, state, meta, error }) => {
    if (meta === undefined) return [id, state, '', '', '', error?.code ?? ''];
    const cost = meta.costUsd === null ? null : usdToNano(meta.costUsd);
    return [id, state, meta.model ?? '', durationText(meta.ms), costText(cost), error?.code ?? ''];
  });
  return tableText([['node', 'state', 'model', 'time', 'cost', 'error'], ...rows], paint);
}
