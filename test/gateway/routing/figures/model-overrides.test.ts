import { describe, expect, it } from 'vitest';
import type { ModelConfig } from '../../../../src/core/config.ts';
import { fakeCard, fakeProvider } from '../../../../src/testing/fakes.ts';
import { harness, user } from '../../harness.ts';

const models = [
  fakeCard({
    id: 'a',
    retention: 'provider',
    aliases: ['first'],
    tier: 'balanced',
    strengths: { general: 0.9, code: 0.9 },
  }),
  fakeCard({ id: 'b', retention: 'provider', tier: 'balanced', strengths: { general: 0.5, code: 0.5 } }),
];
const made = (own: Readonly<Record<string, ModelConfig>>) =>
  harness({ providers: [fakeProvider({ id: 'p', models })], config: { models: own } });
const best = { operation: 'chat', ...user(), optimise: 'quality', model: { strengths: ['code'] } } as const;
const first = ({ gateway }: ReturnType<typeof made>) => gateway.explain(best).candidates[0]?.target.model;

describe('what the config says of a model', () => {
  it('goes before what its card says, by provider and model, by an alias, and by the id alone', () => {
    expect(first(made({}))).toBe('a');
    for (const name of ['p/a', 'p/first', 'a', 'first'])
      expect(first(made({ [name]: { strengths: { code: 0.1 } } }))).toBe('b');
    expect(first(made({ 'q/a': { strengths: { code: 0.1 } } }))).toBe('a');
  });

  it('may end it, keep its data, and set its tier', () => {
    const end = made({ 'p/a': { lifecycle: { stage: 'retired' } } });
    expect(end.gateway.explain(best).rejected[0]?.failed).toEqual(['is retired']);
    const kept = made({ 'p/b': { retention: 'none' } });
    const regulated = kept.gateway.explain({ ...best, sensitivity: 'regulated' });
    expect(regulated.candidates.map(({ target }) => target.model)).toEqual(['b']);
    const tier = made({ 'p/b': { tier: 'fast' } });
    expect(tier.gateway.models().map(({ card }) => card.tier)).toEqual(['balanced', 'fast']);
  });

  it('is replaced for calls that begin afterwards', () => {
    const { gateway } = made({});
    gateway.reconfigure({ models: { a: { strengths: { code: 0 } } } });
    expect(gateway.explain(best).candidates[0]?.target.model).toBe('b');
    gateway.reconfigure({});
    expect(gateway.explain(best).candidates[0]?.target.model).toBe('a');
  });
});
