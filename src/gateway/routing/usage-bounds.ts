/** What the usage of an attempt can be at most, and what it is taken for where the provider does not say. */
import type { ModelRequest, Usage, Warning } from '../../core/model/model.ts';
import { MOST_NANO_USD, NANO_PER_USD, type NanoUsd } from '../../core/money/money.ts';
import {
  type PossibleUsage,
  possibleUsage,
  type UsageBounds,
  type WholeCounts,
} from '../../core/money/possible-usage.ts';
import { worstCostOf } from '../../core/money/price.ts';
import type { TokenPrice } from '../../core/money/token-price.ts';
import { mostSearches } from '../calls/own-work.ts';
import { Received } from '../calls/received.ts';
import { needsOf } from '../calls/requirements.ts';
import { countedInput } from './estimate.ts';
import type { Deployment } from './registry.ts';

/**
 * How far a count may exceed what the model's card and the request allow before it is taken for an error. Not 1, because
 * cards of unlisted models are guesses, and because a provider's own tools add to the prompt and run the model several times.
 */
const LEEWAY = 4;
/** More than any model reads or writes, for a card that states no usable number. */
const MOST_TOKENS = 1_000_000_000;
const BYTES_PER_TOKEN = 4;
/** The most tokens that a provider counts for one generated picture or vector. */
const TOKENS_PER_OUTPUT = 16_384;

const tokens = (count: number): number => (count >= 0 && count <= MOST_TOKENS ? Math.ceil(count) : MOST_TOKENS);

/** The model that answers, with its exact tokenizer where it has one. */
type Counted = Pick<Deployment, 'card' | 'counter' | 'provider'>;

/** The reported usage as far as it is possible. */
export function possibleUsageOf(
  reported: Usage,
  deployment: Counted,
  request: ModelRequest,
  received: Received,
): PossibleUsage {
  const { card } = deployment;
  const sure: WholeCounts = {
    input: tokens(card.contextTokens),
    output: tokens(card.maxOutputTokens),
    images: received.images,
    searches: 0,
  };
  return possibleUsage(reported, sure, () => boundsOf(deployment, request, received));
}

function boundsOf(deployment: Counted, request: ModelRequest, received: Received): UsageBounds {
  const most = mostOf(deployment, request, received);
  // Who was asked to search has mostly searched once.
  const searches = Math.min(1, most.searches);
  return { most, estimate: () => ({ ...estimateOf(request, received, deployment), searches }) };
}

function mostOf({ card, provider }: Counted, request: ModelRequest, received: Received): WholeCounts {
  const { billedBytes, outputs, images } = received;
  const { size } = needsOf(request);
  const asked = request.operation === 'chat' ? (request.maxOutputTokens ?? 0) : 0;
  const thinking = request.operation === 'chat' ? (request.reasoning?.budgetTokens ?? 0) : 0;
  // A token covers at least one byte.
  const answered = billedBytes + outputs * TOKENS_PER_OUTPUT;
  return {
    input: tokens(Math.max(tokens(card.contextTokens), size.upperTokens) * LEEWAY),
    output: tokens((Math.max(tokens(card.maxOutputTokens), asked) + thinking) * LEEWAY + answered),
    images: Math.max(size.images, images),
    searches: mostSearches(provider, request, card.id),
  };
}

/** What so many bytes of an answer are taken for. */
export const tokensOf = (bytes: number): number => tokens(Math.ceil(bytes / BYTES_PER_TOKEN));

/** The prompt and the output that arrived: by the exact tokenizer of the model, else by our own count. */
export function estimateOf(
  request: ModelRequest,
  received: Received,
  { counter }: Counted,
): Omit<WholeCounts, 'searches'> {
  const { size } = needsOf(request);
  const { billedBytes, images, texts } = received;
  // Pieces end within words, so they are counted as the one text that they are.
  const counted = counter === undefined || texts === undefined ? undefined : counter.count([texts.join('')]);
  return {
    input: tokens(countedInput(size, counter) ?? size.exactTokens()),
    output: counted === undefined ? tokensOf(billedBytes) : tokens(counted),
    images: images > 0 ? images : size.images,
  };
}

/** A stated cost is believed up to this in any case: fees for searches and the like stand on no card. */
const ANY_COST_NANO_USD = NANO_PER_USD;

/** More than any model costs, for a model whose price is unknown. */
const DEAREST: TokenPrice = { input: 200, output: 1000, image: 1 };

/** The most that a provider may say an answer to this request costs: as far above the worst case as usage may be. */
export function mostStatedCost(deployment: Counted, request: ModelRequest): NanoUsd {
  const { card } = deployment;
  const most = mostOf(deployment, request, new Received());
  const counts = { ...most, imageOutput: most.output, audioOutput: most.output };
  const tokensOnly = { ...counts, searches: 0 };
  const worst =
    worstCostOf(card, counts) ??
    worstCostOf(card, tokensOnly) ??
    worstCostOf({ price: DEAREST }, tokensOnly) ??
    ANY_COST_NANO_USD;
  return Math.min(MOST_NANO_USD, Math.max(ANY_COST_NANO_USD, worst));
}

/** What a provider states as the cost of an answer, as far as it is possible: a whole amount; undefined for what is not. */
export function possibleCostOf(stated: unknown, deployment: Counted, request: ModelRequest): NanoUsd | undefined {
  if (typeof stated !== 'number' || !(stated >= 0) || stated > mostStatedCost(deployment, request)) return undefined;
  return Math.ceil(stated);
}

/** The warning about counts that were changed. */
export const usageCorrected = (provider: string, changes: readonly string[]): Warning => ({
  code: 'usage-corrected',
  message: `${provider} reported counts that are not possible, which were changed for the charge: ${changes.join(', ')}.`,
});
