import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { ModelCard } from '../../src/core/model/provider.ts';
import { createPolyphony, type Polyphony } from '../../src/polyphony.ts';
import { fakeCard, fakeProvider, fakeRuntime } from '../../src/testing/index.ts';

const CAN_PLAN = ['text', 'streaming', 'json-mode', 'planning'] as const;
const PLAN = JSON.stringify({ version: 1, nodes: [{ id: 'a', use: 'value', in: { x: 1 } }], output: '{{a.x}}' });
const NO_PLAN = (round: number): string =>
  JSON.stringify({ version: 1, nodes: [{ id: 'a', use: `tool:absent_${round}`, in: {} }], output: '{{a.x}}' });

type Price = { readonly input: number; readonly output: number } | null;
const card = (id: string, planning: number, price: Price, more: Partial<ModelCard> = {}): ModelCard =>
  fakeCard({
    id,
    tier: 'balanced',
    strengths: { general: planning, planning },
    capabilities: CAN_PLAN,
    price,
    ...more,
  });

interface Pool {
  readonly cards: readonly ModelCard[];
  readonly ownCards?: readonly ModelCard[];
  /** Models that write plans that can run. @default all */
  readonly good?: readonly string[];
  readonly down?: readonly string[];
  readonly planner?: object;
}

const open: Polyphony[] = [];
afterEach(async () => {
  for (const polyphony of open.splice(0)) await polyphony.close();
});

async function poolOf({ cards, ownCards = [], good, down = [], planner = {} }: Pool) {
  const asked: string[] = [];
  let round = 0;
  const script: NonNullable<Parameters<typeof fakeProvider>[0]>['script'] = ({ target: { model } }) => {
    asked.push(model);
    round += 1;
    if (down.includes(model)) return [{ fail: new PolyphonyError('model-not-found', 'It is gone.') }];
    return good === undefined || good.includes(model) ? PLAN : NO_PLAN(round);
  };
  const providers = [
    fakeProvider({ id: 'far', models: [...cards], script }),
    ...(ownCards.length === 0
      ? []
      : [{ ...fakeProvider({ id: 'near', models: [...ownCards], script }), isOwn: true as const }]),
  ];
  const polyphony = await createPolyphony({
    environment: false,
    runtime: fakeRuntime(),
    providers,
    config: { planner },
  });
  open.push(polyphony);
  return { polyphony, asked };
}

const CHEAP = { input: 0.1, output: 0.4 };
const DEAR = { input: 5, output: 20 };
const TOO_DEAR = { input: 50, output: 200 };

describe('who plans', () => {
  it('is the best that one planning may cost, not the cheapest', async () => {
    const cards = [card('small', 0.6, CHEAP), card('able', 0.8, DEAR), card('best', 0.95, TOO_DEAR)];
    const { polyphony, asked } = await poolOf({ cards });
    const planning = await polyphony.plan('compare two offers');
    expect(asked).toEqual(['able']);
    expect(planning.model).toBe('far/able');
    const said = planning.because?.join(' ') ?? '';
    expect(said).toMatch(/far\/able plans: of 3 that can plan this, 2 cost at most \$0\.05/);
    expect(said).toMatch(/planning 0\.80 \(card\)/);
    expect(said).toMatch(/far\/best \(0\.95, about \$/);
  });

  it('is the cheaper of two that are as good', async () => {
    const cards = [card('dear', 0.8, DEAR), card('cheap', 0.801, CHEAP)];
    expect((await (await poolOf({ cards })).polyphony.plan('x')).model).toBe('far/cheap');
  });

  it('is no fast one while another is as good', async () => {
    const cards = [card('quick', 0.8, CHEAP, { tier: 'fast' }), card('other', 0.8, DEAR)];
    expect((await (await poolOf({ cards })).polyphony.plan('x')).model).toBe('far/other');
  });

  it('is one of known price before one of unknown price, which is never taken for free', async () => {
    const cards = [card('unknown', 0.9, null), card('known', 0.6, CHEAP)];
    expect((await (await poolOf({ cards })).polyphony.plan('x')).model).toBe('far/known');
    const alone = await poolOf({ cards: [card('unknown', 0.9, null)] });
    expect((await alone.polyphony.plan('x')).because?.[0]).toMatch(/no price within it is known/);
  });

  it('is the cheapest where the default bound leaves nobody', async () => {
    const cards = [card('dearer', 0.9, { input: 90, output: 400 }), card('dear', 0.7, TOO_DEAR)];
    const { polyphony } = await poolOf({ cards });
    const planning = await polyphony.plan('x');
    expect(planning.model).toBe('far/dear');
    expect(planning.because?.[0]).toMatch(/all cost more, and it is the cheapest/);
  });

  it('is nobody where a bound that was set leaves nobody, and nothing is sent', async () => {
    const { polyphony, asked } = await poolOf({ cards: [card('dear', 0.9, TOO_DEAR)], planner: { maxUsd: 0.01 } });
    await expect(polyphony.plan('x')).rejects.toMatchObject({
      code: 'budget-exceeded',
      message: expect.stringMatching(/\$0\.01.*planner\.maxUsd.*far\/dear.*about \$/),
    } satisfies Partial<Record<keyof PolyphonyError, unknown>>);
    expect(asked).toEqual([]);
  });

  it('is the next best where the best is down', async () => {
    const cards = [card('small', 0.6, CHEAP), card('able', 0.8, CHEAP), card('best', 0.95, CHEAP)];
    const { polyphony, asked } = await poolOf({ cards, down: ['best'] });
    expect((await polyphony.plan('x')).model).toBe('far/able');
    expect(asked).not.toContain('small');
  });

  it('is only one that may have the data', async () => {
    const cards = [
      card('best', 0.95, CHEAP, { retention: 'provider' }),
      card('discreet', 0.7, CHEAP, { retention: 'none' }),
    ];
    const { polyphony } = await poolOf({ cards });
    expect((await polyphony.plan('x', { sensitivity: 'regulated' })).model).toBe('far/discreet');
  });

  it('never is a worse one than another within the bound, whatever the pool', async () => {
    const model = fc.record({
      planning: fc.integer({ min: 10, max: 99 }).map((hundredths) => hundredths / 100),
      input: fc.integer({ min: 0, max: 20 }),
      tier: fc.constantFrom('fast' as const, 'balanced' as const, 'premium' as const),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(model, { minLength: 1, maxLength: 8 }), async (models) => {
        const cards = models.map(({ planning, input, tier }, index) =>
          card(`m${index}`, planning, { input, output: input * 4 }, { tier }),
        );
        const { polyphony } = await poolOf({ cards });
        const { model: chosen, because } = await polyphony.plan('x');
        const place = Number(chosen?.slice('far/m'.length));
        const best = Math.max(...models.filter(({ input }) => input <= 10).map(({ planning }) => planning));
        if (Number.isFinite(best) && !because?.[0]?.includes('though'))
          expect(models[place]?.planning).toBeGreaterThanOrEqual(best);
      }),
      { numRuns: 15 },
    );
  });
});

describe('after the rounds', () => {
  const cards = [card('small', 0.6, CHEAP), card('best', 0.95, DEAR)];

  it('a pinned planner gives way to a stronger one', async () => {
    const { polyphony, asked } = await poolOf({ cards, good: ['best'], planner: { model: 'far/small' } });
    const planning = await polyphony.plan('x');
    expect(asked).toEqual(['small', 'small', 'small', 'best']);
    expect(planning.model).toBe('far/best');
    expect(planning.because?.join(' ')).toMatch(/planner\.model names it.*After its rounds far\/best is asked/);
  });

  it('but not where planner.escalate is false', async () => {
    const { polyphony, asked } = await poolOf({ cards, good: ['best'], planner: { model: 'small', escalate: false } });
    await expect(polyphony.plan('x')).rejects.toMatchObject({ code: 'invalid-plan' });
    expect(asked).toEqual(['small', 'small', 'small']);
  });

  it('nor to one that costs more than a bound that was set', async () => {
    const dear = [card('small', 0.6, CHEAP), card('best', 0.95, TOO_DEAR)];
    const { polyphony, asked } = await poolOf({ cards: dear, good: ['best'], planner: { maxUsd: 0.05 } });
    await expect(polyphony.plan('x')).rejects.toMatchObject({ code: 'invalid-plan' });
    expect(asked).toEqual(['small', 'small', 'small']);
  });

  it('nor to one that may not have the data', async () => {
    const open = [
      card('small', 0.6, CHEAP, { retention: 'none' }),
      card('best', 0.95, DEAR, { retention: 'provider' }),
    ];
    const { polyphony, asked } = await poolOf({ cards: open, good: ['best'], planner: { model: 'small' } });
    await expect(polyphony.plan('x', { sensitivity: 'personal' })).rejects.toMatchObject({ code: 'invalid-plan' });
    expect(asked).toEqual(['small', 'small', 'small']);
  });

  it('nor from a server of the user to one elsewhere, unless that is asked', async () => {
    const pool = { cards: [card('best', 0.95, DEAR)], ownCards: [card('mine', 0.6, { input: 0, output: 0 })] };
    const kept = await poolOf({ ...pool, good: ['best'], planner: { model: 'near/mine' } });
    await expect(kept.polyphony.plan('x')).rejects.toMatchObject({ code: 'invalid-plan' });
    expect(kept.asked).toEqual(['mine', 'mine', 'mine']);
    const { because } = await kept.polyphony.planningPreview('x');
    expect(because.join(' ')).toMatch(/server of your own.*unless planner\.escalate is true/);
    const asked = await poolOf({ ...pool, good: ['best'], planner: { model: 'near/mine', escalate: true } });
    expect((await asked.polyphony.plan('x')).model).toBe('far/best');
  });
});

describe('the window of a planner', () => {
  const window = (contextTokens: number) => card('narrow', 0.9, CHEAP, { contextTokens });

  it('goes before strength where another has room for a plan', async () => {
    const { polyphony } = await poolOf({ cards: [window(2600), card('wide', 0.6, CHEAP)] });
    expect((await polyphony.plan('x')).model).toBe('far/wide');
  });

  it('makes the prompt shorter, so that plan and repair fit', async () => {
    const wide = await poolOf({ cards: [card('wide', 0.9, CHEAP)] });
    const narrow = await poolOf({ cards: [window(3200)] });
    const preview = await narrow.polyphony.planningPreview('x');
    expect(preview.tokens).toBeLessThan((await wide.polyphony.planningPreview('x')).tokens);
    expect(preview.tokens + 640 + 900).toBeLessThanOrEqual(3200);
    expect((await narrow.polyphony.plan('x')).model).toBe('far/narrow');
  });

  it('is told beforehand where nothing fits, with the planner and the figures', async () => {
    const { polyphony, asked } = await poolOf({ cards: [window(1500)], planner: { model: 'narrow' } });
    await expect(polyphony.plan('x')).rejects.toMatchObject({
      code: 'context-window',
      message: expect.stringMatching(/planner "far\/narrow".*1540 more.*1500.*planner\.model/),
    });
    expect(asked).toEqual([]);
  });
});
