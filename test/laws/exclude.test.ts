/**
 * What a call excludes is not asked for it: not by the router, a chain, a session, a fallback or another credential. A layer
 * may so ask for a second target, at the same time or later, and each attempt is numbered and charged once.
 */
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Call, Handler, ModelEvent, Target } from '../../src/core/model/model.ts';
import { createGateway } from '../../src/gateway/create-gateway.ts';
import type { GatewayPlugin } from '../../src/gateway/gateway-plugin.ts';
import { createTransport } from '../../src/gateway/transport/transport.ts';
import { chatCompletionsProvider, joinedSignal } from '../../src/kit/index.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { systemRuntime } from '../../src/system/clock.ts';
import { fakeCard, fakeProvider, finish } from '../../src/testing/fakes.ts';
import { drain, errorOf, fault, harness, text, user } from '../gateway/harness.ts';
import { loopback, sse } from '../kit/loopback.ts';

const nameOf = ({ provider, model, region, credential }: Target): string =>
  `${provider}/${model}@${region ?? ''}#${credential ?? ''}`;

/** Two providers with two models each, the second in two regions with two credentials; all of them fail. */
function world(
  options: { readonly config?: object; readonly plugins?: readonly GatewayPlugin[]; readonly works?: boolean } = {},
) {
  const tried: Target[] = [];
  const models = [fakeCard({ id: 'm' }), fakeCard({ id: 'n' })];
  const script = ({ target }: { readonly target: Target }) => {
    tried.push(target);
    return options.works === true ? 'yes' : [fault('invalid-credential')];
  };
  const made = harness({
    plugins: options.plugins ?? [],
    config: { retry: { retries: 0 }, ...options.config },
    providers: [
      fakeProvider({ id: 'a', models, script }),
      { ...fakeProvider({ id: 'b', models, script }), regions: ['eu', 'us'], credentials: ['one', 'two'] },
    ],
  });
  return { ...made, tried };
}

const excluded = fc.record(
  {
    provider: fc.constantFrom('a', 'b'),
    model: fc.constantFrom('m', 'n'),
    region: fc.constantFrom('eu', 'us'),
    credential: fc.constantFrom('one', 'two'),
  },
  { requiredKeys: ['provider', 'model'] },
);
const matches = (one: Target, target: Target): boolean =>
  one.provider === target.provider &&
  one.model === target.model &&
  (one.region === undefined || one.region === target.region) &&
  (one.credential === undefined || one.credential === target.credential);

const ALL: readonly Target[] = ['m', 'n'].flatMap((model) => [
  { provider: 'a', model },
  ...['eu', 'us'].flatMap((region) =>
    ['one', 'two'].map((credential) => ({ provider: 'b', model, region, credential })),
  ),
]);

describe('law: exclude', () => {
  it('asks every target and credential that is left, and none of the excluded', async () => {
    const chain = { routes: { main: { chain: ['b/m', 'a/m', 'a/n', 'b/n'] } } };
    await fc.assert(
      fc.asyncProperty(fc.array(excluded, { maxLength: 5 }), fc.boolean(), async (exclude, chained) => {
        const { gateway, run, tried } = world({ config: chain });
        const request = { ...user(), ...(chained ? { model: { route: 'main' } } : {}) };
        const { error } = await run(drain(gateway.stream(request, { exclude })));
        const left = ALL.filter((target) => !exclude.some((one) => matches(one, target)));
        expect(tried.filter((target) => exclude.some((one) => matches(one, target)))).toEqual([]);
        // A credential that was refused is dead for its provider: the first target that has it tells of it.
        const asked = new Set(tried.map(({ provider, credential }) => `${provider}#${credential ?? ''}`));
        expect(asked).toEqual(new Set(left.map(({ provider, credential }) => `${provider}#${credential ?? ''}`)));
        expect(error?.code).toBe(left.length === 0 ? 'no-route' : 'invalid-credential');
      }),
      { numRuns: 150 },
    );
  });

  it('overrules a pin and a session, and says so', async () => {
    const { gateway, run } = world({ works: true });
    const pinned = await errorOf(
      run(gateway.generate({ ...user(), model: 'a/m' }, { exclude: [{ provider: 'a', model: 'm' }] })),
    );
    expect(pinned).toMatchObject({ code: 'no-route' });
    expect(pinned.message).toContain('a/m is excluded by the call');
    const everyCredential = ['one', 'two'].map((credential) => ({ provider: 'b', model: 'm', credential }));
    const keyless = await errorOf(run(gateway.generate({ ...user(), model: 'b/m' }, { exclude: everyCredential })));
    expect(keyless.message).toContain('b/m@eu has only credentials that the call excludes');
    const first = await run(gateway.generate({ ...user(), model: 'b/m' }, { session: 's' }));
    const again = (exclude: readonly Target[]) => run(gateway.generate(user(), { session: 's', exclude }));
    expect((await again([])).target).toEqual(first.target);
    const other = (await again([first.target])).target;
    expect(nameOf(other)).not.toBe(nameOf(first.target));
    expect((await again([{ provider: 'b', model: 'm' }])).target).not.toMatchObject({ provider: 'b', model: 'm' });
    const { candidates, rejected } = gateway.explain(
      { operation: 'chat', ...user() },
      { exclude: [{ provider: 'b', model: 'm' }] },
    );
    expect(candidates).toHaveLength(4);
    expect(rejected.map(({ failed }) => failed)).toEqual([['is excluded by the call'], ['is excluded by the call']]);
  });

  it('holds for the chains that an error opens', async () => {
    const config = { fallbacks: { contentPolicy: ['a/n', 'b/n'] }, retry: { retries: 0 } };
    const { gateway, run } = harness({
      config,
      providers: ['a', 'b'].map((id) =>
        fakeProvider({
          id,
          models: [fakeCard({ id: 'm' }), fakeCard({ id: 'n' })],
          script: ({ target }) => (target.model === 'm' ? [fault('content-policy')] : id),
        }),
      ),
    });
    const exclude = [{ provider: 'a', model: 'n' }];
    expect((await run(gateway.generate({ ...user(), model: 'a/m' }, { exclude }))).target.provider).toBe('b');
  });
});

/**
 * Asks a second target when the first one has said nothing for `afterMs`, takes the first that speaks, stops the other. Its
 * layer in the attempt ring learns which target each branch is at, by the signal of the branch.
 */
function hedge(afterMs: number): GatewayPlugin {
  const asked = new WeakMap<AbortSignal, Target>();
  return {
    name: 'hedge',
    attempt: {
      place: { before: 'retry' },
      handle(attempt, next) {
        asked.set(attempt.signal, attempt.target);
        return next(attempt);
      },
    },
    request: {
      place: 'hedge',
      async *handle(call, next) {
        const first = start(call, next);
        const branches = [first];
        const late = await Promise.race([first.spoke.then(() => false), wait(afterMs, true)]);
        const target = late ? asked.get(first.signal) : undefined;
        if (target !== undefined) {
          const { provider, model } = target;
          branches.push(start({ ...call, exclude: [...(call.exclude ?? []), { provider, model }] }, next));
        }
        const winner = await Promise.any(branches.map((branch) => branch.spoke.then(() => branch)));
        const losers = branches.filter((branch) => branch !== winner);
        for (const loser of losers) loser.stop();
        yield* winner.rest();
        await Promise.all(losers.map(({ ended }) => ended));
      },
    },
  };
}

interface Branch {
  readonly signal: AbortSignal;
  /** At the first text. */
  readonly spoke: Promise<void>;
  readonly ended: Promise<void>;
  stop(): void;
  rest(): AsyncIterable<ModelEvent>;
}

/** Runs one branch with a signal of its own. */
function start(call: Call, next: Handler): Branch {
  const controller = new AbortController();
  const { signal, release } = joinedSignal([call.signal, controller.signal]);
  const events: ModelEvent[] = [];
  const source = next({ ...call, signal })[Symbol.asyncIterator]();
  const speak = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await source.next();
      if (done === true) throw new Error('said nothing');
      events.push(value);
      if (value.type === 'text-delta') return;
    }
  };
  const spoke = speak();
  const left = async (): Promise<void> => {
    if (!controller.signal.aborted) return;
    await source.return?.();
    release();
  };
  return {
    signal,
    spoke,
    ended: spoke.then(left, () => undefined),
    stop: () => controller.abort(),
    async *rest() {
      try {
        yield* events;
        yield* { [Symbol.asyncIterator]: () => source };
      } finally {
        release();
      }
    },
  };
}

const chunk = (delta: object, reason: string | null = null) => ({
  id: 'c',
  object: 'chat.completion.chunk',
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: reason }],
});
const ANSWER = sse([chunk({ role: 'assistant', content: 'fast' }), chunk({}, 'stop')]);

describe('a layer that asks for a second target', () => {
  const served = (id: string, baseURL: string, general: number) =>
    chatCompletionsProvider({
      id,
      baseURL,
      models: [fakeCard({ id: 'm', strengths: { general }, capabilities: ['text', 'streaming'] })],
    });

  it('takes the first that answers, cancels the other at its socket, and pays each once', async () => {
    const slow = await loopback(() => undefined);
    const fast = await loopback((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(ANSWER);
    });
    const stores = memoryStores();
    const gateway = createGateway({
      providers: [served('slow', slow.url, 0.9), served('quick', fast.url, 0.1)],
      plugins: [hedge(20)],
      config: { optimise: 'quality', retry: { retries: 0 } },
      runtime: systemRuntime,
      keyValue: stores.keyValue,
      ledger: stores.ledger,
      transport: createTransport(),
    });
    const scopes = [{ kind: 'run' as const, id: 'r', capNanoUsd: 1_000_000_000 }];
    const seen: ModelEvent[] = [];
    for await (const event of gateway.stream(user(), { id: 'x', scopes })) seen.push(event);
    expect(seen.filter(({ type }) => type === 'route')).toMatchObject([{ target: { provider: 'quick' } }]);
    expect(seen.filter(({ type }) => type === 'text-delta')).toMatchObject([{ text: 'fast' }]);
    await slow.closed;
    expect([slow.received.length, fast.received.length]).toEqual([1, 1]);
    const rows = [];
    for await (const row of stores.ledger.rows()) rows.push(row);
    expect(rows.map(({ key, outcome, target }) => `${key} ${target.provider} ${outcome}`).sort()).toEqual([
      'x/1 slow cancelled',
      'x/2 quick ok',
    ]);
    const paid = rows.reduce((sum, { costNanoUsd }) => sum + (costNanoUsd ?? 0), 0);
    expect(await stores.keyValue.get('budget:run:r')).toBe(paid);
    await gateway.close();
    await stores.close();
  });

  it('asks nobody twice where the first answers in time', async () => {
    const { gateway, run } = harness({
      providers: [fakeProvider({ script: () => [text('a'), finish()] })],
      plugins: [hedge(10_000)],
    });
    expect((await run(gateway.generate(user()))).attempts).toHaveLength(1);
  });

  it('may ask elsewhere after the fact, with the judged answer excluded', async () => {
    const elsewhere: GatewayPlugin = {
      name: 'elsewhere',
      request: {
        place: 'escalation',
        async *handle(call, next) {
          let target: Target | undefined;
          for await (const event of next(call)) if (event.type === 'route') target = event.target;
          yield* next({ ...call, exclude: target === undefined ? [] : [target] });
        },
      },
    };
    const { gateway, run, tried } = world({ works: true, plugins: [elsewhere] });
    const { attempts, costNanoUsd } = await run(gateway.generate(user(), { id: 'x' }));
    expect(attempts.map(({ key }) => key)).toEqual(['x/1', 'x/2']);
    expect(new Set(tried.map(nameOf)).size).toBe(2);
    expect(costNanoUsd).toBe(attempts.reduce((sum, attempt) => sum + (attempt.costNanoUsd ?? 0), 0));
  });

  it('is refused where it is no list of targets', async () => {
    const { gateway, run, tried } = world({ works: true });
    for (const exclude of ['a/m', null, ['a/m'], [null], [{}], {}]) {
      const options = { exclude: exclude as unknown as readonly Target[] };
      expect(await errorOf(run(gateway.generate(user(), options)))).toMatchObject({ code: 'invalid-request' });
    }
    expect(tried).toEqual([]);
  });
});
