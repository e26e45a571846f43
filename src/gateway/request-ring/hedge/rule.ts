/** Whether a call may have a second target, after which wait, and which targets that may be. */
import type { Config } from '../../../core/config.ts';
import type { ExplainedHedge } from '../../../core/gateway.ts';
import type { Call, Target } from '../../../core/model/model.ts';
import type { Sketch } from '../../routing/figures/sketch.ts';
import type { Deployment } from '../../routing/registry.ts';
import type { TargetStatistics } from '../../routing/statistics.ts';

export interface HedgeRule {
  /** Milliseconds; undefined: `FRACTION` of what the target is known to take. */
  readonly afterMs: number | undefined;
  readonly share: number;
}

const DEFAULT_SHARE = 0.1;
/** A percentile of fewer answers says nothing of the slowest twentieth. */
const LEAST_ANSWERS = 20;
/**
 * The share of a target's waits that end before a second one is asked: a little below the 95th percentile, where the 99th of both comes
 * nearest to their 95th. See docs/decisions/when-a-second-target-is-asked.md.
 */
const FRACTION = 0.945;

/**
 * Undefined for a call that never has a second target: what judges and other layers ask, operations other than chat (vectors of
 * two models cannot be mixed), and requests with tools that the provider runs, which may change something.
 */
export function hedgeOf(
  { request, purpose }: Pick<Call, 'request' | 'purpose'>,
  config: Config,
): HedgeRule | undefined {
  if (request.operation !== 'chat' || (purpose !== 'answer' && purpose !== 'planner')) return undefined;
  const { hedge = config.hedge !== undefined, providerTools = [] } = request;
  if (hedge === false || providerTools.length > 0) return undefined;
  const own = hedge === true ? undefined : hedge.afterMs;
  return { afterMs: own ?? config.hedge?.afterMs, share: config.hedge?.share ?? DEFAULT_SHARE };
}

/** The waits of a target: without streaming, the first token comes with the last. */
export const waitsOf = ({ total, firstToken }: TargetStatistics, { streaming }: Pick<Call, 'streaming'>): Sketch =>
  streaming === false ? total : firstToken;

/** Milliseconds; undefined while too few answers are known. */
export function waitBefore(rule: HedgeRule, waits: Sketch | undefined, nowMs: number): number | undefined {
  if (rule.afterMs !== undefined) return Math.ceil(rule.afterMs);
  if (waits === undefined || waits.weight(nowMs) < LEAST_ANSWERS) return undefined;
  const ms = waits.uncutQuantile(FRACTION, nowMs);
  return ms && Math.ceil(ms);
}

/** The other targets in their order: those of the same provider and region only if there is no other. */
export function secondsTo(first: Target, routed: readonly Target[]): readonly Target[] {
  const others = routed.filter((target) => !isSameTarget(target, first));
  const elsewhere = others.filter(({ provider, region }) => provider !== first.provider || region !== first.region);
  return elsewhere.length > 0 ? elsewhere : others;
}

export const isSameTarget = (a: Target, b: Target): boolean =>
  a.provider === b.provider && a.model === b.model && a.region === b.region;

/** For `explain`; undefined for a call that never has a second target. */
export function explainedHedge(
  call: Call,
  routed: readonly Deployment[],
  config: Config,
  nowMs: number,
): ExplainedHedge | undefined {
  const rule = hedgeOf(call, config);
  const [first] = routed;
  if (rule === undefined || first === undefined) return undefined;
  const [second = null] = secondsTo(
    first.target,
    routed.map(({ target }) => target),
  );
  return { afterMs: waitBefore(rule, waitsOf(first.statistics, call), nowMs) ?? null, second };
}
