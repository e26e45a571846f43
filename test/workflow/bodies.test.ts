/** Loops and lists whose body has several nodes. */
import { afterEach, describe, expect, it } from 'vitest';
import { createPolyphony, defineStep, eq, gte, type Polyphony, t, tool, value, workflow } from '../../src/index.ts';
import { fakeProvider } from '../../src/testing/index.ts';

const opened: Polyphony[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((polyphony) => polyphony.close()));
});
const open = async (): Promise<Polyphony> => {
  const add = {
    name: 'add_one',
    description: 'Adds one.',
    input: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
    output: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
    run: async ({ n }: Readonly<Record<string, unknown>>) => ({ n: Number(n) + 1 }),
  };
  const plugins = [{ name: 'adding', tools: [add] }];
  const polyphony = await createPolyphony({ providers: [fakeProvider({ script: () => 'x' })], plugins });
  opened.push(polyphony);
  return polyphony;
};

const addOne = tool<{ readonly n: number }, { readonly n: number }>('add_one');

const counting = workflow({ id: 'counting', input: { from: 'integer', names: 'string[]' } })
  .node('base', addOne, (c) => ({ in: { n: c.input.from } }))
  .repeat('rounds', { start: (c) => ({ n: c.base.n, word: 'none' }), until: (s) => gte(s.n, 6), max: 9 }, (r) =>
    r
      .node('next', addOne, (c) => ({ in: { n: c.input.n } }))
      .node('again', addOne, (c) => ({ in: { n: c.next.n } }))
      .output((c) => ({ n: c.again.n, word: t`after ${c.input.word}` })),
  )
  .each(
    'rows',
    (c) => c.input.names,
    { with: (c) => ({ total: c.rounds.n }), limits: { concurrency: 2 } },
    (name, b, index) =>
      b
        .node('more', addOne, () => ({ in: { n: index } }))
        .node('line', value, (c) => ({ in: { said: t`${name} ${c.more.n} of ${c.input.total}` } }))
        .output((c) => ({ name, line: c.line })),
  )
  .output((c) => ({ n: c.rounds.n, word: c.rounds.word, rows: c.rows }));

describe('a loop and a list with bodies', () => {
  it('are workflows of the plan, and nodes that run them', async () => {
    const { plan } = counting;
    expect(plan.workflows).toEqual({
      rounds: {
        input: { state: 'any' },
        nodes: [
          { id: 'next', use: 'tool:add_one', in: { n: '{{input.state.n}}' } },
          { id: 'again', use: 'tool:add_one', in: { n: '{{next.n}}' } },
        ],
        output: { n: '{{again.n}}', word: 'after {{input.state.word}}' },
      },
      rows: {
        input: { item: 'any', index: 'integer', with: 'any' },
        nodes: [
          { id: 'more', use: 'tool:add_one', in: { n: '{{input.index}}' } },
          { id: 'line', use: 'value', in: { said: '{{input.item}} {{more.n}} of {{input.with.total}}' } },
        ],
        output: { name: '{{input.item}}', line: '{{line}}' },
      },
    });
    expect(plan.nodes.slice(1)).toEqual([
      { id: 'rounds_start', use: 'value', in: { n: '{{base.n}}', word: 'none' } },
      {
        id: 'rounds',
        use: 'workflow:rounds',
        in: { state: '{{prev ?? rounds_start}}' },
        repeat: { until: 'self.n >= 6', max: 9 },
      },
      {
        id: 'rows',
        use: 'workflow:rows',
        each: '{{input.names}}',
        in: { item: '{{item}}', index: '{{index}}', with: { total: '{{rounds.n}}' } },
        limits: { concurrency: 2 },
      },
    ]);
    expect((await (await open()).validate(plan, { repair: false })).issues).toEqual([]);
  });

  it('run: each round goes on from the one before, each item has its own', async () => {
    const { output } = await (await open()).run(counting, { from: 1, names: ['a', 'b'] });
    expect(output).toMatchObject({
      n: 6,
      word: 'after after none',
      rows: [
        { name: 'a', line: { said: 'a 1 of 6' } },
        { name: 'b', line: { said: 'b 2 of 6' } },
      ],
    });
    const fromJson = await (await open()).run(JSON.parse(JSON.stringify(counting.plan)), {
      from: 1,
      names: ['a', 'b'],
    });
    expect(fromJson).toMatchObject({ output });
  });

  it('start from a node, keep null, and need no index where nobody reads it', async () => {
    const flow = workflow({ id: 'flow' })
      .node('first', value, () => ({ in: { n: 1 }, out: { n: 'integer', left: 'string?' } }))
      .repeat('turns', { start: (c) => c.first, until: (s) => gte(s.n, 3), max: 5 }, (r) =>
        r.node('up', addOne, (c) => ({ in: { n: c.input.n } })).output((c) => ({ n: c.up.n, left: c.input.left })),
      )
      .node('listed', value, () => ({ in: { of: ['x'] }, out: { of: 'string[]' } }))
      .each(
        'items',
        (c) => c.listed.of,
        (item, b) => b.node('v', value, () => ({ in: { item } })).output((c) => ({ v: c.v })),
      )
      .output((c) => ({ n: c.turns.n, left: c.turns.left, items: c.items }));
    expect(flow.plan.nodes.map(({ id }) => id)).toEqual(['first', 'turns', 'listed', 'items']);
    expect(flow.plan.nodes[1]?.in).toEqual({ state: '{{prev ?? first}}' });
    expect(flow.plan.nodes[3]?.in).toEqual({ item: '{{item}}' });
    expect(flow.plan.workflows?.items?.input).toEqual({ item: 'any' });
    expect((await (await open()).run(flow, {})).output).toMatchObject({
      n: 3,
      left: null,
      items: [{ v: { item: 'x' } }],
    });
  });

  it('nest, and two of one name in two workflows never meet', async () => {
    const of = (id: string, word: string) =>
      workflow({ id })
        .repeat(
          'outer',
          (r) =>
            r
              .repeat(
                'inner',
                (s) => s.node('up', addOne, (c) => ({ in: { n: c.input.n } })).output((c) => ({ n: c.up.n })),
                { start: { n: 0 }, until: (s) => gte(s.n, 2), max: 5 },
              )
              .node('sum', addOne, (c) => ({ in: { n: c.input.n } }))
              .output((c) => ({ n: c.sum.n, inner: c.inner.n, word })),
          { start: { n: 0, inner: 0, word: '' }, until: (s) => eq(s.n, 2), max: 3 },
        )
        .output((c) => ({ n: c.outer.n, inner: c.outer.inner, word: c.outer.word }));
    const polyphony = await open();
    expect(Object.keys(of('p', 'x').plan.workflows ?? {})).toEqual(['inner', 'outer']);
    expect((await polyphony.run(of('p', 'one'), {})).output).toEqual({ n: 2, inner: 2, word: 'one' });
    expect((await polyphony.run(of('q', 'two'), {})).output).toEqual({ n: 2, inner: 2, word: 'two' });
  });

  it('may have steps of their own: then the body is registered with the workflow', async () => {
    const double = defineStep({
      name: 'double',
      input: { n: 'number' },
      output: { n: 'number' },
      run: async ({ n }: { n: number }) => ({ n: n * 2 }),
    });
    const flow = workflow({ id: 'flow' })
      .repeat('turns', (r) => r.node('d', double, (c) => ({ in: { n: c.input.n } })).output((c) => ({ n: c.d.n })), {
        start: { n: 1 },
        until: (s) => gte(s.n, 8),
        max: 9,
      })
      .output((c) => ({ n: c.turns.n }));
    expect(flow.plan.nodes.at(-1)?.use).toBe('workflow:flow-turns');
    expect((await (await open()).run(flow, {})).output).toEqual({ n: 8 });
  });

  it('say which node they are where what they run over is no reference', () => {
    const build = () =>
      workflow({ id: 'x' }).each(
        'rows',
        () => ['a'] as never,
        (_item, b) => b.node('v', value, () => ({ in: {} })).output(() => null),
      );
    expect(build).toThrow(/"rows" must map over a reference/);
  });
});
