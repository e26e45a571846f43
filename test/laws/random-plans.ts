/** Random plans with what each of their steps will do, for the laws of the executor. */
import fc from 'fast-check';
import type { PlanNode, ValidPlan } from '../../src/core/plan/plan.ts';
import { validPlan } from '../executor/valid-plan.ts';

export interface Behaviour {
  readonly ms: number;
  readonly fails: boolean;
}

export interface RandomPlan {
  readonly plan: ValidPlan;
  readonly behaviours: ReadonlyMap<string, Behaviour>;
  readonly concurrency: number;
}

export interface Shape {
  readonly quorums: boolean;
  readonly failures: boolean;
}

const LISTS = { list0: [], list1: ['a'], list3: ['a', 'b', 'c'], list5: [1, 2, 3, 4, 5] };
export const RANDOM_INPUT: Readonly<Record<string, unknown>> = LISTS;

interface Draw {
  readonly dependencies: readonly { readonly back: number; readonly data: boolean }[];
  readonly wait: number;
  readonly onError: number;
  readonly fails: boolean;
  readonly ms: number;
  readonly each: number;
  readonly limit: number;
  readonly repeat: boolean;
  readonly when: number;
}

const draw: fc.Arbitrary<Draw> = fc.record({
  dependencies: fc.array(fc.record({ back: fc.integer({ min: 1, max: 6 }), data: fc.boolean() }), { maxLength: 3 }),
  wait: fc.integer({ min: 0, max: 5 }),
  onError: fc.integer({ min: 0, max: 5 }),
  fails: fc.boolean(),
  ms: fc.integer({ min: 1, max: 20 }),
  each: fc.integer({ min: 0, max: 11 }),
  limit: fc.integer({ min: 0, max: 3 }),
  repeat: fc.integer({ min: 0, max: 5 }).map((roll) => roll === 0),
  when: fc.integer({ min: 0, max: 7 }),
});

export function randomPlans({ quorums, failures }: Shape): fc.Arbitrary<RandomPlan> {
  return fc
    .record({ draws: fc.array(draw, { minLength: 1, maxLength: 12 }), concurrency: fc.integer({ min: 1, max: 5 }) })
    .map(({ draws, concurrency }) => {
      const nodes = draws.map((one, index) => nodeOf(one, index, { quorums, failures }));
      const behaviours = new Map(
        draws.map((one, index) => [`n${index}`, { ms: one.ms, fails: failures && one.fails && one.onError % 2 === 0 }]),
      );
      const expected = Object.fromEntries([...behaviours].map(([id, { ms }]) => [id, { ms }]));
      const output = Object.fromEntries(nodes.map(({ id }) => [id, `{{${id}}}`]));
      return { plan: validPlan({ nodes, output }, { expected }), behaviours, concurrency };
    });
}

function nodeOf(one: Draw, index: number, { quorums, failures }: Shape): PlanNode {
  const ids = new Map<string, boolean>();
  for (const { back, data } of one.dependencies) if (index - back >= 0) ids.set(`n${index - back}`, data);
  const data = [...ids].filter(([, isData]) => isData).map(([id]) => id);
  const needs = [...ids].filter(([, isData]) => !isData).map(([id]) => id);
  const first = data[0];
  const list = Object.keys(LISTS)[one.each];
  const waits = quorums && ids.size > 1 ? [undefined, 'any', { atLeast: 2 }, 'all'][one.wait] : undefined;
  const onErrors = [
    undefined,
    undefined,
    'skip',
    undefined,
    { value: { id: 'instead', ok: false } },
    undefined,
  ] as const;
  const onError = failures ? onErrors[one.onError] : undefined;
  return {
    id: `n${index}`,
    use: 'step',
    in: { id: `n${index}`, from: data.map((id) => `{{${id}.id}}`) },
    ...(needs.length === 0 ? {} : { needs }),
    ...(list === undefined ? {} : { each: `{{input.${list}}}` }),
    ...(one.limit === 0 || list === undefined ? {} : { limits: { concurrency: one.limit } }),
    ...(one.repeat ? { repeat: { until: 'self.round >= 2', max: 3 } } : {}),
    ...(one.when === 0 && first !== undefined ? { when: `${first}.ok == true` } : {}),
    ...(waits === undefined ? {} : { wait: waits as NonNullable<PlanNode['wait']> }),
    ...(onError === undefined ? {} : { onError }),
  };
}
