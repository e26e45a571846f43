/** What is known of targets beyond a request: which of them new sessions leave, which are asked last, and which are tried in another's place. */
import type { Call, Warning } from '../../../core/model/model.ts';
import type { RankResult } from '../rank.ts';
import type { Deployment } from '../registry.ts';
import type { Scored } from '../score.ts';

/** Whose call it is; undefined where nobody knows. */
export type Asked = Pick<Call, 'id' | 'session'> | undefined;

export interface Arrangement {
  /** It ends: a new session, or a call without one, goes elsewhere while another target will do. */
  isEnding(deployment: Deployment, nowMs: number): boolean;
  /** The name of the model that new sessions get in the place of one that ends. */
  replacementOf(deployment: Deployment): string | undefined;
  /** It is asked after all others. */
  isLast(deployment: Deployment, nowMs: number): boolean;
  /** A new session, or a call without one, has left a model that ends. Changes nothing in the decision. */
  shifted(from: Deployment, to: Deployment, asked: Asked): void;
  /** What the response says where the first choice ends. */
  warning(first: Deployment, nowMs: number): Warning | undefined;
  /** For people: what of this moved a candidate. */
  notes(deployment: Deployment, nowMs: number): readonly string[];
}

/**
 * Of one call: the name of the model that is asked first in the place of this first choice, undefined for itself.
 *
 * @param isBound the session of the call is bound to it, and leaves it only for a model that was decided against
 */
export type Trial = (first: Deployment, isBound: boolean) => string | undefined;

interface Arranged {
  readonly arrangement?: Arrangement | undefined;
  readonly trial?: Trial | undefined;
  readonly asked?: Asked;
  readonly nowMs: number;
}

/**
 * The same candidates with those last that are asked last, and with another model first where one takes the place of the
 * first choice. A session that is bound to the first choice keeps it.
 *
 * @param named the best candidate of a name that may be asked before another one
 */
export function arranged(
  result: RankResult,
  options: Arranged,
  isBound: (one: Scored) => boolean,
  named: Named,
): RankResult {
  const scored = lastOnes(result.scored, options);
  const first = scored[0];
  const isKept = first !== undefined && isBound(first);
  const placed = first === undefined ? scored : (isKept ? ofSession : withFirst)(scored, first, options, named);
  return placed === result.scored ? result : { ...result, scored: placed };
}

function lastOnes(scored: readonly Scored[], { arrangement, nowMs }: Arranged): readonly Scored[] {
  if (arrangement === undefined || !scored.some(({ deployment }) => arrangement.isLast(deployment, nowMs)))
    return scored;
  const isLast = ({ deployment }: Scored): boolean => arrangement.isLast(deployment, nowMs);
  return [...scored.filter((one) => !isLast(one)), ...scored.filter(isLast)];
}

type Named = (name: string, before: Scored) => Scored | undefined;

function ofSession(scored: readonly Scored[], first: Scored, { trial }: Arranged, named: Named): readonly Scored[] {
  const name = trial?.(first.deployment, true);
  return name === undefined ? scored : before(scored, named(name, first));
}

function withFirst(
  scored: readonly Scored[],
  first: Scored,
  { arrangement, trial, asked, nowMs }: Arranged,
  named: Named,
): readonly Scored[] {
  let placed = scored;
  if (arrangement?.isEnding(first.deployment, nowMs)) {
    const name = arrangement.replacementOf(first.deployment);
    placed = name === undefined ? scored : before(scored, named(name, first));
    const replaced = placed[0];
    if (replaced !== undefined && replaced !== first) arrangement.shifted(first.deployment, replaced.deployment, asked);
  }
  const current = placed[0] ?? first;
  const name = trial?.(current.deployment, false);
  return name === undefined ? placed : before(placed, named(name, current));
}

/** A model that cannot serve the request, or has more against it, is no candidate: the order then stays. */
function before(scored: readonly Scored[], first: Scored | undefined): readonly Scored[] {
  if (first === undefined || scored[0]?.deployment === first.deployment) return scored;
  return [first, ...scored.filter(({ deployment }) => deployment !== first.deployment)];
}
