/**
 * Money that is held while an attempt is running, in every scope that has a cap.
 *
 * M1. All scopes are reserved together or none, by one atomic change of all their counters.
 * M2. A counter is the money spent plus the money held. No reservation makes it exceed its cap.
 * M3. A reservation is settled exactly once, to the real cost. Settling again does nothing (see `heldBy`).
 */

import type { Config } from '../../core/config.ts';
import type { Scope } from '../../core/model/model.ts';
import { dayName, dayOf } from '../../core/money/calendar.ts';
import { type NanoUsd, usdToNano } from '../../core/money/money.ts';
import type { CounterChange, CounterResult, KeyValueStore } from '../../core/stores.ts';

export interface CappedScope {
  readonly kind: Scope['kind'];
  readonly id: string;
  readonly capNanoUsd: NanoUsd;
  readonly spentNanoUsd: NanoUsd;
  /** The day (`2026-11-28`) or month (`2026-11`) of the cap. */
  readonly period?: string;
}

export interface Reservation {
  /** The caller calls it exactly once. */
  settle(actualNanoUsd: NanoUsd): Promise<void> | undefined;
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
  const all = session === undefined ? scopes : withSession(scopes, session);
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

function withSession(scopes: readonly Scope[], id: string): readonly Scope[] {
  return scopes.some((scope) => scope.kind === 'session' && scope.id === id)
    ? scopes
    : [...scopes, { kind: 'session', id }];
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

/** The counter of a scope in the key-value store. */
export const counterKey = ({ kind, id, period }: Pick<CappedScope, 'kind' | 'id' | 'period'>): string =>
  period === undefined ? `budget:${kind}:${id}` : `budget@${period}:${kind}:${id}`;

export const isPromise = <T>(value: T | Promise<T>): value is Promise<T> => value instanceof Promise;

/** Returns synchronously if the store does. */
export function reserve(
  store: KeyValueStore,
  scopes: readonly CappedScope[],
  amount: NanoUsd,
): ReservationResult | Promise<ReservationResult> {
  const changes = scopes.map(
    (scope): CounterChange => ({
      key: counterKey(scope),
      by: amount,
      limit: scope.capNanoUsd,
      initial: scope.spentNanoUsd,
    }),
  );
  const read = (result: CounterResult): ReservationResult => outcome(result, store, scopes, amount);
  const result = store.change(changes);
  return isPromise(result) ? result.then(read) : read(result);
}

function outcome(
  result: CounterResult,
  store: KeyValueStore,
  scopes: readonly CappedScope[],
  amount: NanoUsd,
): ReservationResult {
  if (result.ok) return { ok: true, reservation: reservationOf(store, scopes, amount) };
  const scope = scopes[result.refused];
  if (scope === undefined)
    throw new RangeError(
      `The key-value store refused change ${result.refused}, but was given ${scopes.length}: "refused" must be an index of the changes.`,
    );
  return { ok: false, scope, takenNanoUsd: result.value };
}

function reservationOf(store: KeyValueStore, scopes: readonly CappedScope[], held: NanoUsd): Reservation {
  return {
    settle(actual) {
      if (actual === held) return undefined;
      const result = store.change(scopes.map((scope) => ({ key: counterKey(scope), by: actual - held })));
      return isPromise(result) ? result.then(() => undefined) : undefined;
    },
  };
}
