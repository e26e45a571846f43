/**
 * How many tokens a provider counts for one of our own estimate: learned from each answer to a request of text, where the estimate is
 * a quarter of the bytes. It corrects what is expected to be paid, what fits a window, and what is held where the bound by bytes does not fit.
 */
import { decayingMean, type Rating } from './decaying-mean.ts';

/** Beyond these a claim is an error, or counts what we do not see. */
const LEAST = 0.2;
const MOST = 5;
/** Observations that the estimate itself counts as. */
const PRIOR = 10;
/** Shorter prompts consist of what providers add. */
const SHORTEST = 64;
const RECENT_SHARE = 0.1;
/** Of these recent answers, compared with so many before. */
const RECENT = 20;
const LEARNED = 50;
const DRIFT = 0.25;
const TELL_EVERY_MS = 86_400_000;

/** Plans are estimated anew once a ratio has moved by so much. */
const TOLD_AGAIN = 0.05;
/** What was learned fades without answers, too. */
const FADES_MS = 3_600_000;

/** What providers count for one token of our own estimate, by `provider/model`; 1 for others. */
export type TokenRatios = ReadonlyMap<string, number>;

/** How often anything was learned, of any target. */
export interface Learning {
  count: number;
}

export interface TokenDrift {
  readonly learned: number;
  readonly recent: number;
}

const bounded = (ratio: number): number => Math.min(MOST, Math.max(LEAST, ratio));

/** A class because there is one per target, and most have learned nothing. */
export class TokenRatio {
  #mean = decayingMean();
  #recent = 1;
  #count = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  readonly #learning: Learning;

  constructor(learning: Learning = { count: 0 }) {
    this.#learning = learning;
  }

  /** Returns what has changed where the recent answers differ from all by a quarter, at most once a day. */
  learn(estimated: number, claimed: number, nowMs: number): TokenDrift | undefined {
    if (estimated < SHORTEST || !(claimed > 0)) return undefined;
    const ratio = bounded(claimed / estimated);
    this.#recent = this.#count === 0 ? ratio : this.#recent + RECENT_SHARE * (ratio - this.#recent);
    this.#count += 1;
    this.#learning.count += 1;
    this.#mean.add(ratio, nowMs);
    const sinceMs = nowMs - this.#toldAt;
    // Below 0: the clock was set back.
    if (this.#count < RECENT || (sinceMs >= 0 && sinceMs < TELL_EVERY_MS)) return undefined;
    const learned = this.#mean.read(nowMs);
    if (learned === undefined || learned.weight < LEARNED) return undefined;
    if (Math.abs(this.#recent / learned.mean - 1) < DRIFT) return undefined;
    this.#toldAt = nowMs;
    return { learned: learned.mean, recent: this.#recent };
  }

  /** 1 before anything was learned; 0.2 to 5. */
  of(nowMs: number): number {
    if (this.#count === 0) return 1;
    const learned = this.#mean.read(nowMs);
    return learned === undefined ? 1 : (PRIOR + learned.mean * learned.weight) / (PRIOR + learned.weight);
  }

  /** For limits, where too low costs a refusal: at least what the last answers say, from the first one on. */
  most(nowMs: number): number {
    return this.#count === 0 ? 1 : Math.max(this.#recent, this.of(nowMs));
  }

  /** What was learned, without the prior. */
  learned(nowMs: number): Rating | undefined {
    return this.#count === 0 ? undefined : this.#mean.read(nowMs);
  }

  /** Adds what was learned before. */
  restore(mean: number, weight: number, atMs: number): void {
    this.#mean.add(bounded(mean), atMs, weight);
    if (this.#count === 0) this.#recent = bounded(mean);
    this.#count += 1;
    this.#learning.count += 1;
  }
}

interface Learned {
  readonly target: { readonly provider: string; readonly model: string };
  readonly statistics: { readonly tokenRatio: TokenRatio };
}

/** Returns the same map for as long as no ratio has become another one, so that what was estimated by it can be kept. */
export function toldRatios(learning: Learning, all: () => Iterable<Learned>): (nowMs: number) => TokenRatios {
  let told: TokenRatios = new Map();
  let heard = 0;
  let atMs = 0;
  return (nowMs) => {
    if (heard === learning.count && (told.size === 0 || Math.abs(nowMs - atMs) < FADES_MS)) return told;
    [heard, atMs] = [learning.count, nowMs];
    const now = ratiosNow(all(), nowMs);
    if (differs(now, told) || differs(told, now)) told = now;
    return told;
  };
}

/** Of several regions of a model, what most answers say. */
function ratiosNow(all: Iterable<Learned>, nowMs: number): TokenRatios {
  const weights = new Map<string, number>();
  const ratios = new Map<string, number>();
  for (const { target, statistics } of all) {
    const weight = statistics.tokenRatio.learned(nowMs)?.weight;
    const name = `${target.provider}/${target.model}`;
    if (weight === undefined || weight <= (weights.get(name) ?? 0)) continue;
    weights.set(name, weight);
    ratios.set(name, statistics.tokenRatio.of(nowMs));
  }
  return ratios;
}

function differs(ratios: TokenRatios, others: TokenRatios): boolean {
  for (const [name, ratio] of ratios) if (Math.abs(ratio / (others.get(name) ?? 1) - 1) >= TOLD_AGAIN) return true;
  return false;
}
