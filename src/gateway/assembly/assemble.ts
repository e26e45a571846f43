/** Puts a gateway together: state that is replaced as a whole (providers, plugins, config) around layers that are created once. */
import { errorRecord } from '../../core/errors.ts';
import type { Handler } from '../../core/model/model.ts';
import type { Provider } from '../../core/model/provider.ts';
import type { AttemptBook } from '../../core/stores.ts';
import { failing } from '../../kit/streams/stream-head.ts';
import { closesInTime } from '../../system/clock.ts';
import { createCircuits } from '../attempt-ring/breaker/circuits.ts';
import { createCredentials } from '../attempt-ring/credentials.ts';
import { createPacer } from '../attempt-ring/limiter/pacer.ts';
import { createBackground } from '../calls/background.ts';
import { assertRule } from '../calls/checks/check-rule.ts';
import { createRecentCalls } from '../calls/recent-calls.ts';
import { misspeltOptions, unknownProvider } from '../calls/unknown-name.ts';
import { explain } from '../explain/explain.ts';
import { assertRating, reporting } from '../feedback.ts';
import { createGatewayEvents } from '../gateway-events.ts';
import type { GatewayHandle, GatewayOptions } from '../gateway-handle.ts';
import { createHealthMonitor } from '../health/monitor.ts';
import { healthOf } from '../health.ts';
import { createObservations } from '../kept-observations.ts';
import { createLifecycle } from '../lifecycle/lifecycle.ts';
import { attemptLines } from '../lines/attempt-line.ts';
import { listAll } from '../list-models.ts';
import { createClaimChecks } from '../money/claim-checks.ts';
import { createCommitments } from '../money/commitments.ts';
import type { PriceUpdates } from '../money/price-updates.ts';
import { createSpending } from '../money/spending.ts';
import { operations } from '../operations.ts';
import type { GatewayParts } from '../parts.ts';
import { isEscalated, rated } from '../request-ring/rated.ts';
import { routeOptions } from '../route-options.ts';
import { createRoutes } from '../routes/routes.ts';
import { createEndpointReports } from '../routing/endpoint-reports.ts';
import { assertRungs } from '../rungs.ts';
import type { Rate } from '../typed/rated-form.ts';
import type { Extras } from './extra-parts.ts';
import { extrasOf, needsExtras } from './extras.ts';
import { modelsOf } from './offered-models.ts';
import { assertNumbers, builder, refusal, refusalOf, type State } from './state.ts';

/** @param given what the config needs beyond every gateway; @default it is loaded by `prepare` */
export function assembleGateway(options: GatewayOptions, given?: Extras): GatewayHandle {
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
    line: attemptLines({ ...current, logger }),
    events,
    transport,
    credentials: createCredentials(),
    circuits: createCircuits(current.config, events),
    pacer: createPacer({ ...current, clock: runtime.clock, events }),
    spending: createSpending({ ...current, clock: runtime.clock, keyValue, ledger, logger, events }),
    commitments: createCommitments({ ...current, clock: runtime.clock, keyValue, logger, events }),
  };
  const monitor = createHealthMonitor(base, () => state.router);
  const lifecycle = createLifecycle(base, monitor.isUnwell);
  const extras = extrasOf(given, () => ({
    candidates: base,
    batches: { parts: () => parts, routing: (call) => parts.routing(call) },
  }));
  const recent = createRecentCalls();
  const claimChecks = createClaimChecks(base);
  const routes = createRoutes({ ...base, handle: () => handle });
  const parts: GatewayParts = {
    ...base,
    ledger,
    attempts: bookOf(options),
    sendsAtOnce: () => state.sendsAtOnce,
    statistics,
    background: createBackground(runtime.clock),
    endpointReports: createEndpointReports(runtime.clock),
    lifecycle,
    routes,
    get candidates() {
      return extras.candidates();
    },
    get batches() {
      return extras.batches();
    },
    routing: (call) => routeOptions(parts, state.rankers, call),
    watchers: [lifecycle, recent, claimChecks, routes.slow, ...monitor.watchers],
  };
  const build = builder(parts);
  const { providers = [], plugins = [], config = {} } = options;
  let state: State = build({ config, prices: undefined, providers, plugins });
  monitor.configured();
  let webhooks = extras.loaded()?.createWebhooks({ runtime, transport, events, logger, config: current.config });
  let priceUpdates: Promise<PriceUpdates> | undefined;
  let closed = false;
  const handle: Handler = (call) => {
    if (closed) return failing(refusal());
    observations.begin();
    if (state.registry.isFull) state = build(state);
    if (ready !== undefined && call.purpose !== 'probe') ready.called();
    const { escalate, providerOptions } = call.request;
    if (providerOptions !== undefined) {
      const refused = misspeltOptions(call.request, state.registry.providers);
      if (refused !== undefined) return failing(refused);
    }
    if (typeof escalate === 'object') {
      const refused = refusalOf(escalate, state);
      if (refused !== undefined) return failing(refused);
    }
    if (state.escalates && isEscalated(call, state.config)) return rated(call, state.requests.handler, parts);
    return state.requests.handler(call);
  };
  let ready = extras.loaded()?.keepReady(parts, handle);
  const rate: Rate = (target, field, score) =>
    parts.registry().find(target)?.statistics.rate(field, score, runtime.clock.now());
  return {
    ...operations(handle, runtime, rate),
    get batches() {
      return state.config.batches === undefined ? undefined : extras.api(handle, runtime);
    },
    rate(target, field, score) {
      assertRating(target, field, score);
      rate(target, field, score);
    },
    recall: async () => void (await Promise.all([observations.recall(), parts.candidates.recall()])),
    report: reporting({ recent, candidates: () => parts.candidates, monitor, rate }),
    candidates: () => parts.candidates.reports(),
    decideCandidate: (name, decided) => parts.candidates.decide(name, decided),
    probe: monitor.probe,
    async sweep(options) {
      const { sweep } = await import('../health/sweep.ts');
      return sweep({ ...base, handle }, { usd: options?.usd, id: runtime.ids('sweep') });
    },
    handle,
    explain(request, options) {
      if (state.registry.isFull) state = build(state);
      return explain(request, options, state, parts);
    },
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
    async prepare(next) {
      if (!needsExtras(next)) return;
      const { createWebhooks } = await extras.load();
      webhooks ??= createWebhooks({ runtime, transport, events, logger, config: current.config });
    },
    reconfigure(next) {
      assertNumbers(next);
      state = build({ ...state, config: next });
      ready?.close();
      ready = extras.loaded()?.keepReady(parts, handle);
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
    tokenRatios: () => statistics.tokenRatios(runtime.clock.now()),
    tokenCounter: () => state.counterOf,
    health: () => healthOf(parts),
    onEvent: events.listen,
    async updatePrices(body, signature) {
      // One for all: it knows which update was signed last.
      priceUpdates ??= import('../money/price-updates.ts').then(
        ({ createPriceUpdates }) => createPriceUpdates(),
        (error: unknown) => {
          // The next update tries again: the process may have had no file left to open.
          priceUpdates = undefined;
          throw error;
        },
      );
      const prices = await (await priceUpdates).read(body, signature, state.config, runtime.clock.now());
      state = build({ ...state, prices });
    },
    reviveCredentials(provider) {
      const known = state.registry.providers;
      if (provider !== undefined && !known.has(provider)) throw unknownProvider(provider, [...known.keys()]);
      return parts.credentials.revive(runtime.clock.now(), provider);
    },
    async close() {
      if (closed) return;
      closed = true;
      await parts.batches.close();
      ready?.close();
      parts.pacer.close();
      claimChecks.close();
      await Promise.all([monitor.close(), parts.candidates.close(), lifecycle.close()]);
      await Promise.all([...state.registry.providers.values()].map((provider) => closeProvider(provider, parts)));
      await parts.spending.flush();
      await webhooks?.flush();
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

/** Rows and counters of other stores would not be those that the book writes. */
function bookOf({ attempts, keyValue, ledger }: GatewayOptions): AttemptBook | undefined {
  return attempts?.keyValue === keyValue && attempts.ledger === ledger ? attempts : undefined;
}
