import { describe, expect, it } from 'vitest';
import { validate } from '../../src/validator/validate.ts';
import { catalogue, SEARCH, TICKET } from './catalogue.ts';

const plan = (...nodes: unknown[]) => ({ version: 1, nodes });
const ask = (id: string, prompt: string, more: object = {}) => ({ id, use: 'llm', in: { prompt }, ...more });
const search = (id: string, query: string, more: object = {}) => ({ id, use: 'tool:search', in: { query }, ...more });

/** A search that says that it only reads. */
const READING = { ...SEARCH, sideEffects: false };

/** The plan after repair, and what was done. */
function repair(raw: unknown) {
  const { plan: valid, repaired, issues } = validate(raw, catalogue({ steps: [READING] }));
  expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
  return { nodes: valid?.plan.nodes ?? [], plan: valid?.plan, codes: repaired.map(({ code }) => code), repaired };
}

describe('text', () => {
  const text = JSON.stringify(TICKET);
  it.each([
    ['a fence', `\`\`\`json\n${text}\n\`\`\``, ['text.extracted']],
    ['prose around it', `Here is the plan:\n${text}\nShall I run it?`, ['text.extracted']],
    ['thoughts before it', `<think>{"version": 2}</think>${text}`, ['text.extracted']],
    ['a trailing comma', `${text.slice(0, -1)},}`, ['text.mended']],
    ['single quotes', "{'version': 1, 'nodes': [{'id': 'a', 'use': 'llm', 'in': {'prompt': 'x'}}]}", ['text.mended']],
    [
      'brackets that are missing at the end',
      '{"version":1,"nodes":[{"id":"a","use":"llm","in":{"prompt":"x"}}',
      ['text.mended'],
    ],
    [
      'brackets that are missing at the end of a fence',
      '```json\n{"version":1,"nodes":[{"id":"a","use":"llm","in":{"prompt":"x [1"}}\n```',
      ['text.mended'],
    ],
    [
      'one bracket that is missing before prose',
      '{"version":1,"nodes":[{"id":"a","use":"llm","in":{"prompt":"x"}}]\nThat is the plan.',
      ['text.mended'],
    ],
  ])('%s', (_, raw, codes) => {
    expect(repair(raw).codes).toEqual(codes);
    expect(validate(raw, catalogue(), { repair: false }).issues.map(({ code }) => code)).toEqual(['shape.json']);
  });
});

describe('a text that was cut', () => {
  it.each([
    ['between nodes', `${JSON.stringify(TICKET).slice(0, 340)}`],
    ['behind a comma', '{"version":1,"nodes":[{"id":"a","use":"llm","in":{"prompt":"x"}},'],
    ['inside a node', '{"version":1,"nodes":[{"id":"a","use":"llm","in":{"prompt":"x"}},{"id":"b"'],
    ['before a condition could follow', '{"version":1,"nodes":[{"id":"a","use":"llm","in":{"prompt":"x"}'],
    ['behind a comma, with prose', '{"version":1,"nodes":[{"id":"a","use":"llm","in":{"prompt":"x"}}, I cannot go on.'],
    ['behind a node, with prose', '{"version":1,"nodes":[{"id":"a","use":"llm","in":{"prompt":"x"}}\nI cannot go on.'],
  ])('%s is no plan', (_, raw) => {
    const { plan: valid, issues } = validate(raw, catalogue());
    expect(valid).toBeUndefined();
    expect(issues.length).toBeGreaterThan(0);
  });
});

describe('ids that nobody may have', () => {
  it('are renamed, with all that refers to them', () => {
    const raw = {
      ...plan(
        ask('loop', 'x', { out: { n: 'number', loop: 'string' } }),
        ask('loop_1', 'not {{loop.loop}}'),
        ask('b', '{{loop.n}} {{ loop.loop ?? "loop" }}', {
          when: "loop.n > 1 && loop.loop != 'loop' && loop_1 != null",
        }),
        search('c', 'y', { needs: ['loop'] }),
      ),
      output: { n: '{{loop.n}}' },
    };
    const { nodes, plan: valid, codes } = repair(raw);
    expect(codes).toEqual(['id.renamed']);
    expect(nodes.map(({ id }) => id)).toEqual(['loop_2', 'loop_1', 'b', 'c']);
    expect(nodes[1]?.in).toEqual({ prompt: 'not {{loop_2.loop}}' });
    expect(nodes[2]?.in).toEqual({ prompt: '{{loop_2.n}} {{ loop_2.loop ?? "loop" }}' });
    expect(nodes[2]?.when).toBe("loop_2.n > 1 && loop_2.loop != 'loop' && loop_1 != null");
    expect(nodes[3]?.needs).toEqual(['loop_2']);
    expect(valid?.output).toEqual({ n: '{{loop_2.n}}' });
  });

  it('are an issue where references may mean something else', () => {
    const { plan: valid, issues } = validate(plan(ask('item', 'x')), catalogue());
    expect([valid, issues.map(({ code }) => code)]).toEqual([undefined, ['id.reserved']]);
  });
});

describe('workflows of the plan', () => {
  const inner = {
    first: { input: { q: 'string' }, nodes: [search('s', '{{input.q}}')], output: { hits: '{{s.hits}}' } },
    second: {
      input: { q: 'string' },
      nodes: [
        { id: 'b', use: 'value', in: { of: '{{a.hits}}' } },
        { id: 'a', use: 'workflow:first', in: { q: '{{input.q}}' } },
      ],
      output: { hits: '{{b.of}}' },
    },
  };
  const outer = { id: 'x', use: 'workflow:second', in: { q: 'y' } };

  it('are put in the order in which they use each other, and their nodes too', () => {
    const workflows = { second: inner.second, first: inner.first };
    const { plan: valid, codes, repaired } = repair({ ...plan(outer), workflows });
    expect(codes).toEqual(['workflow.moved', 'node.moved']);
    expect(repaired[1]?.path).toBe('/workflows/second/nodes/0');
    expect(Object.keys(valid?.workflows ?? {})).toEqual(['first', 'second']);
    expect(valid?.workflows?.second?.nodes.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('have their own names corrected, each in its place', () => {
    const misspelt = {
      first: {
        Input: { q: 'string' },
        nodes: [{ ...search('s', '{{input.q}}'), use: 'search' }],
        output: '{{S.hits}}',
      },
    };
    const raw = { ...plan({ id: 'x', use: 'first', in: { q: 'y' } }), workflows: misspelt };
    const { plan: valid, repaired } = repair(raw);
    expect(repaired.map(({ path }) => path).sort()).toEqual(
      ['/nodes/0/use', '/workflows/first/Input', '/workflows/first/nodes/0/use', '/workflows/first/output'].sort(),
    );
    expect(valid?.workflows?.first).toEqual({
      input: { q: 'string' },
      nodes: [search('s', '{{input.q}}')],
      output: '{{s.hits}}',
    });
  });
});

describe('names', () => {
  it('of steps, fields, evaluators, tiers, models and inputs', () => {
    const { nodes, codes } = repair(
      plan(
        { id: 'docs', use: 'tool:serach', in: { qurey: 'x' } },
        ask('kind', '{{dosc.hits}}', {
          model: { tier: 'fsat' },
          out: { label: 'a|b' },
          escalate: { evaluator: 'agreeement', to: ['premum', 'acme/staedy-1'] },
        }),
        ask('last', '{{kind.lable}}', { when: "kidn.label == 'a'" }),
      ),
    );
    expect(nodes).toMatchObject([
      { use: 'tool:search', in: { query: 'x' } },
      {
        in: { prompt: '{{docs.hits}}' },
        model: { tier: 'fast' },
        escalate: { evaluator: 'agreement', to: ['premium', 'acme/steady-1'] },
      },
      { in: { prompt: '{{kind.label}}' }, when: "kind.label == 'a'" },
    ]);
    expect(new Set(codes)).toEqual(new Set(['name.corrected']));
  });

  it('of a step without its prefix, or with other separators', () => {
    expect(repair(plan({ id: 'a', use: 'search', in: { query: 'x' } })).nodes[0]?.use).toBe('tool:search');
    const mail = { to: 'a', body: 'b' };
    expect(repair(plan({ id: 'a', use: 'tool:Send_Mail', in: mail })).nodes[0]?.use).toBe('tool:send-mail');
  });

  it('of fields that models call otherwise', () => {
    const raw = plan({ id: 'a', tool: 'llm', args: { prompt: 'x' } }, ask('b', 'y', { depends_on: ['a'] }));
    expect(repair(raw).nodes).toEqual([
      { id: 'a', use: 'llm', in: { prompt: 'x' } },
      { id: 'b', use: 'llm', in: { prompt: 'y' }, needs: ['a'] },
    ]);
  });

  it('of an input without its head', () => {
    const raw = { ...plan(ask('a', '{{ticket}}')), input: { ticket: 'string' } };
    expect(repair(raw).nodes[0]?.in).toEqual({ prompt: '{{input.ticket}}' });
  });

  it('touches references only, and whole names only', () => {
    const raw = plan(
      search('docs', 'x'),
      ask('b', 'docs.Hits {{docs.Hits}} {{docs.hits}} and {{ docs.Hits[0].title ?? docs.Hits }}'),
    );
    expect(repair(raw).nodes[1]?.in).toEqual({
      prompt: 'docs.Hits {{docs.hits}} {{docs.hits}} and {{ docs.hits[0].title ?? docs.hits }}',
    });
  });

  it.each([
    ['two names are as near', plan(ask('note_ab', 'x'), ask('note_ac', 'x'), ask('b', '{{note_ad.text}}'))],
    ['only a number differs', plan(ask('node1', 'x'), ask('b', '{{node2.text}}'))],
    ['the name is short', plan(ask('ab', 'x'), ask('b', '{{ac.text}}'))],
    ['the model has another version', plan(ask('a', 'x', { model: { id: 'swift-2' } }))],
    ['one is of many', plan(ask('a', 'x', { escalate: { evaluator: 'validator', to: ['premium'] } }))],
    ['one of many is read', plan(search('docs', 'x'), ask('b', '{{docs.hit}}'))],
    ['the tool is another one', plan({ id: 'a', use: 'tool:image-search', in: { query: 'x' } })],
  ])('makes no guess where %s', (_, raw) => {
    const { repaired, plan: valid } = validate(raw, catalogue());
    expect(repaired).toEqual([]);
    expect(valid).toBeUndefined();
  });
});

describe('order', () => {
  it('moves what stands before its needs, and nothing else', () => {
    const raw = plan(
      ask('d', '{{c.text}}'),
      ask('a', 'x'),
      ask('c', '{{b.text}}'),
      ask('b', '{{a.text}}'),
      ask('e', 'x'),
    );
    const { nodes, repaired } = repair(raw);
    expect(nodes.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(repaired.map(({ code, path }) => `${code} ${path}`)).toEqual(['node.moved /nodes/2', 'node.moved /nodes/0']);
  });

  it('leaves a valid order alone', () => {
    expect(repair(TICKET).plan).toEqual(TICKET);
  });

  it('points at the plan as it was given', () => {
    const raw = plan(ask('b', '{{a.text}} {{zebra.x}}'), ask('a', 'x'));
    const { issues } = validate(raw, catalogue());
    expect(issues.map(({ path }) => path)).toEqual(['/nodes/0/in/prompt']);
  });

  it('names the cycle and sorts the rest', () => {
    const raw = plan(ask('c', '{{d.text}}'), ask('d', '{{c.text}}'), ask('b', '{{a.text}}'), ask('a', 'x'));
    const { issues, repaired } = validate(raw, catalogue());
    expect(issues.find(({ code }) => code === 'graph.cycle')?.got).toEqual(['c', 'd', 'c']);
    expect(repaired.map(({ path }) => path)).toEqual(['/nodes/2']);
  });
});

describe('references', () => {
  it('shifts a self-reference to the node before, when nothing else uses it', () => {
    const raw = plan(search('n0', 'x'), ask('n1', '{{n1.hits}}'), ask('n2', '{{n2.text}}'), ask('n3', '{{n3.text}}'));
    const { nodes, codes } = repair(raw);
    expect(nodes.map((node) => node.in?.prompt)).toEqual([undefined, '{{n0.hits}}', '{{n1.text}}', '{{n2.text}}']);
    expect(codes).toEqual(['reference.shifted', 'reference.shifted', 'reference.shifted']);
  });

  it.each([
    ['it does not fit', plan(search('a', 'x'), ask('b', '{{b.text}}'))],
    ['its type does not fit', plan(search('a', 'x', { each: '{{input}}' }), search('b', '{{b.hits}}'))],
    ['it is used already', plan(ask('a', 'x'), ask('b', '{{a.text}}'), ask('c', '{{c.text}} {{b.text}}'))],
    ['there is none', plan(ask('a', '{{a.text}}'))],
  ])('makes no guess where %s', (_, raw) => {
    const { repaired, issues } = validate(raw, catalogue());
    expect(repaired).toEqual([]);
    expect(issues.map(({ code }) => code)).toContain('ref.self');
  });

  it('puts braces where they are missing and takes them where none belong', () => {
    const raw = plan(
      search('docs', 'x'),
      ask('notes', '{{item.title}}', { each: 'docs.hits', when: "{{docs.hits}}.size() > 0 && '{{x}}' != ''" }),
    );
    expect(repair(raw).nodes[1]).toMatchObject({ each: '{{docs.hits}}', when: "docs.hits.size() > 0 && 'x' != ''" });
  });
});

describe('the rules of repair', () => {
  it('changes nothing of what it was given', () => {
    const raw = plan({ id: 'a', use: 'tool:serach', inputs: { query: 'x' } });
    const before = structuredClone(raw);
    expect(repair(raw).codes).toHaveLength(2);
    expect(raw).toEqual(before);
  });

  it('gives a plan that is valid as written', () => {
    const { plan: mended } = repair(plan(ask('b', '{{a.txet}}'), ask('a', 'x')));
    expect(validate(mended, catalogue(), { repair: false })).toMatchObject({ issues: [], repaired: [] });
  });
});

describe('the $schema key of an editor', () => {
  const hashOf = (raw: unknown) => validate(raw, catalogue(), { repair: false }).plan?.hash;
  const $schema = './node_modules/polyphony/schemas/plan.schema.json';

  it('is dropped, so that the plan and its hash are the same without it', () => {
    const { plan: read, repaired } = repair({ $schema, ...TICKET });
    expect(read).not.toHaveProperty('$schema');
    expect(repaired).toEqual([]);
    expect(hashOf({ $schema, ...TICKET })).toBe(hashOf(TICKET));
    expect(hashOf(JSON.stringify({ $schema, ...TICKET }))).toBe(hashOf(TICKET));
    expect(hashOf(TICKET)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('stays in the object that was given', () => {
    const given = { $schema, ...TICKET };
    validate(given, catalogue());
    expect(given.$schema).toBe($schema);
  });

  it.each([
    ['another type', { $schema: 7, ...TICKET }, '/$schema'],
    ['a node', { version: 1, nodes: [{ ...ask('a', 'x'), $schema }] }, '/nodes/0/$schema'],
  ])('is an unknown field in %s', (_, raw, path) => {
    expect(validate(raw, catalogue(), { repair: false }).issues).toMatchObject([{ code: 'shape.unknown_field', path }]);
  });
});
