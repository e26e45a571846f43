import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PlanSchema } from '../../src/core/plan/plan-schema.ts';
import { renderValue } from '../../src/language/template.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import {
  and,
  coalesce,
  defineStep,
  eq,
  gt,
  hasItems,
  isPresent,
  llm,
  not,
  previous,
  t,
  tool,
  workflow,
} from '../../src/workflow/index.ts';
import { triage } from './workflow.types.ts';

const base = workflow({ id: 'base', input: z.object({ text: z.string(), score: z.number() }) });

describe('the builder', () => {
  it('names the conversation of a node by a key, a reference or a template', () => {
    const threads = base
      .node('plain', llm, () => ({ in: { prompt: 'Hi' }, thread: 'ann {{' }))
      .node('referred', llm, (c) => ({ in: { prompt: 'Hi' }, thread: c.input.text }))
      .node('bounded', llm, (c) => ({
        in: { prompt: 'Hi' },
        thread: { key: t`of ${c.input.text}`, last: 4, summarise: true },
      }))
      .output((c) => c.bounded.text)
      .plan.nodes.map(({ thread }) => thread);
    expect(threads).toEqual(['ann {{{{', '{{input.text}}', { key: 'of {{input.text}}', last: 4, summarise: true }]);
  });

  it('emits the JSON that a planner would write', () => {
    expect(PlanSchema.parse(triage.plan)).toEqual(triage.plan);
    expect(triage.plan).toEqual({
      version: 1,
      id: 'triage',
      input: { ticket: 'string', lang: 'en|de' },
      budget: { usd: 0.05 },
      nodes: [
        {
          id: 'kind',
          use: 'llm',
          in: { prompt: 'Classify: {{input.ticket}}' },
          model: { tier: 'fast' },
          out: { label: 'billing|tech', confidence: 'number' },
          escalate: { evaluator: 'validators', below: 0.7, to: ['premium'] },
        },
        { id: 'docs', use: 'tool:search', in: { query: '{{input.ticket}}' } },
        {
          id: 'notes',
          use: 'llm',
          each: '{{docs.hits}}',
          in: { prompt: 'Summarise {{item}} for {{kind.label}}' },
          limits: { concurrency: 4 },
        },
        { id: 'bill', use: 'llm', when: 'kind.label == "billing"', in: { prompt: 'Refund: {{notes}}' } },
        { id: 'tech', use: 'llm', when: 'kind.label == "tech"', in: { prompt: 'Fix: {{notes}}' } },
      ],
      output: {
        answer: '{{bill.text ?? tech.text}}',
        maybe: '{{bill.text}}',
        label: '{{kind.label}}',
        first: '{{notes[0].text}}',
        cost: '{{kind.meta.costUsd}}',
      },
    });
  });

  it('compiles conditions to CEL and rounds to repeat', () => {
    const { plan } = base
      .node(
        'a',
        llm,
        (c) => ({
          when: and(gt(c.input.score, 0.5), not(eq(c.input.text, 'say "no"'))),
          in: { prompt: t`${c.input.text} ${previous<{ s: number }>().s}` },
          out: { s: 'number' },
        }),
        { repeat: (self) => ({ until: gt(self.s, 0.8), max: 3 }) },
      )
      .output((c) => c.a);
    expect(plan.nodes[0]).toMatchObject({
      when: '(input.score > 0.5) && (!(input.text == "say \\"no\\""))',
      repeat: { until: 'self.s > 0.8', max: 3 },
      in: { prompt: '{{input.text}} {{prev.s}}' },
    });
    expect(plan.output).toBe('{{a}}');
  });

  it('keeps literal braces literal, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('{', '}', 'a', ' ', '?', '.') }), (text) => {
        const { plan } = base.node('a', llm, () => ({ in: { prompt: text } })).output(() => ({ x: text }));
        expect(renderValue(plan.nodes[0]?.in?.prompt, () => 'leaked')).toBe(text);
        expect(renderValue(plan.output, () => 'leaked')).toEqual({ x: text });
      }),
    );
  });

  it('writes a key that is no name in brackets', () => {
    const page = defineStep({
      name: 'page',
      input: z.object({}),
      output: z.object({ 'first name': z.string(), größe: z.number(), 'a}}b': z.string(), 'x-y': z.string() }),
      run: () => ({ 'first name': 'Ada', größe: 3, 'a}}b': 'braces', 'x-y': 'hyphen' }),
    });
    const { plan } = workflow({ id: 'keys' })
      .node('p', page, () => ({ in: {} }))
      .output(({ p }) => ({ a: p['first name'], b: p.größe, c: p['a}}b'], d: p['x-y'] }));
    expect(plan.output).toEqual({
      a: '{{p["first name"]}}',
      b: '{{p.größe}}',
      c: '{{p["a\\u007d\\u007db"]}}',
      d: '{{p.x-y}}',
    });
    const values = { 'first name': 'Ada', größe: 3, 'a}}b': 'braces', 'x-y': 'hyphen' };
    expect(renderValue(plan.output, () => values)).toEqual({ a: 'Ada', b: 3, c: 'braces', d: 'hyphen' });
  });

  it('refuses bad ids with the rule, where the compiler did not see them', () => {
    const id: string = 'Not An Id';
    expect(() => base.node(id, llm, () => ({ in: { prompt: 'x' } }))).toThrow(/"Not An Id".*unique/);
    expect(() => workflow({ id: 'x y' })).toThrow(/"x y"/);
    expect(() => defineStep({ name: 'A', input: {}, output: {}, run: () => ({}) })).toThrow(/"A"/);
  });

  it('refuses a reference that is made into text without the tag', () => {
    for (const text of [
      (c: unknown) => `Read ${c}`,
      (c: unknown) => String(c),
      (c: unknown) => JSON.stringify({ c }),
      (c: unknown) => `${[c]}`,
    ])
      expect(() => base.node('a', llm, (c) => ({ in: { prompt: text(c.input.text) } }))).toThrow(
        /input\.text .*write t`/,
      );
  });

  it('leaves the builder it came from as it was', () => {
    const first = base.node('a', llm, () => ({ in: { prompt: 'x' } }));
    first.node('b', llm, () => ({ in: { prompt: 'y' } }));
    expect(first.output(() => null).plan.nodes).toHaveLength(1);
  });

  it('carries its own steps and inner workflows along', () => {
    const shout = defineStep({
      name: 'shout',
      input: z.object({ text: z.string() }),
      output: z.object({ loud: z.string() }),
      run: ({ text }) => ({ loud: text.toUpperCase() }),
    });
    const inner = base.node('s', shout, (c) => ({ in: { text: c.input.text } })).output((c) => ({ loud: c.s.loud }));
    const outer = workflow({ id: 'outer' })
      .node('i', inner, () => ({ in: { text: 'a', score: 1 } }))
      .output((c) => c.i);
    expect(inner.steps.map((step) => step.type.use)).toEqual(['shout']);
    expect(outer.workflows).toEqual([inner]);
    expect(outer.plan.nodes[0]?.use).toBe('workflow:base');
  });

  it('checks what a step of its own receives and returns', async () => {
    const half = defineStep({
      name: 'half',
      input: z.object({ n: z.number() }),
      output: z.object({ n: z.int() }),
      run: ({ n }) => ({ n: n / 2 }),
    });
    const call = { signal: new AbortController().signal, idempotencyKey: 'k' };
    const run = (n: unknown) =>
      half.definition?.run({ ...call, inputs: { n } } as unknown as Parameters<typeof half.definition.run>[0]);
    await expect(run(4)).resolves.toMatchObject({ value: { n: 2 } });
    await expect(run(3)).rejects.toMatchObject({
      code: 'invalid-output',
      message: expect.stringContaining('output of step "half"'),
    });
    await expect(run('x')).rejects.toMatchObject({ message: expect.stringContaining('input of step "half"') });
  });

  it('leaves out an optional input that is not there', async () => {
    const step = defineStep({
      name: 'greet',
      input: z.object({ name: z.string(), title: z.string().optional() }),
      output: z.object({ text: z.string() }),
      run: ({ name, title = 'friend' }) => ({ text: `${title} ${name}` }),
    });
    const greeting = workflow({ id: 'greeting', input: z.object({ name: z.string(), title: z.string().optional() }) })
      .node('hello', step, (c) => ({ in: { name: c.input.name, title: c.input.title } }))
      .output((c) => c.hello.text);
    const polyphony = await createPolyphony({ plugins: [] });
    try {
      expect((await polyphony.run(greeting, { name: 'Ada' })).output).toBe('friend Ada');
      expect((await polyphony.run(greeting, { name: 'Ada', title: 'Countess' })).output).toBe('Countess Ada');
    } finally {
      await polyphony.close();
    }
  });

  it('writes fallbacks, presence and sizes', () => {
    const list = tool<Record<never, never>, { readonly files: readonly string[] }>('list_files');
    const { plan } = base
      .node('files', list, () => ({ in: {} }))
      .node('a', llm, (c) => ({ when: hasItems(c.files.files), in: { prompt: 'x' } }))
      .node('b', llm, (c) => ({ when: isPresent(c.a.text), in: { prompt: 'x' } }))
      .output((c) => coalesce(c.b.text, c.a.text, c.input.text));
    expect(plan.nodes[1]?.when).toBe('size(files.files) >= 1');
    expect(plan.nodes[2]?.when).toBe('a.text != null');
    expect(plan.output).toBe('{{b.text ?? a.text ?? input.text}}');
  });
});
