/** How large an answer of few tokens may be, however it arrives. */
import { PolyphonyError } from '../../core/errors.ts';
import type { ModelRequest } from '../../core/model/model.ts';
import type { ModelCard } from '../../core/model/provider.ts';

/** What an answer of any length may take up: below it, nothing is computed. */
export const ANY_ANSWER_BYTES = 8_388_608;
/** What a token may take up: its text, and the event or the escapes that it arrives in. */
const BYTES_PER_TOKEN = 256;

/** The most bytes of an answer of at most so many tokens of text. */
export const answerBytes = (tokens: number): number => ANY_ANSWER_BYTES + BYTES_PER_TOKEN * tokens;

/**
 * The most bytes of an answer that comes as one document, in which its text cannot be told from the rest before it is read. Undefined
 * where something may be in it that is no text: media, the probabilities of tokens, results of the provider's tools, whatever a field of
 * the provider's own asks for. Then only the limit of every answer holds.
 */
export function wholeAnswerBytes(request: ModelRequest, card: ModelCard): number | undefined {
  if (request.operation !== 'chat' || request.providerOptions !== undefined || card.capabilities.includes('image-out'))
    return undefined;
  const { logprobs = false, providerTools, maxOutputTokens: asked = Number.POSITIVE_INFINITY } = request;
  if (logprobs !== false || (providerTools?.length ?? 0) > 0) return undefined;
  return answerBytes(Math.min(asked, card.maxOutputTokens));
}

/** `receivedBytes`: what arrived of it, which was generated and is billed. */
export function tooLongAnswer(mostBytes: number, receivedBytes: number): PolyphonyError {
  const message = `The answer has more than ${mostBytes} bytes, which is its limit, so it was cut off. Ask for a shorter answer, or raise its limit: maxOutputTokens, limits.answers.bytes.`;
  return new PolyphonyError('truncated', message, { retryable: false, details: { receivedBytes } });
}
