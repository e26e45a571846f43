/**
 * What usage costs. Prices are USD per million tokens, as in every price list; they become integer pico-dollars per token
 * before they are multiplied, and the sum is rounded up to nano-dollars.
 *
 * The rates of a call are those of the card, changed first by the dated changes that have begun, then by the service tier,
 * then by the window of the day. Above a threshold of prompt tokens, the rates of that tier apply to the whole request.
 */
import type { NanoUsd } from './money.ts';
import {
  allSheets,
  type CompiledPrice,
  compiledPrice,
  type Rates,
  type Sheet,
  sheetAt,
  sheetsBetween,
  usualSheet,
} from './price-sheet.ts';
import type { TokenPrice } from './token-price.ts';
import type { Usage } from './usage.ts';

/** The part of a model card that has its price. */
type Priced = { readonly price: TokenPrice | null };

/** The service tier of batches, as prices name it. */
export const BATCH_TIER = 'batch';

/** What the rates depend on besides the usage. */
export interface PriceTerms {
  /**
   * The moment of the request in epoch milliseconds. If it is unknown: the hours with the highest (`dearest`) or the lowest
   * (`cheapest`) cost, or those outside every window (`usual`). @default 'dearest'
   */
  readonly at?: number | 'usual' | 'cheapest' | 'dearest';
  /** The service tier that was used, else the requested one. A tier that the price does not name changes nothing. @default none */
  readonly serviceTier?: string | undefined;
}

/** When, and with which service tier, a request may be served. */
export interface PriceSpan {
  /** Epoch milliseconds, both included. @default any time */
  readonly from?: number;
  readonly until?: number;
  /** The requested one; the provider may also serve the request without it. @default none */
  readonly serviceTier?: string | undefined;
  /** It is served with this tier in any case. @default false */
  readonly certain?: boolean;
}

const NO_TERMS: PriceTerms = {};
const WHOLE_SPAN: PriceSpan = {};

/**
 * What the usage costs by the card's price, in nano-dollars rounded up; null if the card has no price, or if images were
 * or searches were made and it has no rate for them.
 */
export function costOf({ price }: Priced, usage: Usage, terms = NO_TERMS): NanoUsd | null {
  if (price === null) return null;
  const compiled = compiledPrice(price);
  if (compiled.only !== undefined) return costBy(compiled.only, usage);
  const { at = 'dearest', serviceTier } = terms;
  if (typeof at === 'number') return costBy(sheetAt(compiled, at, serviceTier), usage);
  if (at === 'usual') return costBy(usualSheet(compiled, serviceTier), usage);
  return extreme(allSheets(compiled, serviceTier), usage, at === 'cheapest' ? Math.min : Math.max);
}

function extreme(sheets: readonly Sheet[], usage: Usage, pick: (...costs: number[]) => number): NanoUsd | null {
  const costs = sheets.map((sheet) => costBy(sheet, usage)).filter((cost) => cost !== null);
  return costs.length < sheets.length ? null : pick(...costs);
}

function costBy(sheet: Sheet, usage: Usage): NanoUsd | null {
  const rates = sheet.tiers.length === 0 ? sheet.rates : ratesAbove(sheet, usage.input);
  const images = usage.images ?? 0;
  if (images > 0 && rates.image === null) return null;
  const searches = usage.searches ?? 0;
  if (searches > 0 && rates.search === null) return null;
  const cacheRead = usage.cacheRead ?? 0;
  const cacheWrite = usage.cacheWrite ?? 0;
  const longCacheWrite = Math.min(usage.cacheWriteLong ?? 0, cacheWrite);
  const fresh = Math.max(0, usage.input - cacheRead - cacheWrite);
  const pico =
    fresh * rates.input +
    cacheRead * rates.cacheRead +
    (cacheWrite - longCacheWrite) * rates.cacheWrite +
    longCacheWrite * rates.cacheWriteLong +
    usage.output * rates.output +
    (rates.apart ? apart(rates, usage, fresh, cacheRead) : 0);
  return Math.ceil(pico / 1000) + images * (rates.image ?? 0) + searches * (rates.search ?? 0) + rates.request;
}

function ratesAbove({ rates, tiers }: Sheet, input: number): Rates {
  let chosen = rates;
  for (const tier of tiers) if (input > tier.above) chosen = tier.rates;
  return chosen;
}

/** The difference between the rates of audio, pictures and reasoning and the text rates already applied to them. */
function apart(rates: Rates, usage: Usage, fresh: number, cacheRead: number): number {
  const audio = usage.audioInput ?? 0;
  // Audio beyond the fresh tokens was read from the cache, whether or not the provider says so.
  const audioRead = Math.min(Math.max(usage.audioCacheRead ?? 0, audio - fresh), cacheRead, audio);
  const audioFresh = Math.min(audio - audioRead, fresh);
  const imageFresh = Math.min(usage.imageInput ?? 0, fresh - audioFresh);
  const audioOutput = Math.min(usage.audioOutput ?? 0, usage.output);
  const imageOutput = Math.min(usage.imageOutput ?? 0, usage.output - audioOutput);
  const text = usage.output - audioOutput - imageOutput;
  const thought = usage.reasoning ?? 0;
  const reasoning = thought > 0 && rates.reasoningCoversAnswer ? text : Math.min(thought, text);
  return (
    audioFresh * (rates.audioInput - rates.input) +
    audioRead * (rates.audioCacheRead - rates.cacheRead) +
    imageFresh * (rates.imageInput - rates.input) +
    audioOutput * (rates.audioOutput - rates.output) +
    imageOutput * (rates.imageOutput - rates.output) +
    reasoning * (rates.reasoning - rates.output)
  );
}

// ---------------------------------------------------------------------------------------------------- the worst case

/**
 * The most that any usage up to the counts of `most` can cost within the span: at its most expensive hour, with or without
 * the service tier, the prompt read from the cache or written to it, the answer all reasoning. Audio and pictures count
 * only as far as `most` names them. null in the same cases as `costOf`, and for searches without a bound.
 */
export function worstCostOf({ price }: Priced, most: Usage, span = WHOLE_SPAN): NanoUsd | null {
  if (price === null) return null;
  const compiled = compiledPrice(price);
  if (compiled.only !== undefined) return worstBy(compiled.only, most);
  let worst: NanoUsd = 0;
  for (const sheet of sheetsIn(compiled, span)) {
    const cost = worstBy(sheet, most);
    if (cost === null) return null;
    worst = Math.max(worst, cost);
  }
  return worst;
}

function sheetsIn(price: CompiledPrice, { from, until, serviceTier, certain }: PriceSpan): readonly Sheet[] {
  const of = (tier: string | undefined): readonly Sheet[] =>
    from === undefined || until === undefined ? allSheets(price, tier) : sheetsBetween(price, from, until, tier);
  if (serviceTier === undefined || certain === true) return of(serviceTier);
  return [...of(undefined), ...of(serviceTier)];
}

/** A shorter prompt may cost more if its tier has higher rates, so the longest prompt of every tier is tried. */
function worstBy({ rates, tiers }: Sheet, most: Usage): NanoUsd | null {
  let worst = worstIn(rates, Math.min(most.input, tiers[0]?.above ?? most.input), most);
  for (const [index, tier] of tiers.entries()) {
    if (worst === null || most.input <= tier.above) return worst;
    const cost = worstIn(tier.rates, Math.min(most.input, tiers[index + 1]?.above ?? most.input), most);
    worst = cost === null ? null : Math.max(worst, cost);
  }
  return worst;
}

function worstIn(rates: Rates, input: number, most: Usage): NanoUsd | null {
  const images = most.images ?? 0;
  if (images > 0 && rates.image === null) return null;
  const searches = most.searches ?? 0;
  if (searches > 0 && (rates.search === null || searches === Number.POSITIVE_INFINITY)) return null;
  const pico = input * rates.dearestInput + most.output * rates.dearestOutput;
  const beyond = rates.apart ? worstApart(rates, input, most) : 0;
  const pieces = images * (rates.image ?? 0) + searches * (rates.search ?? 0);
  return Math.ceil((pico + beyond) / 1000) + pieces + rates.request;
}

function worstApart(rates: Rates, input: number, most: Usage): number {
  const { dearestInput, dearestOutput } = rates;
  const over = (count: number | undefined, whole: number, rate: number, text: number): number =>
    Math.min(count ?? 0, whole) * Math.max(0, rate - text);
  return (
    over(most.audioInput, input, Math.max(rates.audioInput, rates.audioCacheRead), dearestInput) +
    over(most.imageInput, input, rates.imageInput, dearestInput) +
    over(most.audioOutput, most.output, rates.audioOutput, dearestOutput) +
    over(most.imageOutput, most.output, rates.imageOutput, dearestOutput)
  );
}
