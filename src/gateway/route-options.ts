/** What decides where a call goes: the call itself, and the providers, the config and the time of now. */
import type { Call } from '../core/model/model.ts';
import { callStateOf } from './calls/call-state.ts';
import { withCurrentLimits } from './calls/older-limits.ts';
import type { GatewayParts } from './parts.ts';
import type { Arrangement, Trial } from './routing/arrangement/arrange.ts';
import type { Ranker } from './routing/rank.ts';
import { needsOf } from './routing/requirements.ts';
import type { RouteOptions } from './routing/route.ts';

type Rankers = readonly Ranker[] | undefined;

export const routeOptions = (parts: GatewayParts, rankers: Rankers, call: Call): RouteOptions =>
  optionsOf(parts, rankers, call, parts.lifecycle.arrangement, parts.candidates.trialOf(call));

/** The same for a question: nothing is told or counted because of it. */
export const explainedOptions = (parts: GatewayParts, rankers: Rankers, call: Call): RouteOptions =>
  optionsOf(parts, rankers, call, parts.lifecycle.explained, parts.config().candidates && parts.candidates.explained);

/** One literal: in V8, fields beside a spread cost microseconds for each call. */
function optionsOf(
  { registry, config, clock, spending, commitments }: GatewayParts,
  rankers: Rankers,
  call: Call,
  arrangement: Arrangement,
  trial: Trial | undefined,
): RouteOptions {
  const nowMs = clock.now();
  return {
    // A layer may have set a limit by its older name.
    request: withCurrentLimits(call.request),
    needs: needsOf(call.request),
    preferred: callStateOf(call).preferred(call.id),
    exclude: call.exclude,
    order: call.order,
    shifted: spending.shifted(call),
    ranking: rankers && { rankers, call },
    arrangement,
    trial,
    registry: registry(),
    config: config(),
    committed: commitments.rates(nowMs),
    nowMs,
  };
}
