/** polyphony spend: shows what was paid, by provider, model, day or scope. */
import { resolve } from 'node:path';
import { Option } from 'commander';
import type { LedgerFilter, LedgerGroup, LedgerTotal, UsageLedger } from '../../core/stores.ts';
import { printable, safeJson } from '../../drawing/plain-text.ts';
import { defineCommand, examples } from '../command.ts';
import { EXIT, UsageError } from '../input/exit-code.ts';
import { spanMs, wholeNumber } from '../input/option-values.ts';

interface SpendOptions {
  readonly by: string;
  readonly last?: number;
  readonly since?: number;
  readonly limit?: number;
  readonly forecast?: boolean;
  readonly tokens?: boolean;
}

/** A ledger may have a hundred thousand runs, which nobody reads and no terminal keeps. */
const MOST_OF_MANY = 100;
const MANY: readonly LedgerGroup[] = ['scope:run', 'scope:node', 'scope:session'];

export const command = defineCommand<SpendOptions>({
  define: (spend) =>
    spend
      .option(
        '--by <groups>',
        'group by provider, model, purpose, day, month, outcome, run, node, session, user, team, tenant or tag, or several: team,model',
        'model',
      )
      .option('--last <span>', 'only the last hours, days or weeks, such as 12h, 7d or 4w', spanMs)
      .addOption(new Option('--since <span>', 'the same as --last').argParser(spanMs).conflicts('last'))
      .option(
        '--limit <count>',
        `only so many, those that cost most; ${MOST_OF_MANY} of runs, nodes or sessions unless it is given`,
        wholeNumber,
      )
      .option('--forecast', 'also what will be spent by the end of the month')
      .addOption(
        new Option(
          '--tokens',
          'instead what providers counted of prompts, beside our own estimates; the last 30 days',
        ).conflicts(['by', 'forecast', 'limit']),
      )
      .addHelpText(
        'after',
        examples('polyphony spend --by team,model --since 30d --forecast', 'polyphony spend --by tag --json'),
      ),
  handle: async (terminal, options) => {
    const by = ledgerGroups(options.by);
    const { systemClock } = await import('../../system/clock.ts');
    const nowMs = systemClock.now();
    const span = options.since ?? options.last;
    const filter = span === undefined ? {} : { from: nowMs - span };
    const { withStoreToRead } = await import('../process/session.ts');
    const { formatUsd, nanoToUsd } = await import('../../core/money/money.ts');
    return withStoreToRead(options, terminal, async ({ polyphony }) => {
      const { ledger } = polyphony.stores;
      await ledger.flush();
      if (options.tokens === true) {
        const { printTokenCounts } = await import('../screen/token-counts-text.ts');
        await printTokenCounts(ledger, nowMs, span, options.json === true, terminal);
        return EXIT.done;
      }
      const { totals, areAll } = await costliest(ledger, by, filter, options.limit);
      const { monthForecast, forecastText, forecastJson } = await import('../screen/forecast-text.ts');
      const month = options.forecast === true ? await monthForecast(ledger, nowMs) : undefined;
      if (options.json) {
        const documents = totals.map(({ costNanoUsd, ...total }) => ({ ...total, costUsd: nanoToUsd(costNanoUsd) }));
        const document = month === undefined ? documents : { totals: documents, forecast: forecastJson(month) };
        terminal.print(safeJson(document, 2));
        if (!areAll) terminal.say(restText(totals.length));
        return EXIT.done;
      }
      if (totals.length === 0) {
        const isOther = (await ledger.totals('provider', filter)).length > 0;
        terminal.say(`${emptyText(options.by, span, isOther)}, says ${printable(resolve(options.store))}`);
        if (month !== undefined && isOther) terminal.print(forecastText(month));
        return EXIT.done;
      }
      const { tableText } = await import('../screen/result-text.ts');
      const rows = totals.map((total) => [
        ...(total.groups ?? [total.group]),
        String(total.attempts),
        String(total.errors),
        String(total.inputTokens),
        String(total.outputTokens),
        formatUsd(total.costNanoUsd),
        remarkOf(total),
      ]);
      const head = [...options.by.split(','), 'attempts', 'errors', 'tokens in', 'tokens out', 'cost', ''];
      terminal.print(tableText([head, ...rows], terminal.paint));
      if (!areAll) terminal.say(restText(totals.length));
      if (month !== undefined) terminal.print(forecastText(month));
      return EXIT.done;
    });
  },
});

const restText = (shown: number): string =>
  `${shown === 1 ? 'the one that costs most is' : `the ${shown} that cost most are`} shown: --limit <count> shows more`;

/** Those that cost most where a limit is given, or where there may be very many; all of them otherwise. */
async function costliest(
  ledger: UsageLedger,
  by: LedgerGroup | readonly LedgerGroup[],
  filter: LedgerFilter,
  given: number | undefined,
): Promise<{ readonly totals: readonly LedgerTotal[]; readonly areAll: boolean }> {
  const mayBeMany = MANY.some((group) => by === group || by.includes(group));
  const limit = given ?? (mayBeMany ? MOST_OF_MANY : undefined);
  if (limit === undefined) return { totals: await ledger.totals(by, filter), areAll: true };
  const totals = await ledger.totals(by, { ...filter, limit: limit + 1 });
  // A store of somebody's own may give all of them.
  const sorted = [...totals].sort((a, b) => b.costNanoUsd - a.costNanoUsd).slice(0, limit);
  return { totals: sorted, areAll: totals.length <= limit };
}

/** @param isOther something was spent, such as without a team: that is in no total by team */
function emptyText(by: string, span: number | undefined, isOther: boolean): string {
  if (!isOther) return span === undefined ? 'nothing has been spent yet' : 'nothing was spent in that time';
  const when = span === undefined ? '' : ' in that time';
  return `nothing that was spent${when} has a ${by.replaceAll(',', ' and a ')}`;
}

/** Uncertain: their process died before they ended, so they are counted at what was expected. */
function remarkOf({ unpriced, uncertain = 0 }: LedgerTotal): string {
  const remarks = [
    ...(unpriced === 0 ? [] : [`and ${unpriced} at an unknown price`]),
    ...(uncertain === 0 ? [] : [`of which ${uncertain} uncertain`]),
  ];
  return remarks.join(', ');
}

const MOST_GROUPS = 4;
const GROUPS: readonly LedgerGroup[] = [
  'provider',
  'model',
  'purpose',
  'day',
  'month',
  'outcome',
  'scope:run',
  'scope:node',
  'scope:session',
  'scope:user',
  'scope:team',
  'scope:tenant',
  'scope:tag',
];

/** One group by its name alone, several as a list: see `UsageLedger.totals`. */
function ledgerGroups(text: string): LedgerGroup | readonly LedgerGroup[] {
  const names = text.split(',');
  const [first, ...more] = names.map(ledgerGroup);
  if (first === undefined || names.length > MOST_GROUPS)
    throw new UsageError(`--by "${text}" must name 1 to ${MOST_GROUPS} groups`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`--by "${text}" names "${twice}" twice: name each group once`);
  return more.length === 0 ? first : [first, ...more];
}

function ledgerGroup(text: string): LedgerGroup {
  const group = GROUPS.find((known) => known === text || known === `scope:${text}`);
  if (group === undefined)
    throw new UsageError(
      `--by "${text}" must be one of ${GROUPS.map((known) => known.replace('scope:', '')).join(', ')}`,
    );
  return group;
}
