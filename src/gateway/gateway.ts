/** Both rings, in order, outermost first. A slot without a layer is a plugin's; what has nothing to do is not composed. */
import type { Attempt, Call } from '../core/model.ts';
import type { AttemptLayer, RequestLayer } from '../core/plugin.ts';
import { adapt } from './adapt.ts';
import { affinity } from './affinity.ts';
import { attemptTelemetry } from './attempt-telemetry.ts';
import { breaker } from './breaker.ts';
import { budget } from './budget.ts';
import { limiter } from './limiter.ts';
import type { GatewayParts } from './parts.ts';
import { retry } from './retry.ts';
import type { Slot } from './rings.ts';
import { telemetry } from './telemetry.ts';
import { timeouts } from './timeouts.ts';

/** A call, once; ends in `failover`, which makes attempts of it. */
export function requestSlots(parts: GatewayParts): readonly (Slot<Call> & { readonly name: RequestLayer })[] {
  const { clock } = parts;
  return [
    { name: 'telemetry', handle: parts.logger && telemetry({ clock, logger: parts.logger }) },
    { name: 'authorisation' },
    { name: 'moderation' },
    { name: 'privacy' },
    { name: 'cache' },
    { name: 'affinity', handle: affinity(parts) },
    { name: 'escalation' },
    { name: 'hedge' },
  ];
}

/** An attempt at one target; ends in `provider`, which asks it. */
export function attemptSlots(parts: GatewayParts): readonly (Slot<Attempt> & { readonly name: AttemptLayer })[] {
  return [
    { name: 'retry', handle: retry(parts) },
    { name: 'breaker', handle: breaker(parts) },
    { name: 'limiter', handle: limiter(parts) },
    { name: 'budget', handle: budget(parts) },
    { name: 'attempt-telemetry', handle: attemptTelemetry(parts) },
    { name: 'timeouts', handle: timeouts(parts) },
    { name: 'adapt', handle: adapt(parts) },
  ];
}
