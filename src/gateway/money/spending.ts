/**
 * What is spent of the budgets that somebody wants to hear of: those with alerts, with a drift, or from which traffic shifts.
 *
 * S1. What is told comes from the ledger, which all processes write: a share that is told is spent. Between two looks at it what this
 *     process settles is added up, so that the ledger is asked only when a share may be reached, and at most a minute later.
 * S2. Each share is told once for a scope and period, whatever the number of processes: a counter that takes one change decides.
 * S3. Nothing waits for it: not the caller, not the settlement. A ledger that fails is logged, and asked again by a later attempt.
 */
import type { Clock } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import { counterKey } from '../../core/counter-key.ts';
import { errorRecord } from '../../core/errors.ts';
import type { Attempt, Call } from '../../core/model/model.ts';
import { DAY_MS, dayOf } from '../../core/money/calendar.ts';
import {
  type DaySpending,
  daysOfTotals,
  type Forecast,
  forecast,
  forecastFrom,
  formatAbout,
} from '../../core/money/forecast.ts';
import { formatUsd, type NanoUsd } from '../../core/money/money.ts';
import type { Period } from '../../core/money/period.ts';
import type { Logger } from '../../core/plugin.ts';
import type { KeyValueStore, LedgerFilter, UsageLedger } from '../../core/stores.ts';
import { settlesWithin } from '../../system/clock.ts';
import type { GatewayEvents } from '../gateway-events.ts';
import type { Registry } from '../routing/registry.ts';
import { type BudgetTerms, indexOf, type Payer, payersOf } from './caps.ts';

export interface SpendingParts {
  readonly clock: Clock;
  readonly keyValue: KeyValueStore;
  /** Undefined: nothing is told, and nothing shifts. */
  readonly ledger: UsageLedger | undefined;
  readonly logger?: Logger | undefined;
  readonly events: GatewayEvents;
  readonly config: () => Config;
  readonly registry: () => Registry;
}

export interface Spending {
  /** An attempt was settled; its row was given to the ledger before. */
  settled(attempt: Attempt, costNanoUsd: NanoUsd): void;
  /** The providers that come after others for this call; undefined: none. */
  shifted(call: Pick<Call, 'priority'>): ReadonlySet<string> | undefined;
  /** Waits for looks at the ledger, at most five seconds. */
  flush(): Promise<void>;
}

const LOOK_EVERY_MS = 60_000;
const DRIFT_EVERY_MS = 3_600_000;
const WEEK = 7;
/** Scopes of one budget that are followed at the same time: those that were looked at longest ago are forgotten. */
const MOST_SCOPES = 1000;
const FLUSH_MS = 5000;

/** What one scope has spent of one budget in one period. */
interface Standing {
  readonly terms: BudgetTerms;
  readonly payer: Pick<Payer, 'kind' | 'id'>;
  readonly period: Period | undefined;
  /** By the ledger; undefined before the first look. */
  booked: NanoUsd | undefined;
  /** Settled by this process since. */
  since: NanoUsd;
  /** By the monotonic clock, as `driftAt`. */
  lookedAt: number;
  looking: boolean;
  driftAt: number;
  readonly told: Set<number>;
}

const spentOf = ({ booked = 0, since }: Standing): NanoUsd => booked + since;

export function createSpending(parts: SpendingParts): Spending {
  const { clock, ledger, config } = parts;
  const standings = new WeakMap<BudgetTerms, Map<string, Standing>>();
  const running = new Set<Promise<void>>();
  const standingOf = (terms: BudgetTerms, payer: Pick<Payer, 'kind' | 'id'>, nowMs: number): Standing => {
    const all = standings.get(terms) ?? new Map<string, Standing>();
    standings.set(terms, all);
    const period = terms.periodAt(nowMs);
    const known = all.get(payer.id);
    if (known !== undefined && known.period?.from === period?.from) return known;
    const made: Standing = {
      ...{ terms, payer: { kind: payer.kind, id: payer.id }, period, booked: undefined, since: 0 },
      ...{
        lookedAt: Number.NEGATIVE_INFINITY,
        looking: false,
        driftAt: known?.driftAt ?? Number.NEGATIVE_INFINITY,
        told: new Set<number>(),
      },
    };
    all.delete(payer.id);
    all.set(payer.id, made);
    const [oldest] = all.keys();
    if (all.size > MOST_SCOPES && oldest !== undefined) all.delete(oldest);
    return made;
  };
  const lookIfDue = (standing: Standing, nowMs: number): void => {
    if (ledger === undefined || standing.looking || !isDue(standing, nowMs, clock)) return;
    standing.looking = true;
    const looked = look(parts, ledger, standing).catch((error: unknown) =>
      parts.logger?.warn(
        { error: errorRecord(error) },
        'What was spent of a budget could not be read from the ledger.',
      ),
    );
    const over = looked.then(() => {
      standing.looking = false;
      running.delete(over);
    });
    running.add(over);
  };
  return {
    settled(attempt, cost) {
      const { budgets } = config();
      if (budgets === undefined) return;
      const index = indexOf(budgets);
      if (index.watched.length === 0) return;
      const nowMs = clock.now();
      for (const payer of payersOf(attempt, index)) {
        for (const terms of index.of(payer)) {
          if (!terms.isWatched) continue;
          const standing = standingOf(terms, payer, nowMs);
          standing.since += cost;
          lookIfDue(standing, nowMs);
        }
      }
    },
    shifted({ priority }) {
      const { budgets } = config();
      if (budgets === undefined || priority === 'critical') return undefined;
      const { watched } = indexOf(budgets);
      if (watched.length === 0) return undefined;
      let shifted: Set<string> | undefined;
      const nowMs = clock.now();
      for (const terms of watched) {
        const { id, shiftAt } = terms.budget;
        if (shiftAt === undefined) continue;
        const providers = id === undefined ? [...parts.registry().providers.keys()] : [id];
        for (const provider of providers) {
          const standing = standingOf(terms, { kind: 'provider', id: provider }, nowMs);
          lookIfDue(standing, nowMs);
          if (spentOf(standing) < shiftAt * terms.capAt(nowMs)) continue;
          shifted ??= new Set();
          shifted.add(provider);
        }
      }
      return shifted;
    },
    async flush() {
      await settlesWithin(clock, FLUSH_MS, Promise.all(running));
    },
  };
}

/** A minute has passed, or a share may be reached that was not told yet. */
function isDue(standing: Standing, nowMs: number, clock: Clock): boolean {
  if (standing.booked === undefined || clock.monotonic() - standing.lookedAt >= LOOK_EVERY_MS) return true;
  const reached = spentOf(standing) / standing.terms.capAt(nowMs);
  return standing.terms.shares.some((share) => share <= reached && !standing.told.has(share));
}

async function look(parts: SpendingParts, ledger: UsageLedger, standing: Standing): Promise<void> {
  const startedMs = parts.clock.monotonic();
  const { terms, period } = standing;
  const sinceBefore = standing.since;
  const filter = filterOf(standing);
  const within = period === undefined ? filter : { ...filter, from: period.from, to: period.to };
  const totals = await ledger.totals('provider', within);
  standing.booked = totals.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
  standing.since -= sinceBefore;
  standing.lookedAt = startedMs;
  const cap = terms.capAt(parts.clock.now());
  for (const share of terms.shares) {
    if (standing.booked < share * cap || standing.told.has(share)) continue;
    standing.told.add(share);
    const { alerts = [], shiftAt } = terms.budget;
    const isNew = (what: string): Promise<boolean> => isFirst(parts.keyValue, `${what}:${share}:${nameOf(standing)}`);
    if (share === shiftAt && (await isNew('shift'))) tellShift(parts, standing, standing.booked, cap);
    if (alerts.includes(share) && (await isNew('alert')))
      await tellShare(parts, ledger, standing, { share, cap, spent: standing.booked });
  }
  if (terms.budget.drift === undefined || startedMs - standing.driftAt < DRIFT_EVERY_MS) return;
  standing.driftAt = startedMs;
  await lookAtDrift(parts, ledger, standing, terms.budget.drift);
}

const nameOf = ({ payer, period }: Standing): string =>
  counterKey({ ...payer, ...(period === undefined ? {} : { period: period.name }) });

const filterOf = ({ payer: { kind, id } }: Standing): LedgerFilter =>
  kind === 'provider' ? { provider: id } : { scope: { kind, id } };

/** A counter that may be changed once. */
async function isFirst(keyValue: KeyValueStore, name: string): Promise<boolean> {
  return (await keyValue.change([{ key: `told:${name}`, by: 1, limit: 1 }])).ok;
}

const ownerOf = ({ payer, period }: Standing) => ({
  scope: payer,
  ...(period === undefined ? {} : { period: period.name }),
});

async function tellShare(
  { events, clock }: SpendingParts,
  ledger: UsageLedger,
  standing: Standing,
  { share, cap, spent }: { readonly share: number; readonly cap: NanoUsd; readonly spent: NanoUsd },
): Promise<void> {
  const { payer, period } = standing;
  const ahead = period === undefined ? undefined : await forecastOf(ledger, standing, period, clock.now());
  const when = period === undefined ? '' : ` in ${period.name}`;
  const outlook = ahead ? `; about ${formatAbout(ahead.expectedNanoUsd)} are expected by its end` : '';
  events.tell({
    type: 'budget-alert',
    level: 'warn',
    message: `${Number((share * 100).toFixed(2))} % of the budget of ${payer.kind} "${payer.id}"${when} are spent: ${formatUsd(spent)} of ${formatUsd(cap)}${outlook}.`,
    ...ownerOf(standing),
    ...{ share, spentNanoUsd: spent, capNanoUsd: cap },
    ...(ahead === undefined ? {} : { forecast: ahead }),
  });
}

function tellShift({ events }: SpendingParts, { payer, period }: Standing, spent: NanoUsd, cap: NanoUsd): void {
  events.tell({
    type: 'provider-shifted',
    level: 'warn',
    message: `${formatUsd(spent)} of the ${formatUsd(cap)} for the provider ${payer.id} are spent, so calls that are not critical go to other providers first.`,
    provider: payer.id,
    ...(period === undefined ? {} : { period: period.name }),
    ...{ spentNanoUsd: spent, capNanoUsd: cap },
  });
}

async function daysOf(ledger: UsageLedger, filter: LedgerFilter): Promise<readonly DaySpending[]> {
  return daysOfTotals(await ledger.totals('day', filter));
}

async function forecastOf(
  ledger: UsageLedger,
  standing: Standing,
  period: Period,
  nowMs: number,
): Promise<Forecast | null> {
  const days = await daysOf(ledger, { ...filterOf(standing), from: forecastFrom(period, nowMs) });
  return forecast(days, period, nowMs);
}

/**
 * Whole days only, so that a day that has just begun does not look like a fall; and nothing before the first of the two weeks is known, so that
 * a scope that has just begun does not look like a rise.
 */
async function lookAtDrift(
  { events, clock, keyValue }: SpendingParts,
  ledger: UsageLedger,
  standing: Standing,
  threshold: number,
): Promise<void> {
  const today = dayOf(clock.now());
  const days = await daysOf(ledger, {
    ...filterOf(standing),
    from: (today - 4 * WEEK) * DAY_MS,
    to: today * DAY_MS,
  });
  if (!days.some(({ day }) => day <= today - 2 * WEEK)) return;
  const sumOf = (from: number, to: number): NanoUsd =>
    days.reduce((sum, { day, costNanoUsd }) => (day >= from && day < to ? sum + costNanoUsd : sum), 0);
  const before = sumOf(today - 2 * WEEK, today - WEEK);
  const last = sumOf(today - WEEK, today);
  const change = before === 0 ? 0 : last / before - 1;
  if (Math.abs(change) < threshold) return;
  const { payer } = standing;
  if (!(await isNewDrift(keyValue, counterKey(payer), today))) return;
  events.tell({
    type: 'spend-drift',
    level: 'warn',
    message: `The last seven days of ${payer.kind} "${payer.id}" cost ${formatUsd(last)}, ${Math.round(Math.abs(change) * 100)} % ${change > 0 ? 'more' : 'less'} than the seven before.`,
    scope: payer,
    ...{ lastNanoUsd: last, beforeNanoUsd: before, change },
  });
}

/** Once in seven days for all processes: the counter of the day decides between those that find it at the same time. */
async function isNewDrift(keyValue: KeyValueStore, payer: string, today: number): Promise<boolean> {
  const key = `told:drift:${payer}`;
  const told = await keyValue.get(key);
  if (typeof told === 'number' && today - told < WEEK) return false;
  if (!(await isFirst(keyValue, `drift:${today}:${payer}`))) return false;
  await keyValue.set(key, today, { ttlMs: (WEEK + 1) * DAY_MS });
  return true;
}
