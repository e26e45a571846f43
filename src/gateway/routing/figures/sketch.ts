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

/** The number of a bucket, and the weight in it. */
export type BucketWeight = readonly [bucket: number, weight: number];

export interface Sketch {
  add(milliseconds: number, nowMs: number): void;
  /** A wait that somebody ended after so long: alone, it would have been longer. */
  addCut(milliseconds: number, nowMs: number): void;
  /** Its buckets with their weights at `nowMs`, the heaviest first, at most `most`. */
  buckets(nowMs: number, most: number): readonly BucketWeight[];
  /** Adds what another sketch held at `atMs`. Buckets that do not exist are left out. */
  addBuckets(buckets: readonly BucketWeight[], atMs: number): void;
  /** In milliseconds; undefined while less than one sample's weight is left. */
  quantile(fraction: number, nowMs: number): number | undefined;
  /**
   * The same of waits that nobody had cut short, and not rounded to a bucket: cut waits tell how many were at least as long, and those
   * that ended tell how many of these end when (Kaplan and Meier, 1958). Where a bucket holds more than lies above the quantile, the
   * samples in it are alike, and its upper end is the answer.
   */
  uncutQuantile(fraction: number, nowMs: number): number | undefined;
  /** The number of samples, each counted by its remaining weight. */
  weight(nowMs: number): number;
}

/** The last power of two that was found: what is read of a target at one moment mostly began at one moment. */
const latestPower = new Float64Array([0, 1]);

/** `2 ** -exponent`, which takes as long as all else that is read of a target. */
function leftAfter(exponent: number): number {
  if (latestPower[0] === exponent) return latestPower[1] as number;
  const left = 2 ** -exponent;
  latestPower[0] = exponent;
  latestPower[1] = left;
  return left;
}

/** Where the weights count from, the latest moment of which anything was added, and the sum of all; then the buckets. */
const ORIGIN = 0;
const LATEST = 1;
const SUM = 2;
const FIRST = 3;

/**
 * Counts that halve every five minutes. A class with its numbers in one array: a decision reads those of hundreds of targets, and
 * each number of its own would be an object of its own.
 */
export class DecayingCounts {
  #held: Float64Array;

  constructor(buckets: number) {
    this.#held = new Float64Array(FIRST + buckets);
    this.#held[LATEST] = Number.NEGATIVE_INFINITY;
  }

  /** `count` observations of that moment, which may be before others. @default 1 */
  add(index: number, nowMs: number, count = 1): void {
    const held = this.#held;
    if (nowMs > this.#at(LATEST)) held[LATEST] = nowMs;
    if (this.#at(SUM) === 0) held[ORIGIN] = nowMs;
    else if (this.#exponent(nowMs) > MAX_EXPONENT) this.#rebase(nowMs);
    const weight = count * 2 ** this.#exponent(nowMs);
    held[FIRST + index] = this.raw(index) + weight;
    held[SUM] = this.#at(SUM) + weight;
  }

  /** The weight of a bucket at `nowMs`. */
  weight(index: number, nowMs: number): number {
    const raw = this.raw(index);
    // Most buckets are empty, and a power for each would be a third of the cost of routing over a long catalogue.
    return raw ? raw * leftAfter(this.#exponent(nowMs)) : 0;
  }

  total(nowMs: number): number {
    const sum = this.#at(SUM);
    return sum === 0 ? 0 : sum * leftAfter(this.#exponent(nowMs));
  }

  /** The weight of a bucket by all of them and so many more: one power instead of two. */
  share(index: number, prior: number, nowMs: number): number {
    const weight = this.raw(index);
    if (!weight) return 0;
    const factor = leftAfter(this.#exponent(nowMs));
    return (weight * factor) / (this.#at(SUM) * factor + prior);
  }

  /** The moment from which the total is less than `weight`. */
  until(weight: number): number {
    const sum = this.#at(SUM);
    return sum === 0 ? Number.NEGATIVE_INFINITY : this.#at(ORIGIN) + HALF_LIFE_MS * Math.log2(sum / weight);
  }

  /** Whoever reads says what time it is. Returns by how many milliseconds the clock was set back since. */
  follow(nowMs: number): number {
    const backMs = this.#at(LATEST) - nowMs;
    if (backMs < SET_BACK_MS) return 0;
    this.#held[LATEST] = nowMs;
    this.#held[ORIGIN] = this.#at(ORIGIN) - backMs;
    return backMs;
  }

  /** Makes room for so many buckets. */
  grow(buckets: number): void {
    if (this.#held.length >= FIRST + buckets) return;
    const grown = new Float64Array(FIRST + buckets);
    grown.set(this.#held);
    this.#held = grown;
  }

  /** The weight of a bucket beside those of the others; 0 for one that is not there. */
  raw(index: number): number {
    return this.#held[FIRST + index] ?? 0;
  }

  /** All numbers as they are held: that of the first bucket is at `FIRST`. */
  numbers(): Float64Array {
    return this.#held;
  }

  #at(place: typeof ORIGIN | typeof LATEST | typeof SUM): number {
    return this.#held[place] as number;
  }

  #exponent(nowMs: number): number {
    return (nowMs - this.#at(ORIGIN)) / HALF_LIFE_MS;
  }

  #rebase(nowMs: number): void {
    const factor = 2 ** -this.#exponent(nowMs);
    for (let index = SUM; index < this.#held.length; index += 1) this.#held[index] = (this.#held[index] ?? 0) * factor;
    this.#held[ORIGIN] = nowMs;
  }
}

const bucketOf = (milliseconds: number): number =>
  Math.min(BUCKETS - 1, Math.max(0, Math.round(Math.log(Math.max(1, milliseconds)) / GROWTH)));

/** Kept ones come from a store. */
const isBucket = (index: number): boolean => Number.isInteger(index) && index >= 0 && index < BUCKETS;

/** Until when it has quantiles; then those that were found since the last sample, each after its fraction. */
const FRESH_UNTIL = 0;
const FOUND = 1;
const MOST_FOUND = 3;

export const sketch = (): Sketch => new DecayingSketch();

class DecayingSketch implements Sketch {
  readonly #counts = new DecayingCounts(BUCKETS);
  readonly #held = new Float64Array(FOUND + 2 * MOST_FOUND);
  /** All others are empty: what is like lies in a few of them, and each call reads some quantiles anew. */
  #lowest = BUCKETS;
  #highest = -1;

  constructor() {
    this.#changed(Number.NEGATIVE_INFINITY);
  }

  add(milliseconds: number, nowMs: number): void {
    this.#counts.follow(nowMs);
    this.#counts.add(this.#used(bucketOf(milliseconds)), nowMs);
    this.#changed(this.#counts.until(LEAST_WEIGHT));
  }

  addCut(milliseconds: number, nowMs: number): void {
    // Most targets have none, and need no room for them.
    this.#counts.grow(2 * BUCKETS);
    this.#counts.follow(nowMs);
    this.#counts.add(BUCKETS + this.#used(bucketOf(milliseconds)), nowMs);
    this.#changed(this.#counts.until(LEAST_WEIGHT));
  }

  buckets(nowMs: number, most: number): readonly BucketWeight[] {
    const held: BucketWeight[] = [];
    this.#follow(nowMs);
    for (let index = 0; index < BUCKETS; index += 1) {
      const weight = this.#counts.weight(index, nowMs) + this.#counts.weight(BUCKETS + index, nowMs);
      if (weight >= LEAST_SAVED) held.push([index, weight]);
    }
    return held.sort(([, a], [, b]) => b - a).slice(0, most);
  }

  addBuckets(buckets: readonly BucketWeight[], atMs: number): void {
    for (const [index, weight] of buckets) if (isBucket(index)) this.#counts.add(this.#used(index), atMs, weight);
    this.#changed(this.#counts.until(LEAST_WEIGHT));
  }

  quantile(fraction: number, nowMs: number): number | undefined {
    const held = this.#held;
    this.#follow(nowMs);
    if (nowMs > (held[FRESH_UNTIL] as number)) return undefined;
    for (let at = FOUND; at < held.length; at += 2) if (held[at] === fraction) return held[at + 1];
    const value = this.#find(fraction);
    // The oldest makes room.
    held.copyWithin(FOUND + 2, FOUND, held.length - 2);
    held[FOUND] = fraction;
    held[FOUND + 1] = value;
    return value;
  }

  uncutQuantile(fraction: number, nowMs: number): number | undefined {
    const rounded = this.quantile(fraction, nowMs);
    return rounded && (this.#findUncut(fraction) ?? rounded);
  }

  weight(nowMs: number): number {
    this.#follow(nowMs);
    return this.#counts.total(nowMs);
  }

  /** No quantile is asked for by NaN. */
  #changed(freshUntil: number): void {
    this.#held.fill(Number.NaN);
    this.#held[FRESH_UNTIL] = freshUntil;
  }

  #follow(nowMs: number): void {
    const backMs = this.#counts.follow(nowMs);
    if (backMs > 0) this.#held[FRESH_UNTIL] = (this.#held[FRESH_UNTIL] as number) - backMs;
  }

  #used(index: number): number {
    if (index < this.#lowest) this.#lowest = index;
    if (index > this.#highest) this.#highest = index;
    return index;
  }

  #find(fraction: number): number {
    const numbers = this.#counts.numbers();
    let rest = sumOf(numbers, this.#lowest, this.#highest) * fraction;
    for (let index = this.#lowest; index <= this.#highest; index += 1) {
      rest -= weightAt(numbers, index);
      if (rest <= 0) return Math.exp(index * GROWTH);
    }
    return Math.exp((BUCKETS - 1) * GROWTH);
  }

  /** Undefined where so many were cut short that nobody knows. */
  #findUncut(fraction: number): number | undefined {
    const numbers = this.#counts.numbers();
    const most = 1 - fraction;
    let waiting = sumOf(numbers, this.#lowest, this.#highest);
    /** The share of samples that are longer than the buckets so far. */
    let longer = 1;
    for (let index = this.#lowest; index <= this.#highest && waiting > 0; index += 1) {
      const after = longer * (1 - Math.min(1, (numbers[FIRST + index] as number) / waiting));
      if (after <= most) {
        const share = longer - after;
        return Math.exp((index - 0.5 + (share > most ? 1 : (longer - most) / share)) * GROWTH);
      }
      longer = after;
      waiting -= weightAt(numbers, index);
    }
    return undefined;
  }
}

/** Of samples that ended in the bucket or were cut short in it. A function of the numbers: what a method returns would be an object each time. */
const weightAt = (numbers: Float64Array, index: number): number =>
  (numbers[FIRST + index] as number) + (numbers[FIRST + BUCKETS + index] ?? 0);

function sumOf(numbers: Float64Array, lowest: number, highest: number): number {
  let sum = 0;
  for (let index = lowest; index <= highest; index += 1) sum += weightAt(numbers, index);
  return sum;
}
