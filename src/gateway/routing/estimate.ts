/** What a request will cost at a deployment: expected, to choose by; at worst, to reserve by. */
import type { ModelRequest, Usage } from '../../core/model/model.ts';
import type { ModelCard } from '../../core/model/provider.ts';
import type { NanoUsd } from '../../core/money/money.ts';
import { costOf, type PriceSpan, type PriceTerms, worstCostOf } from '../../core/money/price.ts';
import type { Deployment } from './registry.ts';
import { maskOf, needsOf } from './requirements.ts';
import type { RequestSize } from './size.ts';

/** Tokens of an answer when none of that model was seen yet. */
const TYPICAL_ANSWER = 400;

/** Tokens that the answer may have at most; 0 for operations that generate no text. */
export function outputCeiling(request: ModelRequest, card: ModelCard): number {
  if (request.operation !== 'chat') return 0;
  return Math.min(request.maxOutputTokens ?? card.maxOutputTokens, card.maxOutputTokens);
}

export function expectedOutput(request: ModelRequest, deployment: Deployment): number {
  const typical = deployment.statistics.meanOutputTokens() ?? TYPICAL_ANSWER;
  return Math.min(Math.ceil(typical), outputCeiling(request, deployment.card));
}

/** What the rates of a request hang on when it is sent now. */
export const termsOf = (request: ModelRequest, nowMs: number): PriceTerms => ({
  at: nowMs,
  serviceTier: askedTier(request),
});

/**
 * The service tier that a request asks for. Batch is none: a request that is answered at once is not one of a batch,
 * whatever it says, and costs the whole price.
 */
export function askedTier(request: ModelRequest): string | undefined {
  const tier = request.operation === 'chat' ? request.serviceTier : undefined;
  return tier === 'batch' ? undefined : tier;
}

export function expectedCost(
  request: ModelRequest,
  size: RequestSize,
  deployment: Deployment,
  terms: PriceTerms,
): NanoUsd | null {
  const usage = { input: size.roughTokens, output: expectedOutput(request, deployment), images: size.images };
  return costOf(deployment.card, usage, terms);
}

/** What an attempt that begins now is reserved by. */
export interface WorstTerms {
  readonly card: ModelCard;
  readonly request: ModelRequest;
  readonly span: PriceSpan;
}

/** `mostMs`: how long the attempt may take, for a price that changes in the meantime. */
export function worstTerms(card: ModelCard, request: ModelRequest, nowMs: number, mostMs: number): WorstTerms {
  return { card, request, span: { from: nowMs, until: nowMs + mostMs, serviceTier: askedTier(request) } };
}

/** The most that `input` and `output` tokens can cost; null where the price is unknown. */
export function worstCost({ card, request, span }: WorstTerms, input: number, output: number): NanoUsd | null {
  const { mask, size } = needsOf(request);
  const most: Usage = { input, output, images: size.images, ...media(request, mask, input, output) };
  return worstCostOf(card, most, span);
}

const HEARS = maskOf(['audio-in']);
const SEES = maskOf(['image-in', 'image-edit', 'video-in', 'file-in']);

/** An answer is spoken only where the provider's own options ask for it; pictures some models draw unasked. */
function media(request: ModelRequest, mask: number, input: number, output: number): Partial<Usage> {
  return {
    ...((mask & HEARS) === 0 ? undefined : { audioInput: input }),
    ...((mask & SEES) === 0 ? undefined : { imageInput: input }),
    ...(request.providerOptions === undefined ? undefined : { audioOutput: output }),
    imageOutput: output,
  };
}
