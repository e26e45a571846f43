/** The order in which the deployments of a decision are tried: rules R2 to R6 of route.ts. */
import { type Target, TIERS, type Tier, tierStep } from '../../core/model/model.ts';
import { withCredential } from '../calls/target.ts';
import type { Arrangement, Asked } from './arrangement/arrange.ts';
import { type Objectionable, objections } from './arrangement/objections.ts';
import { type FactColumns, tierNumber } from './figures/card-columns.ts';
import { expectedLatency, type FoundFigures, keepFigures, type Negotiation, takeFigures } from './negotiation.ts';
import type { Deployment } from './registry.ts';
import { releaseScores, type Scored, type Scores, scoredAt, scoresOf } from './score.ts';

interface OrderOptions extends Negotiation {
  /** The target that served the session before. */
  readonly preferred?: Target | undefined;
  /** What is known beyond the request. @default nothing */
  readonly arrangement?: Arrangement | undefined;
  readonly asked?: Asked;
}

/** The first choice and its nearest fallbacks, at most `most`. Only those become objects. */
export function ordered(
  able: readonly Deployment[],
  tier: Tier | undefined,
  options: OrderOptions,
  most: number,
): readonly Scored[] {
  const found = takeFigures(able);
  const scores = scoresOf(able, options, found);
  const chosen = chosenOf(scores, tier, options, most, found);
  releaseScores(scores);
  if (found !== undefined) keepFigures(found);
  return chosen;
}

function chosenOf(
  scores: Scores,
  tier: Tier | undefined,
  options: OrderOptions,
  most: number,
  found: FoundFigures | undefined,
): readonly Scored[] {
  const { deployments } = scores;
  const isBounded = options.request.limits?.p95Ms !== undefined;
  const isUnknown = isBounded ? (found?.isUnknown ?? unknownLatencies(deployments, options.nowMs)) : undefined;
  const facts = options.registry.columns.facts();
  const first = firstChoice(scores, tier, facts, options, isUnknown);
  if (first === -1) return [];
  const best = scoredAt(scores, first);
  const fallbacks = nearest(scores, stepsFrom(scores, first, facts, isUnknown), first, most - 1);
  const served = preferredOf(best.deployment, options);
  const chosen: Scored[] = [served === best.deployment ? best : { ...best, deployment: served }];
  for (const index of fallbacks) chosen.push(scoredAt(scores, index));
  return chosen;
}

function unknownLatencies(able: readonly Deployment[], nowMs: number): Uint8Array {
  const isUnknown = new Uint8Array(able.length);
  let index = 0;
  for (const deployment of able) {
    if (expectedLatency(deployment, nowMs) === undefined) isUnknown[index] = 1;
    index += 1;
  }
  return isUnknown;
}

/** The index of the session's target, else of the best score, known latencies before unknown ones; -1 if none is of the tier. */
function firstChoice(
  { deployments, columns: { score, row } }: Scores,
  tier: Tier | undefined,
  { tiers }: FactColumns,
  options: OrderOptions,
  isUnknown: Uint8Array | undefined,
): number {
  const { arrangement, asked, preferred, nowMs } = options;
  const wanted = tier === undefined ? undefined : tierNumber(tier);
  let best = -1;
  /** Of those that do not end. */
  let staying = -1;
  for (let index = 0; index < deployments.length; index += 1) {
    if (wanted !== undefined && tiers[at(row, index)] !== wanted) continue;
    if (preferred !== undefined && isPreferred(deployments[index] as Deployment, options)) return index;
    if (best === -1 || isBetter(index, best, score, isUnknown)) best = index;
    if (arrangement === undefined || (staying !== -1 && !isBetter(index, staying, score, isUnknown))) continue;
    if (!arrangement.isEnding(deployments[index] as Deployment, nowMs)) staying = index;
  }
  // One whose latency nobody knows takes the place of none whose latency is known.
  if (staying === -1 || staying === best || isUnknown?.[staying] !== isUnknown?.[best]) return best;
  arrangement?.shifted(deployments[best] as Deployment, deployments[staying] as Deployment, asked);
  return staying;
}

function isBetter(index: number, best: number, score: Float64Array, isUnknown: Uint8Array | undefined): boolean {
  const step = isUnknown === undefined ? 0 : at(isUnknown, index) - at(isUnknown, best);
  return step === 0 ? at(score, index) > at(score, best) : step < 0;
}

/** A step beyond all tiers. */
const UNKNOWN = 64;

/**
 * The indexes of the `most` candidates that are nearest to the first choice: known latencies first, then the same model
 * elsewhere, then the nearest tier, the nearest quality, the best score.
 */
function nearest(scores: Scores, steps: Uint8Array, first: number, most: number): readonly number[] {
  const { quality, score } = scores.columns;
  const wanted = at(quality, first);
  const compare = (a: number, b: number): number =>
    at(steps, a) - at(steps, b) ||
    Math.abs(at(quality, a) - wanted) - Math.abs(at(quality, b) - wanted) ||
    at(score, b) - at(score, a);
  const others = steps.length - 1;
  if (most < others) return firstOf(most, steps.length, first, compare);
  return Array.from({ length: others }, (_, index) => (index < first ? index : index + 1)).sort(compare);
}

/** The cast, because no index is beyond the end. */
const at = (column: Float64Array | Int32Array | Uint8Array, index: number): number => column[index] as number;

/** How far each is from the first choice, in tiers; the same model elsewhere is nearest. */
function stepsFrom(
  { deployments, columns: { row } }: Scores,
  first: number,
  { tiers, models }: FactColumns,
  isUnknown: Uint8Array | undefined,
): Uint8Array {
  const steps = new Uint8Array(deployments.length);
  const best = deployments[first]?.card;
  if (best === undefined) return steps;
  const fromBest = TIERS.map((tier) => 1 + tierStep(best.tier, tier));
  const model = models[at(row, first)];
  for (let index = 0; index < steps.length; index += 1) {
    const one = at(row, index);
    const step = models[one] === model ? 0 : (fromBest[at(tiers, one)] ?? 0);
    steps[index] = isUnknown?.[index] === 1 ? UNKNOWN + step : step;
  }
  return steps;
}

/** The first `most` indexes below `count`, without `left`: kept sorted while they are found, because catalogues are long and chains short. */
function firstOf(
  most: number,
  count: number,
  left: number,
  compare: (a: number, b: number) => number,
): readonly number[] {
  const kept: number[] = [];
  for (let index = 0; index < count; index += 1) {
    if (index === left) continue;
    let at = kept.length;
    for (let before = kept[at - 1]; before !== undefined && compare(index, before) < 0; before = kept[at - 1]) at -= 1;
    if (at >= most) continue;
    kept.splice(at, 0, index);
    if (kept.length > most) kept.pop();
  }
  return kept;
}

// ---------------------------------------------------------------------------------------------------- tiers and sessions

export const isOfTier = ({ card }: Deployment, tier: Tier | undefined): boolean =>
  tier === undefined || card.tier === tier;

/** The session's target first. */
export function preferredFirst(scored: readonly Scored[], options: OrderOptions): readonly Scored[] {
  const bound = scored.find(({ deployment }) => isPreferred(deployment, options));
  if (bound === undefined) return scored;
  const served: Scored = { ...bound, deployment: preferredOf(bound.deployment, options) };
  return [served, ...scored.filter((one) => one !== bound)];
}

export const isPreferred = ({ target }: Deployment, { preferred }: OrderOptions): boolean =>
  preferred !== undefined && sameDeployment(target, preferred);

/** The deployment, with the session's credential if the session is bound to it. */
export function preferredOf(deployment: Deployment, options: OrderOptions): Deployment {
  const credential = isPreferred(deployment, options) ? options.preferred?.credential : undefined;
  return credential === undefined
    ? deployment
    : { ...deployment, target: withCredential(deployment.target, credential) };
}

const sameDeployment = (a: Target, b: Target): boolean =>
  a.provider === b.provider && a.model === b.model && a.region === b.region;

/** Whether what holds for first choices holds for the first of both as for the other. */
export function mayStandBefore(one: Deployment, other: Deployment, options: OrderOptions & Objectionable): boolean {
  const { arrangement, nowMs, request, needs } = options;
  const { tier, strict } = needs.choice;
  if (strict === true && !isOfTier(one, tier)) return false;
  const isUnknown = (deployment: Deployment): boolean => expectedLatency(deployment, nowMs) === undefined;
  if (request.limits?.p95Ms !== undefined && isUnknown(one) && !isUnknown(other)) return false;
  if (arrangement?.isLast(one, nowMs) === true && !arrangement.isLast(other, nowMs)) return false;
  const [against = 0, most = 0] = objections([one, other], options, (each) => isPreferred(each, options)) ?? [];
  return against <= most;
}
