/** The cost of a call at the models that may serve it: the cheapest, the likely and the most expensive one. */
import type { Usage } from '../../core/model/model.ts';
import type { ModelCard } from '../../core/model/provider.ts';
import { type NanoUsd, usdToNano } from '../../core/money/money.ts';
import { costOf, type PriceTerms } from '../../core/money/price.ts';
import type { TokenPrice } from '../../core/money/token-price.ts';
import type { Catalogue, TokenCounts } from '../../core/plan/validation.ts';
import { speedOf } from '../../kit/models/speed.ts';
import { qualityOf } from '../../kit/models/strengths.ts';
import type { CatalogueModel } from '../analysis/candidates.ts';
import type { WrittenTexts } from './written.ts';

export const DEFAULT_MS = 1500;

/** Milliseconds of a short answer: as its card states, else as measured, else the default. */
export const expectedMsOf = (model: CatalogueModel | undefined): number =>
  (model === undefined ? undefined : speedOf(model)?.expectedMs) ?? DEFAULT_MS;

/** The cap of a plan, limited to the largest amount that money can represent here. */
export const boundedCap = (usd: number): NanoUsd => usdToNano(Math.min(usd, 9_000_000));

/** A card, and the tokens of a prompt that its provider is taken to count for one of an estimate. */
interface Counting {
  readonly card: ModelCard;
  readonly ratio: number;
  /** Instead of the ratio, for what it can count. */
  readonly counter: TokenCounts | undefined;
}

export interface PricedCandidates {
  /** For every usage one of these cards is the cheapest; empty: no price is known. */
  readonly cheap: readonly Counting[];
  /** For every usage one of these cards is the most expensive. */
  readonly dear: readonly Counting[];
  /** The model that a router without statistics would choose; one with a price if there is one. */
  readonly likely: CatalogueModel | undefined;
  /** How the likely model counts; undefined where there is none. */
  readonly likelyCounting: Counting | undefined;
  readonly hasUnpriced: boolean;
}

/** The size of a typical call, for comparing models. */
const TYPICAL: Usage = { input: 1000, output: 400, images: 0 };

/** The hour at which a plan will run is unknown. */
const CHEAPEST: PriceTerms = { at: 'cheapest' };
const USUAL: PriceTerms = { at: 'usual' };
const DEAREST: PriceTerms = { at: 'dearest' };

const NO_STRENGTHS: readonly string[] = [];

/** What is known of how models count, beyond the estimate. */
export interface Counts {
  readonly tokenRatios: ReadonlyMap<string, number> | undefined;
  readonly tokenCounter: Catalogue['tokenCounter'];
}

const NOTHING_KNOWN: Counts = { tokenRatios: undefined, tokenCounter: undefined };

interface Known {
  /** With which the pools were made. */
  counts: Counts;
  readonly pools: Map<string, PricedCandidates>;
}
const known = new WeakMap<readonly CatalogueModel[], Known>();

/** The pool of a list of models; computed once per list and strengths, and again when models count otherwise. */
export function poolOf(
  models: readonly CatalogueModel[],
  strengths = NO_STRENGTHS,
  counts = NOTHING_KNOWN,
): PricedCandidates {
  const before = known.get(models) ?? { counts, pools: new Map<string, PricedCandidates>() };
  if (before.counts.tokenRatios !== counts.tokenRatios || before.counts.tokenCounter !== counts.tokenCounter) {
    before.counts = counts;
    before.pools.clear();
  }
  const key = strengths.join();
  const found = before.pools.get(key);
  if (found !== undefined) return found;
  const pool = createPool(models, strengths, counts);
  if (before.pools.size < 100) before.pools.set(key, pool);
  known.set(models, before);
  return pool;
}

const ratioOf = ({ provider, card }: CatalogueModel, { tokenRatios }: Counts): number =>
  tokenRatios === undefined || tokenRatios.size === 0 ? 1 : (tokenRatios.get(`${provider}/${card.id}`) ?? 1);

const asEstimated = (card: ModelCard): Counting => ({ card, ratio: 1, counter: undefined });

const asCounted = (model: CatalogueModel, counts: Counts): Counting => ({
  card: model.card,
  ratio: ratioOf(model, counts),
  counter: counts.tokenCounter?.(model.provider, model.card.id),
});

/**
 * Ratios and counts only widen the range: the lowest cost follows those below the estimate and the highest those above. So neither what
 * was learned nor the tokenizer of another model makes a plan infeasible that was feasible before.
 */
function createPool(models: readonly CatalogueModel[], strengths: readonly string[], counts: Counts): PricedCandidates {
  const priced = models.filter(({ card }) => card.price !== null);
  const cards = priced.map(({ card }) => card);
  const counted = priced.map((model) => asCounted(model, counts));
  const cheap = cards.filter((card) => !cards.some((other) => other !== card && dominates(card, other)));
  const dear = cards.filter((card) => !cards.some((other) => other !== card && dominates(other, card)));
  const likely = likelyOf(priced.length > 0 ? priced : models, strengths, counts);
  return {
    cheap: [...cheap.map(asEstimated), ...counted.filter(({ ratio, counter }) => ratio < 1 || counter !== undefined)],
    dear: [...dear.map(asEstimated), ...counted.filter(({ ratio, counter }) => ratio > 1 || counter !== undefined)],
    likely,
    likelyCounting: likely === undefined ? undefined : asCounted(likely, counts),
    hasUnpriced: priced.length < models.length,
  };
}

/** True when `card` costs at least as much for every usage, and more for some: of two equal cards both stay. */
function dominates(card: ModelCard, other: ModelCard): boolean {
  const [mine, theirs] = [card.price, other.price];
  if (mine === null || theirs === null || mine.tiers !== undefined || theirs.tiers !== undefined) return false;
  if (mine.image !== undefined || theirs.image !== undefined) return false;
  if (varies(mine) || varies(theirs)) return false;
  const pairs = [
    [mine.input, theirs.input],
    [mine.output, theirs.output],
    [mine.request ?? 0, theirs.request ?? 0],
    [card.maxOutputTokens, other.maxOutputTokens],
    [card.contextTokens, other.contextTokens],
  ] as const;
  return pairs.every(([a, b]) => a >= b) && pairs.some(([a, b]) => a > b);
}

/** True when the rates depend on the hour or on the date. */
const varies = ({ windows, changes }: TokenPrice): boolean => windows !== undefined || changes !== undefined;

/** Weighs quality, price and speed as the router does without statistics; equal scores keep the catalogue's order. */
function likelyOf(
  models: readonly CatalogueModel[],
  strengths: readonly string[],
  counts: Counts,
): CatalogueModel | undefined {
  const costs = models.map((model) => {
    const input = Math.ceil(TYPICAL.input * ratioOf(model, counts));
    return costOf(model.card, { ...TYPICAL, input, images: model.card.price?.image === undefined ? 0 : 1 }, USUAL);
  });
  const cheapest = Math.min(...costs.map((cost) => cost ?? Number.POSITIVE_INFINITY));
  const times = models.map(expectedMsOf);
  const fastest = Math.min(...times);
  let best: CatalogueModel | undefined;
  let bestScore = Number.NEGATIVE_INFINITY;
  models.forEach((model, index) => {
    const cost = costs[index] ?? null;
    const price = cost === null ? 0 : (cheapest + FREE) / (cost + FREE);
    const speed = (fastest + 1) / ((times[index] ?? DEFAULT_MS) + 1);
    const stage = model.card.lifecycle?.stage === 'deprecated' ? 0.025 : 0;
    const score = 0.3 * price + 0.15 * speed + 0.35 * qualityOf(model, strengths) - stage;
    if (score <= bestScore) return;
    bestScore = score;
    best = model;
  });
  return best;
}

/** A hundredth of a cent, in nano-dollars, added to each cost: otherwise a free model gives all others the score 0. */
const FREE = 100_000;

/** Tokens and images of one call, before a model is chosen. */
export interface CallSize {
  readonly input: number;
  readonly output: number;
  readonly images: number;
  /** The part of the input that can be counted exactly. @default none */
  readonly written?: WrittenTexts | undefined;
}

const usageAt = (counting: Counting, size: CallSize): Usage => ({
  input: Math.min(inputOf(counting, size), counting.card.contextTokens),
  output: Math.min(size.output, counting.card.maxOutputTokens),
  images: size.images,
});

function inputOf({ ratio, counter }: Counting, { input, written }: CallSize): number {
  if (counter !== undefined && written !== undefined) {
    const counted = written.countedBy(counter);
    if (counted !== undefined) return input - written.tokens + counted;
  }
  return ratio === 1 ? input : Math.ceil(input * ratio);
}

/** Null when no model has a price. */
export function cheapestCost({ cheap }: PricedCandidates, size: CallSize): NanoUsd | null {
  let least: NanoUsd | null = null;
  for (const counting of cheap) {
    const cost = costOf(counting.card, usageAt(counting, size), CHEAPEST);
    if (cost !== null && (least === null || cost < least)) least = cost;
  }
  return least;
}

export function likelyCost({ likelyCounting }: PricedCandidates, size: CallSize): NanoUsd | null {
  return likelyCounting === undefined ? null : costOf(likelyCounting.card, usageAt(likelyCounting, size), USUAL);
}

/** The tokens of the prompt as the likely model counts them. */
export const likelyInput = ({ likelyCounting }: PricedCandidates, size: CallSize): number =>
  likelyCounting === undefined ? size.input : usageAt(likelyCounting, size).input;

/** Null when a model without a price may be chosen; a cap refuses such models. */
export function dearestCost({ dear, hasUnpriced }: PricedCandidates, size: CallSize, capped: boolean): NanoUsd | null {
  if (dear.length === 0 || (hasUnpriced && !capped)) return null;
  let most: NanoUsd | null = null;
  for (const counting of dear) {
    const cost = costOf(counting.card, usageAt(counting, size), DEAREST);
    if (cost !== null && (most === null || cost > most)) most = cost;
  }
  return most;
}
