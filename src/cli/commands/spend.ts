/** polyphony spend: shows what was paid, by provider, model, day or scope. */
import { resolve } from 'node:path';
import type { LedgerGroup, LedgerTotal } from '../../core/stores.ts';
import { printable, safeJson } from '../../drawing/plain-text.ts';
import { defineCommand, examples } from '../command.ts';
import { EXIT, UsageError } from '../input/exit-code.ts';
import { spanMs } from '../input/option-values.ts';

export const command = defineCommand<{ readonly by: string; readonly last?: number }>({
  define: (spend) =>
    spend
      .option(
        '--by <group>',
        'group by provider, model, purpose, day, outcome, run, node, session, user, team, tenant or tag',
        'model',
      )
      .option('--last <span>', 'only the last hours, days or weeks, such as 12h, 7d or 4w', spanMs)
      .addHelpText('after', examples('polyphony spend --by day --last 4w', 'polyphony spend --by tag --json')),
  handle: async (terminal, options) => {
    const by = ledgerGroup(options.by);
    const { systemClock } = await import('../../system/clock.ts');
    const filter = options.last === undefined ? {} : { from: systemClock.now() - options.last };
    const { withPolyphony } = await import('../process/session.ts');
    const { tableText } = await import('../screen/result-text.ts');
    const { formatUsd, nanoToUsd } = await import('../../core/money/money.ts');
    return withPolyphony(options, terminal, async ({ polyphony }) => {
      const { ledger } = polyphony.stores;
      await ledger.flush();
      const totals = await ledger.totals(by, filter);
      if (options.json) {
        const documents = totals.map(({ costNanoUsd, ...total }) => ({ ...total, costUsd: nanoToUsd(costNanoUsd) }));
        terminal.print(safeJson(documents, 2));
        return EXIT.done;
      }
      if (totals.length === 0) {
        const when = options.last === undefined ? 'has been spent yet' : 'was spent in that time';
        terminal.say(`nothing ${when}, says ${printable(resolve(options.store))}`);
        return EXIT.done;
      }
      const rows = totals.map((total) => [
        total.group,
        String(total.attempts),
        String(total.errors),
        String(total.inputTokens),
        String(total.outputTokens),
        formatUsd(total.costNanoUsd),
        remarkOf(total),
      ]);
      terminal.print(
        tableText([[options.by, 'attempts', 'errors', 'tokens in', 'tokens out', 'cost', ''], ...rows], terminal.paint),
      );
      return EXIT.done;
    });
  },
});

/** Uncertain: their process died before they ended, so they are counted at what was expected. */
function remarkOf({ unpriced, uncertain = 0 }: LedgerTotal): string {
  const remarks = [
    ...(unpriced === 0 ? [] : [`and ${unpriced} at an unknown price`]),
    ...(uncertain === 0 ? [] : [`of which ${uncertain} uncertain`]),
  ];
  return remarks.join(', ');
}

const GROUPS: readonly LedgerGroup[] = [
  'provider',
  'model',
  'purpose',
  'day',
  'outcome',
  'scope:run',
  'scope:node',
  'scope:session',
  'scope:user',
  'scope:team',
  'scope:tenant',
  'scope:tag',
];

function ledgerGroup(text: string): LedgerGroup {
  const group = GROUPS.find((known) => known === text || known === `scope:${text}`);
  if (group === undefined)
    throw new UsageError(
      `--by "${text}" must be one of ${GROUPS.map((known) => known.replace('scope:', '')).join(', ')}`,
    );
  return group;
}
