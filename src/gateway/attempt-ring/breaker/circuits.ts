/** The circuits of the breaker: one per provider in a region, and one per model, as far as it was asked lately. */
import type { Config } from '../../../core/config.ts';
import type { BreakerHealth } from '../../../core/gateway.ts';
import type { Target } from '../../../core/model/model.ts';
import { nameOf } from '../../calls/target.ts';
import type { GatewayEvents } from '../../gateway-events.ts';
import { type RecentMap, recentMap } from '../../routing/figures/recent-map.ts';
import { type Circuit, type CircuitPolicy, createCircuit } from './circuit.ts';

/** Names of models that their provider does not list come from callers. */
const MOST_MODELS = 4096;
const DEFAULTS: CircuitPolicy = { rateLimits: 3, failureRatio: 0.5, minimumAttempts: 10, cooldownMs: 30_000 };

export interface Circuits {
  /** The circuit of the target's provider in its region, and the circuit of its model. */
  both(target: Target): readonly [Circuit, Circuit];
  /** The health of the more restrictive of the two circuits. */
  health(target: Target, nowMs: number): BreakerHealth;
}

export function createCircuits(config: () => Config, events?: GatewayEvents): Circuits {
  const places = new Map<string, Circuit>();
  const models = recentMap<Circuit>(MOST_MODELS);
  const policy = (): CircuitPolicy => policyOf(config());
  const circuitOf = (circuits: Map<string, Circuit> | RecentMap<Circuit>, key: string): Circuit => {
    const known = circuits.get(key);
    if (known !== undefined) return known;
    const made = createCircuit(policy, (until) => tell(events, key, until));
    circuits.set(key, made);
    return made;
  };
  return {
    both: (target) => [circuitOf(places, placeOf(target)), circuitOf(models, nameOf(target))],
    health(target, nowMs) {
      const place = places.get(placeOf(target))?.health(nowMs) ?? CLOSED;
      return worse(place, models.get(nameOf(target))?.health(nowMs) ?? CLOSED);
    },
  };
}

const placeOf = ({ provider, region }: Target): string => (region === undefined ? provider : `${provider}@${region}`);

function tell(events: GatewayEvents | undefined, what: string, until: number | undefined): void {
  if (until === undefined) {
    events?.tell({
      type: 'breaker-closed',
      level: 'info',
      message: `${what} answers again, and is asked again.`,
      what,
    });
    return;
  }
  const message = `${what} failed too often: it is not asked for a while.`;
  events?.tell({ type: 'breaker-opened', level: 'warn', message, what, until });
}

const CLOSED: BreakerHealth = { state: 'closed', until: null };
const SEVERITY: Readonly<Record<BreakerHealth['state'], number>> = { closed: 0, 'half-open': 1, open: 2 };

function worse(one: BreakerHealth, other: BreakerHealth): BreakerHealth {
  if (one.state === other.state) return (one.until ?? 0) >= (other.until ?? 0) ? one : other;
  return SEVERITY[one.state] > SEVERITY[other.state] ? one : other;
}

function policyOf({ breaker: given }: Config): CircuitPolicy {
  return {
    rateLimits: given?.rateLimits ?? DEFAULTS.rateLimits,
    failureRatio: given?.failureRatio ?? DEFAULTS.failureRatio,
    minimumAttempts: given?.minimumAttempts ?? DEFAULTS.minimumAttempts,
    cooldownMs: given?.cooldownMs ?? DEFAULTS.cooldownMs,
  };
}
