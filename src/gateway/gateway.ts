/** Both rings, in order, outermost first. A slot without a layer is a plugin's; what has nothing to do is not composed. */
import type { Attempt, Call } from '../core/model/model.ts';
import type { AttemptLayer, RequestLayer } from '../core/plugin.ts';
import { adapt } from './attempt-ring/adapt.ts';
import { attemptTelemetry } from './attempt-ring/attempt-telemetry.ts';
import { breaker } from './attempt-ring/breaker.ts';
import { limiter } from './attempt-ring/limiter.ts';
import { retry } from './attempt-ring/retry.ts';
import { timeouts } from './attempt-ring/timeouts.ts';
import { budget } from './money/budget.ts';
import type { GatewayParts } from './parts.ts';
import { affinity } from './request-ring/affinity.ts';
import { telemetry } from './request-ring/telemetry.ts';
import type { RingSlot } from './rings.ts';

/** A call, once; ends in `failover`, which makes attempts of it. */
export function requestSlots(parts: GatewayParts): readonly (RingSlot<Call> & { readonly name: RequestLayer })[] {
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
export function attemptSlots(parts: GatewayParts): readonly (RingSlot<Attempt> & { readonly name: AttemptLayer })[] {
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
