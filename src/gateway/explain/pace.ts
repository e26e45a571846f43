/** How the endpoint of a target is used now, for the explanation of a request. */
import type { Pace } from '../../core/gateway.ts';
import type { Attempt, Call } from '../../core/model/model.ts';
import { adaptiveTimeouts } from '../attempt-ring/timeouts/adaptive.ts';
import { firstOf } from '../attempt-ring/timeouts.ts';
import { withEachCredential } from '../calls/target.ts';
import type { GatewayParts } from '../parts.ts';
import type { Deployment } from '../routing/registry.ts';

type PaceParts = Pick<GatewayParts, 'clock' | 'config' | 'pacer'>;

export function paceOf(
  { clock, config, pacer }: PaceParts,
  call: Call,
  { target, provider, statistics }: Deployment,
): Pace {
  const nowMs = clock.now();
  const { timeouts } = config();
  const adaptive = adaptiveTimeouts(statistics);
  const targets = withEachCredential(target, provider.credentials);
  const lanes = targets.map((one) => pacer.laneOf(one));
  const attempt: Attempt = { ...call, target, number: 0 };
  const at = targets.map((one) => pacer.roomAt(attempt, one));
  const [first] = lanes;
  return {
    waitMs: Math.max(0, Math.ceil(Math.min(...at) - nowMs)),
    concurrency: first === undefined ? 0 : pacer.slotsOf(first.endpoint, clock.monotonic()),
    waiting: lanes.reduce((sum, { queue }) => sum + queue.length, 0),
    firstTokenMs: firstOf('firstTokenMs', timeouts, adaptive, nowMs),
    answerMs: firstOf('answerMs', timeouts, adaptive, nowMs),
  };
}
