/** What decides where a call goes: the call itself, and the providers, the config and the time of now. */
import type { Call } from '../core/model/model.ts';
import { callStateOf } from './calls/call-state.ts';
import { withCurrentLimits } from './calls/older-limits.ts';
import type { GatewayParts } from './parts.ts';
import type { Ranker } from './routing/rank.ts';
import { needsOf } from './routing/requirements.ts';
import type { RouteOptions } from './routing/route.ts';

type Rankers = readonly Ranker[] | undefined;

export const routeOptions = (parts: GatewayParts, rankers: Rankers, call: Call): RouteOptions => ({
  ...routeQuestion(parts, rankers, call),
  arrangement: parts.lifecycle.arrangement,
  trial: parts.candidates.trialOf(call),
});

/** The same without what is known of targets beyond the request. */
export const routeQuestion = (
  { registry, config, clock, spending }: GatewayParts,
  rankers: Rankers,
  call: Call,
): RouteOptions => ({
  // A layer may have set a limit by its older name.
  request: withCurrentLimits(call.request),
  needs: needsOf(call.request),
  preferred: callStateOf(call).preferred(call.id),
  exclude: call.exclude,
  order: call.order,
  shifted: spending.shifted(call),
  ranking: rankers && { rankers, call },
  registry: registry(),
  config: config(),
  nowMs: clock.now(),
});
