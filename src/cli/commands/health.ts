/** polyphony health: asks the free endpoint of each provider; with --sweep each hosted model with a question of a few tokens. */
import type { ModelReport, ProbeReport } from '../../core/gateway.ts';
import { oneLine, safeJson } from '../../drawing/plain-text.ts';
import { defineCommand, examples } from '../command.ts';
import { EXIT, UsageError } from '../input/exit-code.ts';
import { amount } from '../input/option-values.ts';

interface Options {
  readonly sweep?: boolean;
  readonly budget?: number;
}

export const command = defineCommand<Options>({
  define: (health) =>
    health
      .option(
        '--sweep',
        'ask every hosted model of every provider too, with a question of a few tokens: this costs a little',
      )
      .option('--budget <usd>', 'with --sweep: the most that all its questions may cost (default: 0.1)', amount)
      .addHelpText(
        'after',
        examples(
          'polyphony health',
          'polyphony health --json',
          'polyphony health --sweep --budget 0.05   such as weekly',
        ),
      ),
  handle: async (terminal, options) => {
    const { sweep = false, budget = 0.1 } = options;
    if (options.budget !== undefined && !sweep)
      throw new UsageError('--budget bounds the questions of --sweep, and nothing else costs anything: add --sweep');
    const { withPolyphony } = await import('../process/session.ts');
    const { tableText } = await import('../screen/result-text.ts');
    return withPolyphony(options, terminal, async ({ polyphony: { gateway } }) => {
      const probes = (await gateway.probe?.()) ?? [];
      const models = sweep ? await gateway.sweep?.({ usd: budget }) : undefined;
      const isWell = ![...probes, ...(models ?? [])].some(({ ok }) => ok === false);
      if (options.json) terminal.print(safeJson({ providers: probes, ...(models && { models }) }, 2));
      else {
        const rows = [...probes.map(probeRow), ...(models ?? []).map(modelRow)];
        terminal.print(tableText([['asked', 'state', 'ms', ''], ...rows], terminal.paint));
        if (models?.length === 0)
          terminal.say('no model is hosted, so the sweep asked none: servers of your own are not asked');
      }
      return isWell ? EXIT.done : EXIT.failed;
    });
  },
});

const probeRow = ({ provider, ok, ms, error }: ProbeReport): string[] => [
  provider,
  ok === null ? 'no free endpoint' : stateOf(ok),
  ok === null ? '' : String(Math.round(ms)),
  reasonOf(error),
];

const modelRow = ({ model, ok, ms, error }: ModelReport): string[] => [
  oneLine(model),
  ok === null ? 'not asked' : stateOf(ok),
  ok === null ? '' : String(ms),
  reasonOf(error),
];

const stateOf = (ok: boolean): string => (ok ? 'answers' : 'fails');
const reasonOf = (error: { readonly code: string; readonly message: string } | undefined): string =>
  error === undefined ? '' : oneLine(`${error.code}: ${error.message}`);
