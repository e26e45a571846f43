/**
 * Money that is held while an attempt is running, in every scope that has a cap.
 *
 * M1. All scopes are reserved together or none, by one atomic change of all their counters.
 * M2. A counter is the money spent plus the money held. No reservation makes it exceed its cap.
 * M3. A reservation is settled exactly once, to the real cost. Settling again does nothing (see `heldBy`).
 * M8. Where the stores have a book of attempts, an attempt is committed with what it holds before it is sent, and is settled
 *     together with its row: whenever the process dies, counters and ledger agree once its attempts are recovered.
 */

import type { Config } from '../../core/config.ts';
import { counterKey } from '../../core/counter-key.ts';
import type { Scope } from '../../core/model/model.ts';
import { dayName, dayOf } from '../../core/money/calendar.ts';
import { type NanoUsd, usdToNano } from '../../core/money/money.ts';
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

export interface CappedScope {
  readonly kind: Scope['kind'];
  readonly id: string;
  readonly capNanoUsd: NanoUsd;
  readonly spentNanoUsd: NanoUsd;
  /** The day (`2026-11-28`) or month (`2026-11`) of the cap. */
  readonly period?: string;
}

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

type Budgets = Config['budgets'];

/** The scopes of a call that have a cap of their own or from the config; the lowest cap of each wins. */
export function cappedScopes(
  scopes: readonly Scope[],
  session: string | undefined,
  budgets: Budgets,
  nowMs: number,
): readonly CappedScope[] {
  const all = withSession(scopes, session);
  const capped: CappedScope[] = [];
  for (const { kind, id, capNanoUsd, spentNanoUsd = 0 } of all) {
    const cap = budgets === undefined ? capNanoUsd : lowest(capNanoUsd, kind, id, budgets);
    if (cap !== undefined) capped.push({ kind, id, capNanoUsd: cap, spentNanoUsd });
    for (const period of budgets === undefined ? NONE : periodsOf(budgets)) {
      const most = lowest(undefined, kind, id, budgets ?? [], period);
      const name = periodAt(period, nowMs);
      if (most !== undefined) capped.push({ kind, id, capNanoUsd: most, spentNanoUsd: 0, period: name });
    }
  }
  return capped.length > 1 ? withoutDuplicates(capped) : capped;
}

type Period = 'day' | 'month';
const NONE: readonly Period[] = [];
/** A cache; budgets live as long as their config. */
const periods = new WeakMap<NonNullable<Budgets>, readonly Period[]>();

function periodsOf(budgets: NonNullable<Budgets>): readonly Period[] {
  const known = periods.get(budgets);
  if (known !== undefined) return known;
  const found = [...new Set(budgets.flatMap(({ period }) => period ?? []))];
  periods.set(budgets, found);
  return found;
}

const periodAt = (period: Period, nowMs: number): string => dayName(dayOf(nowMs)).slice(0, period === 'day' ? 10 : 7);

/** The session of a call pays for it too, whether or not it is among the scopes. */
export function withSession(scopes: readonly Scope[], session: string | undefined): readonly Scope[] {
  if (session === undefined || scopes.some(({ kind, id }) => kind === 'session' && id === session)) return scopes;
  return [...scopes, { kind: 'session', id: session }];
}

function lowest(
  own: NanoUsd | undefined,
  kind: Scope['kind'],
  id: string,
  budgets: NonNullable<Budgets>,
  period?: Period,
): NanoUsd | undefined {
  let cap = own;
  for (const budget of budgets) {
    if (budget.scope !== kind || (budget.id ?? id) !== id || budget.period !== period) continue;
    cap = Math.min(cap ?? Number.POSITIVE_INFINITY, capOf(budget));
  }
  return cap;
}

type Budget = NonNullable<Budgets>[number];
const caps = new WeakMap<Budget, NanoUsd>();

/** A cache, because the exact conversion of dollars into an integer costs microseconds. */
function capOf(budget: Budget): NanoUsd {
  const known = caps.get(budget);
  if (known !== undefined) return known;
  const cap = usdToNano(budget.usd);
  caps.set(budget, cap);
  return cap;
}

/** Without duplicates, because a scope that is listed twice would be charged twice. */
function withoutDuplicates(scopes: readonly CappedScope[]): readonly CappedScope[] {
  const byKey = new Map<string, CappedScope>();
  for (const scope of scopes) {
    const before = byKey.get(counterKey(scope));
    if (before === undefined || scope.capNanoUsd < before.capNanoUsd) byKey.set(counterKey(scope), scope);
  }
  return [...byKey.values()];
}

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
      ? { ok: true, reservation: reservationOf(keyValue, scopes, amount) }
      : refusalOf(scopes, result.refused, result.value);
  const result = keyValue.change(changes);
  return isPromise(result) ? result.then(read) : read(result);
}

const holdOf = (scope: CappedScope, by: NanoUsd): CounterChange => ({
  key: counterKey(scope),
  by,
  limit: scope.capNanoUsd,
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
  scopes: readonly CappedScope[],
  held: NanoUsd,
): Reservation {
  return {
    settle(actual) {
      if (actual === held) return undefined;
      const result = store.change(scopes.map((scope) => ({ key: counterKey(scope), by: actual - held })));
      return isPromise(result) ? result.then(() => undefined) : undefined;
    },
  };
}
