/** The cost of a request at a deployment: the expected cost, for routing, and the worst case, for reservations. */
import type { Growing } from '../../core/defined.ts';
import type { ChatRequest, ModelRequest, Usage } from '../../core/model/model.ts';
import type { ModelCard } from '../../core/model/provider.ts';
import type { NanoUsd } from '../../core/money/money.ts';
import { costOf, type PriceSpan, type PriceTerms, worstCostOf } from '../../core/money/price.ts';
import { maskOf, type Needs, needsOf } from '../calls/requirements.ts';
import type { RequestSize, TokenCounter } from '../calls/size.ts';
import type { CardColumns, FactColumns, PriceColumns } from './figures/card-columns.ts';
import type { Deployment } from './registry.ts';

/** Assumed tokens of an answer before any answer of the model was seen. */
const TYPICAL_ANSWER = 400;

/** The most tokens that the answer may have; 0 for operations that generate no text. */
export function outputCeiling(request: ModelRequest, card: ModelCard): number {
  if (request.operation !== 'chat') return 0;
  return Math.min(request.maxOutputTokens ?? answerLimit(request, card) ?? card.maxOutputTokens, card.maxOutputTokens);
}

/** Tokens for reasoning beside the visible answer, by effort; a model that reasons takes `medium` unless it is told otherwise. */
const REASONING_TOKENS = { none: 0, minimal: 4096, low: 4096, medium: 12_288, high: 28_672 } as const;
/** The size of a prompt is an estimate, and a server refuses a limit that does not fit its window. */
const PROMPT_MARGIN = 1.25;
/** A window with less room than this is nearly full: the server then ends the answer itself. */
const LEAST_LIMIT = 256;

/** The limit that `answerTokens` means for this model; undefined for none. */
export function answerLimit(request: ChatRequest, card: ModelCard): number | undefined {
  const { answerTokens, reasoning } = request;
  if (answerTokens === undefined || request.maxOutputTokens !== undefined) return undefined;
  const thinks = card.capabilities.includes('reasoning');
  const thinking = thinks ? (reasoning?.budgetTokens ?? REASONING_TOKENS[reasoning?.effort ?? 'medium']) : 0;
  const limit = Math.min(answerTokens + thinking, card.maxOutputTokens);
  const { size } = needsOf(request);
  if (size.upperTokens + limit <= card.contextTokens) return limit;
  const room = Math.floor(card.contextTokens - size.exactTokens() * PROMPT_MARGIN);
  return room < LEAST_LIMIT ? undefined : Math.min(limit, room);
}

export function expectedOutput(request: ModelRequest, deployment: Deployment): number {
  const typical = deployment.statistics.meanOutputTokens() ?? TYPICAL_ANSWER;
  return Math.min(Math.ceil(typical), outputCeiling(request, deployment.card));
}

/** The terms that decide the rates of a request that is sent now. */
export const termsOf = (request: ModelRequest, nowMs: number): PriceTerms => ({
  at: nowMs,
  serviceTier: askedTier(request),
});

/**
 * The service tier that a request asks for. `batch` is ignored: a request that is answered immediately is not part of a
 * batch, so it costs the full price.
 */
export function askedTier(request: ModelRequest): string | undefined {
  const tier = request.operation === 'chat' ? request.serviceTier : undefined;
  return tier === 'batch' ? undefined : tier;
}

/** What is counted exactly, else our own estimate, at the ratio by which the provider's count was seen to differ from it. */
export const expectedInput = (size: RequestSize, deployment: Deployment, nowMs: number): number =>
  countedInput(size, deployment.counter) ?? Math.ceil(size.roughTokens * deployment.statistics.tokenRatio.of(nowMs));

/** By the exact tokenizer of a plugin; undefined where there is none for the model, or it fails. */
export const countedInput = (size: RequestSize, counter: TokenCounter | undefined): number | undefined =>
  counter === undefined ? undefined : size.countedTokens(counter);

/** What the provider will count: by what was learned of the model once it has learned something, else by the tokeniser. */
export const likelyInput = (
  size: RequestSize,
  deployment: Deployment,
  nowMs: number,
  tokeniser = (): number => size.exactTokens(),
): number =>
  countedInput(size, deployment.counter) ??
  (deployment.statistics.tokenRatio.of(nowMs) === 1 ? tokeniser() : expectedInput(size, deployment, nowMs));

export function expectedCost(
  request: ModelRequest,
  size: RequestSize,
  deployment: Deployment,
  terms: PriceTerms,
): NanoUsd | null {
  const usage = {
    input: typeof terms.at === 'number' ? expectedInput(size, deployment, terms.at) : size.roughTokens,
    output: expectedOutput(request, deployment),
    images: size.images,
  };
  return costOf(deployment.card, usage, terms);
}

interface Priced {
  readonly request: ModelRequest;
  readonly needs: Needs;
  readonly nowMs: number;
}

/** `expectedCost` for a decision between many deployments: what they share is found once. */
export class ExpectedCosts {
  readonly #priced: Priced;
  readonly #prices: PriceColumns;
  readonly #facts: FactColumns;
  /** The limit of the request; undefined where that depends on the card. */
  readonly #limit: number | undefined;

  constructor(columns: CardColumns, priced: Priced) {
    const { request, nowMs } = priced;
    this.#priced = priced;
    this.#prices = columns.prices(nowMs, askedTier(request));
    this.#facts = columns.facts();
    this.#limit = sharedLimit(request);
  }

  /** Nano-dollars; NaN if the price is unknown. */
  of(deployment: Deployment): number {
    const { needs, nowMs } = this.#priced;
    const input = expectedInput(needs.size, deployment, nowMs);
    return this.#prices.cost(deployment.row, input, this.#output(deployment), needs.size.images);
  }

  #output(deployment: Deployment): number {
    if (this.#limit === undefined) return expectedOutput(this.#priced.request, deployment);
    const typical = deployment.statistics.meanOutputTokens() ?? TYPICAL_ANSWER;
    return Math.min(Math.ceil(typical), this.#limit, this.#facts.maxOutputTokens[deployment.row] as number);
  }
}

/** As `outputCeiling` has it, with no regard to the card; undefined where it needs one. */
function sharedLimit(request: ModelRequest): number | undefined {
  if (request.operation !== 'chat') return undefined;
  if (request.maxOutputTokens === undefined && request.answerTokens !== undefined) return undefined;
  return request.maxOutputTokens ?? Number.POSITIVE_INFINITY;
}

/** The terms of the worst case of an attempt that begins now. */
export interface WorstTerms {
  readonly card: ModelCard;
  readonly request: ModelRequest;
  readonly needs: Needs;
  readonly span: PriceSpan;
  /** The most searches of the provider's own that the request allows. */
  readonly searches: number;
}

/** `certainTier`: the tier that serves it in any case. `mostMs` is the longest time that the attempt may take, because the price may change in the meantime. */
export function worstTerms(
  { card, provider }: Pick<Deployment, 'card' | 'provider'>,
  request: ModelRequest,
  needs: Needs,
  nowMs: number,
  mostMs: number,
  certainTier?: string,
): WorstTerms {
  const searches = provider.searches?.most(request, card.id) ?? 0;
  const until = nowMs + mostMs;
  const span: PriceSpan =
    certainTier === undefined
      ? { from: nowMs, until, serviceTier: askedTier(request) }
      : { from: nowMs, until, serviceTier: certainTier, certain: true };
  return { card, request, needs, searches, span };
}

/** The most that `input` and `output` tokens can cost; null if the price is unknown. */
export function worstCost(
  { card, request, needs: { mask, size }, span, searches }: WorstTerms,
  input: number,
  output: number,
): NanoUsd | null {
  // An answer may be a picture without being asked for one, and sound only where the provider's own options ask for it.
  const most: Growing<Usage> = { input, output, images: size.images, searches, imageOutput: output };
  if ((mask & AUDIO_INPUT) !== 0) most.audioInput = input;
  if ((mask & VISUAL_INPUT) !== 0) most.imageInput = input;
  if (request.providerOptions !== undefined) most.audioOutput = output;
  return worstCostOf(card, most, span);
}

const AUDIO_INPUT = maskOf(['audio-in']);
const VISUAL_INPUT = maskOf(['image-in', 'image-edit', 'video-in', 'file-in']);
