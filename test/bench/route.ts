/**
 * How long a routing decision takes over 500 candidates with everything switched on: prices with windows and changes, speeds,
 * strengths, limits, announced limits and observations. The floor is a loop over as many plain numbers that keeps the best score.
 *
 *   npm run bench -- route
 */
import type { Attempt, ModelRequest, Target } from '../../src/core/model/model.ts';
import type { ModelCard, Provider } from '../../src/core/model/provider.ts';
import type { TokenPrice } from '../../src/core/money/token-price.ts';
import { begin, stated } from '../../src/gateway/attempt-ring/limiter/lane.ts';
import { createPacer, type Pacer } from '../../src/gateway/attempt-ring/limiter/pacer.ts';
import type { WaitsAsked } from '../../src/gateway/attempt-ring/limiter/waits.ts';
import { callOf } from '../../src/gateway/calls/call.ts';
import { needsOf } from '../../src/gateway/calls/requirements.ts';
import { withCredential } from '../../src/gateway/calls/target.ts';
import { createGateway } from '../../src/gateway/create-gateway.ts';
import type { Waits } from '../../src/gateway/routing/negotiation.ts';
import { createRegistry, type Registry } from '../../src/gateway/routing/registry.ts';
import { routeOf } from '../../src/gateway/routing/route.ts';
import { createStatistics } from '../../src/gateway/routing/statistics.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { systemRuntime } from '../../src/system/clock.ts';
import { fakeCard, fakeProvider } from '../../src/testing/fakes.ts';
import type { Measurement } from './measurement.ts';

const PROVIDERS = 10;
const MODELS = 50;
const CANDIDATES = PROVIDERS * MODELS;
const DECISIONS = 3000;
const NOW = Date.UTC(2026, 5, 1, 12);

const plain: ModelRequest = {
  operation: 'chat',
  messages: [{ role: 'user', content: 'Say it in a few words. '.repeat(10) }],
};
const tools = [{ name: 'look_up', inputSchema: { type: 'object', properties: { name: { type: 'string' } } } }];
/** Every rule and every part of the score has something to do, and every candidate passes. */
const everything: ModelRequest = {
  ...plain,
  model: { tier: 'balanced', strengths: ['code', 'reasoning'] },
  tools,
  output: { type: 'json', schema: { type: 'object', properties: { name: { type: 'string' } } } },
  maxOutputTokens: 1000,
  serviceTier: 'flex',
  limits: { usd: 1, p95Ms: 60_000, quality: 0.1 },
  sensitivity: 'personal',
  requires: { regions: ['eu'], languages: ['en'] },
};

const NO_KEY = { label: undefined, restMs: 0 };

const VARIANTS: readonly Partial<TokenPrice>[] = [
  {},
  { windows: [{ start: '16:30', end: '00:30', times: 0.5 }] },
  { changes: [{ from: '2026-01-01', times: 0.9 }], serviceTiers: { flex: { times: 0.6 } } },
  { tiers: [{ aboveInputTokens: 200_000, input: 6 }] },
];

function card(index: number): ModelCard {
  const step = ((index * 7) % 13) / 13;
  return fakeCard({
    id: `model-${index % 300}`,
    tier: (['fast', 'balanced', 'premium'] as const)[index % 3] ?? 'fast',
    strengths: { general: 0.3 + step / 2, code: 0.2 + step / 2, reasoning: 0.4 + step / 2 },
    price: { input: 0.1 + 5 * step, output: 0.4 + 20 * step, cacheRead: step, ...VARIANTS[index % VARIANTS.length] },
    regions: ['eu'],
    languages: ['en', 'de'],
    lifecycle: index % 11 === 0 ? { stage: 'deprecated', endsOn: '2031-01-01' } : { stage: 'stable' },
    ...(index % 2 === 0 ? {} : { firstTokenMs: 200 + 500 * step, tokensPerSecond: 20 + 200 * step }),
  });
}

const providers: readonly Provider[] = Array.from({ length: PROVIDERS }, (_, provider) =>
  fakeProvider({
    id: `p${provider}`,
    models: Array.from({ length: MODELS }, (_each, model) => card(provider * MODELS + model)),
  }),
);

/** A third of the models has been used. */
function observe({ deployments }: Registry): void {
  deployments.forEach(({ statistics }, index) => {
    if (index % 3 !== 0) return;
    for (let answer = 0; answer < 20; answer += 1) {
      const outcome = answer % 9 === 8 ? 'blamed' : 'ok';
      const totalMs = 300 + ((index * 31 + answer * 97) % 3000);
      statistics.record({
        totalMs,
        firstTokenMs: 200,
        outcome,
        outputTokens: 50 + answer,
        nowMs: NOW - 20_000 - 13 * index,
      });
    }
    if (index % 2 === 0) statistics.rate('code', (index % 10) / 10, NOW - 1000);
  });
}

const KEYS = Array.from({ length: 8 }, (_, key) => `k${key}`);

/** Lanes that announce limits, each with room or none. */
function pacedAt(registry: Registry, lanes: readonly (readonly [target: Target, hasRoom: boolean])[]): Pacer {
  const clock = { ...systemRuntime.clock, now: () => NOW, monotonic: () => 0 };
  const pacer = createPacer({ clock, config: () => ({}), registry: () => registry });
  for (const [target, hasRoom] of lanes) {
    const lane = pacer.laneOf(target);
    // Neither is read where nothing waits.
    const attempt = { target, request: plain } as Attempt;
    const weight = pacer.weigh(attempt, target);
    const passage = begin(lane, attempt, weight, 0);
    const remaining = hasRoom ? 900_000 : 0;
    const limits = [
      { kind: 'requests', limit: 1_000_000, remaining, resetMs: 60_000 },
      { kind: 'tokens', limit: 10_000_000, remaining: 9_000_000, resetMs: 60_000 },
    ];
    stated(lane, passage, limits, () => weight, 0);
    pacer.announced(lane);
  }
  return pacer;
}

/** Microseconds of the median decision. Each has its own request, as callers' requests are. */
function measure(request: ModelRequest, work: (request: ModelRequest) => unknown, decisions = DECISIONS): number {
  for (let call = 0; call < decisions; call += 1) work({ ...request });
  const times: number[] = [];
  for (let call = 0; call < decisions; call += 1) {
    const before = performance.now();
    work({ ...request });
    times.push((performance.now() - before) * 1000);
  }
  times.sort((a, b) => a - b);
  return times[times.length >> 1] ?? Number.NaN;
}

function floorOf(): () => number {
  const numbers = Array.from({ length: CANDIDATES }, (_, index) => ({
    input: index % 13,
    output: index % 17,
    quality: (index % 7) / 7,
    ms: 100 + index,
  }));
  return () => {
    let best = -1;
    for (const { input, output, quality, ms } of numbers) {
      const score = 0.3 / (1 + input * 60 + output * 400) + 0.35 * quality + 150 / ms;
      if (score > best) best = score;
    }
    return best;
  };
}

export async function run(): Promise<readonly Measurement[]> {
  const registry = createRegistry(providers, {}, createStatistics());
  observe(registry);
  let nowMs = NOW;
  const targets = registry.deployments.map(({ target }) => target);
  const few = targets.filter((_, index) => index % 10 === 0);
  const some = pacedAt(
    registry,
    few.map((target, index) => [target, index % 2 === 1]),
  );
  const keyed = targets.flatMap((target) => KEYS.map((key) => withCredential(target, key)));
  const all = pacedAt(
    registry,
    keyed.map((target, index) => [target, index % 100 !== 0]),
  );
  const route = (request: ModelRequest, waits?: Waits): unknown => {
    nowMs += 5;
    const chosen = routeOf({ request, needs: needsOf(request), registry, config: {}, nowMs, waits });
    if (chosen.length !== 8) throw new Error('the request of the benchmark is not served by eight models');
    return chosen;
  };
  const { keyValue, ledger } = memoryStores();
  const transport = { request: () => Promise.reject(new Error('nothing is sent')), close: async () => {} };
  const gateway = createGateway({ providers, runtime: systemRuntime, keyValue, ledger, transport });
  const floorMicroseconds = measure(plain, floorOf());
  const call = callOf(everything, {}, false, systemRuntime);
  const asWaiting =
    (pacer: Pacer, ways: WaitsAsked['waysOf']) =>
    (request: ModelRequest): unknown =>
      route(request, pacer.waits({ call, request, waysOf: ways, resting: undefined }));
  const figures = {
    plain: measure(plain, (request) => route(request)),
    everything: measure(everything, (request) => route(request)),
    waiting: measure(
      everything,
      asWaiting(some, () => [NO_KEY]),
    ),
    lanes: measure(
      everything,
      asWaiting(all, () => KEYS.map((label) => ({ label, restMs: 0 }))),
    ),
    explained: measure(plain, (request) => gateway.explain(request), 300),
  };
  await gateway.close();
  return [
    {
      name: `a decision over ${CANDIDATES} candidates`,
      value: figures.plain,
      unit: 'µs',
      target: { below: 150 },
      details: { floorMicroseconds },
    },
    {
      name: 'the same with every rule and limit in use',
      value: figures.everything,
      unit: 'µs',
      target: { below: 150 },
    },
    {
      name: 'the same where 50 targets announce limits, half of them without room',
      value: figures.waiting,
      unit: 'µs',
    },
    {
      name: 'the same where 4,000 lanes announce limits (8 keys each), 40 of them without room',
      value: figures.lanes,
      unit: 'µs',
    },
    { name: 'the same explained: every candidate and figure', value: figures.explained, unit: 'µs' },
  ];
}
