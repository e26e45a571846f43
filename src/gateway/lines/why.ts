/** Why an attempt was made at its target, in a word. docs/how-to/logs-and-costs.md lists the words. */
import type { ErrorCode } from '../../core/errors.ts';
import type { Attempt, Target } from '../../core/model/model.ts';
import type { AttemptState } from '../calls/call-state.ts';
import { nameOf } from '../calls/target.ts';
import type { RouteOptions } from '../routing/route.ts';

export interface Why {
  readonly why: string;
  /** How many targets the decision left. */
  readonly of?: number;
  /** What failed before it, and where. */
  readonly after?: ErrorCode;
  readonly instead?: string;
}

export function whyOf(attempt: Attempt, { decision, cause }: AttemptState): Why {
  if (cause?.kind === 'retry') return { why: 'retry', after: cause.code };
  if (cause !== undefined) return { why: 'fallback', after: cause.code, instead: nameOf(cause.target) };
  return decision === undefined ? { why: 'given' } : { why: decision.why(attempt), of: decision.count };
}

/** Of the first target that is asked. */
export function reasonOf({ isSecond, target }: Attempt, routing: RouteOptions, choices: number): string {
  const { order, needs, preferred, trial, ranking } = routing;
  if (isSecond === true) return 'hedge';
  if (order !== undefined) return 'order';
  if (needs.choice.route !== undefined) return 'route';
  if (preferred !== undefined && isSame(preferred, target)) return 'session';
  if (trial !== undefined && isCandidate(target, routing)) return 'candidate';
  if (needs.choice.id !== undefined) return 'model';
  if (choices === 1) return 'only';
  return ranking === undefined ? 'best' : 'ranked';
}

const isSame = (one: Target, { provider, model, region }: Target): boolean =>
  one.provider === provider && one.model === model && one.region === region;

const isCandidate = (target: Target, { config, registry }: RouteOptions): boolean =>
  Object.values(config.candidates ?? {}).some(({ model }) =>
    registry.named(model).some((deployment) => isSame(deployment.target, target)),
  );
