/** The plugins in the real rings: who pays, what is kept, in which order. */
import { type Attempt, type ChatRequest, type Plugin, PolyphonyError, type Scope } from 'polyphony';
import { textOf } from 'polyphony/kit';
import { fakeCard, fakeProvider, fakeRuntime, finish, type ScriptStep } from 'polyphony/testing';
import { describe, expect, it } from 'vitest';
import { exactCache } from '../../../plugins/caching/exact-cache.ts';
import { escalation } from '../../../plugins/escalation/escalation.ts';
import { judge } from '../../../plugins/escalation/judge.ts';
import { validators } from '../../../plugins/escalation/validators.ts';
import { localRules, moderation } from '../../../plugins/moderation/moderation.ts';
import { createPolyphony } from '../../../src/polyphony.ts';
import { memoryStores } from '../../../src/stores/memory.ts';

const models = [
  fakeCard({ id: 'small', tier: 'fast', price: { input: 1, output: 1 } }),
  fakeCard({ id: 'large', tier: 'premium', price: { input: 10, output: 10 } }),
];
const asked: Omit<ChatRequest, 'operation'> = {
  model: 'small',
  messages: [{ role: 'user', content: 'Tom has 3 boxes of 4 pens. How many pens?' }],
  maxOutputTokens: 100,
  escalate: { evaluator: 'validators', to: ['premium'] },
};
const WRONG = '3 * 4 = 13 pens.';
const RIGHT = '3 * 4 = 12 pens.';

async function house(plugins: readonly Plugin[], script: (attempt: Attempt) => readonly ScriptStep[] | string) {
  const runtime = fakeRuntime();
  const provider = fakeProvider({ models, script, runtime });
  const stores = memoryStores({ clock: runtime.clock });
  const all = [{ name: 'fake', providers: [provider] }, validators(), judge(), escalation(), ...plugins];
  const polyphony = await createPolyphony({ plugins: all, stores, runtime });
  const rows = async () => {
    await stores.ledger.flush();
    const found = [];
    for await (const row of stores.ledger.rows()) found.push(row);
    return found;
  };
  return { ...polyphony, provider, rows };
}

const byModel = ({ target }: Attempt): string => (target.model === 'small' ? WRONG : RIGHT);
const user: Scope = { kind: 'user', id: 'u' };

describe('rungs of a tier that no model has', () => {
  const offering = async (script: (attempt: Attempt) => readonly ScriptStep[] | string, cards = models.slice(0, 1)) => {
    const provider = fakeProvider({ models: cards, script });
    const polyphony = await createPolyphony({
      plugins: [{ name: 'fake', providers: [provider] }, validators(), judge(), escalation()],
    });
    return { provider, ...polyphony };
  };
  const doubted: Omit<ChatRequest, 'operation'> = {
    ...asked,
    escalate: { evaluator: 'validators', to: ['balanced', 'premium'] },
  };

  it('are left out with a warning where the nearest model has answered: it is paid once', async () => {
    const { gateway, provider, close } = await offering(() => WRONG);
    const { model: _any, ...unpinned } = doubted;
    const response = await gateway.generate({ ...unpinned, model: { tier: 'premium' } });
    expect(provider.seen).toHaveLength(1);
    expect(textOf(response)).toBe(WRONG);
    expect(response.warnings.map(({ code }) => code)).toEqual([
      'tier-degraded',
      'rung-skipped',
      'rung-skipped',
      'below-threshold',
    ]);
    expect(response.warnings[1]?.message).toContain('fake/small, has already answered');
    await close();
  });

  it('ask the nearest model that has not answered, once', async () => {
    const { gateway, provider, close } = await offering(byModel, models);
    const response = await gateway.generate(doubted);
    expect(provider.seen.map(({ target }) => target.model)).toEqual(['small', 'large']);
    expect(response.warnings.map(({ code }) => code)).toEqual(['tier-degraded']);
    await close();
  });

  it('refuse where the request is strict, and the first answer is kept', async () => {
    const { gateway, provider, close } = await offering(() => WRONG);
    const response = await gateway.generate({ ...doubted, model: { strict: true } });
    expect(provider.seen).toHaveLength(1);
    expect(response.escalation?.rungs[1]?.reasons.join()).toContain('no-route');
    await close();
  });

  it('do not fall back to a model that has answered, also where the session is bound to it', async () => {
    const down = new PolyphonyError('overloaded', 'Busy.', { retryable: false });
    const { gateway, provider, close } = await offering(
      (attempt) => (attempt.target.model === 'small' ? WRONG : [{ fail: down }]),
      models,
    );
    const response = await gateway.generate({ ...asked, model: { tier: 'fast' } }, { session: 's' });
    expect(textOf(response)).toBe(WRONG);
    expect(provider.seen.filter(({ target }) => target.model === 'small')).toHaveLength(1);
    await close();
  });

  it('let the only model judge its own answer', async () => {
    const { gateway, provider, close } = await offering((attempt) =>
      attempt.purpose === 'judge' ? '{"reasons": [], "score": 0.9}' : RIGHT,
    );
    const response = await gateway.generate({ ...asked, escalate: { evaluator: 'judge', to: ['premium'] } });
    expect(response.escalation).toMatchObject({ rung: 0, score: 0.9 });
    expect(provider.seen.map(({ purpose }) => purpose)).toEqual(['answer', 'judge']);
    await close();
  });
});

describe('in the real rings', () => {
  it('both rungs are rows of the ledger, once, and the response sums them', async () => {
    const { gateway, rows, close } = await house([], byModel);
    const response = await gateway.generate(asked, { scopes: [user] });
    expect(textOf(response)).toBe(RIGHT);
    // 10 tokens in and 5 out, at 1 and at 10 dollars a million.
    expect(response.costNanoUsd).toBe(15_000 + 150_000);
    expect(response.escalation?.rungs.map(({ costNanoUsd }) => costNanoUsd)).toEqual([15_000, 150_000]);
    expect((await rows()).map(({ target, costNanoUsd }) => [target.model, costNanoUsd]).sort()).toEqual([
      ['large', 150_000],
      ['small', 15_000],
    ]);
    await close();
  });

  it('a judge is charged to the call that it judges', async () => {
    const { gateway, rows, close } = await house([], ({ purpose, target }) =>
      purpose === 'judge' ? '{"reasons":[],"score":0.9}' : target.model,
    );
    const response = await gateway.generate(
      { ...asked, escalate: { evaluator: 'judge', to: ['premium'] } },
      { scopes: [user] },
    );
    expect(response).toMatchObject({ costNanoUsd: 165_000, escalation: { rung: 0, score: 0.9 } });
    const found = await rows();
    expect(found.map(({ purpose, scopes }) => [purpose, scopes]).sort()).toEqual([
      ['answer', [{ kind: 'user', id: 'u' }]],
      ['judge', [{ kind: 'user', id: 'u' }]],
    ]);
    expect(new Set(found.map(({ key }) => key)).size).toBe(2);
    await close();
  });

  it('a cap ends the ladder with the best answer so far', async () => {
    const { gateway, provider, close } = await house([], byModel);
    const response = await gateway.generate({ ...asked, limits: { usd: 0.0004 } }, {});
    expect(provider.seen).toHaveLength(1);
    expect(textOf(response)).toBe(WRONG);
    expect(response.escalation).toMatchObject({ rung: 0 });
    await close();
  });

  it('a rung whose model is unknown is refused before anything is paid', async () => {
    const { gateway, provider, close } = await house([], byModel);
    const rule = { evaluator: 'validators', to: ['no-such-model', 'premium'] };
    await expect(gateway.generate({ ...asked, escalate: rule })).rejects.toMatchObject({ code: 'invalid-request' });
    expect(provider.seen).toHaveLength(0);
    await close();
  });

  it('climbs when the asked provider fails for good', async () => {
    const { gateway, runtime, close } = await outage();
    const answer = gateway.generate(asked);
    await runtime.clock.runAll();
    expect(textOf(await answer)).toBe(RIGHT);
    await close();
  });

  it('the cache keeps the climbed answer, and a hit charges nobody', async () => {
    const { gateway, rows, provider, close } = await house([exactCache()], byModel);
    await gateway.generate(asked);
    const hit = await gateway.generate(asked, { scopes: [user] });
    expect(textOf(hit)).toBe(RIGHT);
    expect(hit).toMatchObject({ cached: true, costNanoUsd: 0, target: { model: 'large' }, escalation: { rung: 1 } });
    expect(provider.seen).toHaveLength(2);
    expect(await rows()).toHaveLength(2);
    await close();
  });

  it('what moderation blocks is not stored, wherever in the answer it stands', async () => {
    for (const answer of ['kill', `${'fine words. '.repeat(100)} kill`, `kill ${'fine words. '.repeat(100)}`]) {
      const cache = exactCache();
      const rules = moderation({ classifiers: [localRules({ rules: [{ category: 'violence', terms: ['kill'] }] })] });
      const { gateway, provider, close } = await house([cache, rules], () => answer);
      const plain = { ...asked, escalate: false } as const;
      for (let round = 0; round < 2; round += 1) {
        await expect(gateway.generate(plain)).rejects.toMatchObject({ code: 'blocked' });
      }
      expect(provider.seen).toHaveLength(2);
      expect(cache.statistics()).toMatchObject({ stored: 0 });
      await close();
    }
  });
});

async function outage() {
  const runtime = fakeRuntime();
  const script = (attempt: Attempt): readonly ScriptStep[] | string =>
    attempt.target.model === 'small'
      ? [{ fail: new PolyphonyError('overloaded', 'busy') }]
      : [{ type: 'text-delta', text: RIGHT }, finish()];
  const provider = fakeProvider({ models, script, runtime });
  const plugins = [{ name: 'fake', providers: [provider] }, validators(), escalation()];
  return { ...(await createPolyphony({ plugins, runtime })), runtime };
}
