/** Which targets and credentials can be used now, read on demand from the layers that decide it. */
import type { CredentialHealth, TargetHealth } from '../core/gateway.ts';
import type { Target } from '../core/model/model.ts';
import type { Provider } from '../core/model/provider.ts';
import { withCredential } from './calls/target.ts';
import type { GatewayParts } from './parts.ts';

type HealthParts = Pick<
  GatewayParts,
  'clock' | 'registry' | 'statistics' | 'circuits' | 'credentials' | 'endpointReports'
>;

/** Every target that the registry lists, and every unlisted one that a request has named. */
export function healthOf(parts: HealthParts): readonly TargetHealth[] {
  const { clock, registry, statistics, circuits } = parts;
  const nowMs = clock.now();
  const { providers } = registry();
  return statistics.figures(nowMs).flatMap(({ target, errorRate }) => {
    const provider = providers.get(target.provider);
    if (provider === undefined) return [];
    const breaker = circuits.health(target, nowMs);
    return [{ target, breaker, errorRate, credentials: credentialsOf(parts, provider, target, nowMs) }];
  });
}

function credentialsOf(
  { credentials, endpointReports }: HealthParts,
  provider: Provider,
  target: Target,
  nowMs: number,
): readonly CredentialHealth[] {
  return credentials
    .states(provider, target.model, nowMs)
    .map((state) => ({ ...state, ...endpointReports.of(withCredential(target, state.label ?? undefined)) }));
}
