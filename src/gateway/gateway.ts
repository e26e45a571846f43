/** Both rings, outermost layer first. A slot without a layer is for plugins; a layer with nothing to do is not composed. */
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
import { batch } from './request-ring/batch.ts';
import { hedge } from './request-ring/hedge.ts';
import { telemetry } from './request-ring/telemetry.ts';
import type { RingSlot } from './rings.ts';

/** The layers that a call passes once; the last is `failover`, which turns the call into attempts. */
export function requestSlots(parts: GatewayParts): readonly (RingSlot<Call> & { readonly name: RequestLayer })[] {
  const { clock } = parts;
  return [
    { name: 'telemetry', handle: parts.logger && telemetry({ clock, logger: parts.logger }) },
    { name: 'authorisation' },
    { name: 'moderation' },
    { name: 'privacy' },
    { name: 'cache' },
    { name: 'route', handle: parts.routes.layer },
    { name: 'affinity', handle: affinity(parts) },
    { name: 'escalation' },
    { name: 'hedge', handle: hedge(parts) },
    { name: 'batch', handle: batch(parts) },
  ];
}

/** The layers that each attempt at one target passes; the last is `provider`, which sends it. */
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
