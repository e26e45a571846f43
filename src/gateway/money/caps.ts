/** The caps that an attempt must keep: those of its own scopes, and those of the config. */
import type { Config } from '../../core/config.ts';
import type { CounterOf } from '../../core/counter-key.ts';
import type { Attempt, Scope } from '../../core/model/model.ts';
import { type NanoUsd, usdToNano } from '../../core/money/money.ts';
import { type Period, periodAt } from '../../core/money/period.ts';

export type Budgets = NonNullable<Config['budgets']>;
export type Budget = Budgets[number];

/** Who pays: a scope, or the provider that is paid. */
export type Payer = Pick<CounterOf, 'kind' | 'id'> & Pick<Scope, 'capNanoUsd' | 'spentNanoUsd'>;

export interface CappedScope extends CounterOf {
  /** Infinite: only counted. */
  readonly capNanoUsd: NanoUsd;
  /** A cap that is tried out: it is told when it does not fit, and nothing is refused for it. */
  readonly trialNanoUsd?: NanoUsd | undefined;
  readonly spentNanoUsd: NanoUsd;
}

/** A class: see docs/decisions/objects-of-a-call.md. */
class Capped implements CappedScope {
  readonly kind: CappedScope['kind'];
  readonly id: string;
  readonly capNanoUsd: NanoUsd;
  readonly spentNanoUsd: NanoUsd;
  readonly trialNanoUsd: NanoUsd | undefined;
  readonly period: string | undefined;

  constructor(
    kind: CappedScope['kind'],
    id: string,
    capNanoUsd: NanoUsd,
    spentNanoUsd: NanoUsd,
    trialNanoUsd: NanoUsd | undefined,
    period: string | undefined,
  ) {
    this.kind = kind;
    this.id = id;
    this.capNanoUsd = capNanoUsd;
    this.spentNanoUsd = spentNanoUsd;
    this.trialNanoUsd = trialNanoUsd;
    this.period = period;
  }
}

/** A budget as it is checked. */
export class BudgetTerms {
  readonly budget: Budget;
  /** Somebody wants to hear of it. */
  readonly isWatched: boolean;
  /** Of alerts and shifts, in ascending order. */
  readonly shares: readonly number[];
  readonly #usual: NanoUsd;
  readonly #raises: readonly { readonly amount: NanoUsd; readonly until: number }[];

  constructor(budget: Budget) {
    const { alerts = [], shiftAt, drift } = budget;
    this.budget = budget;
    this.shares = [...new Set([...alerts, ...(shiftAt === undefined ? [] : [shiftAt])])].sort((a, b) => a - b);
    this.isWatched = this.shares.length > 0 || drift !== undefined;
    // The exact conversion of dollars into an integer costs microseconds.
    this.#usual = usdToNano(budget.usd);
    this.#raises = (budget.raises ?? []).map(({ usd, until }) => ({
      amount: usdToNano(usd),
      until: Date.parse(until),
    }));
  }

  capAt(nowMs: number): NanoUsd {
    let cap = this.#usual;
    for (const { amount, until } of this.#raises) if (nowMs < until) cap += amount;
    return cap;
  }

  periodAt(nowMs: number): Period | undefined {
    const { period, startsOn } = this.budget;
    return period === undefined ? undefined : periodAt(period, nowMs, startsOn);
  }
}

/** The budgets of a config, found by kind and id. */
export interface BudgetIndex {
  readonly ofProviders: boolean;
  /** Those that somebody wants to hear of. */
  readonly watched: readonly BudgetTerms[];
  of(payer: Pick<Payer, 'kind' | 'id'>): readonly BudgetTerms[];
}

const NONE: readonly BudgetTerms[] = [];
/** A cache; budgets live as long as their config. */
const indexes = new WeakMap<Budgets, BudgetIndex>();

const NO_BUDGETS: Budgets = [];
/** A process has mostly one config, and finding something by an object costs as much as the rest of the check. */
let latest = NO_BUDGETS;
let latestIndex = buildIndex([]);

export function indexOf(budgets: Budgets): BudgetIndex {
  if (budgets === latest) return latestIndex;
  const index = indexes.get(budgets) ?? buildIndex(budgets.map((budget) => new BudgetTerms(budget)));
  indexes.set(budgets, index);
  latest = budgets;
  latestIndex = index;
  return index;
}

function buildIndex(all: readonly BudgetTerms[]): BudgetIndex {
  const ofKind = new Map<string, readonly BudgetTerms[]>();
  const ofOne = new Map<string, Map<string, readonly BudgetTerms[]>>();
  for (const terms of all) {
    const { scope, id } = terms.budget;
    if (id === undefined) ofKind.set(scope, [...(ofKind.get(scope) ?? NONE), terms]);
    else {
      const byId = ofOne.get(scope) ?? new Map<string, readonly BudgetTerms[]>();
      ofOne.set(scope, byId.set(id, [...(byId.get(id) ?? NONE), terms]));
    }
  }
  return {
    ofProviders: all.some(({ budget }) => budget.scope === 'provider'),
    watched: all.filter(({ isWatched }) => isWatched),
    of({ kind, id }) {
      const every = ofKind.get(kind) ?? NONE;
      const one = ofOne.get(kind)?.get(id);
      if (one === undefined) return every;
      return every.length === 0 ? one : [...every, ...one];
    },
  };
}

/** The session of a call pays for it too, whether or not it is among the scopes. */
export function withSession(scopes: readonly Scope[], session: string | undefined): readonly Scope[] {
  if (session === undefined || scopes.some(({ kind, id }) => kind === 'session' && id === session)) return scopes;
  return [...scopes, { kind: 'session', id: session }];
}

/** Every scope of an attempt that may have a budget. */
export function payersOf(
  { scopes, session, target }: Pick<Attempt, 'scopes' | 'session' | 'target'>,
  index: BudgetIndex | undefined,
): readonly Payer[] {
  const all = withSession(scopes, session);
  return index?.ofProviders === true ? [...all, { kind: 'provider', id: target.provider }] : all;
}

/** The scopes of an attempt that have a cap of their own or from the config; the lowest cap of each wins. */
export function cappedScopes(
  attempt: Pick<Attempt, 'scopes' | 'session' | 'target'>,
  budgets: Config['budgets'],
  nowMs: number,
): readonly CappedScope[] {
  const index = budgets === undefined ? undefined : indexOf(budgets);
  const capped: CappedScope[] = [];
  for (const { kind, id, capNanoUsd, spentNanoUsd = 0 } of payersOf(attempt, index)) {
    if (capNanoUsd !== undefined) add(capped, new Capped(kind, id, capNanoUsd, spentNanoUsd, undefined, undefined));
    for (const terms of index?.of({ kind, id }) ?? NONE) {
      const period = terms.periodAt(nowMs)?.name;
      const cap = terms.capAt(nowMs);
      const isTrial = terms.budget.dryRun === true;
      const most = isTrial ? Number.POSITIVE_INFINITY : cap;
      const spent = period === undefined ? spentNanoUsd : 0;
      add(capped, new Capped(kind, id, most, spent, isTrial ? cap : undefined, period));
    }
  }
  return capped;
}

/** Each counter once, because it would be charged twice. */
function add(capped: CappedScope[], scope: CappedScope): void {
  const { kind, id, period } = scope;
  const at = capped.findIndex((one) => one.kind === kind && one.id === id && one.period === period);
  // V8 looks an index of -1 up by its name, in the runtime.
  const before = at === -1 ? undefined : capped[at];
  if (before === undefined) {
    capped.push(scope);
    return;
  }
  const trials = [before.trialNanoUsd, scope.trialNanoUsd].filter((trial) => trial !== undefined);
  capped[at] = {
    ...before,
    capNanoUsd: Math.min(before.capNanoUsd, scope.capNanoUsd),
    trialNanoUsd: trials.length === 0 ? undefined : Math.min(...trials),
  };
}
