/** Observations per target: latency, first token, error rate, length of answers. All but the length decay within minutes. */
import type { TargetFigures } from '../../core/gateway.ts';
import type { Target } from '../../core/model/model.ts';
import { type DecayingMean, decayingMean, type Rating } from './figures/decaying-mean.ts';
import { MOST_SAVED, type SavedObservations, type SavedTarget } from './figures/saved-observations.ts';
import { DecayingCounts, type Sketch, sketch } from './figures/sketch.ts';
import { type Learning, TokenRatio, type TokenRatios, toldRatios } from './figures/token-ratio.ts';

/** Successful attempts that are assumed before any was seen, so that one failure is not an error rate of 1. */
const PRIOR_ATTEMPTS = 4;
const LENGTH_SHARE = 0.1;
/** Fields of work of one target that are counted: callers name them. */
const MOST_FIELDS = 64;

export interface TargetStatistics {
  /** False before anything was recorded or rated: there is nothing to read but the length of answers. */
  readonly isObserved: boolean;
  /** False before anything was rated. */
  readonly isRated: boolean;
  /** Total milliseconds of successful attempts. */
  readonly total: Sketch;
  readonly firstToken: Sketch;
  /** What its provider counts, for one token of our own estimate. */
  readonly tokenRatio: TokenRatio;
  /** `blamed`: the target's own fault, neither the caller's nor the credential's. */
  record(observed: {
    readonly totalMs: number;
    readonly firstTokenMs: number | null;
    readonly outcome: 'ok' | 'blamed' | 'other';
    readonly outputTokens: number;
    readonly nowMs: number;
  }): void;
  /** 0 to 1; decays to 0 when a target gets no traffic, so that it is tried again. */
  errorRate(nowMs: number): number;
  /** What the error rate is made of: weights of attempts, and the successful ones that are assumed. */
  outcomes(nowMs: number): { readonly failed: number; readonly attempts: number; readonly prior: number };
  /** How good an answer was in a field of work, 0 to 1. */
  rate(field: string, score: number, nowMs: number): void;
  /** The mean of its scores in a field and their weight, which halves each day; undefined before the first. */
  rating(field: string, nowMs: number): Rating | undefined;
  /** The mean length of its answers in tokens; that of all targets before its first answer, undefined before any. */
  meanOutputTokens(): number | undefined;
  /** What is left of all observations; undefined where that is nothing. */
  saved(target: Target, nowMs: number): SavedTarget | undefined;
  /** Adds what was observed before, by its age. */
  restore(saved: SavedTarget): void;
}

export interface Statistics {
  of(target: Target): TargetStatistics;
  /** Forgets those that were asked for least recently, beyond so many. @default all are kept */
  keepMost(count: number): void;
  /** All observations, for a later process; of at most a hundred targets. */
  saved(nowMs: number): SavedObservations;
  /** Adds what an earlier process observed, also of targets that are known only later. */
  restore(saved: SavedObservations): void;
  figures(nowMs: number): readonly TargetFigures[];
  /** The same map for as long as no ratio has become another one. */
  tokenRatios(nowMs: number): TokenRatios;
}

interface MeanLength {
  tokens: number | undefined;
}

type Recorded = { -readonly [Field in keyof TargetStatistics]: TargetStatistics[Field] };

function follow(mean: MeanLength, tokens: number): void {
  mean.tokens = mean.tokens === undefined ? tokens : mean.tokens + LENGTH_SHARE * (tokens - mean.tokens);
}

/** @param noted is told of each observation */
export function targetStatistics(
  everyone: MeanLength = { tokens: undefined },
  noted?: () => void,
  learning?: Learning,
): TargetStatistics {
  const total = sketch();
  const firstToken = sketch();
  const outcomes = new DecayingCounts(2);
  const own: MeanLength = { tokens: undefined };
  const scores = new Map<string, DecayingMean>();
  const tokenRatio = new TokenRatio(learning);
  const made: Recorded = {
    isObserved: false,
    isRated: false,
    total,
    firstToken,
    tokenRatio,
    record({ totalMs, firstTokenMs, outcome, outputTokens, nowMs }) {
      if (outcome === 'other') return;
      made.isObserved = true;
      noted?.();
      outcomes.follow(nowMs);
      outcomes.add(outcome === 'ok' ? 0 : 1, nowMs);
      if (outcome !== 'ok') return;
      total.add(totalMs, nowMs);
      if (firstTokenMs !== null) firstToken.add(firstTokenMs, nowMs);
      if (outputTokens === 0) return;
      follow(own, outputTokens);
      follow(everyone, outputTokens);
    },
    errorRate(nowMs) {
      outcomes.follow(nowMs);
      return outcomes.share(1, PRIOR_ATTEMPTS, nowMs);
    },
    outcomes(nowMs) {
      outcomes.follow(nowMs);
      const [failed, attempts] = [outcomes.weight(1, nowMs), outcomes.total(nowMs)];
      return { failed, attempts, prior: PRIOR_ATTEMPTS };
    },
    rate(field, score, nowMs) {
      if (!Number.isFinite(score)) return;
      const mean = scores.get(field) ?? (scores.size < MOST_FIELDS ? decayingMean() : undefined);
      if (mean === undefined) return;
      made.isObserved = true;
      made.isRated = true;
      mean.add(Math.min(1, Math.max(0, score)), nowMs);
      scores.set(field, mean);
      noted?.();
    },
    rating: (field, nowMs) => (scores.size === 0 ? undefined : scores.get(field)?.read(nowMs)),
    meanOutputTokens: () => own.tokens ?? everyone.tokens,
    saved: (target, nowMs) =>
      savedTarget(target, nowMs, { total, firstToken, outcomes, scores, tokenRatio, tokens: own.tokens }),
    restore({
      at,
      total: totals,
      firstToken: first,
      outcomes: [ok, failed],
      scores: rated,
      tokens,
      tokenRatio: ratio,
    }) {
      made.isObserved = true;
      made.isRated ||= rated.length > 0;
      if (ratio) tokenRatio.restore(...ratio, at);
      total.addBuckets(totals, at);
      firstToken.addBuckets(first, at);
      outcomes.add(0, at, ok);
      outcomes.add(1, at, failed);
      for (const [field, mean, weight] of rated) {
        const score = scores.get(field) ?? decayingMean();
        score.add(mean, at, weight);
        scores.set(field, score);
      }
      own.tokens ??= tokens ?? undefined;
      everyone.tokens ??= own.tokens;
    },
  };
  return made;
}

interface Held {
  readonly total: Sketch;
  readonly firstToken: Sketch;
  readonly outcomes: DecayingCounts;
  readonly scores: ReadonlyMap<string, DecayingMean>;
  readonly tokenRatio: TokenRatio;
  readonly tokens: number | undefined;
}

function savedTarget(target: Target, nowMs: number, held: Held): SavedTarget | undefined {
  const { provider, model, region } = target;
  const total = held.total.buckets(nowMs, MOST_SAVED.buckets);
  held.outcomes.follow(nowMs);
  const outcomes = [held.outcomes.weight(0, nowMs), held.outcomes.weight(1, nowMs)] as const;
  const scores = [...held.scores].flatMap(([field, mean]) => {
    const rating = mean.read(nowMs);
    return rating === undefined ? [] : [[field, rating.mean, rating.weight] as const];
  });
  const ratio = held.tokenRatio.learned(nowMs);
  if (total.length === 0 && outcomes[1] < 0.01 && scores.length === 0) return undefined;
  return {
    ...{ provider, model, region: region ?? null, at: nowMs, total, outcomes },
    firstToken: held.firstToken.buckets(nowMs, MOST_SAVED.buckets),
    scores: scores.sort(([, , a], [, , b]) => b - a).slice(0, MOST_SAVED.fields),
    tokens: held.tokens ?? null,
    ...(ratio === undefined ? {} : { tokenRatio: [ratio.mean, ratio.weight] as const }),
  };
}

const keyOf = (target: {
  readonly provider: string;
  readonly model: string;
  readonly region?: string | null;
}): string => `${target.provider}/${target.model}@${target.region ?? ''}`;

/**
 * Separate from the registry, because the statistics of a target outlive a change of the configuration.
 *
 * @param noted is told of each observation
 */
export function createStatistics(noted?: () => void): Statistics {
  const everyone: MeanLength = { tokens: undefined };
  const byKey = new Map<string, { readonly target: Target; readonly statistics: TargetStatistics }>();
  /** Observations of targets that nobody has asked for yet. */
  const waiting = new Map<string, SavedTarget>();
  let most = Number.POSITIVE_INFINITY;
  const learning: Learning = { count: 0 };
  const forget = (): void => {
    for (const oldest of byKey.keys()) {
      if (byKey.size <= most) return;
      byKey.delete(oldest);
    }
  };
  return {
    of(target) {
      const key = keyOf(target);
      const known = byKey.get(key);
      if (known !== undefined) {
        // The last of them again.
        byKey.delete(key);
        byKey.set(key, known);
        return known.statistics;
      }
      const statistics = targetStatistics(everyone, noted, learning);
      byKey.set(key, { target, statistics });
      const before = waiting.get(key);
      if (before !== undefined) statistics.restore(before);
      waiting.delete(key);
      forget();
      return statistics;
    },
    keepMost(count) {
      most = count;
      forget();
    },
    saved(nowMs) {
      const own = [...byKey.values()].flatMap(({ target, statistics }) => statistics.saved(target, nowMs) ?? []);
      return [...own, ...waiting.values()].sort((a, b) => b.at - a.at).slice(0, MOST_SAVED.targets);
    },
    restore(saved) {
      for (const one of saved) {
        const known = byKey.get(keyOf(one));
        if (known === undefined) waiting.set(keyOf(one), one);
        else known.statistics.restore(one);
      }
    },
    tokenRatios: toldRatios(learning, () => byKey.values()),
    figures: (nowMs) =>
      [...byKey.values()].map(({ target, statistics }) => ({
        target: { ...target },
        attempts: statistics.total.weight(nowMs),
        errorRate: statistics.errorRate(nowMs),
        p50Ms: statistics.total.quantile(0.5, nowMs) ?? null,
        p95Ms: statistics.total.quantile(0.95, nowMs) ?? null,
        firstTokenP50Ms: statistics.firstToken.quantile(0.5, nowMs) ?? null,
        firstTokenP95Ms: statistics.firstToken.quantile(0.95, nowMs) ?? null,
        tokenRatio: statistics.tokenRatio.learned(nowMs)?.mean ?? null,
      })),
  };
}
