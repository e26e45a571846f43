/** The router decides as its plain form does (plain-decision.ts), whatever the registry, the request, the statistics and the time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/core/config.ts';
import { type Capability, type ModelRequest, type Target, TIERS } from '../../../src/core/model/model.ts';
import type { ModelCard, Provider } from '../../../src/core/model/provider.ts';
import type { TokenPrice } from '../../../src/core/money/token-price.ts';
import { needsOf } from '../../../src/gateway/calls/requirements.ts';
import { Selection, satisfying } from '../../../src/gateway/routing/negotiate.ts';
import type { Waits } from '../../../src/gateway/routing/negotiation.ts';
import { createRegistry, type Deployment, type Registry } from '../../../src/gateway/routing/registry.ts';
import { decide, type RouteOptions, rejections, routeOf } from '../../../src/gateway/routing/route.ts';
import type { Scored } from '../../../src/gateway/routing/score.ts';
import { createStatistics } from '../../../src/gateway/routing/statistics.ts';
import { tierWarning } from '../../../src/gateway/routing/tier.ts';
import { fakeCard, fakeProvider } from '../../../src/testing/fakes.ts';
import { plainDecision, plainRejections, tierOf } from './plain-decision.ts';

const HOUR = 3_600_000;
/** A Friday. */
const START = Date.UTC(2026, 11, 25);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });

type Arbitraries = Readonly<Record<string, fc.Arbitrary<unknown>>>;
/** An object with the required fields and few of the others: who asks for everything is served by nobody. */
const sparse = (required: Arbitraries, others: Arbitraries): fc.Arbitrary<object> =>
  fc
    .tuple(fc.record(required), fc.record(others), fc.subarray(Object.keys(others), { maxLength: 3 }))
    .map(([always, all, chosen]) => ({ ...always, ...Object.fromEntries(chosen.map((name) => [name, all[name]])) }));
/** Few values, so that equal ones are common. */
const share = fc.constantFrom(0, 0.3, 0.5, 0.5, 0.9, 1);
const rate = fc.constantFrom(0, 0.25, 1, 1, 3, 15);
const fields = fc.subarray(['general', 'code', 'planning', 'grounding', 'structured']);
const regions = fc.subarray(['eu', 'us', 'asia']);

const price: fc.Arbitrary<TokenPrice> = fc.record(
  {
    input: rate,
    output: rate,
    cacheRead: rate,
    reasoning: rate,
    image: share,
    request: share,
    times: fc.constantFrom(1, 0.8),
    tiers: fc.constantFrom([{ aboveInputTokens: 20, input: 7 }], [{ aboveInputTokens: 30, output: 9 }]),
    changes: fc.constantFrom([{ from: '2026-12-26', times: 2 }], [{ from: '2026-12-01', input: 1 }]),
    windows: fc.constantFrom(
      [{ start: '22:00', end: '02:00', times: 0.5 }],
      [{ start: '08:00', end: '10:00', days: [6], input: 2 }],
      [
        { start: '12:00', end: '12:00', days: [5], output: 4 },
        { start: '13:00', end: '14:00', times: 3 },
      ],
    ),
    serviceTiers: fc.constant({ flex: { times: 0.5 } }),
  },
  { requiredKeys: ['input', 'output'] },
);

const own: readonly Capability[] = ['text', 'tools', 'json-mode', 'json-schema', 'reasoning', 'image-in', 'image-edit'];
const card = sparse(
  {
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    operations: fc.constantFrom(['chat'], ['chat', 'image'], ['chat', 'embed'], ['embed']),
    tier: fc.constantFrom(...TIERS),
    capabilities: fc.oneof(fc.constant(own), fc.subarray([...own])),
    price: fc.oneof({ arbitrary: price, weight: 6 }, { arbitrary: fc.constant(null), weight: 1 }),
  },
  {
    aliases: fc.constantFrom([], ['alias']),
    strengths: fc.record({ general: share, code: share, grounding: share }, { requiredKeys: ['general'] }),
    dedicatedTo: fc.constantFrom('reasoning', 'image-edit'),
    standIn: fc.boolean(),
    contextTokens: fc.constantFrom(40, 128_000),
    maxOutputTokens: fc.constantFrom(50, 4096),
    retention: fc.constantFrom('none', 'provider', 'unknown'),
    regions,
    languages: fc.constantFrom(['en', 'de-AT'], ['th']),
    lifecycle: fc.constantFrom(
      { stage: 'deprecated' },
      { stage: 'retired' },
      { stage: 'deprecated', endsOn: '2026-12-26' },
    ),
    expectedMs: fc.constantFrom(300, 900),
  },
) as fc.Arbitrary<Partial<ModelCard> & Pick<ModelCard, 'id'>>;

const provider = fc.record(
  {
    models: fc.uniqueArray(card.map(fakeCard), { selector: ({ id }) => id, minLength: 1, maxLength: 6 }),
    regions,
    credentials: fc.constant(['k1', 'k2']),
  },
  { requiredKeys: ['models'] },
);

const target: fc.Arbitrary<Target> = fc.record(
  {
    provider: fc.constantFrom('p0', 'p1', 'p2'),
    model: fc.constantFrom('a', 'b', 'c', 'd'),
    region: fc.constantFrom('eu', 'us'),
    credential: fc.constantFrom('k1', 'k2'),
  },
  { requiredKeys: ['provider', 'model'] },
);

const choice = fc.oneof(
  { arbitrary: fc.constantFrom('a', 'p0/b', 'alias', 'p1/unlisted'), weight: 1 },
  {
    arbitrary: fc.record(
      {
        tier: fc.constantFrom(...TIERS),
        strict: fc.boolean(),
        can: fc.subarray<Capability>(['tools', 'reasoning']),
        strengths: fields,
      },
      { requiredKeys: [] },
    ),
    weight: 4,
  },
  { arbitrary: fc.constant({ route: 'chain' }), weight: 1 },
);
const common = {
  model: choice,
  optimise: fc.constantFrom('cost', 'latency', 'quality', 'balanced'),
  sensitivity: fc.constantFrom('internal', 'personal', 'regulated'),
  limits: sparse(
    { p95Ms: maybe(fc.constantFrom(500, 2000)) },
    {
      usd: fc.constantFrom(0.0001, 0.002, 1),
      unknownLatency: fc.constantFrom('refuse', 'allow'),
      quality: fc.constantFrom(0.2, 0.5),
    },
  ),
  requires: sparse(
    {},
    {
      regions,
      languages: fc.constantFrom(['en'], ['de', 'th']),
      retention: fc.constant('none'),
      contextTokens: fc.constantFrom(20, 1000),
    },
  ),
};
const words = fc.constantFrom('hi', 'words '.repeat(20), 'words '.repeat(100));
const chat = sparse(
  {
    operation: fc.constant('chat'),
    messages: words.map((content) => [{ role: 'user', content }]),
  },
  {
    tools: fc.constant([{ name: 'f', inputSchema: {} }]),
    output: fc.constantFrom({}, { schema: { type: 'object' } }),
    maxOutputTokens: fc.constantFrom(10, 100, 5000),
    answerTokens: fc.constantFrom(20, 300),
    reasoning: fc.constantFrom({ effort: 'low' }, { effort: 'none' }),
    serviceTier: fc.constantFrom('flex', 'batch', 'other'),
    ...common,
  },
);
const image = sparse({ operation: fc.constant('image'), prompt: words }, { n: fc.constantFrom(1, 3), ...common });
const embed = sparse(
  { operation: fc.constant('embed'), input: fc.array(words, { minLength: 1, maxLength: 3 }) },
  common,
);
const request = fc.oneof(
  { arbitrary: chat, weight: 5 },
  { arbitrary: image, weight: 1 },
  { arbitrary: embed, weight: 1 },
) as fc.Arbitrary<ModelRequest>;

/** What is observed of a target before a decision. */
const observed = fc.record({
  of: fc.nat(40),
  totalMs: fc.constantFrom(100, 700, 5000),
  outcome: fc.constantFrom('ok', 'ok', 'blamed', 'other'),
  outputTokens: fc.constantFrom(0, 30, 900),
  rated: maybe(fc.tuple(fc.constantFrom('general', 'code', 'structured', 'grounding'), share)),
});
const step = fc.record({
  request,
  observed: fc.array(observed, { maxLength: 4 }),
  passed: fc.constantFrom(1, 1000, HOUR / 2, HOUR, 5 * HOUR, 30 * HOUR, 400 * HOUR),
  exclude: maybe(fc.array(target, { maxLength: 3 })),
  order: fc.option(fc.array(target, { maxLength: 4 }), { nil: undefined, freq: 8 }),
  preferred: maybe(target),
  /** Milliseconds that some would wait. */
  waiting: maybe(fc.array(fc.tuple(fc.nat(40), fc.constantFrom(1, 800, 90_000)), { minLength: 1, maxLength: 6 })),
  /** Answers that others would wait for, until a slot is free. */
  slots: maybe(fc.array(fc.tuple(fc.nat(40), fc.constantFrom(0.25, 1, 40)), { minLength: 1, maxLength: 6 })),
});
const config: fc.Arbitrary<Config> = fc.record(
  { allowUnpriced: fc.boolean(), optimise: fc.constantFrom('cost', 'quality') },
  { requiredKeys: [] },
);

type Observed = typeof observed extends fc.Arbitrary<infer Value> ? Value : never;

function take({ deployments }: Registry, seen: readonly Observed[], nowMs: number): void {
  for (const { of, totalMs, outcome, outputTokens, rated } of seen) {
    const statistics = deployments[of % deployments.length]?.statistics;
    statistics?.record({ totalMs, firstTokenMs: null, outcome, outputTokens, nowMs });
    if (rated !== undefined) statistics?.rate(...rated, nowMs);
  }
}

const waitsAt = (registry: Registry, waiting: Waiting | undefined, slots: Waiting | undefined): Waits | undefined => {
  if (waiting === undefined && slots === undefined) return undefined;
  const [ms, answers] = [byDeployment(registry, waiting ?? []), byDeployment(registry, slots ?? [])];
  return { limitsMs: (one) => ms.get(one) ?? 0, answersBefore: (one) => answers.get(one) ?? 0 };
};

type Waiting = readonly (readonly [number, number])[];

const byDeployment = ({ deployments }: Registry, waiting: Waiting): Map<Deployment, number> =>
  new Map(
    waiting.flatMap(([of, amount]) => {
      const deployment = deployments[of % deployments.length];
      return deployment === undefined ? [] : [[deployment, amount] as const];
    }),
  );

const providersOf = (made: readonly Partial<Provider>[]): readonly Provider[] =>
  made.map((fields, index) => {
    // It is first named after other decisions were made, and differs from the listed ones in what they read.
    const late = { operations: ['chat', 'embed'], lifecycle: { stage: 'deprecated' }, expectedMs: 900 } as const;
    const unlisted = (id: string) => (id === 'unlisted' ? fakeCard({ id, ...late }) : undefined);
    return fakeProvider({ ...fields, id: `p${index}`, unlisted });
  });

describe('a decision', () => {
  it('is that of the plain router, at once after whatever was observed, at every price of the day', () => {
    let routed = 0;
    fc.assert(
      fc.property(
        fc.array(provider, { minLength: 1, maxLength: 3 }),
        config,
        fc.array(step, { minLength: 1, maxLength: 5 }),
        (made, given, steps) => {
          const all: Config = { ...given, routes: { chain: { chain: ['b', 'p1/c', 'a', 'alias'] } } };
          const registry = createRegistry(providersOf(made), all, createStatistics());
          let nowMs = START;
          for (const { request: asked, observed: seen, passed, waiting, slots, ...rest } of steps) {
            take(registry, seen, nowMs);
            nowMs += passed;
            const waits = waitsAt(registry, waiting, slots);
            const question = { request: asked, needs: needsOf(asked), registry, config: all, nowMs, waits, ...rest };
            routed += compare(question) ? 1 : 0;
          }
        },
      ),
      { numRuns: 300 },
    );
    // The comparison says nothing where nothing could serve.
    expect(routed).toBeGreaterThan(100);
  });
});

const isLenient = fc.record({ tools: fc.boolean(), window: fc.boolean() });
const toolSupport = fc.constantFrom({ otherwise: 'refuse', count: 0 }, { otherwise: 'refuse' }, { count: 0 });

describe('a deployment that is asked alone', () => {
  it('serves what it serves among others', () => {
    const seen = { able: 0, unable: 0 };
    const property = fc.property(
      provider,
      maybe(toolSupport),
      step,
      maybe(isLenient),
      (made, support, asked, relaxed) => {
        const models = made.models.map((one) =>
          support === undefined ? one : { ...one, toolSupport: support as never },
        );
        const registry = createRegistry(providersOf([{ ...made, models }]), {}, createStatistics());
        const { limits: _, ...unlimited } = asked.request;
        const { exclude } = asked;
        const nowMs = START + asked.passed;
        const question = {
          request: unlimited,
          needs: needsOf(unlimited),
          registry,
          config: {},
          nowMs,
          exclude,
          relaxed,
        };
        const among = satisfying(registry.deployments, question, new Selection(question));
        for (const deployment of registry.deployments) {
          const isAble = among.includes(deployment);
          expect(satisfying([deployment], question)).toEqual(isAble ? [deployment] : []);
          seen[isAble ? 'able' : 'unable'] += 1;
        }
      },
    );
    fc.assert(property, { numRuns: 500 });
    expect(Math.min(seen.able, seen.unable)).toBeGreaterThan(100);
  });
});

const figuresOf = ({ deployment, ...figures }: Scored) => ({ target: deployment.target, ...figures });

/** Returns true if anything could serve the request. */
function compare(question: RouteOptions): boolean {
  const plain = plainDecision(question);
  const decision = decide(question);
  expect(decision.scored.map(figuresOf)).toEqual(plain.map(figuresOf));
  expect(rejections(question, decision)).toEqual(plainRejections(question, plain));
  if (plain.length === 0) {
    expect(() => routeOf(question)).toThrow(expect.objectContaining({ code: 'no-route' }));
    return false;
  }
  const first = plain[0]?.deployment;
  expect(routeOf(question).map(({ target: one }) => one)).toEqual(
    plain.slice(0, 8).map(({ deployment }) => deployment.target),
  );
  const { tier, route } = question.needs.choice;
  const isDegraded = tier !== undefined && route === undefined && first?.card.tier !== tier;
  expect(tierWarning(question, first) !== undefined).toBe(isDegraded);
  if (isDegraded && question.order === undefined) expect(first?.card.tier).toBe(tierOf(question));
  return true;
}
