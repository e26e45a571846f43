/** Repairs the store of the command, and says what was saved and what was lost. */
import { printable, safeJson } from '../../drawing/plain-text.ts';
import { repairSqliteStore, type StoreRepair } from '../../stores/sqlite.ts';
import { existingStore } from '../input/existing-store.ts';
import { EXIT } from '../input/exit-code.ts';
import type { SharedOptions } from '../input/shared-options.ts';
import { counted } from '../screen/counted.ts';
import type { Terminal } from '../screen/terminal.ts';

/** @returns the exit code: failed when something was lost */
export async function repairStore({ store, json }: SharedOptions, terminal: Terminal): Promise<number> {
  const path = existingStore(store);
  const repair = await repairSqliteStore({ path });
  if (json) terminal.print(safeJson({ path, repaired: repair !== undefined, ...repair }, 2));
  else if (repair === undefined) terminal.print(`${printable(path)} is whole: nothing was changed`);
  else for (const line of linesOf(path, repair)) terminal.print(printable(line));
  return repair !== undefined && hasLosses(repair) ? EXIT.failed : EXIT.done;
}

const hasLosses = ({ runs, ledgerRows, values, unreadable }: StoreRepair): boolean =>
  runs.incomplete.length + runs.lost.length + ledgerRows.lost + values.lost + unreadable.pages + unreadable.records > 0;

function linesOf(path: string, { keptAs, runs, ledgerRows, values, unreadable }: StoreRepair): readonly string[] {
  const named = (text: string, ids: readonly string[]): readonly string[] =>
    ids.length === 0 ? [] : [`${text}: ${ids.join(' ')}`];
  const savedOf = ({ saved, lost }: { readonly saved: number; readonly lost: number }): string =>
    lost === 0 ? `${saved} saved` : `${saved} saved, ${lost} lost`;
  const { pages, records } = unreadable;
  return [
    `${path} was repaired; the damaged file is ${keptAs}`,
    `runs: ${runs.saved.length} saved, ${runs.incomplete.length} incomplete, ${runs.lost.length} lost`,
    ...named('incomplete, a resume runs again what was lost', runs.incomplete),
    ...named('lost', runs.lost),
    `rows of the ledger: ${savedOf(ledgerRows)}`,
    `values and counters: ${savedOf(values)}`,
    ...(pages + records === 0 ? [] : [`unreadable: ${counted(pages, 'page')}, ${counted(records, 'record')}`]),
  ];
}
