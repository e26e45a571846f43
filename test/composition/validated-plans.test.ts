/** A plan object that is run again is validated again only when it, or what it is validated against, has changed. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isSameJson, validatedPlans } from '../../src/composition/validated-plans.ts';
import type { Plan, PlanNode, ValidPlan } from '../../src/core/plan/plan.ts';
import type { Catalogue } from '../../src/core/plan/validation.ts';
import { createPolyphony, defineStep, workflow } from '../../src/index.ts';
import { fakeCard, fakeProvider, finish } from '../../src/testing/index.ts';
import { text } from '../gateway/harness.ts';

type Mutable = { -readonly [K in keyof Plan]: Plan[K] } & { nodes: PlanNode[] };

const planOf = (text: string): Mutable => ({
  version: 1,
  nodes: [{ id: 'a', use: 'value', in: { text, list: [1, { deep: null }] } }],
  output: '{{a.text}}',
});

function counting(repair: (plan: Plan) => Plan = (plan) => plan, tokenRatios?: Catalogue['tokenRatios']) {
  let catalogue = { version: 1, tokenRatios } as unknown as Catalogue;
  let count = 0;
  const valid = validatedPlans(
    () => catalogue,
    (plan) => {
      count += 1;
      return { plan: structuredClone(repair(plan)) } as unknown as ValidPlan;
    },
  );
  const renew = (): void => {
    catalogue = { ...catalogue };
  };
  return { valid, renew, count: () => count };
}

describe('a plan', () => {
  it('is validated once, and the same object comes back', () => {
    const { valid, count } = counting();
    const plan = planOf('x');
    expect(valid(plan)).toBe(valid(plan));
    expect(count()).toBe(1);
    valid(planOf('x'));
    expect(count()).toBe(2);
  });

  it('is validated again when it would be estimated otherwise', () => {
    let ratios = new Map<string, number>();
    const { valid, renew, count } = counting(undefined, () => ratios);
    const plan = planOf('x');
    valid(plan);
    valid(plan);
    expect(count()).toBe(1);
    ratios = new Map([['p/m', 2]]);
    valid(plan);
    valid(plan);
    expect(count()).toBe(2);
    renew();
    valid(plan);
    expect(count()).toBe(3);
  });

  it('is validated once though the validator repairs it', () => {
    const { valid, count } = counting((plan) => ({ ...plan, nodes: plan.nodes.toReversed(), goal: 'added' }));
    const plan = planOf('x');
    expect(valid(plan)).toBe(valid(plan));
    expect(count()).toBe(1);
    plan.goal = 'another';
    valid(plan);
    expect(count()).toBe(2);
  });

  it('is validated again when the catalogue was replaced', () => {
    const { valid, renew, count } = counting();
    const plan = planOf('x');
    valid(plan);
    renew();
    valid(plan);
    expect(count()).toBe(2);
  });

  const changes: Readonly<Record<string, (plan: Mutable) => void>> = {
    'a field that was replaced': (plan) => {
      plan.output = '{{a}}';
    },
    'a field that was added': (plan) => {
      plan.goal = 'why';
    },
    'a field that was removed': (plan) => Reflect.deleteProperty(plan, 'output'),
    'a literal far inside': (plan) => {
      inputsOf(plan).list = [1, { deep: 0 }];
    },
    'an item that was changed in place': (plan) => {
      inputsOf(plan).list[1] = { deep: null, more: 1 };
    },
    'an item that was added': (plan) => void inputsOf(plan).list.push(2),
    'a node that was added': (plan) => void plan.nodes.push({ id: 'b', use: 'value' }),
    'a list that became an object': (plan) => void Object.assign(inputsOf(plan), { list: { 0: 1, 1: { deep: null } } }),
    'null that became a number that is none': (plan) => {
      inputsOf(plan).list[1] = { deep: Number.NaN };
    },
    'a field whose getter throws now': (plan) =>
      Object.defineProperty(plan, 'output', {
        enumerable: true,
        get: () => {
          throw new Error('not for you');
        },
      }),
  };
  const inputsOf = (plan: Mutable): { list: unknown[] } => plan.nodes[0]?.in as unknown as { list: unknown[] };
  it.each(Object.entries(changes))('is validated again after %s', (_, change) => {
    const { valid, count } = counting();
    const plan = planOf('x');
    valid(plan);
    valid(plan);
    expect(count()).toBe(1);
    change(plan);
    try {
      valid(plan);
    } catch {
      // What cannot be read is the validator's to refuse.
    }
    expect(count()).toBe(2);
  });

  it('is compared as JSON is', () => {
    expect(isSameJson({ a: undefined, b: 1 }, { b: 1 })).toBe(true);
    expect(isSameJson({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(true);
    expect(isSameJson({}, [])).toBe(false);
    expect(isSameJson([], {})).toBe(false);
    expect(isSameJson({ toString: 1 }, {})).toBe(false);
    expect(isSameJson(new Map([[1, 2]]), 'text')).toBe(false);
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    expect(isSameJson(cyclic, { self: { self: {} } })).toBe(false);
  });
});

describe('through polyphony.run', () => {
  it('the estimate of a plan follows what its model was seen to count, though the plan is validated only once', async () => {
    const models = [fakeCard({ id: 'one', price: { input: 1, output: 1 } })];
    let asked = 0;
    const script = () => {
      asked += 1;
      return [text('yes'), finish({ usage: { input: 3000, output: 1 } })];
    };
    const polyphony = await createPolyphony({ plugins: [], providers: [fakeProvider({ models, script })] });
    const plan: Plan = { version: 1, nodes: [{ id: 'a', use: 'llm', in: { prompt: 'word '.repeat(784) } }] };
    const expected = async () => (await polyphony.validate(plan)).plan?.estimate.expectedNanoUsd ?? 0;
    const run = () => polyphony.run(plan, undefined, { budgetUsd: 0.0031 });
    expect(await expected()).toBe(1_400_000);
    expect((await run()).status).toBe('done');
    for (let call = 0; call < 200; call += 1) await polyphony.gateway.generate({ prompt: 'word '.repeat(799) });
    // 1000 tokens of ours, of which 200 answers said that they are 3000, beside ten of an unknown model.
    expect(await expected()).toBeGreaterThan(3_200_000);
    asked = 0;
    await expect(run()).rejects.toThrow('Node a is expected to cost $0.003297');
    expect(asked).toBe(0);
    await polyphony.close();
  });

  it('a plan that was changed in place runs as it is now, and is refused when it is wrong now', async () => {
    const polyphony = await createPolyphony({ plugins: [] });
    const plan = planOf('before');
    const output = async () => {
      const result = await polyphony.run(plan);
      return result.status === 'done' ? result.output : result.status;
    };
    expect(await output()).toBe('before');
    expect(await output()).toBe('before');
    plan.nodes[0] = { id: 'a', use: 'value', in: { text: 'after' } };
    expect(await output()).toBe('after');
    plan.nodes[0] = { id: 'a', use: 'valeu', in: { text: '{{b.x}}' } };
    await expect(polyphony.run(plan)).rejects.toMatchObject({ code: 'invalid-plan' });
    plan.nodes[0] = { id: 'a', use: 'value', in: { text: 'again' } };
    expect(await output()).toBe('again');
    await polyphony.close();
  });

  it('a bound that was lowered holds for a plan that was run before', async () => {
    const polyphony = await createPolyphony({ plugins: [] });
    const plan: Plan = { version: 1, nodes: ['a', 'b', 'c'].map((id) => ({ id, use: 'value' })) };
    await polyphony.run(plan);
    await polyphony.reconfigure({ bounds: { nodes: 2 } });
    await expect(polyphony.run(plan)).rejects.toThrow(/size\.nodes/);
    await polyphony.close();
  });

  it('workflows within workflows keep their own state', async () => {
    const polyphony = await createPolyphony({ providers: [fakeProvider({})] });
    const add = defineStep({
      name: 'add',
      input: z.object({ a: z.number() }),
      output: z.object({ sum: z.number() }),
      run: ({ a }) => ({ sum: a + 1 }),
    });
    const inner = workflow({ id: 'inner', input: z.object({ a: z.number() }) })
      .node('add', add, (c) => ({ in: { a: c.input.a } }))
      .output((c) => c.add.sum);
    const outer = workflow({ id: 'outer', input: z.object({ all: z.array(z.number()) }) })
      .map(
        'each',
        inner,
        (c) => c.input.all,
        (a) => ({ in: { a } }),
      )
      .output((c) => c.each);
    expect((await polyphony.run(outer, { all: [1, 2] })).output).toEqual([2, 3]);
    expect((await polyphony.run(outer, { all: [5] })).output).toEqual([6]);
    await polyphony.close();
  });
});
