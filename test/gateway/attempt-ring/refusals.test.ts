/** What a refusal puts out of use: as little as it says. */
import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../../src/core/errors.ts';
import { fakeCard, fakeProvider, type ScriptStep } from '../../../src/testing/fakes.ts';
import { errorOf, fault, harness, user } from '../harness.ts';

const noRetry = { retry: { retries: 0 } };
const cards = [fakeCard({ id: 'm' }), fakeCard({ id: 'n' })];
const forbidden = (): ScriptStep[] => [
  {
    fail: new PolyphonyError('invalid-credential', 'not for this model', {
      status: 403,
      details: { refused: 'model' },
    }),
  },
];

describe('a credential that was refused for one model', () => {
  it('stays alive for the others, and is not tried again for that one', async () => {
    const provider = fakeProvider({
      credentials: ['fake#1'],
      models: cards,
      script: ({ target }) => (target.model === 'm' ? forbidden() : 'n'),
    });
    const { gateway, run } = harness({ providers: [provider], config: noRetry });
    expect(await run(errorOf(gateway.generate({ ...user(), model: 'm' })))).toMatchObject({
      code: 'invalid-credential',
    });
    expect((await run(gateway.generate({ ...user(), model: 'n' }))).content).toEqual([{ type: 'text', text: 'n' }]);
    await run(errorOf(gateway.generate({ ...user(), model: 'm' })));
    expect(provider.seen).toHaveLength(2);
    const states = gateway.health().map(({ target, credentials }) => [target.model, credentials[0]?.state]);
    expect(states).toEqual([
      ['m', 'refused'],
      ['n', 'ready'],
    ]);
  });

  it('leaves the other credentials their turn', async () => {
    const provider = fakeProvider({
      credentials: ['fake#1', 'fake#2'],
      models: cards,
      script: ({ target }) => (target.credential === 'fake#1' ? forbidden() : 'ok'),
    });
    const { gateway, run } = harness({ providers: [provider], config: noRetry });
    await run(gateway.generate({ ...user(), model: 'm' }));
    await run(gateway.generate({ ...user(), model: 'm' }));
    expect(provider.seen.map(({ target }) => target.credential)).toEqual(['fake#1', 'fake#2', 'fake#2']);
  });

  it('is remembered for so many models and no more', async () => {
    const models = Array.from({ length: 300 }, (_, index) => fakeCard({ id: `m${index}` }));
    const provider = fakeProvider({ credentials: ['fake#1'], models, script: forbidden });
    const { gateway, run } = harness({
      providers: [provider],
      config: { ...noRetry, breaker: { minimumAttempts: 1000 } },
    });
    for (const { id } of models) await run(errorOf(gateway.generate({ ...user(), model: id })));
    const refused = gateway.health().filter(({ credentials }) => credentials[0]?.state === 'refused');
    expect(refused.map(({ target }) => target.model)).toEqual(models.slice(-256).map(({ id }) => id));
  });
});

describe('a dead credential is used again', () => {
  const revived = (step: () => ScriptStep[] | string) => {
    const provider = fakeProvider({ credentials: ['fake#1'], models: cards, script: step });
    const other = fakeProvider({ id: 'other', models: [] });
    return { provider, ...harness({ providers: [provider, other], config: noRetry }) };
  };

  it.each([
    ['wholly', () => [fault('invalid-credential')]],
    ['for a model', forbidden],
  ])('after reconfigure, when it was refused %s', async (_, refusing) => {
    let isPaid = false;
    const { gateway, run, provider } = revived(() => (isPaid ? 'paid' : refusing()));
    await run(errorOf(gateway.generate({ ...user(), model: 'm' })));
    isPaid = true;
    await run(errorOf(gateway.generate({ ...user(), model: 'm' })));
    expect(provider.seen).toHaveLength(1);
    gateway.reconfigure(noRetry);
    expect((await run(gateway.generate({ ...user(), model: 'm' }))).content).toEqual([{ type: 'text', text: 'paid' }]);
  });

  it('when the gateway is told so, and only at the provider that is named', async () => {
    let isPaid = false;
    const { gateway, run } = revived(() => (isPaid ? 'paid' : [fault('invalid-credential')]));
    await run(errorOf(gateway.generate({ ...user(), model: 'm' })));
    isPaid = true;
    expect(gateway.reviveCredentials('other')).toBe(0);
    await run(errorOf(gateway.generate({ ...user(), model: 'm' })));
    expect(gateway.reviveCredentials('fake')).toBe(1);
    expect(gateway.reviveCredentials()).toBe(0);
    await run(gateway.generate({ ...user(), model: 'm' }));
  });

  it('but waits as long as it was told to', async () => {
    const { gateway, run, runtime } = revived(() => [fault('rate-limited', { retryAfterMs: 7000 })]);
    await run(errorOf(gateway.generate({ ...user(), model: 'm' })));
    expect(gateway.reviveCredentials()).toBe(0);
    expect(gateway.health()[0]?.credentials[0]).toMatchObject({ state: 'waiting', until: runtime.clock.now() + 7000 });
  });
});

describe('a request that is above a limit', () => {
  const tooLarge = (): ScriptStep[] => [
    { fail: new PolyphonyError('rate-limited', 'too large', { retryable: false }) },
  ];
  const config = { routes: { main: { chain: ['a/m', 'b/m'] } } };

  it('is not sent again, asks the next target, and closes nothing to others', async () => {
    const a = fakeProvider({ id: 'a', models: [fakeCard({ id: 'm' })], script: tooLarge });
    const b = fakeProvider({ id: 'b', models: [fakeCard({ id: 'm' })] });
    const { gateway, run } = harness({ providers: [a, b], config });
    for (let call = 0; call < 12; call += 1) {
      expect((await run(gateway.generate({ ...user(), model: { route: 'main' } }))).target.provider).toBe('b');
    }
    expect(a.seen).toHaveLength(12);
    expect(gateway.health().map(({ breaker }) => breaker.state)).toEqual(['closed', 'closed']);
  });

  it('is sent with another credential, whose limit may be higher', async () => {
    const provider = fakeProvider({
      credentials: ['fake#1', 'fake#2'],
      script: ({ target }) => (target.credential === 'fake#1' ? tooLarge() : 'ok'),
    });
    const { gateway, run } = harness({ providers: [provider] });
    await run(gateway.generate(user()));
    expect(provider.seen).toHaveLength(2);
  });
});
