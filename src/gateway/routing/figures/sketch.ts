/**
 * A quantile sketch of durations with decay: a histogram of logarithmic buckets (7 % wide) whose weights halve every five
 * minutes. Adding is O(1) with forward decay (Cormode et al., "Forward decay", 2009): the weight of new samples grows
 * instead of the weight of old ones shrinking. After a clock was set back, what was added before counts as added just now.
 */
import { SET_BACK_MS } from './decaying-mean.ts';

const GROWTH = Math.log(1.07);
const BUCKETS = 200;
const HALF_LIFE_MS = 300_000;
const MAX_EXPONENT = 500;
/** One slightly decayed sample: below that weight, a sketch has no quantiles. */
const LEAST_WEIGHT = 0.99;

/** A weight that says nothing any more. */
const LEAST_SAVED = 0.001;

/** Counts that halve every five minutes. */
export interface DecayingCounts {
  /** `count` observations of that moment, which may be before others. @default 1 */
  add(index: number, nowMs: number, count?: number): void;
  /** The weight of a bucket at `nowMs`. */
  weight(index: number, nowMs: number): number;
  total(nowMs: number): number;
  /** The weight of a bucket by all of them and so many more: one power instead of two. */
  share(index: number, prior: number, nowMs: number): number;
  /** The moment from which the total is less than `weight`. */
  until(weight: number): number;
  /** Whoever reads says what time it is. Returns by how many milliseconds the clock was set back since. */
  follow(nowMs: number): number;
}

/** The number of a bucket, and the weight in it. */
export type BucketWeight = readonly [bucket: number, weight: number];

export interface Sketch {
  add(milliseconds: number, nowMs: number): void;
  /** Its buckets with their weights at `nowMs`, the heaviest first, at most `most`. */
  buckets(nowMs: number, most: number): readonly BucketWeight[];
  /** Adds what another sketch held at `atMs`. Buckets that do not exist are left out. */
  addBuckets(buckets: readonly BucketWeight[], atMs: number): void;
  /** In milliseconds; undefined while less than one sample's weight is left. */
  quantile(fraction: number, nowMs: number): number | undefined;
  /** The number of samples, each counted by its remaining weight. */
  weight(nowMs: number): number;
}

export function decayingCounts(buckets: number): DecayingCounts & { readonly raw: Float64Array } {
  const raw = new Float64Array(buckets);
  let origin = 0;
  /** The latest moment of which anything was added. */
  let latest = Number.NEGATIVE_INFINITY;
  let sum = 0;
  const exponent = (nowMs: number): number => (nowMs - origin) / HALF_LIFE_MS;
  const rebase = (nowMs: number): void => {
    const factor = 2 ** -exponent(nowMs);
    for (let index = 0; index < buckets; index += 1) raw[index] = (raw[index] ?? 0) * factor;
    sum *= factor;
    origin = nowMs;
  };
  const follow = (nowMs: number): number => {
    const backMs = latest - nowMs;
    if (backMs < SET_BACK_MS) return 0;
    latest = nowMs;
    origin -= backMs;
    return backMs;
  };
  return {
    raw,
    follow,
    add(index, nowMs, count = 1) {
      if (nowMs > latest) latest = nowMs;
      if (sum === 0) origin = nowMs;
      else if (exponent(nowMs) > MAX_EXPONENT) rebase(nowMs);
      const weight = count * 2 ** exponent(nowMs);
      raw[index] = (raw[index] ?? 0) + weight;
      sum += weight;
    },
    // Most buckets are empty, and a power for each would be a third of the cost of routing over a long catalogue.
    weight: (index, nowMs) => (raw[index] ? raw[index] * 2 ** -exponent(nowMs) : 0),
    share(index, prior, nowMs) {
      const weight = raw[index];
      if (!weight) return 0;
      const factor = 2 ** -exponent(nowMs);
      return (weight * factor) / (sum * factor + prior);
    },
    total: (nowMs) => (sum === 0 ? 0 : sum * 2 ** -exponent(nowMs)),
    until: (weight) => (sum === 0 ? Number.NEGATIVE_INFINITY : origin + HALF_LIFE_MS * Math.log2(sum / weight)),
  };
}

const bucketOf = (milliseconds: number): number =>
  Math.min(BUCKETS - 1, Math.max(0, Math.round(Math.log(Math.max(1, milliseconds)) / GROWTH)));

export function sketch(): Sketch {
  const counts = decayingCounts(BUCKETS);
  const known = new Map<number, number>();
  let freshUntil = Number.NEGATIVE_INFINITY;
  const moveBack = (nowMs: number): void => {
    const backMs = counts.follow(nowMs);
    // Written only where it changes, because each write of a fraction makes an object.
    if (backMs > 0) freshUntil -= backMs;
  };
  const find = (fraction: number): number => {
    let rest = 0;
    for (let index = 0; index < BUCKETS; index += 1) rest += counts.raw[index] ?? 0;
    rest *= fraction;
    for (let index = 0; index < BUCKETS; index += 1) {
      rest -= counts.raw[index] ?? 0;
      if (rest <= 0) return Math.exp(index * GROWTH);
    }
    return Math.exp((BUCKETS - 1) * GROWTH);
  };
  return {
    add(milliseconds, nowMs) {
      known.clear();
      counts.follow(nowMs);
      counts.add(bucketOf(milliseconds), nowMs);
      freshUntil = counts.until(LEAST_WEIGHT);
    },
    buckets(nowMs, most) {
      const held: BucketWeight[] = [];
      for (let index = 0; index < BUCKETS; index += 1) {
        const weight = counts.weight(index, nowMs);
        if (weight >= LEAST_SAVED) held.push([index, weight]);
      }
      return held.sort(([, a], [, b]) => b - a).slice(0, most);
    },
    addBuckets(buckets, atMs) {
      known.clear();
      for (const [index, weight] of buckets) if (index < BUCKETS) counts.add(index, atMs, weight);
      freshUntil = counts.until(LEAST_WEIGHT);
    },
    quantile(fraction, nowMs) {
      moveBack(nowMs);
      if (nowMs > freshUntil) return undefined;
      const before = known.get(fraction);
      if (before !== undefined) return before;
      const value = find(fraction);
      known.set(fraction, value);
      return value;
    },
    weight(nowMs) {
      moveBack(nowMs);
      return counts.total(nowMs);
    },
  };
}
