/** What plan-format.md says about when, each, repeat and order, one case a rule. */
import { describe, expect, it } from 'vitest';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { NodeCall } from '../../src/core/run/engine.ts';
import { collected, finished, harness, output, settled } from './harness.ts';
import { plan, scripted, states } from './scripted-steps.ts';
import { validPlan } from './valid-plan.ts';

describe('when and skipping', () => {
  it('skips a node whose condition is false, and what refers to nothing else; needs never skips', async () => {
    const h = scripted();
    const result = await finished(
      h,
      plan(
        [
          { id: 'a', use: 'step', in: { value: { label: 'x' } } },
          { id: 'b', use: 'step', when: "a.label == 'y'" },
          { id: 'c', use: 'step', in: { from: '{{b.text}}' } },
          { id: 'd', use: 'step', needs: ['b'], in: { value: 1 } },
          { id: 'e', use: 'step', in: { from: '{{b.text ?? a.label}}' } },
          { id: 'f', use: 'step', in: { from: '{{b.text}} and {{a.label}}' } },
        ],
        { b: '{{b.text}}', e: '{{e.from}}', f: '{{f.from}}' },
      ),
    );
    expect(states(result)).toEqual({ a: 'done', b: 'skipped', c: 'skipped', d: 'done', e: 'done', f: 'done' });
    expect(result.output).toEqual({ b: null, e: 'x', f: ' and x' });
  });
});

describe('each', () => {
  it('keeps order and length, has item and index, and gives [] for []', async () => {
    const h = scripted();
    const result = await finished(
      h,
      plan([
        { id: 'list', use: 'step', in: { value: [{ ms: 30 }, { ms: 10 }, { ms: 20 }] } },
        { id: 'work', use: 'step', each: '{{list}}', in: { ms: '{{item.ms}}', index: '{{index}}' } },
        { id: 'none', use: 'step', in: { value: [] } },
        { id: 'nothing', use: 'step', each: '{{none}}' },
      ]),
    );
    expect(result.output).toMatchObject({
      work: [
        { ms: 30, index: 0 },
        { ms: 10, index: 1 },
        { ms: 20, index: 2 },
      ],
      nothing: [],
    });
  });

  it('applies onError to each item', async () => {
    const nodes = (onError: PlanNode['onError']): PlanNode[] => [
      { id: 'list', use: 'step', in: { value: [false, true, false] } },
      {
        id: 'work',
        use: 'step',
        each: '{{list}}',
        in: { fail: '{{item}}', index: '{{index}}' },
        ...(onError === undefined ? {} : { onError }),
      },
    ];
    expect((await finished(scripted(), plan(nodes('skip')))).output).toMatchObject({
      work: [{ index: 0 }, null, { index: 2 }],
    });
    expect((await finished(scripted(), plan(nodes({ value: 0 })))).output).toMatchObject({ work: [{}, 0, {}] });
    expect(await finished(scripted(), plan(nodes(undefined)))).toMatchObject({
      status: 'failed',
      error: { code: 'tool-failed' },
    });
  });

  it('refuses more items than the bounds allow, and what is no array', async () => {
    const nodes: PlanNode[] = [
      { id: 'list', use: 'step', in: { value: [1, 2, 3] } },
      { id: 'work', use: 'step', each: '{{list}}' },
    ];
    const bounded = validPlan({ nodes }, { bounds: { items: 2 } });
    expect((await finished(scripted(), bounded)).error?.message).toContain('has 3 items, but at most 2');
    const wrong = plan([{ id: 'list', use: 'step', in: { value: 'text' } }, ...nodes.slice(1)]);
    expect((await finished(scripted(), wrong)).error?.message).toContain('not an array');
  });
});

describe('repeat', () => {
  it('sees the round before, stops when until holds, and warns at max', async () => {
    const step = ({ inputs }: { inputs: Readonly<Record<string, unknown>> }) => ({
      count: Number(inputs.before ?? 0) + 1,
    });
    const node = (max: number): PlanNode => ({
      id: 'loop',
      use: 'step',
      in: { before: '{{prev.count}}' },
      repeat: { until: 'self.count >= 3', max },
    });
    const h = harness({ step });
    const handle = h.engine.start(plan([node(5)]));
    expect((await settled(h, handle)).output).toEqual({ loop: { count: 3 } });
    const rounds = (await collected(handle.events())).filter(({ type }) => type === 'round-finished');
    expect(rounds.map((event) => 'round' in event && event.round)).toEqual([1, 2, 3]);
    const short = await finished(harness({ step }), plan([node(2)]));
    expect(short.output).toEqual({ loop: { count: 2 } });
    expect(short.nodes[0]?.meta?.warnings).toMatchObject([{ code: 'repeat-max' }]);
  });

  it('repeats every item by itself', async () => {
    const h = harness({ step: ({ inputs, round }) => ({ item: inputs.item, round }) });
    const result = await finished(
      h,
      validPlan({
        nodes: [
          {
            id: 'loop',
            use: 'step',
            each: '{{input.list}}',
            in: { item: '{{item}}' },
            repeat: { until: 'self.round >= self.item', max: 9 },
          },
        ],
      }),
      { input: { list: [1, 3, 2] } },
    );
    expect(result.output).toEqual({
      loop: [
        { item: 1, round: 1 },
        { item: 3, round: 3 },
        { item: 2, round: 2 },
      ],
    });
  });
});

describe('meta', () => {
  it('stands beside every output, whatever it is, and in none', async () => {
    const outputs = { object: { x: 1 }, array: [1, 2], text: 'words', number: 7, own: { meta: 'mine' } };
    const step = ({ node, inputs }: NodeCall) =>
      node.id in outputs
        ? output({ value: outputs[node.id as keyof typeof outputs], model: `m-${node.id}` })
        : { ...inputs, length: Object.keys(inputs).length };
    const ids = Object.keys(outputs);
    const makers = ids.map((id): PlanNode => ({ id, use: 'step' }));
    const reader: PlanNode = {
      id: 'reader',
      use: 'step',
      when: ids
        .map((id) => `${id}.meta.model == 'm-${id}' && has(${id}.meta) && ${id}["meta"].costUsd == 0`)
        .join(' && '),
      in: Object.fromEntries(ids.map((id) => [id, `{{${id}.meta.model}}: {{${id}}}`])),
    };
    const result = await finished(harness({ step }), plan([...makers, reader], { reader: '{{reader}}' }));
    expect(result.output).toEqual({
      reader: {
        object: 'm-object: {"x":1}',
        array: 'm-array: [1,2]',
        text: 'm-text: words',
        number: 'm-number: 7',
        own: 'm-own: {"meta":"mine"}',
        length: 5,
      },
    });
  });

  it('is a field like any other of inputs and items, and of a round in its condition', async () => {
    const step = ({ round, inputs }: NodeCall) =>
      output({ value: round ?? inputs, model: round === 2 ? 'last' : 'first' });
    const nodes: PlanNode[] = [
      { id: 'loop', use: 'step', repeat: { until: "self.meta.model == 'last'", max: 5 } },
      { id: 'each', use: 'step', each: '{{input.list}}', when: 'input.meta > 1', in: { of: '{{item.meta}}' } },
    ];
    const input = { meta: 2, list: [{ meta: 'a' }, { meta: 'b' }] };
    const result = await finished(harness({ step }), validPlan({ nodes }), { input });
    expect(result.output).toEqual({ loop: 2, each: [{ of: 'a' }, { of: 'b' }] });
  });
});

describe('the order of ends', () => {
  it('has no supersteps: unequal chains take the longest path', async () => {
    const chain = (name: string, times: readonly number[]): PlanNode[] =>
      times.map((ms, index) => ({
        id: `${name}${index}`,
        use: 'step',
        in: { ms },
        needs: index === 0 ? [] : [`${name}${index - 1}`],
      }));
    const result = await finished(scripted(), plan([...chain('a', [50, 150, 50]), ...chain('b', [150, 50, 50])]));
    expect(result.ms).toBe(250);
  });
});
