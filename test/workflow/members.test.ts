/** What a workflow uses becomes a part of its plan, so that the plan alone is enough; what needs code stays outside. */
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  createPolyphony,
  defineStep,
  human,
  llm,
  type Plan,
  type Polyphony,
  t,
  value,
  workflow,
} from '../../src/index.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeProvider } from '../../src/testing/index.ts';

const opened: Polyphony[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((polyphony) => polyphony.close()));
});
const open = async (options: Parameters<typeof createPolyphony>[0] = {}): Promise<Polyphony> => {
  const polyphony = await createPolyphony({ providers: [fakeProvider({ script: () => '{"n":4}' })], ...options });
  opened.push(polyphony);
  return polyphony;
};

const saying = (id: string, word: string) =>
  workflow({ id, goal: `Say ${word}`, input: { name: 'string' } })
    .node('line', value, (c) => ({ in: { text: t`${word} ${c.input.name}` }, out: { text: 'string' } }))
    .output((c) => ({ text: c.line.text }));

const greet = saying('greet', 'hello');
const twice = workflow({ id: 'twice', input: { name: 'string' } })
  .node('one', greet, (c) => ({ in: { name: c.input.name } }))
  .node('two', greet, (c) => ({ in: { name: c.one.text } }))
  .output((c) => ({ text: c.two.text }));

const fresh = (plan: Plan): Plan => JSON.parse(JSON.stringify(plan)) as Plan;

describe('the plan of a workflow with workflows in it', () => {
  const outer = workflow({ id: 'outer', input: { names: 'string[]' } })
    .map(
      'every',
      twice,
      (c) => c.input.names,
      (name) => ({ in: { name } }),
    )
    .node('last', greet, () => ({ in: { name: 'you' } }))
    .output((c) => ({ every: c.every, last: c.last.text }));

  it('holds each once, before those that use it', async () => {
    expect(Object.keys(outer.plan.workflows ?? {})).toEqual(['greet', 'twice']);
    const { version: _version, id: _id, ...inside } = greet.plan;
    expect(outer.plan.workflows?.greet).toEqual(inside);
    expect(outer.plan.nodes.map(({ use }) => use)).toEqual(['workflow:twice', 'workflow:greet']);
    expect((await (await open()).validate(outer.plan)).issues).toEqual([]);
  });

  it('runs and resumes in a process that has nothing but the JSON', async () => {
    const stores = memoryStores();
    const asking = workflow({ id: 'asking', input: { name: 'string' } })
      .node('ask', human, (c) => ({ in: { question: t`Is ${c.input.name} there?` } }))
      .node('said', greet, (c) => ({ in: { name: t`${c.ask.answer}` } }))
      .output((c) => ({ text: c.said.text }));
    const { plan } = workflow({ id: 'door' })
      .node('knock', asking, () => ({ in: { name: 'Ada' } }))
      .output((c) => ({ text: c.knock.text }));
    const first = await createPolyphony({
      providers: [fakeProvider({})],
      stores: { ...stores, close: async () => {} },
    });
    const waiting = await first.run(fresh(plan), {}, { runId: 'run_door' });
    expect(waiting.status).toBe('suspended');
    await first.close();
    const second = await open({ stores });
    const done = await (await second.runs.answer('run_door', 'knock', 'yes')).result();
    expect(done).toMatchObject({ status: 'done' });
    expect(JSON.stringify(done.output)).toContain('hello yes');
    expect((await second.validate(fresh(plan))).plan?.hash).toBe((await second.validate(plan)).plan?.hash);
  });

  it('stays as it was where nothing is nested', () => {
    expect(greet.plan).not.toHaveProperty('workflows');
    expect(greet.members?.size ?? 0).toBe(0);
  });

  it('holds two of one name under two names, with the uses inside of each', async () => {
    const left = workflow({ id: 'left' })
      .node('a', saying('same', 'left'), () => ({ in: { name: 'x' } }))
      .output((c) => ({ text: c.a.text }));
    const right = workflow({ id: 'right' })
      .node('a', saying('same', 'right'), () => ({ in: { name: 'x' } }))
      .output((c) => ({ text: c.a.text }));
    const both = workflow({ id: 'both' })
      .node('l', left, () => ({ in: {} }))
      .node('r', right, () => ({ in: {} }))
      .output((c) => ({ l: c.l.text, r: c.r.text }));
    expect(Object.keys(both.plan.workflows ?? {})).toEqual(['same', 'left', 'same-2', 'right']);
    const { output } = await (await open()).run(both, {});
    expect(JSON.stringify(output)).toMatch(/left x.*right x/);
  });

  it('never meets that of another workflow in one process', async () => {
    const of = (id: string, word: string) =>
      workflow({ id })
        .node('a', saying('common', word), () => ({ in: { name: 'x' } }))
        .output((c) => ({ text: c.a.text }));
    const polyphony = await open({ workflows: [of('p', 'one') as never, of('q', 'two') as never] });
    for (const [id, word] of [
      ['p', 'one'],
      ['q', 'two'],
      ['p', 'one'],
    ] as const) {
      expect(JSON.stringify((await polyphony.run(of(id, word), {})).output)).toContain(`${word} x`);
    }
    // A plan of an earlier version names one of them, and nobody can tell which.
    const old: Plan = { version: 1, nodes: [{ id: 'a', use: 'workflow:common', in: { name: 'y' } }] };
    expect((await polyphony.validate(old, { repair: false })).issues[0]?.code).toBe('use.unknown');
  });

  it('of an earlier version, which held nothing, still runs and resumes beside it', async () => {
    const polyphony = await open({ workflows: [outer as never] });
    const { workflows: _workflows, ...old } = outer.plan;
    const result = await polyphony.run(fresh(old), { names: ['a'] });
    expect(result.status).toBe('done');
  });
});

describe('a workflow that needs code', () => {
  const shout = defineStep({
    name: 'shout',
    input: { text: 'string' },
    output: { loud: 'string' },
    run: async ({ text }: { text: string }) => ({ loud: text.toUpperCase() }),
  });

  it('stays outside with its id, and whatever uses it too', async () => {
    const loud = workflow({ id: 'greet', input: { name: 'string' } })
      .node('s', shout, (c) => ({ in: { text: c.input.name } }))
      .output((c) => ({ text: c.s.loud }));
    const around = workflow({ id: 'around', input: { name: 'string' } })
      .node('s', loud, (c) => ({ in: { name: c.input.name } }))
      .output((c) => ({ text: c.s.text }));
    const mixed = workflow({ id: 'mixed' })
      .node('own', greet, () => ({ in: { name: 'a' } }))
      .node('code', around, () => ({ in: { name: 'b' } }))
      .node('loud', loud, () => ({ in: { name: 'c' } }))
      .output((c) => ({ own: c.own.text, code: c.code.text, loud: c.loud.text }));
    expect(mixed.plan.nodes.map(({ use }) => use)).toEqual(['workflow:greet-2', 'workflow:around', 'workflow:greet']);
    const { output } = await (await open()).run(mixed, {});
    expect(output).toMatchObject({ own: expect.stringContaining('hello a'), code: 'B', loud: 'C' });
  });

  it('such as a schema that fills in or converts its input, stays outside', async () => {
    const filled = workflow({ id: 'filled', input: z.object({ n: z.number().default(3) }) })
      .node('v', value, (c) => ({ in: { n: c.input.n } }))
      .output((c) => ({ n: c.v.n }));
    const around = workflow({ id: 'around' })
      .node('f', filled as never, () => ({ in: {} as never }))
      .output((c) => ({ f: c.f }));
    expect(around.plan).not.toHaveProperty('workflows');
    expect((await (await open()).run(around, {})).output).toEqual({ f: { n: 3 } });
  });

  it('in schemas that only refuse is held, and they are run where it was built', async () => {
    const strict = workflow({
      id: 'strict',
      input: z.object({ word: z.string().refine((word) => word !== 'no', 'is refused') }),
    })
      .node('a', llm, (c) => ({
        in: { prompt: t`${c.input.word}` },
        out: z.object({ n: z.number().refine((n) => n > 3, 'is too small') }),
      }))
      .output((c) => ({ n: c.a.n }));
    const of = (word: string) =>
      workflow({ id: 'outer' })
        .node('s', strict, () => ({ in: { word } }))
        .output((c) => ({ n: c.s.n }));
    expect(Object.keys(of('yes').plan.workflows ?? {})).toEqual(['strict']);
    const polyphony = await open();
    expect((await polyphony.run(of('yes'), {})).output).toEqual({ n: 4 });
    const other = await open();
    await expect(other.run(of('no'), {})).rejects.toThrow('is refused');
    const small = await open({ providers: [fakeProvider({ script: () => '{"n":2}' })] });
    await expect(small.run(of('yes'), {})).rejects.toThrow('is too small');
  });

  it('in more nodes than a plan may have stays outside as well', () => {
    let many = workflow({ id: 'many' }) as never as { node: typeof addNode; output: (build: () => unknown) => never };
    const addNode = (_id: string, _step: unknown, _build: unknown): typeof many => many;
    for (let index = 0; index < 200; index += 1) many = many.node(`n${index}`, value, () => ({ in: { index } }));
    const wide = many.output(() => ({ all: 1 }));
    let around = workflow({ id: 'around' }) as never as typeof many;
    for (let index = 0; index < 60; index += 1) around = around.node(`w${index}`, wide, () => ({ in: {} }));
    expect((around.output(() => null) as { plan: Plan }).plan).not.toHaveProperty('workflows');
  });
});
