/** What callers say of an answer afterwards goes to all that learn from it. */
import {
  assertFits,
  assertKnownFields,
  isFields,
  isText,
  shown,
  TEXT,
  type ValueRule,
} from '../core/checked-options.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { Gateway } from '../core/gateway.ts';
import { STRENGTH_FIELDS } from '../core/model/model.ts';
import { nearest, slipOf } from '../language/suggest.ts';
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

const FIELD: ValueRule = {
  fits: (value) => isText(value) && value !== '' && value.length <= 120,
  must: 'a text of 1 to 120 characters, such as "code"',
};
const GENERAL: readonly string[] = ['general'];

export function reporting({ recent, candidates, monitor, rate }: FeedbackParts): NonNullable<Gateway['report']> {
  return (callId, said) => {
    assertFits('The id of an answered call', callId, TEXT, nearest);
    assertKnownFields('What is said of an answer', said, { score: true }, nearest);
    const { score } = said;
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

/** As a target stands in an answer. A name in its place, or a misspelt field of work, would be learned from by nobody. */
const TARGET: ValueRule = {
  fits: (value) => isFields(value) && isText(value.provider) && isText(value.model),
  must: 'the target of an answer, such as { provider, model }',
};

/** Fields of work of one's own are as good: only a slip of one that models are known by is refused. */
export function assertRating(target: unknown, field: unknown, score: unknown): void {
  assertFits('What is rated', target, TARGET, nearest);
  assertFits('The field of work', field, FIELD, nearest);
  assertScore(score);
  const meant = STRENGTH_FIELDS.some((known) => known === field) ? undefined : slipOf(String(field), STRENGTH_FIELDS);
  if (meant === undefined) return;
  const message = `There is no field of work ${shown(field)}. Did you mean "${meant}"? A field of your own needs a name that is less like it.`;
  throw new PolyphonyError('invalid-request', message);
}

/** A score in percent would count as a hundred answers, and would be believed. */
export function assertScore(score: unknown): void {
  if (typeof score === 'number' && score >= 0 && score <= 1) return;
  throw new PolyphonyError('invalid-request', `The score of an answer is ${shown(score)}: give a number from 0 to 1.`);
}
