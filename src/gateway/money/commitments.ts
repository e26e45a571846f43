/**
 * Usage that is paid for already, or costs less, until an amount of it is used up.
 *
 * C1. All usage at the usual price, or in tokens, adds to one counter of its commitment and period, in one change for each attempt. The
 *     part below the amount is covered: attempts have parts of their own, whatever the number of processes, so nothing is covered
 *     twice and nothing is lost between two.
 * C2. Caps reserve the usual price, because nobody knows before the answer what is left by then.
 * C3. What cannot be counted is booked at the usual price: an attempt that was cancelled, one that is recovered after a crash, and any
 *     while the store fails.
 * C4. The router knows what is left from the last attempt of its own process, so it may be late by what others use meanwhile.
 */
import type { Clock } from '../../core/clock.ts';
import type { CommitmentConfig, Config } from '../../core/config.ts';
import { errorRecord } from '../../core/errors.ts';
import type { Target } from '../../core/model/model.ts';
import { formatUsd, MOST_NANO_USD, type NanoUsd, usdToNano } from '../../core/money/money.ts';
import { type Period, periodAt } from '../../core/money/period.ts';
import type { Logger } from '../../core/plugin.ts';
import type { CounterResult, KeyValueStore } from '../../core/stores.ts';
import type { GatewayEvents } from '../gateway-events.ts';
import type { Charge } from './charge.ts';
import { isPromise } from './reservation.ts';

export interface CommitmentParts {
  readonly clock: Clock;
  readonly keyValue: KeyValueStore;
  readonly logger?: Logger | undefined;
  readonly events: GatewayEvents;
  readonly config: () => Config;
}

export interface Commitments {
  /** What is billed of a charge at the usual price. Never rejects. `atMs`: when the attempt was sent. */
  draw(target: Target, charge: Charge, atMs: number): Charge | Promise<Charge>;
  /** By what the router multiplies the usual price of a target now; undefined: no commitment is configured. */
  rates(nowMs: number): ((target: Target) => number) | undefined;
}

/** A commitment as it is counted. */
interface Terms {
  readonly model: string | undefined;
  readonly unit: 'nanoUsd' | 'tokens';
  readonly amount: number;
  /** Of the usual price, in millionths. */
  readonly millionths: bigint;
  readonly times: number;
  readonly config: CommitmentConfig;
  readonly name: string;
  /** For people. */
  readonly words: string;
}

type Index = ReadonlyMap<string, readonly Terms[]>;
const indexes = new WeakMap<readonly CommitmentConfig[], Index>();

const MINUTE_MS = 60_000;
/** A minute whose counter nobody needs any more, in milliseconds after its end: the longest attempts are counted to their beginning. */
const KEPT_MS = 3_600_000;

export const createCommitments = (parts: CommitmentParts): Commitments => new OwnCommitments(parts);

/** A class, because its methods share what is known of the counters. */
class OwnCommitments implements Commitments {
  readonly #parts: CommitmentParts;
  /** What was counted of each counter, as this process knows it, with the end of its period in epoch milliseconds. */
  readonly #known = new Map<string, { readonly counted: number; readonly to: number; readonly isMinute: boolean }>();

  constructor(parts: CommitmentParts) {
    this.#parts = parts;
  }

  draw(target: Target, charge: Charge, atMs: number): Charge | Promise<Charge> {
    const { commitments } = this.#parts.config();
    if (commitments === undefined) return charge;
    const of = matching(commitments, target);
    return of.length === 0 ? charge : this.#drawFrom(of, 0, charge, usedBy(charge), atMs);
  }

  rates(nowMs: number): ((target: Target) => number) | undefined {
    const { commitments } = this.#parts.config();
    if (commitments === undefined) return undefined;
    return (target) => {
      const open = matching(commitments, target).find((terms) => {
        const { key } = counterOf(terms, nowMs);
        return (this.#known.get(key)?.counted ?? 0) < terms.amount;
      });
      return open?.times ?? 1;
    };
  }

  /** The first commitment takes what it covers, the next one the rest. */
  #drawFrom(of: readonly Terms[], at: number, charge: Charge, used: Used, atMs: number): Charge | Promise<Charge> {
    const terms = of[at];
    const by = terms === undefined ? 0 : used[terms.unit];
    if (terms === undefined || (used.nanoUsd === 0 && used.tokens === 0)) return charge;
    if (by === 0) return this.#drawFrom(of, at + 1, charge, used, atMs);
    const { key, period } = counterOf(terms, atMs);
    const counted = (result: CounterResult): Charge | Promise<Charge> => {
      const total = result.ok ? (result.values[0] ?? 0) : 0;
      this.#learn(terms, key, period, total, by);
      const covered = Math.max(0, Math.min(by, terms.amount - (total - by)));
      const { charge: left, rest } = coveredBy(terms, charge, used, covered);
      return this.#drawFrom(of, at + 1, left, rest, atMs);
    };
    const failed = (error: unknown): Charge => {
      const { logger } = this.#parts;
      logger?.warn({ error: errorRecord(error) }, `What is left of ${terms.words} could not be counted.`);
      return charge;
    };
    try {
      const result = this.#parts.keyValue.change([{ key, by }]);
      return isPromise(result) ? result.then(counted).catch(failed) : counted(result);
    } catch (error) {
      return failed(error);
    }
  }

  #learn(
    { amount, name, words, config }: Terms,
    key: string,
    { name: period, to }: Period,
    total: number,
    by: number,
  ): void {
    const isMinute = config.period === 'minute';
    if (!this.#known.has(key)) this.#forget();
    this.#known.set(key, { counted: total, to, isMinute });
    // One attempt only, of whatever process, finds it below the amount and leaves it at or above.
    if (isMinute || total - by >= amount || total < amount) return;
    this.#parts.events.tell({
      type: 'commitment-spent',
      level: 'info',
      message: `${beginning(words)} is used up for ${period.includes(' ') ? `the ${period}` : period}: it covers no further calls until the next ${config.period} begins.`,
      ...{ what: name, period, amount: config.usd === undefined ? { tokens: amount } : { nanoUsd: amount } },
    });
  }

  /** Periods that are over; the counters of minutes are removed too, because there are thousands of them. */
  #forget(): void {
    const { clock, keyValue } = this.#parts;
    const now = clock.now();
    for (const [key, { to, isMinute }] of this.#known) {
      if (to + KEPT_MS > now) continue;
      this.#known.delete(key);
      if (isMinute) void keyValue.delete(key).catch(ignore);
    }
  }
}

function ignore(): void {}

/** `the commitment to acme of $500 a month`. */
function wordsOf({ provider, model, usd, tokens = 0, period }: CommitmentConfig): string {
  const amount = usd === undefined ? `${tokens.toLocaleString('en')} tokens` : formatUsd(usdToNano(usd));
  return `the commitment to ${model === undefined ? provider : `${provider}/${model}`} of ${amount} a ${period}`;
}

const beginning = (words: string): string => `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;

interface Used {
  readonly nanoUsd: NanoUsd;
  readonly tokens: number;
}

const usedBy = ({ usage, costNanoUsd }: Charge): Used => ({
  nanoUsd: costNanoUsd ?? 0,
  tokens: (usage?.input ?? 0) + (usage?.output ?? 0),
});

/** What is covered costs its share, rounded up; the rest of the charge stays at the usual price. */
function coveredBy(
  { unit, millionths }: Terms,
  charge: Charge,
  used: Used,
  covered: number,
): { readonly charge: Charge; readonly rest: Used } {
  if (covered === 0) return { charge, rest: used };
  const coveredNanoUsd = unit === 'nanoUsd' ? covered : share(used.nanoUsd, covered, used.tokens);
  const coveredTokens = unit === 'tokens' ? covered : share(used.tokens, covered, used.nanoUsd);
  const rest = { nanoUsd: used.nanoUsd - coveredNanoUsd, tokens: used.tokens - coveredTokens };
  const { costNanoUsd } = charge;
  if (costNanoUsd === null) {
    // Without a price only what is covered as a whole, and free, has a known cost.
    return { charge: rest.tokens === 0 && millionths === 0n ? { ...charge, costNanoUsd: 0 } : charge, rest };
  }
  const billed = Number((BigInt(coveredNanoUsd) * millionths + 999_999n) / 1_000_000n);
  return { charge: { ...charge, costNanoUsd: costNanoUsd - coveredNanoUsd + billed }, rest };
}

/** `part / whole` of an amount, rounded down. */
const share = (amount: number, part: number, whole: number): number =>
  whole === 0 ? 0 : Number((BigInt(amount) * BigInt(part)) / BigInt(whole));

function counterOf({ config, name }: Terms, atMs: number): { readonly key: string; readonly period: Period } {
  const period = config.period === 'minute' ? minuteAt(atMs) : periodAt(config.period, atMs, config.startsOn);
  return { key: `commitment@${period.name}:${name}`, period };
}

function minuteAt(atMs: number): Period {
  const from = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
  return { name: `minute ${from / MINUTE_MS}`, from, to: from + MINUTE_MS };
}

function matching(commitments: readonly CommitmentConfig[], { provider, model }: Target): readonly Terms[] {
  let index = indexes.get(commitments);
  if (index === undefined) {
    index = indexOf(commitments);
    indexes.set(commitments, index);
  }
  const all = index.get(provider) ?? NONE;
  return all.some((terms) => terms.model !== undefined && terms.model !== model)
    ? all.filter((terms) => terms.model === undefined || terms.model === model)
    : all;
}

const NONE: readonly Terms[] = [];

function indexOf(commitments: readonly CommitmentConfig[]): Index {
  const index = new Map<string, Terms[]>();
  for (const config of commitments) {
    const { provider, model, usd, tokens = 0, period, times = 0 } = config;
    const unit = usd === undefined ? 'tokens' : 'nanoUsd';
    const terms: Terms = {
      ...{ model, unit, times, config },
      amount: usd === undefined ? tokens : Math.min(MOST_NANO_USD, usdToNano(usd)),
      millionths: BigInt(Math.round(times * 1_000_000)),
      name: `${provider}/${model ?? '*'} ${unit === 'tokens' ? 'tokens' : 'usd'} a ${period} at ${times}`,
      words: wordsOf(config),
    };
    const of = index.get(provider);
    if (of === undefined) index.set(provider, [terms]);
    else of.push(terms);
  }
  return index;
}
