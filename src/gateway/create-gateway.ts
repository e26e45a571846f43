/** Builds the gateway: state that is replaced as a whole (providers, plugins, config) around layers that are created once. */
import type { Runtime } from '../core/clock.ts';
import type { Config } from '../core/config.ts';
import { errorRecord, PolyphonyError } from '../core/errors.ts';
import type { Gateway } from '../core/gateway.ts';
import type { Attempt, Call, EscalationRule, Handler } from '../core/model/model.ts';
import type { ModelCard, Provider, Transport } from '../core/model/provider.ts';
import { priceAsOf } from '../core/money/price-sheet.ts';
import type { Logger } from '../core/plugin.ts';
import type { AttemptBook, KeyValueStore, UsageLedger } from '../core/stores.ts';
import { failing } from '../kit/streams/stream-head.ts';
import { closesInTime } from '../system/clock.ts';
import { createCircuits } from './attempt-ring/breaker/circuits.ts';
import { createCredentials } from './attempt-ring/credentials.ts';
import { createPacer } from './attempt-ring/limiter/pacer.ts';
import { providerHandler } from './attempt-ring/provider.ts';
import { batchesApi } from './batches/api.ts';
import { createBatchQueue } from './batches/batches.ts';
import { createBackground } from './calls/background.ts';
import { assertRule, OF_REQUEST } from './calls/check-rule.ts';
import { createRecentCalls } from './calls/recent-calls.ts';
import { createCandidates } from './candidates/candidates.ts';
import { explain } from './explain/explain.ts';
import { reporting } from './feedback.ts';
import { attemptSlots, requestSlots } from './gateway.ts';
import { createGatewayEvents } from './gateway-events.ts';
import {
  attemptLayersOf,
  type GatewayPlugin,
  networkOf,
  type PluginNetwork,
  pluginProviders,
  rankersOf,
  requestLayersOf,
} from './gateway-plugin.ts';
import { createHealthMonitor } from './health/monitor.ts';
import { healthOf } from './health.ts';
import { createObservations } from './kept-observations.ts';
import { createLifecycle } from './lifecycle/lifecycle.ts';
import { listAll } from './list-models.ts';
import { createPriceUpdates, type Prices } from './money/price-updates.ts';
import { createSpending } from './money/spending.ts';
import { operations } from './operations.ts';
import type { GatewayParts } from './parts.ts';
import { failover } from './request-ring/failover.ts';
import { isEscalated, rated } from './request-ring/rated.ts';
import { composeRing, isEscalation, type Ring } from './rings.ts';
import { routeOptions } from './route-options.ts';
import { createEndpointReports } from './routing/endpoint-reports.ts';
import type { Ranker } from './routing/rank.ts';
import { createRegistry, type Registry } from './routing/registry.ts';
import { assertRungs } from './rungs.ts';
import type { Rate } from './typed/rated-form.ts';
import { keepReady } from './warm/keep-ready.ts';
import { createWebhooks } from './webhooks.ts';

export interface GatewayOptions {
  /** @default none; `register` adds more */
  readonly providers?: readonly Provider[];
  /** Plugins, of which the gateway uses the providers, the layers of both rings, `transport` and `rank`. @default none */
  readonly plugins?: readonly GatewayPlugin[];
  /** @default {} */
  readonly config?: Config;
  readonly runtime: Runtime;
  /** Stores the counters of budgets and the targets of sessions. */
  readonly keyValue: KeyValueStore;
  readonly ledger?: UsageLedger;
  /** Used only if it writes to these two stores. @default none */
  readonly attempts?: AttemptBook;
  /** Gets one line per call. @default none, and no layer that would write it */
  readonly logger?: Logger;
  readonly transport: Transport;
}

export interface GatewayHandle extends Gateway {
  /** The request ring itself, for callers that make their own `Call`. */
  readonly handle: Handler;
  /**
   * Adds providers and plugins for calls that begin afterwards. So plugins can be given the gateway before it has their
   * layers.
   *
   * @throws invalid-config for a second provider of the same id, or a place that does not exist
   */
  register(added: { readonly providers?: readonly Provider[]; readonly plugins?: readonly GatewayPlugin[] }): void;
  /**
   * Replaces all plugins, in their new order, for calls that begin afterwards. Two entries may have the same name: the plugin
   * itself, and the parts that its `setup` returned.
   *
   * @throws invalid-config for a second provider of the same id, or a place that does not exist
   */
  replacePlugins(plugins: readonly GatewayPlugin[]): void;
  /**
   * Asks every provider that can list its models for them, at most 3 seconds; calls that begin afterwards see them. A provider
   * that does not answer is logged and keeps the models that it had.
   */
  listModels(): Promise<void>;
  /**
   * Replaces the config for calls that begin afterwards; running calls are not interrupted. Credentials that were refused are
   * used again.
   */
  reconfigure(config: Config): void;
  /**
   * Checks a rule for escalation that no request carries, against the models that are known now.
   *
   * @param whose begins the message, such as `The config cannot be used:`
   * @throws invalid-config for a threshold outside 0 to 1, and for a rung that is neither a tier nor a known model
   */
  checkRule(rule: EscalationRule, whose: string): void;
  /**
   * Refuses new calls and closes each provider once, then the transport. The stores stay open: their owner closes them. A
   * provider that fails to close, or takes longer than 5 seconds, is logged and does not prevent the others from closing. A second call does nothing.
   */
  close(): Promise<void>;
}

interface State {
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
  /** Undefined when no plugin has `rank`. */
  readonly rankers: readonly Ranker[] | undefined;
}
type Sources = Pick<State, 'config' | 'prices' | 'providers' | 'plugins'>;

export function createGateway(options: GatewayOptions): GatewayHandle {
  const { runtime, keyValue, ledger, logger, transport } = options;
  const observations = createObservations({ keyValue, clock: runtime.clock, logger });
  const { statistics } = observations;
  const events = createGatewayEvents({ clock: runtime.clock, logger });
  const current = { config: () => state.config, registry: () => state.registry };
  const base = {
    ...current,
    runtime,
    clock: runtime.clock,
    keyValue,
    logger,
    events,
    transport,
    credentials: createCredentials(),
    circuits: createCircuits(current.config, events),
    pacer: createPacer({ ...current, clock: runtime.clock, events }),
    spending: createSpending({ ...current, clock: runtime.clock, keyValue, ledger, logger, events }),
  };
  const monitor = createHealthMonitor(base, () => state.router);
  const lifecycle = createLifecycle(base, monitor.isUnwell);
  const candidates = createCandidates(base);
  const recent = createRecentCalls();
  const parts: GatewayParts = {
    ...base,
    ledger,
    attempts: bookOf(options),
    sendsAtOnce: () => state.sendsAtOnce,
    statistics,
    background: createBackground(runtime.clock),
    endpointReports: createEndpointReports(runtime.clock),
    lifecycle,
    candidates,
    batches: createBatchQueue({ parts: () => parts, routing: (call) => parts.routing(call) }),
    routing: (call) => routeOptions(parts, state.rankers, call),
    watchers: [lifecycle, recent, ...monitor.watchers],
  };
  const build = builder(parts);
  const { providers = [], plugins = [], config = {} } = options;
  let state: State = build({ config, prices: undefined, providers, plugins });
  monitor.configured();
  const webhooks = createWebhooks({ runtime, transport, events, logger, config: current.config });
  const priceUpdates = createPriceUpdates();
  let closed = false;
  const handle: Handler = (call) => {
    if (closed) return failing(refusal());
    observations.begin();
    if (ready !== undefined && call.purpose !== 'probe') ready.called();
    const { escalate } = call.request;
    if (typeof escalate === 'object') {
      const refused = refusalOf(escalate, state);
      if (refused !== undefined) return failing(refused);
    }
    if (state.escalates && isEscalated(call, state.config)) return rated(call, state.requests.handler, parts);
    return state.requests.handler(call);
  };
  let ready = keepReady(parts, handle);
  const rate: Rate = (target, field, score) =>
    parts.registry().find(target)?.statistics.rate(field, score, runtime.clock.now());
  const batches = batchesApi(parts.batches, handle, runtime);
  return {
    ...operations(handle, runtime, rate),
    get batches() {
      return state.config.batches === undefined ? undefined : batches;
    },
    rate,
    recall: observations.recall,
    report: reporting({ recent, candidates, monitor, rate }),
    candidates: candidates.reports,
    decideCandidate: candidates.decide,
    probe: monitor.probe,
    handle,
    explain: (request, options) => explain(request, options, state, parts),
    models: () => modelsOf(state.registry, runtime.clock.now()),
    register(added) {
      state = build({
        ...state,
        providers: [...state.providers, ...(added.providers ?? [])],
        plugins: [...state.plugins, ...(added.plugins ?? [])],
      });
    },
    replacePlugins(next) {
      state = build({ ...state, plugins: next });
    },
    async listModels() {
      if (await listAll([...state.registry.providers.values()], parts)) state = build(state);
    },
    reconfigure(next) {
      state = build({ ...state, config: next });
      ready?.close();
      ready = keepReady(parts, handle);
      // Whoever sets the config anew may have changed what was refused.
      parts.credentials.revive(runtime.clock.now());
      monitor.configured();
    },
    checkRule(rule, whose) {
      const source = { whose, code: 'invalid-config' } as const;
      assertRule(rule, source);
      assertRungs(rule, state.registry, source);
    },
    isCurrent: ({ target, ...version }) => lifecycle.versions.isCurrent(target, version),
    statistics: () => statistics.figures(runtime.clock.now()),
    health: () => healthOf(parts),
    onEvent: events.listen,
    async updatePrices(body, signature) {
      const prices = await priceUpdates.read(body, signature, state.config, runtime.clock.now());
      state = build({ ...state, prices });
    },
    reviveCredentials: (provider) => parts.credentials.revive(runtime.clock.now(), provider),
    async close() {
      if (closed) return;
      closed = true;
      await parts.batches.close();
      ready?.close();
      parts.pacer.close();
      await Promise.all([monitor.close(), candidates.close()]);
      await Promise.all([...state.registry.providers.values()].map((provider) => closeProvider(provider, parts)));
      await parts.spending.flush();
      await webhooks.flush();
      await transport.close();
      await observations.flush();
      await parts.background.settled();
    },
  };
}

async function closeProvider(provider: Provider, { clock, logger }: GatewayParts): Promise<void> {
  try {
    await closesInTime(clock, async () => provider.close?.());
  } catch (error) {
    logger?.warn({ provider: provider.id, error: errorRecord(error) }, 'A provider failed to close.');
  }
}

/** Each model once, in however many regions it is deployed, with today's price. */
function modelsOf({ deployments }: Registry, nowMs: number): ReturnType<Gateway['models']> {
  const models = new Map<string, ReturnType<Gateway['models']>[number]>();
  for (const { provider, card } of deployments) {
    const name = `${provider.id}/${card.id}`;
    if (models.has(name)) continue;
    models.set(name, {
      provider: provider.id,
      card: asOf(card, nowMs),
      ...(provider.isOwn === true ? { isOwn: true } : {}),
    });
  }
  return [...models.values()];
}

function asOf(card: ModelCard, nowMs: number): ModelCard {
  const price = card.price === null ? null : priceAsOf(card.price, nowMs);
  return price === card.price ? card : { ...card, price };
}

/** Layers hold state (breakers, queues), so they are created once; only their order among the plugins is built again. */
function builder(parts: GatewayParts): (sources: Sources) => State {
  const slots = requestSlots(parts);
  const attemptLayers = attemptSlots(parts);
  return ({ config, prices, providers, plugins }) => {
    const priced = prices === undefined ? config : { ...config, prices: { ...config.prices, ...prices } };
    const requestLayers = requestLayersOf(plugins);
    const network = networkOf(plugins);
    const provider = providerHandler({ ...parts, transportOf: network?.transportOf });
    const attempts = composeRing(attemptLayers, attemptLayersOf(plugins), { name: 'provider', handler: provider });
    const routed = failover(parts, attempts.handler);
    const router = config.candidates === undefined ? routed : parts.candidates.watched(routed);
    return {
      config,
      prices,
      providers,
      plugins,
      registry: createRegistry([...providers, ...pluginProviders(plugins)], priced, parts.statistics),
      attempts,
      network,
      router,
      sendsAtOnce: isBare(attempts.names),
      escalates: requestLayers.some(isEscalation),
      rankers: rankersOf(plugins),
      requests: composeRing(slots, requestLayers, { name: 'failover', handler: router }),
    };
  };
}

/** Rows and counters of other stores would not be those that the book writes. */
function bookOf({ attempts, keyValue, ledger }: GatewayOptions): AttemptBook | undefined {
  return attempts?.keyValue === keyValue && attempts.ledger === ledger ? attempts : undefined;
}

const isBare = (names: readonly string[]): boolean =>
  !names.slice(names.indexOf('budget')).some((name) => name.startsWith('plugin:'));

function refusal(): PolyphonyError {
  return new PolyphonyError('invalid-request', 'The gateway is closed and accepts no calls: create a new one.');
}

/** A rule that nothing acts on would be a cheap model's answer that nobody judged. */
const nobodyEscalates = (): PolyphonyError =>
  new PolyphonyError(
    'invalid-request',
    'The request has a rule for escalation, but no plugin acts on it: add escalation() of "polyphony/plugins/escalation/escalation" to the plugins, or leave "escalate" out.',
  );

/** Before anything is paid: nothing acts on the rule, or one of its rungs leads nowhere. */
function refusalOf(rule: EscalationRule, { escalates, registry }: State): unknown {
  if (!escalates) return nobodyEscalates();
  try {
    assertRungs(rule, registry, OF_REQUEST);
    return undefined;
  } catch (error) {
    return error;
  }
}
