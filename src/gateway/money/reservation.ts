/**
 * Money that is held while an attempt is running, in every scope that has a cap.
 *
 * M1. All scopes are reserved together or none, by one atomic change of all their counters.
 * M2. A counter is the money spent plus the money held. No reservation makes it exceed its cap.
 * M3. A reservation is settled exactly once, to the real cost. Settling again does nothing (see `heldBy`).
 * M8. Where the stores have a book of attempts, an attempt is committed with what it holds before it is sent, and is settled
 *     together with its row: whenever the process dies, counters and ledger agree once its attempts are recovered.
 */

import { counterKey } from '../../core/counter-key.ts';
import type { NanoUsd } from '../../core/money/money.ts';
import type {
  AttemptBook,
  AttemptResult,
  CounterChange,
  CounterResult,
  KeyValueStore,
  LedgerRow,
  NewAttempt,
  OpenAttempt,
} from '../../core/stores.ts';
import type { CappedScope } from './caps.ts';

export interface Reservation {
  /** It writes the row of the ledger itself. @default false */
  readonly keepsRow?: boolean;
  /** Says that the attempt is sent now. @default nobody asks */
  readonly send?: (() => Promise<void>) | undefined;
  /** The caller calls it exactly once. `row` is undefined for an attempt that was not sent; `when` as in `OpenAttempt`. */
  settle(actualNanoUsd: NanoUsd, row?: LedgerRow, when?: 'now' | 'soon'): Promise<void> | undefined;
}

export type ReservationResult =
  | { readonly ok: true; readonly reservation: Reservation }
  /** The first scope with too little money left; `takenNanoUsd` is its counter. */
  | { readonly ok: false; readonly scope: CappedScope; readonly takenNanoUsd: NanoUsd };

export const isPromise = <T>(value: T | Promise<T>): value is Promise<T> => value instanceof Promise;

/** What keeps the money: counters alone, or a book of attempts that writes them together with the attempt and its row. */
export interface Purse {
  readonly keyValue: Pick<KeyValueStore, 'change'>;
  /** @default the counters alone */
  readonly book?: AttemptBook | undefined;
  /** The attempt as the book keeps it. */
  readonly attempt: (heldNanoUsd: NanoUsd, holds: NewAttempt['holds']) => NewAttempt;
}

/** Returns synchronously if the store does. */
export function reserve(
  purse: Purse,
  scopes: readonly CappedScope[],
  amount: NanoUsd,
): ReservationResult | Promise<ReservationResult> {
  const { keyValue, book } = purse;
  if (book !== undefined) return reserveInBook(purse, book, scopes, amount);
  const changes = scopes.map((scope) => holdOf(scope, amount));
  const read = (result: CounterResult): ReservationResult =>
    result.ok
      ? { ok: true, reservation: reservationOf(keyValue, changes, amount) }
      : refusalOf(scopes, result.refused, result.value);
  const result = keyValue.change(changes);
  return isPromise(result) ? result.then(read) : read(result);
}

function limitOf({ capNanoUsd, trialNanoUsd = Number.POSITIVE_INFINITY }: CappedScope): NanoUsd | undefined {
  const limit = Math.min(capNanoUsd, trialNanoUsd);
  return limit === Number.POSITIVE_INFINITY ? undefined : limit;
}

const holdOf = (scope: CappedScope, by: NanoUsd): CounterChange => ({
  key: counterKey(scope),
  by,
  limit: limitOf(scope),
  initial: scope.spentNanoUsd,
});

function reserveInBook(
  { attempt }: Purse,
  book: AttemptBook,
  scopes: readonly CappedScope[],
  heldNanoUsd: NanoUsd,
): Promise<ReservationResult> {
  const holds = scopes.map((scope) => holdOf(scope, heldNanoUsd));
  const wanted = attempt(heldNanoUsd, holds);
  const read = (result: AttemptResult): ReservationResult =>
    result.ok ? { ok: true, reservation: inBook(result.attempt) } : refusalOf(scopes, result.refused, result.value);
  return book
    .open(wanted)
    .then((result) => (result.ok ? read(result) : openAfterRecovery(book, wanted, result).then(read)));
}

/** A refusal may be due to what a dead process still holds, so that is recovered and the book asked again. */
async function openAfterRecovery(
  book: AttemptBook,
  wanted: NewAttempt,
  refused: AttemptResult,
): Promise<AttemptResult> {
  return (await book.recover()) ? book.open(wanted) : refused;
}

/** The row stands in the book, so it is written with the settlement. */
function inBook(attempt: OpenAttempt): Reservation {
  return {
    keepsRow: true,
    send: () => attempt.send(),
    settle: (actual, row, when) => attempt.settle(actual, row, when),
  };
}

/** Writes an attempt down that no cap concerns. */
export async function openUncapped(book: AttemptBook, attempt: Purse['attempt']): Promise<Reservation> {
  const result = await book.open(attempt(0, []));
  if (result.ok) return inBook(result.attempt);
  throw new RangeError('The book of attempts refused an attempt that holds nothing: it may refuse only by a limit.');
}

function refusalOf(scopes: readonly CappedScope[], refused: number, takenNanoUsd: NanoUsd): ReservationResult {
  const scope = scopes[refused];
  if (scope === undefined)
    throw new RangeError(
      `The store of counters refused change ${refused}, but was given ${scopes.length}: "refused" must be an index of the changes.`,
    );
  return { ok: false, scope, takenNanoUsd };
}

function reservationOf(
  store: Pick<KeyValueStore, 'change'>,
  holds: readonly CounterChange[],
  held: NanoUsd,
): Reservation {
  return {
    settle(actual) {
      if (actual === held) return undefined;
      const by = actual - held;
      const result = store.change(holds.map(({ key }) => ({ key, by })));
      return isPromise(result) ? result.then(() => undefined) : undefined;
    },
  };
}
