/**
 * What attempts came to, filed in groups: the counters, the rows and the removal of the attempts in one transaction. The ledger
 * has several indexes, and to change a page of each for every few rows would cost more than all the rest.
 *
 * T1. A settlement that somebody waits for takes everything that is waiting with it, at once.
 * T2. One that cannot be written is kept, and tried again by whoever asks for it.
 */
import type { Clock } from '../../../core/clock.ts';
import type { PolyphonyError } from '../../../core/errors.ts';
import type { Connection } from '../connection.ts';
import type { Sql } from '../database.ts';
import { storeError } from '../errors.ts';
import {
  bookingOf,
  correctAttempt,
  openAttempts,
  type Settlement,
  settleOpen,
  wasRecovered,
} from './attempt-queries.ts';

export interface SettlementParts {
  readonly connection: Connection;
  readonly clock: Clock;
  /** How long a settlement that nobody waits for may wait for others, in milliseconds. */
  readonly delayMs: number;
  readonly owner: () => string;
  /** A settlement is kept. */
  readonly onKept: () => void;
  readonly onError: (error: PolyphonyError) => void;
}

export interface Settlements {
  /** Resolves when it is committed; undefined: nobody waits for it. */
  add(settlement: Settlement, when: 'now' | 'soon'): Promise<void> | undefined;
  /** Some are not written yet. */
  waiting(): boolean;
  /** Some could not be written. */
  kept(): boolean;
  /** Writes those that could not be written. */
  writeKept(): Promise<void>;
  /** Writes all. */
  flush(): Promise<void>;
}

interface Group {
  readonly settlements: Settlement[];
  /** Undefined until its write is asked for. */
  written: Promise<void> | undefined;
}

/** The most of one write: it blocks the event loop for a few milliseconds. */
const MOST = 256;

export function createSettlements(parts: SettlementParts): Settlements {
  const { connection, clock, delayMs } = parts;
  let group: Group | undefined;
  let kept: readonly Settlement[] = [];
  let cancelTimer: (() => void) | undefined;
  /** Writes are committed in their order. */
  let latest: Promise<unknown> = Promise.resolve();
  const leave = (begun: Group): void => {
    if (group === begun) group = undefined;
  };
  const write = (begun: Group): Promise<void> => {
    if (begun.written !== undefined) return begun.written;
    cancelTimer?.();
    cancelTimer = undefined;
    begun.written = connection
      .write((sql) => {
        // From here on it is complete, even if it has to be written again.
        leave(begun);
        settleAll(sql, parts, begun.settlements, true);
      })
      .catch((error: unknown) => {
        leave(begun);
        kept = [...kept, ...begun.settlements];
        parts.onKept();
        throw error;
      });
    latest = begun.written;
    return begun.written;
  };
  const writeInBackground = (begun: Group): void => {
    write(begun).catch((error: unknown) => parts.onError(storeError(error, connection.path)));
  };
  const writeKept = async (): Promise<void> => {
    const tried = kept;
    if (tried.length === 0) return;
    await connection.write((sql) => settleAll(sql, parts, tried, false));
    kept = kept.filter((settlement) => !tried.includes(settlement));
  };
  return {
    add(settlement, when) {
      group ??= { settlements: [], written: undefined };
      const mine = group;
      const isFull = mine.settlements.push(settlement) >= MOST;
      if (isFull) leave(mine);
      if (when === 'now') return write(mine);
      if (isFull) writeInBackground(mine);
      else if (mine.written === undefined) {
        // It keeps the process for so long: a program that ends without closing its stores loses nothing.
        cancelTimer ??= clock.schedule(delayMs, () => writeInBackground(mine));
      }
      return undefined;
    },
    waiting: () => group !== undefined || kept.length > 0,
    kept: () => kept.length > 0,
    writeKept,
    async flush() {
      if (group !== undefined) write(group);
      await latest.catch(() => undefined);
      await writeKept();
    },
  };
}

/** `isFirst`: none of them was written before, with whatever success. */
function settleAll(
  sql: Sql,
  { connection: { path }, clock, owner }: SettlementParts,
  settlements: readonly Settlement[],
  isFirst: boolean,
): void {
  const self = owner();
  const at = bookingOf(sql, path, clock.now());
  if (isFirst && !wasRecovered(sql, self)) settleOpen(at, self, settlements);
  else {
    const numbers = settlements.map(({ attempt }) => attempt.number);
    const open = openAttempts(sql, self, numbers);
    settleOpen(
      at,
      self,
      settlements.filter(({ attempt }) => open.has(attempt.number)),
    );
    for (const settlement of settlements) if (!open.has(settlement.attempt.number)) correctAttempt(at, settlement);
  }
  at.counters.write();
}
