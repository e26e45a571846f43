/** Whether a conversation fits the window of a model, and what is left of one that does not. */
import { asPolyphonyError, PolyphonyError } from '../../../core/errors.ts';
import type { Attempt, ChatRequest, Warning } from '../../../core/model/model.ts';
import type { ModelCard, ProviderContext } from '../../../core/model/provider.ts';
import { estimateMessageTokens, estimateRequestTokens } from '../../../kit/models/tokens.ts';
import { needsOf } from '../../calls/requirements.ts';
import { nameOf } from '../../calls/target.ts';
import { likelyInput, outputCeiling } from '../../routing/estimate.ts';
import type { Deployment } from '../../routing/registry.ts';
import { withoutMiddle } from './fit-context.ts';

/** An estimate may be too low by this factor. */
const MARGIN = 1.25;
/** The share of a window that is kept free for an answer whose length nobody gave. */
const ANSWER_SHARE = 0.25;
/** Times that a provider is asked to count one request. */
const MOST_COUNTS = 3;

export interface Window {
  readonly attempt: Attempt;
  readonly deployment: Deployment;
  /** The free endpoint of the provider; undefined if it has none. */
  readonly context: ProviderContext;
}

/** By a bound that costs nothing: a token covers at least a byte. */
export const mayExceed = (request: ChatRequest, card: ModelCard): boolean =>
  needsOf(request).size.upperTokens > roomOf(request, card);

function roomOf(request: ChatRequest, card: ModelCard): number {
  const answer =
    request.maxOutputTokens ?? Math.min(outputCeiling(request, card), Math.floor(card.contextTokens * ANSWER_SHARE));
  return card.contextTokens - answer;
}

export interface FittedRequest {
  readonly request: ChatRequest;
  readonly warning: Warning | undefined;
}

/** What the provider will count, with the margin. */
const expectedTokens = (request: ChatRequest, deployment: Deployment, nowMs: number): number =>
  likelyInput(needsOf(request).size, deployment, nowMs, () => estimateRequestTokens(request)) * MARGIN;

/** For `explain`, without asking the provider. */
export function fittedByEstimate(request: ChatRequest, deployment: Deployment, nowMs: number): FittedRequest {
  const { card, target } = deployment;
  const tokens = expectedTokens(request, deployment, nowMs);
  const room = roomOf(request, card);
  if (tokens <= room) return { request, warning: undefined };
  const ratio = tokens / Math.max(1, estimateRequestTokens(request));
  const { messages, left, leftTokens } = withoutMiddle(
    request.messages,
    (tokens - room) / ratio,
    estimateMessageTokens,
  );
  const given = { ...request, messages };
  return { request: given, warning: leftOut(nameOf(target), card, request, left, leftTokens, 'by an estimate') };
}

/**
 * The request, with as many messages left out as its window asks for.
 *
 * @throws context-window where what has to stay is too long
 */
export async function fitted(request: ChatRequest, window: Window): Promise<FittedRequest> {
  const { card, target } = window.deployment;
  const room = roomOf(request, card);
  let given = request;
  let left = 0;
  let leftTokens = 0;
  let isCounted = false;
  for (let round = 0; round < MOST_COUNTS; round += 1) {
    const counted: number | undefined = round > 0 && !isCounted ? undefined : await countOf(given, window);
    isCounted = counted !== undefined;
    const tokens = counted ?? expectedTokens(given, window.deployment, window.context.clock.now());
    if (tokens <= room) break;
    // What a token of the tokeniser is by the provider's own measure.
    const ratio = tokens / Math.max(1, estimateRequestTokens(given));
    const next = withoutMiddle(given.messages, (tokens - room) / ratio, estimateMessageTokens);
    if (!next.fits) throw tooLong(window.attempt, card);
    given = { ...given, messages: next.messages };
    left += next.left;
    leftTokens += next.leftTokens;
    if (!isCounted) break;
  }
  if (left === 0) return { request, warning: undefined };
  const by = isCounted ? 'counted by the provider' : 'by an estimate';
  return { request: given, warning: leftOut(nameOf(target), card, request, left, leftTokens, by) };
}

/** Undefined without an endpoint that counts, and where it fails: the estimate then decides. */
async function countOf(request: ChatRequest, { attempt, deployment, context }: Window): Promise<number | undefined> {
  const { provider } = deployment;
  if (provider.countTokens === undefined) return undefined;
  try {
    const count = await provider.countTokens({ ...attempt, request }, context);
    return Number.isFinite(count) && count > 0 ? count : undefined;
  } catch (error) {
    if (attempt.signal.aborted) throw asPolyphonyError(error);
    return undefined;
  }
}

function leftOut(
  name: string,
  { contextTokens }: ModelCard,
  { messages }: ChatRequest,
  left: number,
  tokens: number,
  by: string,
): Warning {
  const message = `${left} of ${messages.length} messages were left out, of about ${Math.round(tokens)} tokens, because ${name} has a window of ${contextTokens} tokens (${by}).`;
  return { code: 'context-fitted', message };
}

function tooLong({ target }: Attempt, { contextTokens }: ModelCard): PolyphonyError {
  const message = `${nameOf(target)} has a window of ${contextTokens} tokens, and the newest message alone does not fit it: shorten it, or ask a model with a larger window.`;
  return new PolyphonyError('context-window', message, { retryable: false, unsent: true });
}
