/**
 * What processes that died have paid for a run: the ledger has it, the records of the run do not.
 *
 * An attempt whose end nobody knows is marked in the ledger, and no record holds it. One that was settled may have died with its
 * node before that was recorded, so the rows of a node are compared with what its records hold.
 */

import { addMoney } from '../core/money/money.ts';
import { addUsage, NO_USAGE, type Paid, subtractUsage } from '../core/money/usage.ts';
import type { BookedFor, CountedOfNode } from '../core/run/booked-for.ts';
import type { LedgerRow, Stores } from '../core/stores.ts';
import { storeFailure } from '../runs/state/store-failure.ts';

interface Rows {
  all: Paid;
  uncertain: Paid;
}

const NOTHING: Paid = { costNanoUsd: 0, usage: NO_USAGE };

/** Undefined for stores without a book of attempts, which have no such rows. */
export function bookedForOf({ attempts, ledger, keyValue }: Stores): BookedFor | undefined {
  if (attempts?.ledger !== ledger || attempts.keyValue !== keyValue) return undefined;
  /** Stores are of users, too, so what one throws may be anything. */
  async function rowsOf(runId: string, counted: unknown): Promise<Map<string | undefined, Rows>> {
    const nodes = new Map<string | undefined, Rows>();
    const scope = { kind: 'run', id: runId } as const;
    try {
      await attempts?.recover(runId);
      for await (const row of ledger.rows(counted === undefined ? { scope, uncertain: true } : { scope })) {
        // A nested run books its own, and passes it on as part of its cost.
        if (row.scopes.findLast(({ kind }) => kind === 'run')?.id === runId) take(nodes, nodeOf(row, runId), row);
      }
    } catch (error) {
      throw storeFailure(error, 'recover', 'ledger');
    }
    return nodes;
  }
  return async function bookedFor(runId, counted) {
    const nodes = await rowsOf(runId, counted);
    let booked = NOTHING;
    for (const [id, rows] of nodes) {
      booked = sum(
        booked,
        id === undefined || counted === undefined ? rows.uncertain : uncounted(rows, counted.get(id)),
      );
    }
    return booked;
  };
}

/** The id of the node. Undefined for calls of the run itself, such as those of its planner. */
function nodeOf({ scopes }: LedgerRow, runId: string): string | undefined {
  const prefix = `${runId}/`;
  return scopes.find(({ kind, id }) => kind === 'node' && id.startsWith(prefix))?.id.slice(prefix.length);
}

function take(nodes: Map<string | undefined, Rows>, id: string | undefined, row: LedgerRow): void {
  const rows = nodes.get(id) ?? { all: NOTHING, uncertain: NOTHING };
  nodes.set(id, rows);
  const paid: Paid = { costNanoUsd: row.costNanoUsd, ...(row.usage === null ? {} : { usage: row.usage }) };
  rows.all = sum(rows.all, paid);
  if (row.uncertain === true) rows.uncertain = sum(rows.uncertain, paid);
}

/** A node may have paid what no ledger knows, so that its records hold more than its rows: what is marked counts all the same. */
function uncounted({ all, uncertain }: Rows, counted: CountedOfNode | undefined): Paid {
  if (all.costNanoUsd === null || uncertain.costNanoUsd === null) return uncertain;
  const costNanoUsd = all.costNanoUsd - (counted?.costNanoUsd ?? 0);
  if (costNanoUsd <= uncertain.costNanoUsd) return uncertain;
  return { costNanoUsd, usage: subtractUsage(all.usage ?? NO_USAGE, counted?.usage ?? NO_USAGE) };
}

const sum = (a: Paid, b: Paid): Paid => ({
  costNanoUsd: addMoney(a.costNanoUsd, b.costNanoUsd),
  usage: addUsage(a.usage ?? NO_USAGE, b.usage),
});
