/**
 * The law of a program's own schemas: a schema of zod is run once, where its value enters; what it gives is kept as JSON, and a
 * run that goes on, a fork and a replay have that and run nothing again.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { z as mini } from 'zod/mini';
import { z as z3 } from 'zod3';
import { defineTool } from '../../src/kit/index.ts';
import { createPolyphony, type Polyphony, type PolyphonyOptions } from '../../src/polyphony.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeCard, fakeProvider } from '../../src/testing/index.ts';
import { defineStep, human, llm, t, tool, value, workflow } from '../../src/workflow/index.ts';
import { collected } from '../executor/harness.ts';
import { temporaryFolder } from '../stores/folder.ts';

const folder = temporaryFolder();
const open = (more: PolyphonyOptions = {}): Promise<Polyphony> => createPolyphony({ defaults: false, ...more });
const answering = (...answers: readonly string[]) => {
  let asked = 0;
  return fakeProvider({ script: () => answers[Math.min(asked++, answers.length - 1)] ?? '' });
};

/** One more at each run, so that a second run shows. */
const next = z.object({ n: z.number().transform((n) => n + 1) });

describe('a schema is run once', () => {
  const up = defineStep({
    name: 'up',
    input: z.object({ n: z.coerce.number() }),
    output: next,
    run: ({ n }) => ({ n: n * 10 }),
  });
  const inner = workflow({ id: 'inner', input: next })
    .node('first', up, (c) => ({ in: { n: c.input.n } }))
    .node('ask', human, (c) => ({ in: { question: t`Is ${c.first.n} right?` } }))
    .output((c) => ({ n: c.first.n, asked: c.ask.approved }));
  const outer = workflow({ id: 'outer', input: next })
    .node('before', llm, (c) => ({ in: { prompt: t`${c.input.n}` }, out: next }))
    .node('nested', inner, (c) => ({ in: { n: c.before.n } }))
    .node('after', up, (c) => ({ in: { n: c.nested.n } }))
    .output((c) => ({ given: c.input.n, answered: c.before.n, nested: c.nested.n, after: c.after.n }));
  const EXPECTED = { given: 2, answered: 41, nested: 421, after: 4211 };

  it('also when a run is suspended, goes on in another process, is forked and replayed', async () => {
    const path = join(folder, 'once.db');
    const world = () => ({ providers: [answering('{"n":40}')], stores: sqliteStores({ path }), workflows: [outer] });
    const first = await open(world());
    const asked = await first.run(outer, { n: 1 });
    expect(asked.status).toBe('suspended');
    await first.close();

    const other = await open(world());
    const done = await (await other.runs.answer(asked.runId, 'nested', 'yes')).result();
    expect(done).toMatchObject({ status: 'done', output: EXPECTED });
    const events = await collected(other.runs.replay(asked.runId));
    expect(events[0]).toMatchObject({ type: 'run-started', input: { n: 2 } });
    const fork = await other.runs.fork(asked.runId, { from: 'after' });
    expect(await fork.result()).toMatchObject({ status: 'done', output: EXPECTED });
    expect((await collected(other.runs.replay(fork.runId)))[0]).toMatchObject({ input: { n: 2 } });
    await other.close();
  });

  it('on the new input of a fork too', async () => {
    const echo = workflow({ id: 'echo', input: next })
      .node('a', value, (c) => ({ in: { n: c.input.n } }))
      .output((c) => ({ n: c.input.n }));
    const polyphony = await open();
    const { runId, output } = await polyphony.run(echo, { n: 1 });
    expect(output).toEqual({ n: 2 });
    const fork = await polyphony.runs.fork(runId, { from: 'a', input: { n: 5 } });
    expect((await fork.result()).output).toEqual({ n: 6 });
    const wrong = polyphony.runs.fork(runId, { from: 'a', input: { n: 'five' } });
    await expect(wrong).rejects.toMatchObject({ code: 'invalid-request', message: expect.stringContaining('/n ') });
    await polyphony.close();
  });

  it('for each item and each round by itself', async () => {
    const each = workflow({ id: 'each', input: z.object({ list: z.array(z.number()) }) })
      .map(
        'many',
        up,
        (c) => c.input.list,
        (n) => ({ in: { n } }),
      )
      .output((c) => c.many);
    const polyphony = await open();
    expect((await polyphony.run(each, { list: [1, 2] })).output).toEqual([{ n: 11 }, { n: 21 }]);
    await polyphony.close();
  });
});

describe.each([
  [
    'zod 4',
    z.object({
      name: z
        .string()
        .trim()
        .refine((name) => name.length > 1, 'is too short'),
      size: z.number().default(3),
    }),
  ],
  [
    'zod 3',
    z3.object({
      name: z3
        .string()
        .trim()
        .refine((name) => name.length > 1, 'is too short'),
      size: z3.number().default(3),
    }),
  ],
  [
    'the small zod',
    mini.object({
      name: mini.string().check(
        mini.trim(),
        mini.refine((name: string) => name.length > 1, 'is too short'),
      ),
      size: mini._default(mini.number(), 3),
    }),
  ],
] as const)('%s', (_name, schema) => {
  const GOOD = { name: ' Alma ', extra: true };
  const READ = { name: 'Alma', size: 3 };
  const BAD = { name: ' A ' };
  const saying = (given: unknown) => {
    const seen: unknown[] = [];
    const step = defineStep({
      name: 'look',
      input: schema as unknown as { name: 'string' },
      output: { ok: 'boolean' },
      run: (input) => {
        seen.push(input);
        return { ok: true };
      },
    });
    const flow = workflow({ id: 'flow' })
      .node('a', step, () => ({ in: given as { name: string } }))
      .output((c) => ({ ok: c.a.ok }));
    return { seen, flow };
  };

  it('acts on what a step gets and returns', async () => {
    const polyphony = await open();
    const good = saying({ name: GOOD.name });
    await polyphony.run(good.flow, {});
    expect(good.seen).toEqual([READ]);
    await polyphony.close();

    const other = await open();
    await expect(other.run(saying(BAD).flow, {})).rejects.toMatchObject({
      code: 'invalid-output',
      message: expect.stringContaining('/name is too short'),
    });
    const giving = (id: string, given: object) => {
      const make = defineStep({
        name: id,
        input: {},
        output: schema as unknown as { name: 'string' },
        run: () => given as { name: string },
      });
      return workflow({ id })
        .node('a', make, () => ({ in: {} }))
        .output((c) => c.a);
    };
    expect((await other.run(giving('good', GOOD), {})).output).toEqual(READ);
    await expect(other.run(giving('bad', BAD), {})).rejects.toThrow(/output of step "bad".*\/name is too short/);
    await other.close();
  });

  it('acts on the input of a workflow, from a caller and from a node', async () => {
    const taking = workflow({ id: 'taking', input: schema as unknown as { name: 'string' } })
      .node('a', value, (c) => ({ in: { all: c.input } }))
      .output((c) => c.a);
    const outer = workflow({ id: 'outer', input: { given: 'any' } })
      .node('w', taking, (c) => ({ in: c.input.given as unknown as { name: string } }))
      .output((c) => c.w);
    const polyphony = await open({ providers: [answering('fine')] });
    expect((await polyphony.run(taking, GOOD)).output).toEqual({ all: READ });
    await expect(polyphony.run(taking, BAD)).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining('/name is too short'),
    });
    const nested = (given: object) =>
      polyphony.run({
        version: 1,
        nodes: [{ id: 'w', use: 'workflow:taking', in: given as Record<string, unknown> }],
        output: '{{w}}',
      });
    expect(await nested({ name: ' Alma ' })).toMatchObject({ output: { all: READ } });
    await expect(nested(BAD)).rejects.toMatchObject({ code: 'invalid-request' });
    expect(outer.workflows).toEqual([taking]);
    await polyphony.close();
  });

  it('acts on the answer of a node, which is asked for again with what is wrong', async () => {
    const flow = workflow({ id: 'flow' })
      .node('a', llm, () => ({ in: { prompt: 'a boat' }, out: schema as unknown as { name: 'string' } }))
      .output((c) => c.a);
    const provider = answering(JSON.stringify(BAD), JSON.stringify(GOOD));
    const polyphony = await open({ providers: [provider] });
    expect((await polyphony.run(flow, {})).output).toEqual(READ);
    expect(provider.seen).toHaveLength(2);
    expect(JSON.stringify(provider.seen[1]?.request)).toContain('is too short');
    await polyphony.close();
    const never = await open({ providers: [answering(JSON.stringify(BAD))] });
    await expect(never.run(flow, {})).rejects.toMatchObject({ code: 'invalid-output' });
    await never.close();
  });

  it('acts on what a tool gets and returns, called by a plan and by a model', async () => {
    const seen: unknown[] = [];
    const run = async (input: unknown) => {
      seen.push(input);
      return GOOD;
    };
    const tools = [{ name: 'boat', description: 'A boat.', input: schema, output: schema, run }];
    let asked = 0;
    const call = { type: 'tool-call', id: 'c', name: 'boat', arguments: { name: ' Alma ' } } as const;
    const provider = fakeProvider({
      models: [fakeCard({ id: 'one', capabilities: ['text', 'tools', 'streaming'] })],
      script: () =>
        asked++ > 0
          ? 'fine'
          : [
              { type: 'tool-call', call },
              { type: 'finish', reason: 'tool-calls', usage: { input: 1, output: 1 } },
            ],
    });
    const polyphony = await open({ plugins: [{ name: 'boats', tools }], providers: [provider] });
    const planned = (given: object) =>
      polyphony.run({
        version: 1,
        nodes: [{ id: 'a', use: 'tool:boat', in: given as Record<string, unknown> }],
        output: '{{a}}',
      });
    expect(await planned({ name: ' Alma ' })).toMatchObject({ output: READ });
    await expect(planned(BAD)).rejects.toThrow(/input of tool boat .*is too short/);
    expect(
      await polyphony.run({
        version: 1,
        nodes: [{ id: 'a', use: 'llm', in: { prompt: 'go', tools: ['boat'] } }],
        output: '{{a.text}}',
      }),
    ).toMatchObject({ output: 'fine' });
    expect(JSON.stringify(provider.seen[1]?.request)).toContain(JSON.stringify(JSON.stringify(READ)));
    expect(seen).toEqual([READ, READ]);
    expect(polyphony.catalogue().steps.get('tool:boat')).toMatchObject({
      input: { type: 'object' },
      output: { type: 'object' },
    });
    await polyphony.close();
  });
});

describe('what JSON has no form for', () => {
  const at = new Date(Date.UTC(2026, 4, 17));
  const Event = z.object({ at: z.date() });

  it('a date is a text to references and the journal, and a date to steps', async () => {
    const seen: unknown[] = [];
    const make = defineStep({ name: 'make', input: {}, output: Event, run: () => ({ at }) });
    const take = defineStep({
      name: 'take',
      input: Event,
      output: z.object({ year: z.number() }),
      run: (input) => {
        seen.push(input.at);
        return { year: input.at.getUTCFullYear() };
      },
    });
    const flow = workflow({ id: 'flow', input: Event })
      .node('made', make, () => ({ in: {} }))
      .node('taken', take, (c) => ({ in: { at: c.made.at } }))
      .node('again', take, (c) => ({ in: { at: c.input.at } }))
      .output((c) => ({ at: c.made.at, given: c.input.at, year: c.taken.year, text: t`on ${c.made.at}` }));
    const polyphony = await open();
    const { output } = await polyphony.run(flow, { at });
    const text = at.toISOString();
    expect(output).toEqual({ at: text, given: text, year: 2026, text: `on ${text}` });
    expect(seen).toEqual([at, at]);
    expect(flow.plan.input).toEqual({
      type: 'object',
      properties: { at: { type: 'string', format: 'date-time' } },
      required: ['at'],
    });
    await polyphony.close();
  });

  it.each([
    ['a Map', new Map()],
    ['a bigint', 1n],
    ['the number NaN', Number.NaN],
    ['a function', () => 1],
  ])('%s is refused with the node', async (kind, given) => {
    const make = defineStep({ name: 'make', input: {}, output: z.object({ v: z.any() }), run: () => ({ v: given }) });
    const flow = workflow({ id: 'flow' })
      .node('made', make, () => ({ in: {} }))
      .output((c) => c.made);
    const polyphony = await open();
    await expect(polyphony.run(flow, {})).rejects.toThrow(new RegExp(`made .*${kind}`));
    await polyphony.close();
  });
});

describe('a transform of the whole', () => {
  it('gives what references then see, though nobody knows it before', async () => {
    const Pair = z.object({ a: z.number() }).transform(({ a }) => ({ b: a + 1, list: [a] }));
    const step = defineStep({ name: 'pair', input: Pair, output: Pair, run: ({ b }) => ({ a: b }) });
    const flow = workflow({ id: 'whole', input: Pair })
      .node('s', step, (c) => ({ in: { a: c.input.b } }))
      .node('m', llm, (c) => ({ in: { prompt: t`${c.s.b}` }, out: Pair }))
      .map(
        'each',
        step,
        (c) => c.m.list,
        (a) => ({ in: { a } }),
      )
      .output((c) => ({ given: c.input.b, s: c.s.b, m: c.m.b, each: c.each }));
    const polyphony = await open({ providers: [answering('{"a":7}')], workflows: [flow] });
    const EXPECTED = { given: 2, s: 4, m: 8, each: [{ b: 9, list: [8] }] };
    expect((await polyphony.run(flow, { a: 1 })).output).toEqual(EXPECTED);
    const nested = { version: 1, nodes: [{ id: 'w', use: 'workflow:whole', in: { a: 1 } }], output: '{{w}}' } as const;
    expect(await polyphony.run(nested)).toMatchObject({ output: EXPECTED });
    await polyphony.close();
  });
});

describe('patterns and formats of a workflow', () => {
  const Contact = z.object({ mail: z.email(), code: z.string().regex(/^[A-Z]{2}-\d+$/) });
  const flow = workflow({ id: 'contact', input: Contact })
    .node('a', llm, (c) => ({ in: { prompt: c.input.mail }, out: z.object({ code: Contact.shape.code }) }))
    .node('b', value, () => ({
      in: { id: 'x7' },
      out: { type: 'object', properties: { id: { type: 'string', pattern: '^x' } }, required: ['id'] },
    }))
    .output((c) => ({ code: c.a.code }));

  it('hold, although a plan may have none', async () => {
    const provider = answering('{"code":"wrong"}', '{"code":"AB-1"}');
    const polyphony = await open({ providers: [provider] });
    expect(JSON.stringify(flow.plan)).not.toContain('pattern');
    const { output } = await polyphony.run(flow, { mail: 'a@example.com', code: 'ZZ-9' });
    expect(output).toEqual({ code: 'AB-1' });
    expect(provider.seen).toHaveLength(2);
    await expect(polyphony.run(flow, { mail: 'a@example.com', code: 'zz' })).rejects.toThrow(/\/code /);
    await polyphony.close();
  });

  it('are still refused in a plan from outside, also under the id of that workflow', async () => {
    const polyphony = await open({ providers: [answering('{"code":"AB-1"}')], workflows: [flow] });
    const input = { type: 'object', properties: { code: { type: 'string', pattern: '(a+)+$' } } };
    const { plan, issues } = await polyphony.validate({ ...flow.plan, input });
    expect(plan).toBeUndefined();
    expect(issues.map(({ code }) => code)).toContain('schema.unsafe');
    await polyphony.close();
  });
});

describe('a schema with code of its own', () => {
  it('may wait for it, and its failure is the failure of the node', async () => {
    const slow = z.object({
      n: z
        .number()
        .refine(async (n) => n > 0, 'must be positive')
        .transform(async (n) => n * 2),
    });
    const twice = defineStep({ name: 'twice', input: slow, output: slow, run: ({ n }) => ({ n }) });
    const flow = workflow({ id: 'slow', input: slow })
      .node('a', twice, (c) => ({ in: { n: c.input.n } }))
      .output((c) => ({ n: c.a.n }));
    const polyphony = await open();
    expect((await polyphony.run(flow, { n: 1 })).output).toEqual({ n: 8 });
    await expect(polyphony.run(flow, { n: -1 })).rejects.toThrow(/\/n must be positive/);
    const broken = z.string().transform(() => {
      throw new Error('no luck');
    });
    const bad = workflow({ id: 'bad', input: z.object({ s: broken }) })
      .node('a', value, () => ({ in: {} }))
      .output(() => null);
    await expect(polyphony.run(bad, { s: 'x' })).rejects.toThrow(/schema itself failed .*no luck/);
    await polyphony.close();
  });
});

describe('defineTool', () => {
  it('gives a function the types of its schemas', async () => {
    const stock = defineTool({
      name: 'stock',
      description: 'Pieces of an article.',
      input: z.object({ article: z.string().toUpperCase(), least: z.number().default(1) }),
      output: z.object({ pieces: z.number().transform((pieces) => `${pieces} pieces`) }),
      run: ({ article, least }) => ({ pieces: article.length + least }),
    });
    const flow = workflow({ id: 'flow' })
      .node('a', tool<{ article: string }, { pieces: string }>('stock'), () => ({ in: { article: 'lamp' } }))
      .output((c) => ({ pieces: c.a.pieces }));
    const polyphony = await open({ plugins: [{ name: 'store', tools: [stock] }] });
    expect((await polyphony.run(flow, {})).output).toEqual({ pieces: '5 pieces' });
    await polyphony.close();
  });
});
