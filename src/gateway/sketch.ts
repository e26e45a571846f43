/**
 * A quantile sketch of durations that forgets: a histogram of logarithmic buckets (7 % wide) whose weights halve every
 * five minutes. Adding is O(1) with forward decay (Cormode et al., "Forward decay", 2009): new samples weigh more
 * instead of old ones less.
 */
const GROWTH = Math.log(1.07);
const BUCKETS = 200;
const HALF_LIFE_MS = 300_000;
const MAX_EXPONENT = 500;

/** Counts that halve every five minutes. */
export interface DecayingCounts {
  add(index: number, nowMs: number): void;
  /** Weight of a bucket as of now. */
  weight(index: number, nowMs: number): number;
  total(nowMs: number): number;
}

export interface Sketch {
  add(milliseconds: number, nowMs: number): void;
  /** undefined while less than one sample's weight is left. */
  quantile(fraction: number, nowMs: number): number | undefined;
  /** Samples, each counted by what is left of its weight. */
  weight(nowMs: number): number;
}

export function decayingCounts(buckets: number): DecayingCounts & { readonly raw: Float64Array } {
  const raw = new Float64Array(buckets);
  let origin = 0;
  let sum = 0;
  const exponent = (nowMs: number): number => (nowMs - origin) / HALF_LIFE_MS;
  const rebase = (nowMs: number): void => {
    const factor = 2 ** -exponent(nowMs);
    for (let index = 0; index < buckets; index += 1) raw[index] = (raw[index] ?? 0) * factor;
    sum *= factor;
    origin = nowMs;
  };
  return {
    raw,
    add(index, nowMs) {
      if (sum === 0) origin = nowMs;
      else if (exponent(nowMs) > MAX_EXPONENT) rebase(nowMs);
      const weight = 2 ** exponent(nowMs);
      raw[index] = (raw[index] ?? 0) + weight;
      sum += weight;
    },
    weight: (index, nowMs) => (sum === 0 ? 0 : (raw[index] ?? 0) * 2 ** -exponent(nowMs)),
    total: (nowMs) => (sum === 0 ? 0 : sum * 2 ** -exponent(nowMs)),
  };
}

const bucketOf = (milliseconds: number): number =>
  Math.min(BUCKETS - 1, Math.max(0, Math.round(Math.log(Math.max(1, milliseconds)) / GROWTH)));

export function sketch(): Sketch {
  const counts = decayingCounts(BUCKETS);
  const known = new Map<number, number>();
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
      counts.add(bucketOf(milliseconds), nowMs);
    },
    quantile(fraction, nowMs) {
      if (counts.total(nowMs) < 0.99) return undefined;
      const value = known.get(fraction) ?? find(fraction);
      known.set(fraction, value);
      return value;
    },
    weight: counts.total,
  };
}
