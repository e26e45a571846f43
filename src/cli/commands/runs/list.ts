/** polyphony runs list: lists the last runs; `runs <id>` shows one. */

import { resolve } from 'node:path';
import { Option } from 'commander';
import { defined } from '../../../core/defined.ts';
import type { RunStatus, RunSummary } from '../../../core/run/engine.ts';
import { printable, safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT, UsageError } from '../../input/exit-code.ts';
import { wholeNumber } from '../../input/option-values.ts';
import type { SharedOptions } from '../../input/shared-options.ts';
import type { Terminal } from '../../screen/terminal.ts';

const STATUSES = [
  'running',
  'interrupted',
  'suspended',
  'done',
  'failed',
  'cancelled',
] as const satisfies readonly RunStatus[];

interface Options {
  readonly status?: RunStatus;
  readonly interrupted?: boolean;
  readonly limit: number;
  readonly nested?: true;
}

export const command = defineCommand<Options, [run: string | undefined]>({
  define: (list) =>
    list
      .argument('[run]', 'the id of a run to show')
      .addOption(new Option('-s, --status <status>', 'only runs with this status').choices(STATUSES))
      .option('--interrupted', 'only runs whose process is gone: the same as --status interrupted')
      .option('-n, --limit <n>', 'the number of runs', wholeNumber, 20)
      .option('--nested', 'also the runs that nodes of other runs started')
      .addHelpText(
        'after',
        examples(
          'polyphony runs list --status suspended',
          'polyphony runs list --interrupted',
          'polyphony runs list -n 100 --json',
        ),
      ),
  handle: async (terminal, options, word) => {
    if (word === undefined) return listRuns(options, terminal);
    if (word.startsWith('run_')) {
      const { showRun } = await import('./show.ts');
      return showRun(word, options, terminal);
    }
    const known = 'list, show, watch, resume, answer, event, fork, cancel, replay';
    throw new UsageError(`"runs ${word}" is not a command: give the id of a run, or one of ${known}`);
  },
});

async function listRuns(options: Options & SharedOptions, terminal: Terminal): Promise<number> {
  const { withStoreToRead } = await import('../../process/session.ts');
  const status = statusOf(options);
  return withStoreToRead(options, terminal, async ({ polyphony }) => {
    const filter = { limit: options.limit, ...defined({ status, nested: options.nested }) };
    const runs = await polyphony.runs.list(filter);
    if (options.json) {
      const { nanoToUsd } = await import('../../../core/money/money.ts');
      // JSON documents give money in dollars.
      const documents = runs.map(({ costNanoUsd, ...run }) => ({
        ...run,
        costUsd: costNanoUsd === null ? null : nanoToUsd(costNanoUsd),
      }));
      terminal.print(safeJson(documents, 2));
    } else if (runs.length === 0) {
      const { thisCommandWith } = await import('../../process/command-hint.ts');
      const which = status === undefined ? 'no runs yet' : `no runs with status ${status}`;
      // The file is named, because a mistyped --store is an empty one.
      terminal.say(
        `${which} in ${printable(resolve(options.store))}; start one with: ${thisCommandWith(options)} run "<request>"`,
      );
    } else await printRuns(runs, terminal);
    return EXIT.done;
  });
}

function statusOf({ status, interrupted = false }: Options): RunStatus | undefined {
  if (!interrupted) return status;
  if (status === undefined || status === 'interrupted') return 'interrupted';
  throw new UsageError(
    `--interrupted lists runs of that status only, so --status ${status} excludes it: give one of them`,
  );
}

async function printRuns(runs: readonly RunSummary[], terminal: Terminal): Promise<void> {
  const { systemClock } = await import('../../../system/clock.ts');
  const { costText } = await import('../../screen/progress.ts');
  const { tableText } = await import('../../screen/result-text.ts');
  const rows = runs.map((run) => [
    run.runId,
    run.status,
    `${run.nodes.finished}/${run.nodes.total}`,
    costText(run.costNanoUsd),
    age(systemClock.now() - run.startedAt),
    run.goal.slice(0, 60),
  ]);
  terminal.print(tableText([['run', 'status', 'nodes', 'cost', 'started', 'goal'], ...rows], terminal.paint));
}

function age(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 1) return 'now';
  if (minutes < 60) return `${minutes} min ago`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h ago` : `${Math.floor(minutes / 1440)} days ago`;
}
