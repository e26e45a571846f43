/** What a gateway replaces as a whole while calls are running: providers, plugins, config, and the rings that follow from them. */
import type { Config } from '../../core/config.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { Attempt, Call, EscalationRule, Handler } from '../../core/model/model.ts';
import type { Provider } from '../../core/model/provider.ts';
import { isUsd } from '../../core/money/money.ts';
import { providerHandler } from '../attempt-ring/provider.ts';
import { OF_REQUEST } from '../calls/checks/check-rule.ts';
import { assertCandidates } from '../candidates/unknown-candidate.ts';
import { attemptSlots, requestSlots } from '../gateway.ts';
import {
  attemptLayersOf,
  countersOf,
  type FindCounter,
  type GatewayPlugin,
  type MadeCounters,
  networkOf,
  type PluginNetwork,
  pluginProviders,
  rankersOf,
  requestLayersOf,
} from '../gateway-plugin.ts';
import type { Prices } from '../money/price-updates.ts';
import type { GatewayParts } from '../parts.ts';
import { failover } from '../request-ring/failover.ts';
import { composeRing, isEscalation, type Ring } from '../rings.ts';
import { assertRoutes } from '../routes/route-limits.ts';
import { usesRoutes } from '../routes/routes.ts';
import type { Ranker } from '../routing/rank.ts';
import { createRegistry, type Registry } from '../routing/registry.ts';
import { assertRungs } from '../rungs.ts';

export interface State {
  readonly config: Config;
  /** Over those of the config. */
  readonly prices: Prices | undefined;
  readonly providers: readonly Provider[];
  readonly plugins: readonly GatewayPlugin[];
  readonly registry: Registry;
  readonly requests: Ring<Call>;
  readonly attempts: Ring<Attempt>;
  /** Undefined when no plugin has `transport`. */
  readonly network: PluginNetwork | undefined;
  /** The innermost layer of the ring of requests. */
  readonly router: Handler;
  readonly sendsAtOnce: boolean;
  /** Some plugin acts on the escalation rules of requests. */
  readonly escalates: boolean;
  /** Undefined when no plugin has `tokenizers`. */
  readonly counterOf: FindCounter | undefined;
  /** Undefined when no plugin has `rank`. */
  readonly rankers: readonly Ranker[] | undefined;
}
export type Sources = Pick<State, 'config' | 'prices' | 'providers' | 'plugins'>;

/** Layers hold state (breakers, queues), so they are created once; only their order among the plugins is built again. */
export function builder(parts: GatewayParts): (sources: Sources) => State {
  const slots = requestSlots(parts);
  const withoutRoutes = slots.map((slot) => (slot.name === 'route' ? { name: slot.name } : slot));
  const attemptLayers = attemptSlots(parts);
  const { transport, clock, endpointReports } = parts;
  const counters: MadeCounters = new WeakMap();
  const answering = { registry: parts.registry, transport, clock, endpointReports, config: parts.config };
  return ({ config, prices, providers, plugins }) => {
    const priced = prices === undefined ? config : { ...config, prices: { ...config.prices, ...prices } };
    assertRoutes(config);
    const all = [...providers, ...pluginProviders(plugins)];
    const counterOf = countersOf(plugins, parts.logger, counters);
    const registry = createRegistry(all, priced, parts.statistics, counterOf);
    assertCandidates(config, registry);
    const requestLayers = requestLayersOf(plugins);
    const network = networkOf(plugins);
    const provider = providerHandler({ ...answering, transportOf: network?.transportOf });
    const attempts = composeRing(attemptLayers, attemptLayersOf(plugins), { name: 'provider', handler: provider });
    const routed = failover(parts, attempts.handler);
    const router = config.candidates === undefined ? routed : parts.candidates.watched(routed);
    return {
      config,
      prices,
      providers,
      plugins,
      registry,
      attempts,
      network,
      router,
      sendsAtOnce: isBare(attempts.names),
      escalates: requestLayers.some(isEscalation),
      counterOf,
      rankers: rankersOf(plugins),
      requests: composeRing(usesRoutes(config) ? slots : withoutRoutes, requestLayers, {
        name: 'failover',
        handler: router,
      }),
    };
  };
}

const isBare = (names: readonly string[]): boolean =>
  !names.slice(names.indexOf('budget')).some((name) => name.startsWith('plugin:'));

export function refusal(): PolyphonyError {
  return new PolyphonyError('invalid-request', 'The gateway is closed and accepts no calls: create a new one.');
}

/** A rule that nothing acts on would be a cheap model's answer that nobody judged. */
const nobodyEscalates = (): PolyphonyError =>
  new PolyphonyError(
    'invalid-request',
    'The request has a rule for escalation, but no plugin acts on it: add escalation() of "polyphony/plugins/escalation/escalation" to the plugins, or leave "escalate" out.',
  );

/** Before anything is paid: nothing acts on the rule, or one of its rungs leads nowhere. */
export function refusalOf(rule: EscalationRule, { escalates, registry }: State): unknown {
  if (!escalates) return nobodyEscalates();
  try {
    assertRungs(rule, registry, OF_REQUEST);
    return undefined;
  } catch (error) {
    return error;
  }
}

const AMOUNT = /^usd$|Usd$/;

/**
 * The numbers of a config that nobody read against its schema: a cap that is no number would refuse every call under it, and only then.
 *
 * @throws invalid-config naming the field, its value and what it may be
 */
export function assertNumbers(value: unknown, path = 'config', name = ''): void {
  if (typeof value === 'object' && value !== null) {
    for (const [key, part] of Object.entries(value)) assertNumbers(part, `${path}.${key}`, key);
    return;
  }
  if (typeof value !== 'number') return;
  if (AMOUNT.test(name) && !isUsd(value))
    throw new PolyphonyError('invalid-config', `${path} is ${value}: give a number of US dollars from 0 to 9,000,000.`);
  if (Number.isNaN(value))
    throw new PolyphonyError('invalid-config', `${path} is NaN: give a number, or leave the field out.`);
}
