/** The run that no node started: whoever holds its lease also drives the runs that are nested in it. */

import type { RunJournal } from '../../core/stores.ts';
import type { RunStarted } from './restored.ts';

/** More than any config allows: a journal that names a circle of parents must not keep anybody busy. */
export const MOST_LEVELS = 1000;

/** The id of the outermost run around this one: its own where it is not nested, or its journal is empty. */
export async function rootOf(journal: Pick<RunJournal, 'read'>, runId: string): Promise<string> {
  let root = runId;
  for (let level = 0; level < MOST_LEVELS; level += 1) {
    const parent = (await firstOf(journal, root))?.parent;
    if (parent?.kind !== 'nested') return root;
    root = parent.runId;
  }
  return root;
}

/** How the run began; undefined for one that the journal does not know. */
export async function firstOf(journal: Pick<RunJournal, 'read'>, runId: string): Promise<RunStarted | undefined> {
  for await (const event of journal.read(runId)) return event.type === 'run-started' ? event : undefined;
  return undefined;
}
