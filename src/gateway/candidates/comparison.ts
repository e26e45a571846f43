/**
 * Compares the answers of two models.
 *
 * Three figures decide: how often a model fails to answer, how often it refuses, and the scores that callers report, where both sides have at
 * least 30. Each is tested one-sidedly with the normal approximation; the variance of means is that of Welch (1947), rates
 * count one success and one failure more, as in Agresti and Caffo (2000), so that 0 of 200 is no certainty.
 *
 * - worse: a figure is worse than the margin allows. Any of the figures may show it, so the error is shared among them.
 * - not-worse: every figure is better than the margin allows (an intersection-union test, Berger 1982: no sharing is needed).
 * - better: that, and the scores are higher.
 *
 * Looking again and again would find a difference where there is none. So answers are compared only when their number has doubled, and the
 * look number k may err with (1 − confidence) ÷ 2^k: all looks together err with 1 − confidence at most.
 */
import type { CandidateArm, CandidateVerdict } from '../../core/gateway/candidates.ts';

interface Moments {
  readonly count: number;
  readonly mean: number;
  /** The sum of the squared differences from the mean. */
  readonly squares: number;
}

/** What is known of one side. */
export interface Arm {
  readonly calls: number;
  readonly failures: number;
  readonly refusals: number;
  /** The mean; null before the first answer. */
  readonly outputTokens: number | null;
  readonly scores: Moments;
}

export interface ComparisonRule {
  readonly samples: number;
  readonly confidence: number;
  readonly margin: number;
}

const FEWEST_SCORES = 30;

export const UNDECIDED: CandidateVerdict = { result: 'undecided', confidence: 0, reasons: [] };

/** Calls of each side at which the look of this number, from 1, is due. */
export const lookAt = (look: number, { samples }: ComparisonRule): number => samples * 2 ** (look - 1);

/** What the look of this number, from 1, finds. */
export function verdictOf(current: Arm, candidate: Arm, look: number, rule: ComparisonRule): CandidateVerdict {
  const figures = figuresOf(current, candidate);
  const mayErr = (1 - rule.confidence) / 2 ** look;
  const below = figures.map((figure) => probability(-rule.margin - figure.gain, figure.error));
  const worst = Math.max(...below);
  if (worst >= 1 - mayErr / figures.length) return verdict('worse', worst, [figures[below.indexOf(worst)]]);
  const least = Math.min(...below.map((chance) => 1 - chance));
  if (least < 1 - mayErr) return { ...UNDECIDED, confidence: Math.max(worst, least) };
  const score = figures.find(({ of }) => of === 'scores');
  const higher = score === undefined ? 0 : probability(score.gain, score.error);
  if (higher >= 1 - mayErr) return verdict('better', Math.min(higher, least), [score]);
  return verdict('not-worse', least, figures);
}

/** How much the candidate gains in a figure, with the standard error of that. */
interface Figure {
  readonly of: 'failures' | 'refusals' | 'scores';
  readonly before: number;
  readonly after: number;
  readonly gain: number;
  readonly error: number;
}

function figuresOf(current: Arm, candidate: Arm): readonly Figure[] {
  const figures: Figure[] = [rates('failures', current, candidate), rates('refusals', current, candidate)];
  const [a, b] = [current.scores, candidate.scores];
  if (a.count < FEWEST_SCORES || b.count < FEWEST_SCORES) return figures;
  const error = Math.sqrt(varianceOfMean(a) + varianceOfMean(b));
  figures.push({ of: 'scores', before: a.mean, after: b.mean, gain: b.mean - a.mean, error });
  return figures;
}

const varianceOfMean = ({ count, squares }: Moments): number => squares / (count - 1) / count;

function rates(of: 'failures' | 'refusals', current: Arm, candidate: Arm): Figure {
  const [before, after] = [current, candidate].map((arm) => (arm[of] + 1) / (arm.calls + 2)) as [number, number];
  const variance = (before * (1 - before)) / (current.calls + 2) + (after * (1 - after)) / (candidate.calls + 2);
  return { of, before, after, gain: before - after, error: Math.sqrt(variance) };
}

function verdict(
  result: CandidateVerdict['result'],
  confidence: number,
  figures: readonly (Figure | undefined)[],
): CandidateVerdict {
  const shown = (value: number): string => value.toFixed(3);
  const reasons = figures.flatMap((one) =>
    one === undefined
      ? []
      : [`${one.of}: ${shown(one.after)} of the candidate, ${shown(one.before)} of the current model`],
  );
  return { result, confidence, reasons };
}

/** How likely a normal variable of mean `gain` is above 0. Without any spread it is certain, one way or the other. */
function probability(gain: number, error: number): number {
  if (error === 0) return gain > 0 ? 1 : 0;
  return normalDistribution(gain / error);
}

/** Abramowitz and Stegun 7.1.26; off by 1.5e-7 at most. */
export function normalDistribution(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const half = (series * Math.exp(-x * x)) / 2;
  return z >= 0 ? 1 - half : half;
}

export const shownArm = ({ calls, failures, refusals, outputTokens, scores }: Arm): CandidateArm => ({
  calls,
  failureRate: calls === 0 ? 0 : failures / calls,
  refusalRate: calls === 0 ? 0 : refusals / calls,
  outputTokens,
  scores: scores.count,
  score: scores.count === 0 ? null : scores.mean,
});
