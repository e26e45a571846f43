/**
 * Tells runs that somebody drives from those whose driver is gone: the journal says of both that they are running.
 *
 * A run is interrupted if its journal says that it runs, nobody holds its lease, and its journal still says so afterwards: one that
 * ends between the two looks is no interrupted one.
 */

import type { RunFilter, RunSummary } from '../../core/run/engine.ts';
import type { RunJournal } from '../../core/stores.ts';
import { knownRun } from '../journal/restore.ts';
import type { Restored } from '../journal/restored.ts';
import { rootOf } from '../journal/root.ts';

interface Looking {
  readonly journal: RunJournal;
  /** Whether this process drives the run now. */
  readonly drives?: (runId: string) => boolean;
}

/** The run as its journal has it now, with the status `interrupted` where nobody drives it. @throws not-found */
export async function lookAt(looking: Looking, runId: string): Promise<Restored> {
  const { journal } = looking;
  const restored = await knownRun(journal, runId, 'look');
  if (restored.status !== 'running') return restored;
  const [left] = await leftBehind(looking, [runId], true);
  if (left === undefined) return restored;
  const latest = await knownRun(journal, runId, 'look');
  return latest.nextSeq === restored.nextSeq ? { ...latest, status: 'interrupted' } : latest;
}

/** As the journal lists them, with the status `interrupted` where nobody drives a run. */
export async function listRuns(looking: Looking, filter: RunFilter = {}): Promise<readonly RunSummary[]> {
  const { status, limit, nested = false } = filter;
  const { journal } = looking;
  if (status !== 'running' && status !== 'interrupted') return listed(looking, filter);
  if (journal.held === undefined && status === 'interrupted') return [];
  // A limit counts what is listed, and which of them that is shows only here.
  const running = await listed(looking, { status: 'running', nested });
  return running.filter((run) => run.status === status).slice(0, limit);
}

async function listed(looking: Looking, filter: RunFilter): Promise<readonly RunSummary[]> {
  const { journal } = looking;
  const runs = await journal.list(filter);
  const running = runs.filter(({ status }) => status === 'running').map(({ runId }) => runId);
  const left = new Set(await leftBehind(looking, running, filter.nested === true));
  if (left.size === 0) return runs;
  const latest = new Map((await journal.list(filter)).map((run) => [run.runId, run]));
  return runs.map((run) => {
    const now = left.has(run.runId) ? latest.get(run.runId) : undefined;
    if (now === undefined) return run;
    return now.status === 'running' && now.updatedAt === run.updatedAt ? { ...now, status: 'interrupted' } : now;
  });
}

/** Those of the runs that nobody drives, here or elsewhere. A nested run is driven by whoever drives its root. */
async function leftBehind(
  { journal, drives }: Looking,
  runIds: readonly string[],
  mayBeNested: boolean,
): Promise<readonly string[]> {
  if (journal.held === undefined) return [];
  const roots = new Map<string, string>();
  for (const runId of runIds) {
    const root = mayBeNested ? await rootOf(journal, runId) : runId;
    if (drives?.(root) !== true) roots.set(runId, root);
  }
  if (roots.size === 0) return [];
  const held = await journal.held([...new Set(roots.values())]);
  return [...roots].filter(([, root]) => !held.has(root)).map(([runId]) => runId);
}
