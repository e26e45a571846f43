/** polyphony runs list, show, replay, cancel: runs as their journal tells them. */

import { PolyphonyError } from '../../core/errors.ts';
import { nanoToUsd, usdToNano } from '../../core/money/money.ts';
import type { NodeReport, RunStatus, RunSummary } from '../../core/run/engine.ts';
import { safeJson } from '../../drawing/plain-text.ts';
import { systemClock } from '../../system/clock.ts';
import { thisCommand } from '../input/command-name.ts';
import { EXIT, UsageError } from '../input/exit-code.ts';
import type { SharedOptions } from '../input/shared-options.ts';
import { cancelAnywhere } from '../process/cancel-request.ts';
import { showResult } from '../process/follow.ts';
import { withPolyphony } from '../process/session.ts';
import { costText, durationText } from '../screen/progress.ts';
import { tableText } from '../screen/result-text.ts';
import type { Terminal } from '../screen/terminal.ts';

function age(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 1) return 'now';
  if (minutes < 60) return `${minutes} min ago`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h ago` : `${Math.floor(minutes / 1440)} days ago`;
}

/** Money in documents is in dollars. */
const withUsd = ({ costNanoUsd, ...run }: RunSummary): object => ({
  ...run,
  costUsd: costNanoUsd === null ? null : nanoToUsd(costNanoUsd),
});

export interface ListOptions extends SharedOptions {
  readonly status?: RunStatus;
  readonly limit: number;
}

export async function listRuns(options: ListOptions, terminal: Terminal): Promise<number> {
  return withPolyphony(options, terminal, async ({ polyphony }) => {
    const filter = { limit: options.limit, ...(options.status === undefined ? {} : { status: options.status }) };
    const runs = await polyphony.engine.list(filter);
    if (options.json) terminal.print(safeJson(runs.map(withUsd), 2));
    else if (runs.length === 0) {
      const which = options.status === undefined ? 'no runs yet' : `no runs that are ${options.status}`;
      terminal.say(`${which}; start one with: ${thisCommand()} run "<request>"`);
    } else {
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
    return EXIT.done;
  });
}

/** `runs <id>` shows a run; any other word is no command. */
export async function listOrShow(word: string | undefined, options: ListOptions, terminal: Terminal): Promise<number> {
  if (word === undefined) return listRuns(options, terminal);
  if (word.startsWith('run_')) return showRun(word, options, terminal);
  const known = 'list, show, watch, resume, answer, fork, cancel, replay';
  throw new UsageError(`"runs ${word}" is no command: give the id of a run, or one of ${known}`);
}

function nodeRow({ id, state, meta, error }: NodeReport): readonly string[] {
  if (meta === undefined) return [id, state, '', '', '', error?.code ?? ''];
  const cost = meta.costUsd === null ? null : usdToNano(meta.costUsd);
  return [id, state, meta.model ?? '', durationText(meta.ms), costText(cost), error?.code ?? ''];
}

export async function showRun(runId: string, options: SharedOptions, terminal: Terminal): Promise<number> {
  return withPolyphony(options, terminal, async ({ polyphony }) => {
    const result = await polyphony.engine.inspect(runId);
    if (!options.json) {
      const head = ['node', 'state', 'model', 'time', 'cost', 'error'];
      terminal.print(`${tableText([head, ...result.nodes.map(nodeRow)], terminal.paint)}\n`);
    }
    showResult(result, options, terminal);
    return EXIT.done;
  });
}

export async function replayRun(runId: string, options: SharedOptions, terminal: Terminal): Promise<number> {
  return withPolyphony(options, terminal, async ({ polyphony }) => {
    const all = [];
    let count = 0;
    for await (const event of polyphony.engine.replay(runId)) {
      count += 1;
      if (options.json) all.push(event);
      else terminal.print(safeJson(event));
    }
    if (count === 0)
      throw new PolyphonyError('not-found', `The journal has no run ${runId}: list the runs to see which there are.`);
    if (options.json) terminal.print(safeJson(all, 2));
    return EXIT.done;
  });
}

export async function cancelRun(runId: string, options: SharedOptions, terminal: Terminal): Promise<number> {
  return withPolyphony(options, terminal, async ({ polyphony }) => {
    const cancelled = await cancelAnywhere(polyphony, runId, terminal);
    const { status } = await polyphony.engine.inspect(runId);
    if (options.json) terminal.print(safeJson({ runId, cancelled, status }, 2));
    else terminal.say(cancelled ? `cancelled ${runId}` : `${runId} has ended already: it is ${status}`);
    return cancelled ? EXIT.done : EXIT.failed;
  });
}
