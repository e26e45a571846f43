/** What one answer may be: bounded in size and in tool calls, however it arrives and whether or not anybody reads it. */
import type { AnswerLimitsConfig } from '../../core/config.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { Attempt } from '../../core/model/model.ts';
import { ANY_ANSWER_BYTES, answerBytes } from '../../kit/streams/answer-body.ts';
import type { Received } from '../calls/received.ts';
import { nameOf } from '../calls/target.ts';
import { outputCeiling } from '../routing/estimate.ts';
import type { Deployment, Registry } from '../routing/registry.ts';

export const ANSWER_LIMITS = { bytes: 67_108_864, toolCalls: 128 } as const satisfies AnswerLimitsConfig;

/**
 * Throws for an answer that has become larger than its limit: the config's, or less if the answer may have few tokens. Media
 * and the like are no tokens, so that only the config's limit holds for them.
 *
 * @throws truncated
 */
export function assertSize(
  { size, besides }: Received,
  limits: AnswerLimitsConfig | undefined,
  attempt: Attempt,
  registry: () => Registry,
): void {
  const { bytes = ANSWER_LIMITS.bytes } = limits ?? {};
  const whole = size + besides;
  if (whole <= bytes && size <= ANY_ANSWER_BYTES) return;
  const most = whole > bytes ? bytes : mostOf(attempt, registry().find(attempt.target));
  if (whole <= bytes && size <= most) return;
  throw new PolyphonyError(
    'truncated',
    `${nameOf(attempt.target)} sent an answer of more than ${most} bytes, which is its limit, so it was cut off. Ask for a shorter answer, or raise limits.answers.bytes.`,
    { retryable: false },
  );
}

function mostOf({ request }: Attempt, deployment: Deployment | undefined): number {
  if (deployment === undefined || request.operation !== 'chat') return Number.POSITIVE_INFINITY;
  return answerBytes(outputCeiling(request, deployment.card));
}

/** @throws invalid-output for an answer with more tool calls than its limit: nobody means to run that many */
export function assertToolCalls(
  { toolCalls }: Received,
  limits: AnswerLimitsConfig | undefined,
  { target }: Attempt,
): void {
  const { toolCalls: most = ANSWER_LIMITS.toolCalls } = limits ?? {};
  if (toolCalls <= most) return;
  throw new PolyphonyError(
    'invalid-output',
    `${nameOf(target)} called more than ${most} tools in one answer, which is the limit. Ask for fewer at a time, or raise limits.answers.toolCalls.`,
  );
}
