/** What a program's own schemas do with values that JSON lacks, with transforms, patterns and code of their own. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineTool } from '../../src/kit/index.ts';
import { createPolyphony, type Polyphony, type PolyphonyOptions } from '../../src/polyphony.ts';
import { fakeProvider } from '../../src/testing/index.ts';
import { defineStep, llm, t, tool, value, workflow } from '../../src/workflow/index.ts';

const open = (more: PolyphonyOptions = {}): Promise<Polyphony> => createPolyphony({ defaults: false, ...more });
const answering = (...answers: readonly string[]) => {
  let asked = 0;
  return fakeProvider({ script: () => answers[Math.min(asked++, answers.length - 1)] ?? '' });
};

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
