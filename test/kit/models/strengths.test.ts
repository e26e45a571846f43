import { describe, expect, it, test } from 'vitest';
import { CHAT_CAPABILITIES, modelCard } from '../../../src/kit/models/model-card.ts';
import { knownModel, modelCatalogue, plainName } from '../../../src/kit/models/model-catalogue.ts';
import { speedOf } from '../../../src/kit/models/speed.ts';
import { qualityOf, strengthFigure, strengthOf, unknownStrength } from '../../../src/kit/models/strengths.ts';

const rated = (provider: string, id: string, fields: object = {}) => ({ provider, card: modelCard({ id, ...fields }) });
const measured = (name: string, field: string): number =>
  modelCatalogue().models[name]?.strengths[field]?.value ?? Number.NaN;

describe('strengths', () => {
  const opus = rated('anthropic', 'claude-opus-5');
  it('are the measured ones on the scale of cards, with their sources', () => {
    const figure = strengthFigure(opus, 'code');
    expect(figure?.value).toBeCloseTo(0.34 + 0.65 * measured('claude-opus-5', 'code'));
    expect(figure?.basis).toBe('measured');
    for (const source of figure?.sources ?? []) expect(modelCatalogue().sources).toHaveProperty([source]);
  });

  it('take the figures of the user first, then those of the card, then the measured ones', () => {
    const card = { strengths: { code: 0.2, general: 0.3 } };
    expect(strengthOf(rated('anthropic', 'claude-opus-5', { ...card, measured: { code: 0.1 } }), 'code')).toBe(0.1);
    expect(strengthOf(rated('anthropic', 'claude-opus-5', card), 'code')).toBe(0.2);
    expect(strengthFigure(rated('anthropic', 'claude-opus-5', card), 'reasoning')?.basis).toBe('measured');
    expect(strengthFigure(rated('own', 'mine', { tier: 'premium' }), 'general')).toMatchObject({ basis: 'assumed' });
  });

  it('are unknown where nobody measured them, and an unknown one is never a good one', () => {
    const stranger = rated('own', 'mine', { strengths: { general: 0.97 } });
    expect(strengthOf(stranger, 'grounding')).toBeUndefined();
    expect(strengthOf(stranger, 'planning')).toBeUndefined();
    expect(qualityOf(stranger, ['grounding'])).toBe(0.5);
    expect(unknownStrength(stranger, 'planning')).toBeLessThan(0.97);
    expect(qualityOf(stranger, ['code'])).toBe(0.97);
  });

  it('of an unmeasured model count less than those of any measured model of the best kind', () => {
    const best = Object.keys(modelCatalogue().models).map((name) => measured(name, 'general'));
    const most = 0.34 + 0.65 * Math.max(...best.filter((value) => !Number.isNaN(value)));
    expect(qualityOf(rated('own', 'mine', { tier: 'premium' }))).toBeLessThan(most - 0.1);
  });

  it('derive planning from tool use and reasoning, in the asked form', () => {
    const skill = (measured('claude-opus-5', 'tools') + measured('claude-opus-5', 'reasoning')) / 2;
    expect(strengthFigure(opus, 'planning')).toMatchObject({ basis: 'derived' });
    expect(strengthOf(opus, 'planning')).toBeCloseTo(0.34 + 0.65 * skill * 0.93);
    const own = rated('anthropic', 'claude-opus-5', { measured: { planning: 0.7 } });
    expect(strengthFigure(own, 'planning')).toMatchObject({ basis: 'own', value: 0.7 });
  });

  it('have maths of its own where it was measured, and nothing better than reasoning where not', () => {
    const mini = rated('openai', 'gpt-4o-mini');
    expect(strengthFigure(mini, 'maths')).toMatchObject({ basis: 'measured', sources: ['simple-evals'] });
    expect(strengthOf(opus, 'maths')).toBeUndefined();
    const reasoning = strengthOf(opus, 'reasoning') ?? 0;
    expect(qualityOf(opus, ['maths'])).toBe(Math.min(reasoning, strengthOf(opus, 'general') ?? 1));
  });

  it('of one card at two providers are those of each', () => {
    const card = modelCard({ id: 'claude-opus-5' });
    expect(strengthOf({ provider: 'anthropic', card }, 'code')).toBe(strengthOf({ provider: 'other', card }, 'code'));
    expect(speedOf({ provider: 'anthropic', card })?.tokensPerSecond).toBe(58);
    expect(speedOf({ provider: 'other', card })).toBeUndefined();
  });

  it('take no field that is a property of every object', () => {
    for (const field of ['constructor', '__proto__', 'toString']) {
      expect(strengthOf(opus, field)).toBeUndefined();
      expect(knownModel(field, field)).toBeUndefined();
    }
  });
});

test.each([
  ['anthropic/claude-opus-5', 'claude-opus-5'],
  ['us.anthropic.claude-haiku-4-5-20251001-v1:0', 'claude-haiku-4-5'],
  ['global.amazon.nova-2-lite-v1:0', 'nova-2-lite'],
  ['z-ai/glm-5.3', 'glm-5-3'],
  ['qwen3:8b', 'qwen3-8b'],
  ['gpt-4o-2024-11-20', 'gpt-4o'],
])('%s is called %s wherever it is hosted', (id, name) => {
  expect(plainName(id)).toBe(name);
});

describe('speed', () => {
  it('is the stated one, from its two parts where they are stated', () => {
    expect(speedOf(rated('anthropic', 'claude-opus-5', { expectedMs: 5 }))).toMatchObject({
      expectedMs: 5,
      basis: 'card',
    });
    const parts = { firstTokenMs: 400, tokensPerSecond: 100 };
    expect(speedOf(rated('own', 'mine', parts))).toMatchObject({ ...parts, expectedMs: 1000 });
    expect(speedOf(rated('own', 'mine'))).toBeUndefined();
  });
});

describe('the shipped catalogue', () => {
  const { models, cards, sources } = modelCatalogue();
  it('knows at least eight fields of at least ten models with a card', () => {
    const carded = new Set(Object.values(cards).map(({ model }) => model));
    const counts = new Map<string, number>();
    for (const name of carded) {
      for (const field of Object.keys(models[name]?.strengths ?? {})) counts.set(field, (counts.get(field) ?? 0) + 1);
    }
    expect([...counts.values()].filter((count) => count >= 10).length).toBeGreaterThanOrEqual(8);
  });

  it('names known sources for every figure, and never only such as want to be asked first', () => {
    const asked = new Set(['whatmodel', 'interfaze', 'cipher982']);
    const figures = [
      ...Object.values(models).flatMap(({ strengths }) => Object.values(strengths)),
      ...Object.values(cards).flatMap(({ speed }) => (speed === undefined ? [] : [speed])),
    ];
    for (const figure of figures) {
      expect(figure.sources.length).toBeGreaterThan(0);
      expect(figure.sources.every((name) => Object.hasOwn(sources, name))).toBe(true);
      expect(figure.sources.every((name) => asked.has(name))).toBe(false);
    }
  });

  it('has values from 0 to 1', () => {
    for (const { strengths } of Object.values(models)) {
      for (const { value } of Object.values(strengths)) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
      }
    }
  });
});

test('a card without fields is a chat model whose strengths are only assumed', () => {
  const { strengths, ...card } = modelCard({ id: 'x' });
  expect(card.capabilities).toBe(CHAT_CAPABILITIES);
  expect(Object.keys(strengths)).toEqual(['general']);
});
