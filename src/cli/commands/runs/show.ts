/** polyphony runs show: shows the nodes of a run, and its result. */
import type { NodeReport } from '../../../core/run/engine.ts';
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
  const { withPolyphony } = await import('../../process/session.ts');
  const { showResult } = await import('../../process/follow.ts');
  return withPolyphony(options, terminal, async ({ polyphony }) => {
    const result = await polyphony.runs.show(runId);
    if (!options.json) terminal.print(`${await nodeTable(result.nodes, terminal)}\n`);
    showResult(result, options, terminal);
    return EXIT.done;
  });
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
