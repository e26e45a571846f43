/** What a request will cost at a deployment: expected, to choose by; at worst, to reserve by. */
import type { ModelRequest, Usage } from '../core/model.ts';
import type { NanoUsd } from '../core/money.ts';
import { costOf } from '../core/price.ts';
import type { ModelCard } from '../core/provider.ts';
import type { Deployment } from './registry.ts';
import { needsOf } from './requirements.ts';
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

export function expectedCost(request: ModelRequest, size: RequestSize, deployment: Deployment): NanoUsd | null {
  return costOf(deployment.card, {
    input: size.roughTokens,
    output: expectedOutput(request, deployment),
    images: size.images,
  });
}

/** The most that `input` and `output` tokens can cost: a prompt that is written to the cache may cost more than one that is not. */
export function worstCost(card: ModelCard, request: ModelRequest, input: number, output: number): NanoUsd | null {
  const { price } = card;
  const { images } = needsOf(request).size;
  const plain = costOf(card, { input, output, images });
  if (plain === null || price?.cacheWrite === undefined) return plain;
  const written: Usage = { input, output, images, cacheWrite: input, cacheWriteLong: price.cacheWriteLong ? input : 0 };
  return Math.max(plain, costOf(card, written) ?? plain);
}
