/** What decides where a call goes: the call itself, and the providers, the config and the time of now. */
import type { Config } from '../core/config.ts';
import type { Call, Target } from '../core/model/model.ts';
import { callStateOf } from './calls/call-state.ts';
import { withIntent } from './calls/intent.ts';
import { withCurrentLimits } from './calls/older-limits.ts';
import type { GatewayParts } from './parts.ts';
import type { Arrangement, Trial } from './routing/arrangement/arrange.ts';
import type { Ranker } from './routing/rank.ts';
import { needsOf } from './routing/requirements.ts';
import type { RouteOptions } from './routing/route.ts';

type Rankers = readonly Ranker[] | undefined;

export const routeOptions = (parts: GatewayParts, rankers: Rankers, call: Call): RouteOptions =>
  optionsOf(
    parts,
    rankers,
    call,
    parts.lifecycle.arrangement,
    parts.candidates.trialOf(call),
    parts.routes.slow.isLeft,
  );

/** The same for a question: nothing is told or counted because of it. */
export const explainedOptions = (parts: GatewayParts, rankers: Rankers, call: Call): RouteOptions =>
  optionsOf(
    parts,
    rankers,
    call,
    parts.lifecycle.explained,
    parts.config().candidates && parts.candidates.explained,
    (route, target) => parts.routes.slow.observed(route, target).isLeft,
  );

/** One literal: in V8, fields beside a spread cost microseconds for each call. */
function optionsOf(
  { registry, config, clock, spending, commitments }: GatewayParts,
  rankers: Rankers,
  call: Call,
  arrangement: Arrangement,
  trial: Trial | undefined,
  isLeft: (route: string, target: Target) => boolean,
): RouteOptions {
  const state = callStateOf(call);
  const routed = state.routed(call.id);
  const current = config();
  const nowMs = clock.now();
  return {
    // A layer may have set a limit by its older name, or an intent.
    request: withIntent(withCurrentLimits(call.request)),
    needs: needsOf(call.request),
    preferred: state.preferred(call.id),
    exclude: call.exclude,
    order: call.order,
    shifted: spending.shifted(call),
    ranking: rankers && { rankers, call },
    arrangement,
    trial,
    language: routed?.language,
    isSlow: slowFor(routed?.route, current, isLeft),
    registry: registry(),
    config: current,
    committed: commitments.rates(nowMs),
    nowMs,
  };
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
