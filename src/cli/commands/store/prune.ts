/** polyphony store prune: removes what is old from the store, and gives its space back. */
import { Option } from 'commander';
import type { PruneReport, PruneRequest } from '../../../composition/retention/prune.ts';
import { safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT, UsageError } from '../../input/exit-code.ts';
import { spanMs } from '../../input/option-values.ts';
import type { Session } from '../../process/session.ts';
import type { Terminal } from '../../screen/terminal.ts';

const PARTS = ['runs', 'ledger', 'values', 'threads', 'indexes'] as const;

interface Options {
  readonly older: number;
  readonly only?: readonly (typeof PARTS)[number][];
  readonly suspended?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export const command = defineCommand<Options>({
  define: (prune) =>
    prune
      .requiredOption('--older <span>', 'what has not changed for that long: hours, days or weeks, such as 30d', spanMs)
      .addOption(new Option('--only <part...>', 'only these parts of the store').choices(PARTS))
      .option('--suspended', 'also runs that wait for an answer or that a process left behind')
      .option('--dry-run', 'say what would be removed, and remove nothing')
      .option('-y, --yes', 'do not ask before removing')
      .addHelpText(
        'after',
        examples(
          'polyphony store prune --older 30d --dry-run',
          'polyphony store prune --older 12w --only ledger --yes',
          'polyphony store prune --older 30d --suspended',
        ),
      ),
  handle: async (terminal, options) => {
    const { existingStore } = await import('../../input/existing-store.ts');
    existingStore(options.store);
    const { withPolyphony } = await import('../../process/session.ts');
    const { systemClock } = await import('../../../system/clock.ts');
    const before = systemClock.now() - options.older;
    const parts = options.only ?? PARTS;
    const request: PruneRequest = {
      before: Object.fromEntries(parts.map((part) => [part, before])),
      unfinished: options.suspended === true,
    };
    return withPolyphony(options, terminal, (session) => pruneOrAsk(session, request, options, terminal));
  },
});

async function pruneOrAsk(
  { polyphony }: Session,
  request: PruneRequest,
  { dryRun = false, yes = false, json = false }: Options & { readonly json?: boolean },
  terminal: Terminal,
): Promise<number> {
  const { countsOf } = await import('../../screen/counted.ts');
  const say = (report: PruneReport, isDone: boolean): number => {
    if (json) terminal.print(safeJson({ removed: isDone, ...report }, 2));
    else terminal.print(`${isDone ? 'removed' : 'would remove'} ${countsOf(report)}`);
    return EXIT.done;
  };
  if (dryRun || !yes) {
    const found = await polyphony.prune({ ...request, dryRun: true });
    if (dryRun || isEmpty(found)) return say(found, !dryRun);
    const { confirmed } = await import('../../process/confirm.ts');
    const answer = await confirmed(`Remove ${countsOf(found)}?`, terminal);
    if (answer === undefined) throw new UsageError(`this would remove ${countsOf(found)}: add --yes to do so`);
    if (!answer) {
      terminal.say('nothing was removed');
      return EXIT.failed;
    }
  }
  const report = await polyphony.prune(request);
  if (!isEmpty(report)) await polyphony.stores.compact?.();
  return say(report, true);
}

const isEmpty = ({ runs, ledgerRows, values, threads = 0, indexes = 0 }: PruneReport): boolean =>
  runs + ledgerRows + values + threads + indexes === 0;
