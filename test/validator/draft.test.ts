import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DraftNode } from '../../src/core/plan/plan.ts';
import type { Catalogue } from '../../src/core/plan/validation.ts';
import { emptyPlan, openDraft } from '../../src/validator/draft.ts';
import { validate } from '../../src/validator/validate.ts';
import { catalogue, SEARCH } from './catalogue.ts';

const ALL = catalogue({ steps: [{ ...SEARCH, use: 'tool:look', sideEffects: false }] });

function drafted(text: string, size = 7, of: Catalogue = ALL): DraftNode[] {
  const draft = openDraft(of);
  const nodes: DraftNode[] = [];
  for (let at = 0; at < text.length; at += size) nodes.push(...draft.push(text.slice(at, at + size)));
  return nodes;
}

const plan = (nodes: readonly unknown[], more: object = {}): string =>
  JSON.stringify({ version: 1, input: { ticket: 'string' }, budget: { usd: 0.5 }, ...more, nodes, output: 'x' });
const ids = (nodes: readonly DraftNode[]): string[] => nodes.map(({ valid }) => valid.node.id);
const llm = (id: string, prompt: string, more: object = {}) => ({ id, use: 'llm', in: { prompt, ...more } });

describe('a draft', () => {
  it('hands over each node as it closes, as the whole plan has it', () => {
    const text = plan([
      llm('a', 'Classify {{input.ticket}}'),
      { id: 'b', use: 'tool:search', in: { query: '{{a.text}}' }, needs: ['a'] },
      { id: 'c', use: 'llm', each: '{{b.hits}}', in: { prompt: '{{item.title}}' }, when: 'a.text != ""' },
    ]);
    const nodes = drafted(text, 1);
    const whole = validate(text, ALL).plan?.nodes ?? [];
    expect(nodes).toHaveLength(3);
    nodes.forEach(({ valid }, index) => {
      const { priority: _, ...same } = whole[index] ?? { priority: 0 };
      expect(valid).toMatchObject(same);
    });
  });

  it('knows the head of the plan by then', () => {
    const draft = openDraft(ALL);
    draft.push('{"version":1,"input":{"ticket":"string"},"budget":{"usd":0.5},"nodes":[');
    expect(draft.head).toEqual({ input: { ticket: 'string' }, budget: { usd: 0.5 } });
  });

  it('does not let a node start early that remembers', () => {
    const nodes = drafted(plan([{ ...llm('a', 'x'), thread: '{{input.ticket}}' }]));
    expect(nodes.map(({ valid, mayStart }) => [valid.node.id, mayStart])).toEqual([['a', false]]);
  });

  it('lets start early what has no side effects, nor tools that may have some', () => {
    const nodes = [
      llm('a', 'x'),
      llm('b', 'x', { tools: ['look'] }),
      llm('c', 'x', { tools: ['search'] }),
      llm('d', 'x', { tools: ['{{a.text}}'] }),
      { id: 'e', use: 'tool:look', in: { query: 'x' } },
      { id: 'f', use: 'tool:search', in: { query: 'x' } },
      { id: 'g', use: 'tool:send-mail', in: { to: 'x', body: 'x' } },
      { id: 'h', use: 'human', in: { question: 'x?' } },
      { id: 'i', use: 'plan', in: { goal: 'x' } },
      { id: 'j', use: 'value', in: { x: 1 } },
    ];
    const early = drafted(plan(nodes)).filter(({ mayStart }) => mayStart);
    expect(ids(early)).toEqual(['a', 'b', 'e', 'j']);
  });

  it.each([
    ['an unknown step', { id: 'b', use: 'lllm', in: { prompt: 'x' } }],
    ['an unknown reference', llm('b', '{{later.text}}')],
    ['itself', llm('b', '{{b.text}}')],
    ['an unknown field of the input', llm('b', '{{input.tickt}}')],
    ['an id that is taken', llm('a', 'x')],
    ['a field too many', { ...llm('b', 'x'), promt: 'x' }],
    ['a hostile key', JSON.parse('{"id":"b","use":"llm","in":{"prompt":"x","__proto__":{"y":1}}}')],
    ['no object', 'b'],
  ])('leaves %s and what refers to it to the whole plan', (_, bad) => {
    const nodes = [llm('a', 'x'), bad, llm('c', '{{b.text}}'), llm('d', '{{a.text}}')];
    expect(ids(drafted(plan(nodes)))).toEqual(['a', 'd']);
  });

  it('leaves what refers to an input that is declared later, and nodes beyond the bounds', () => {
    const late = `{"version":1,"nodes":[${JSON.stringify(llm('a', '{{input.ticket}}'))},${JSON.stringify(llm('b', 'x'))}],"input":{"ticket":"string"}}`;
    expect(ids(drafted(late))).toEqual(['b']);
    const small = { ...ALL, bounds: { ...ALL.bounds, nodes: 2 } };
    expect(ids(drafted(plan([llm('a', 'x'), llm('b', 'x'), llm('c', 'x')]), 9, small))).toEqual(['a', 'b']);
  });

  it('gives up a text of which nothing can be used', () => {
    const bad = Array.from({ length: 8 }, (_, index) => llm(`n${index}`, '{{nobody.x}}'));
    expect(drafted(plan([...bad, llm('a', 'x')]))).toEqual([]);
    expect(ids(drafted(plan([...bad.slice(1), llm('a', 'x')])))).toEqual(['a']);
  });
});

describe('a hostile text', () => {
  const scrap = fc.oneof(
    fc.constantFrom(
      '{"version":1,"nodes":[',
      '{"id":"a","use":"llm","in":{"prompt":"',
      '"}}',
      ',',
      '{{a.',
      '}}',
      ']',
      '['.repeat(40),
    ),
    fc.constantFrom(
      '"__proto__":',
      '{"id":"b","use":"value","in":{}}',
      '\\u0000',
      '"each":"{{a}}"',
      '{"when":"a.b(',
      '"input":{"a":',
    ),
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.string({ maxLength: 12 }),
  );

  it('neither throws nor hands over a node twice, and what it hands over is a valid plan', () => {
    fc.assert(
      fc.property(fc.array(scrap, { maxLength: 40 }), fc.integer({ min: 1, max: 50 }), (parts, size) => {
        const found = drafted(parts.join(''), size);
        expect(new Set(ids(found)).size).toBe(found.length);
        if (found.length === 0) return;
        const { issues } = validate({ version: 1, nodes: found.map(({ valid }) => valid.node) }, ALL, {
          repair: false,
        });
        expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a large plan', () => {
  it('costs one check a node', () => {
    const chain = Array.from({ length: 256 }, (_, index) =>
      llm(`n${index}`, index === 0 ? 'x' : `{{n${index - 1}.text}}`),
    );
    const text = plan(chain);
    const wide = { ...ALL, bounds: { ...ALL.bounds, nodes: 2048 } };
    const longer = plan(
      Array.from({ length: 2048 }, (_, index) => llm(`n${index}`, index === 0 ? 'x' : `{{n${index - 1}.text}}`)),
    );
    const time = (what: string): number => {
      // Processor time: other processes on the machine do not count.
      const start = process.cpuUsage();
      drafted(what, 4, wide);
      const { user, system } = process.cpuUsage(start);
      return user + system;
    };
    time(text);
    const [short, long] = [Math.min(time(text), time(text), time(text)), Math.min(time(longer), time(longer))];
    expect(drafted(text, 4, wide)).toHaveLength(256);
    // Eight times the nodes: 64 times the work where each node were checked with all before it.
    expect(long / short).toBeLessThan(24);
  });

  it('starts from nothing', () => {
    expect(emptyPlan('do it', ALL.bounds)).toMatchObject({ nodes: [], plan: { goal: 'do it', nodes: [] } });
  });
});
