/** Observations per target: latency, first token, error rate, length of answers. All but the length decay within minutes. */
import type { TargetFigures } from '../../core/gateway.ts';
import type { Target } from '../../core/model/model.ts';
import { type DecayingMean, decayingMean, type Rating } from './figures/decaying-mean.ts';
import { decayingCounts, type Sketch, sketch } from './figures/sketch.ts';

/** Successful attempts that are assumed before any was seen, so that one failure is not an error rate of 1. */
const PRIOR_ATTEMPTS = 4;
const LENGTH_SHARE = 0.1;
/** Fields of work of one target that are counted: callers name them. */
const MOST_FIELDS = 64;

export interface TargetStatistics {
  /** False before anything was recorded or rated: there is nothing to read but the length of answers. */
  readonly isObserved: boolean;
  /** Total milliseconds of successful attempts. */
  readonly total: Sketch;
  readonly firstToken: Sketch;
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
}

export interface Statistics {
  of(target: Target): TargetStatistics;
  figures(nowMs: number): readonly TargetFigures[];
}

interface MeanLength {
  tokens: number | undefined;
}

type Recorded = { -readonly [Field in keyof TargetStatistics]: TargetStatistics[Field] };

function follow(mean: MeanLength, tokens: number): void {
  mean.tokens = mean.tokens === undefined ? tokens : mean.tokens + LENGTH_SHARE * (tokens - mean.tokens);
}

export function targetStatistics(everyone: MeanLength = { tokens: undefined }): TargetStatistics {
  const total = sketch();
  const firstToken = sketch();
  const outcomes = decayingCounts(2);
  const own: MeanLength = { tokens: undefined };
  const scores = new Map<string, DecayingMean>();
  const made: Recorded = {
    isObserved: false,
    total,
    firstToken,
    record({ totalMs, firstTokenMs, outcome, outputTokens, nowMs }) {
      if (outcome === 'other') return;
      made.isObserved = true;
      outcomes.add(outcome === 'ok' ? 0 : 1, nowMs);
      if (outcome !== 'ok') return;
      total.add(totalMs, nowMs);
      if (firstTokenMs !== null) firstToken.add(firstTokenMs, nowMs);
      if (outputTokens === 0) return;
      follow(own, outputTokens);
      follow(everyone, outputTokens);
    },
    errorRate(nowMs) {
      const failed = outcomes.weight(1, nowMs);
      return failed === 0 ? 0 : failed / (outcomes.total(nowMs) + PRIOR_ATTEMPTS);
    },
    outcomes: (nowMs) => ({
      failed: outcomes.weight(1, nowMs),
      attempts: outcomes.total(nowMs),
      prior: PRIOR_ATTEMPTS,
    }),
    rate(field, score, nowMs) {
      if (!Number.isFinite(score)) return;
      const mean = scores.get(field) ?? (scores.size < MOST_FIELDS ? decayingMean() : undefined);
      if (mean === undefined) return;
      made.isObserved = true;
      mean.add(Math.min(1, Math.max(0, score)), nowMs);
      scores.set(field, mean);
    },
    rating: (field, nowMs) => (scores.size === 0 ? undefined : scores.get(field)?.read(nowMs)),
    meanOutputTokens: () => own.tokens ?? everyone.tokens,
  };
  return made;
}

/** Separate from the registry, because the statistics of a target outlive a change of the configuration. */
export function createStatistics(): Statistics {
  const everyone: MeanLength = { tokens: undefined };
  const byKey = new Map<string, { readonly target: Target; readonly statistics: TargetStatistics }>();
  return {
    of(target) {
      const key = `${target.provider}/${target.model}@${target.region ?? ''}`;
      const known = byKey.get(key);
      if (known !== undefined) return known.statistics;
      const statistics = targetStatistics(everyone);
      byKey.set(key, { target, statistics });
      return statistics;
    },
    figures: (nowMs) =>
      [...byKey.values()].map(({ target, statistics }) => ({
        target: { ...target },
        attempts: statistics.total.weight(nowMs),
        errorRate: statistics.errorRate(nowMs),
        p50Ms: statistics.total.quantile(0.5, nowMs) ?? null,
        p95Ms: statistics.total.quantile(0.95, nowMs) ?? null,
        firstTokenP50Ms: statistics.firstToken.quantile(0.5, nowMs) ?? null,
        firstTokenP95Ms: statistics.firstToken.quantile(0.95, nowMs) ?? null,
      })),
  };
}
