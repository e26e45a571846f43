/** What is counted of a trial: numbers that are only added to, so that those of several processes add up in counters of their store. */
import type { Arm } from './comparison.ts';

export type Side = 'current' | 'candidate';

const OF_A_SIDE = ['calls', 'failures', 'refusals', 'outputTokens', 'scores', 'scoreSum', 'scoreSquares'] as const;
type OfASide = (typeof OF_A_SIDE)[number];

export type Figure = `${Side}.${OfASide}` | 'mirrored' | 'notMirrored';
export type Counts = Readonly<Record<Figure, number>>;
export type Counted = Readonly<Partial<Counts>>;

const ofSide = (side: Side): readonly Figure[] => OF_A_SIDE.map((figure): Figure => `${side}.${figure}`);
export const FIGURES: readonly Figure[] = [...ofSide('current'), ...ofSide('candidate'), 'mirrored', 'notMirrored'];

/** Scores count in ten-thousandths: the sum of their squares then stays exact for 90 million of them. */
const SCORE_UNITS = 10_000;

/** @param usedTokens undefined: the side failed to answer */
export function countedCall(side: Side, usedTokens: number | undefined, isRefusal: boolean): Counted {
  if (usedTokens === undefined) return { [`${side}.calls`]: 1, [`${side}.failures`]: 1 };
  const refused = isRefusal ? { [`${side}.refusals`]: 1 } : {};
  return { [`${side}.calls`]: 1, [`${side}.outputTokens`]: usedTokens, ...refused };
}

export function countedScore(side: Side, score: number): Counted {
  const units = Math.round(score * SCORE_UNITS);
  return { [`${side}.scores`]: 1, [`${side}.scoreSum`]: units, [`${side}.scoreSquares`]: units * units };
}

export function added(counts: Counted, more: Counted): Counted {
  const sum: Partial<Record<Figure, number>> = {};
  for (const figure of FIGURES) {
    const count = (counts[figure] ?? 0) + (more[figure] ?? 0);
    if (count !== 0) sum[figure] = count;
  }
  return sum;
}

export function armOf(counts: Counted, side: Side): Arm {
  const of = (figure: OfASide): number => counts[`${side}.${figure}`] ?? 0;
  const [calls, failures, scores, sum] = [of('calls'), of('failures'), of('scores'), of('scoreSum')];
  const answers = calls - failures;
  const mean = scores === 0 ? 0 : sum / scores;
  // Rounding must not make it less than nothing.
  const squares = Math.max(0, of('scoreSquares') - mean * sum);
  return {
    calls,
    failures,
    refusals: of('refusals'),
    outputTokens: answers === 0 ? null : of('outputTokens') / answers,
    scores: { count: scores, mean: mean / SCORE_UNITS, squares: squares / SCORE_UNITS ** 2 },
  };
}
