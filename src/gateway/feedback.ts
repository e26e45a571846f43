/** What callers say of an answer afterwards goes to all that learn from it. */
import { shown } from '../core/checked-options.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { Gateway } from '../core/gateway.ts';
import type { RecentCalls } from './calls/recent-calls.ts';
import type { Candidates } from './candidates/candidates.ts';
import type { HealthMonitor } from './health/monitor.ts';
import type { Rate } from './typed/rated-form.ts';

interface FeedbackParts {
  readonly recent: RecentCalls;
  readonly candidates: () => Pick<Candidates, 'score'>;
  readonly monitor: Pick<HealthMonitor, 'scored'>;
  readonly rate: Rate;
}

const GENERAL: readonly string[] = ['general'];

export function reporting({ recent, candidates, monitor, rate }: FeedbackParts): NonNullable<Gateway['report']> {
  return (callId, { score }) => {
    assertScore(score);
    const call = recent.find(callId);
    if (call === undefined) return false;
    const fields = call.strengths === undefined || call.strengths.length === 0 ? GENERAL : call.strengths;
    for (const field of fields) rate(call.target, field, score);
    candidates().score(callId, score);
    monitor.scored(call.scopes, score);
    return true;
  };
}

/** A score in percent would count as a hundred answers, and would be believed. */
export function assertScore(score: unknown): void {
  if (typeof score === 'number' && score >= 0 && score <= 1) return;
  throw new PolyphonyError('invalid-request', `The score of an answer is ${shown(score)}: give a number from 0 to 1.`);
}
