/** What decides where a call goes: the call itself, and the providers, the config and the time of now. */
import type { Config } from '../core/config.ts';
import type { Call, Target } from '../core/model/model.ts';
import { callStateOf } from './calls/call-state.ts';
import { withLimits } from './calls/request-limits.ts';
import type { GatewayParts } from './parts.ts';
import type { Arrangement, Trial } from './routing/arrangement/arrange.ts';
import type { Ranker } from './routing/rank.ts';
import { needsOf } from './routing/requirements.ts';
import type { RouteOptions } from './routing/route.ts';

type Rankers = readonly Ranker[] | undefined;

export const routeOptions = (parts: GatewayParts, rankers: Rankers, call: Call): RouteOptions =>
  new CallRouting(
    parts,
    rankers,
    call,
    parts.lifecycle.arrangement,
    parts.candidates.trialOf(call),
    parts.routes.slow.isLeft,
  );

/** The same for a question: nothing is told or counted because of it. */
export const explainedOptions = (parts: GatewayParts, rankers: Rankers, call: Call): RouteOptions =>
  new CallRouting(
    parts,
    rankers,
    call,
    parts.lifecycle.explained,
    parts.candidates.explainedOf(call),
    (route, target) => parts.routes.slow.observed(route, target).isLeft,
  );

/** A class: see docs/decisions/objects-of-a-call.md. */
class CallRouting implements RouteOptions {
  readonly request: RouteOptions['request'];
  readonly needs: RouteOptions['needs'];
  readonly preferred: RouteOptions['preferred'];
  readonly exclude: RouteOptions['exclude'];
  readonly order: RouteOptions['order'];
  readonly shifted: RouteOptions['shifted'];
  readonly ranking: RouteOptions['ranking'];
  readonly arrangement: Arrangement;
  readonly trial: Trial | undefined;
  readonly language: RouteOptions['language'];
  readonly isSlow: RouteOptions['isSlow'];
  readonly registry: RouteOptions['registry'];
  readonly config: Config;
  readonly committed: RouteOptions['committed'];
  readonly nowMs: number;
  /** Set in a copy for a request that is adapted: a copy with one more field has a form of its own each time (Node 20). */
  readonly relaxed: RouteOptions['relaxed'] = undefined;

  constructor(
    { registry, config, clock, spending, commitments }: GatewayParts,
    rankers: Rankers,
    call: Call,
    arrangement: Arrangement,
    trial: Trial | undefined,
    isLeft: (route: string, target: Target) => boolean,
  ) {
    const state = callStateOf(call);
    const routed = state.routed(call.id);
    this.config = config();
    this.nowMs = clock.now();
    // A layer may have set a limit by its older name, or an intent.
    this.request = withLimits(call.request);
    this.needs = needsOf(call.request);
    this.preferred = state.preferred(call.id);
    this.exclude = call.exclude;
    this.order = call.order;
    this.shifted = spending.shifted(call);
    this.ranking = rankers && { rankers, call };
    this.arrangement = arrangement;
    this.trial = trial;
    this.language = routed?.language;
    this.isSlow = slowFor(routed?.route, this.config, isLeft);
    this.registry = registry();
    this.committed = commitments.rates(this.nowMs);
  }
}

/** Nothing is asked for a call without a route, or whose route has no limit of time. */
function slowFor(
  route: string | undefined,
  { routes }: Config,
  isLeft: (route: string, target: Target) => boolean,
): RouteOptions['isSlow'] {
  if (route === undefined || routes?.[route]?.p95Ms === undefined) return undefined;
  return (target) => isLeft(route, target);
}
