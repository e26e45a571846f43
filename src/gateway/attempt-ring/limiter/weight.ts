/** What an attempt takes of a limit on requests or tokens. */
import type { ModelRequest } from '../../../core/model/model.ts';
import type { RateLimit } from '../../../core/model/provider.ts';
import type { RequestSize } from '../../calls/size.ts';
import { countedInput, expectedOutput, outputCeiling } from '../../routing/estimate.ts';
import type { Deployment } from '../../routing/registry.ts';
import { batchesOf } from '../embedding-batches.ts';

export interface Weight {
  readonly requests: number;
  /** Tokens of the prompt, estimated. */
  readonly input: number;
  /** The most tokens of the answer where the request bounds them, else as many as the model usually writes. */
  readonly output: number;
}

export type MutableWeight = { -readonly [Part in keyof Weight]: Weight[Part] };

export const NO_WEIGHT: Weight = { requests: 0, input: 0, output: 0 };
/** Of an attempt at an endpoint that announces nothing, which nobody weighs. */
export const ONE_REQUEST: Weight = { requests: 1, input: 0, output: 0 };

/** An estimate may be too low, and what an endpoint counts for roles and tools is not known. */
const MARGIN = 1.2;

/** A request with its size, which belongs to its call. */
export interface Sized {
  readonly request: ModelRequest;
  readonly size: RequestSize;
}

export function weightOf({ request, size }: Sized, deployment: Deployment | undefined, nowMs: number): Weight {
  if (deployment === undefined) return ONE_REQUEST;
  return weighed(request, deployment, inputOf(size, deployment, nowMs));
}

/** What the request takes at most, without counting its prompt. */
export function mostOf({ request, size }: Sized, deployment: Deployment, nowMs: number): Weight {
  const { upperTokens, roughTokens } = size;
  return weighed(request, deployment, Math.max(upperTokens, roughTokens * ratioOf(deployment, nowMs)));
}

function weighed(request: ModelRequest, deployment: Deployment, input: number): Weight {
  const { card, provider } = deployment;
  const batches =
    request.operation === 'embed'
      ? batchesOf(request, card.embeddingBatch ?? provider.embeddingBatch?.(card))
      : undefined;
  const isBounded = request.operation === 'chat' && (request.maxOutputTokens ?? request.answerTokens) !== undefined;
  return {
    requests: batches?.length ?? 1,
    input: Math.ceil(input * MARGIN),
    output: isBounded ? outputCeiling(request, card) : expectedOutput(request, deployment),
  };
}

/** What its provider is taken to count for one token of our own estimate. */
export const ratioOf = (deployment: Deployment | undefined, nowMs: number): number =>
  deployment?.statistics.tokenRatio.most(nowMs) ?? 1;

function inputOf(size: RequestSize, deployment: Deployment, nowMs: number): number {
  const counted = countedInput(size, deployment.counter);
  if (counted !== undefined) return counted;
  const ratio = ratioOf(deployment, nowMs);
  return ratio === 1 ? size.exactTokens() : size.roughTokens * ratio;
}

/** What a limit counts; tokens of both kinds where it does not say which. */
export interface Counted {
  readonly kind: RateLimit['kind'];
  readonly counts: RateLimit['counts'] | undefined;
}

/** The part of it that a limit counts. */
export function partOf({ requests, input, output }: Weight, { kind, counts }: Counted): number {
  if (kind === 'requests') return requests;
  if (counts === 'input') return input;
  return counts === 'output' ? output : input + output;
}

export function add(sum: MutableWeight, { requests, input, output }: Weight, times: 1 | -1 = 1): void {
  sum.requests += times * requests;
  sum.input += times * input;
  sum.output += times * output;
}
