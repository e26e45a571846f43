import { describe, expect, it } from 'vitest';
import type { Plan } from '../../src/core/plan.ts';
import type { Catalogue } from '../../src/core/validation.ts';
import { ISSUE_CODES, type IssueCode } from '../../src/validator/codes.ts';
import { validate } from '../../src/validator/validate.ts';
import { type CatalogueParts, card, catalogue, MODELS, SEARCH } from './catalogue.ts';

interface Case {
  readonly code: IssueCode;
  readonly what: string;
  /** A plan, its text, or anything. */
  readonly raw: unknown;
  readonly path: string;
  readonly suggest?: readonly string[];
  readonly parts?: CatalogueParts;
}

const plan = (...nodes: unknown[]) => ({ version: 1, nodes });
const ask = (id: string, prompt: string, more: object = {}) => ({ id, use: 'llm', in: { prompt }, ...more });
const search = (id: string, query: string, more: object = {}) => ({ id, use: 'tool:search', in: { query }, ...more });
const workflow = (use: string): Plan => ({ version: 1, nodes: [{ id: 'inner', use }] });
const step = (use: string) => ({ use, description: 'A workflow.', input: {} });
const nested = {
  steps: ['workflow:a', 'workflow:b', 'workflow:c'].map(step),
  workflows: new Map([
    ['a', workflow('workflow:b')],
    ['b', workflow('workflow:c')],
    ['c', workflow('value')],
  ]),
};
const endless = {
  steps: nested.steps,
  workflows: new Map([
    ['a', workflow('workflow:b')],
    ['b', workflow('workflow:a')],
  ]),
};
const unpriced = { models: [{ provider: 'acme', card: card('swift-1', 'fast', 1, { price: null }) }] };

const CASES: readonly Case[] = [
  { code: 'shape.json', what: 'text without any JSON', raw: 'I cannot plan this.', path: '' },
  { code: 'shape.json', what: 'nothing', raw: undefined, path: '' },
  {
    code: 'shape.duplicate_key',
    what: 'a field written twice',
    raw: '{"version":1,"nodes":[{"id":"a","use":"llm","in":{"prompt":"x","prompt":"y"}}]}',
    path: '/nodes/0/in/prompt',
  },
  {
    code: 'shape.unsafe_key',
    what: '__proto__ in text',
    raw: '{"version":1,"nodes":[{"id":"a","use":"llm","in":{"prompt":"x","__proto__":{"y":1}}}]}',
    path: '/nodes/0/in/__proto__',
  },
  {
    code: 'shape.unsafe_key',
    what: '__proto__ in escapes',
    raw: '{"version":1,"nodes":[{"id":"a","use":"llm","in":{"prompt":"x","\\u005f_proto__":{"y":1}}}]}',
    path: '/nodes/0/in/__proto__',
  },
  { code: 'shape.required', what: 'a node without use', raw: plan({ id: 'a' }), path: '/nodes/0/use' },
  { code: 'shape.type', what: 'a number for a text', raw: plan({ id: 'a', use: 7 }), path: '/nodes/0/use' },
  { code: 'shape.type', what: 'an array for a plan', raw: [], path: '' },
  {
    code: 'shape.type',
    what: 'NaN',
    raw: plan(ask('a', 'x', { limits: { usd: Number.NaN } })),
    path: '/nodes/0/limits/usd',
  },
  { code: 'shape.value', what: 'an id with a capital', raw: plan(ask('Ask', 'x')), path: '/nodes/0/id' },
  { code: 'shape.value', what: 'no nodes', raw: plan(), path: '/nodes' },
  {
    code: 'shape.value',
    what: 'an unknown tier',
    raw: plan(ask('a', 'x', { model: { tier: 'fsat' } })),
    path: '/nodes/0/model/tier',
    suggest: ['fast'],
  },
  {
    code: 'shape.unknown_field',
    what: 'a field by its usual other name',
    raw: plan({ id: 'a', use: 'llm', inputs: { prompt: 'x' } }),
    path: '/nodes/0/inputs',
    suggest: ['in'],
  },
  {
    code: 'shape.unknown_field',
    what: 'a misspelt field inside a field',
    raw: plan(ask('a', 'x', { limits: { secnds: 3 } })),
    path: '/nodes/0/limits/secnds',
    suggest: ['seconds'],
  },
  { code: 'size.bytes', what: 'a long text', raw: ' '.repeat(2000), path: '', parts: { bounds: { bytes: 1000 } } },
  {
    code: 'size.bytes',
    what: 'a long value',
    raw: plan(ask('a', 'é'.repeat(600))),
    path: '',
    parts: { bounds: { bytes: 1000 } },
  },
  {
    code: 'size.depth',
    what: 'a deep input',
    raw: plan({ id: 'a', use: 'value', in: { a: { b: { c: {} } } } }),
    path: '/nodes/0/in/a/b',
    parts: { bounds: { depth: 5 } },
  },
  {
    code: 'size.nodes',
    what: 'too many nodes',
    raw: plan(ask('a', 'x'), ask('b', 'x')),
    path: '/nodes',
    parts: { bounds: { nodes: 1 } },
  },
  {
    code: 'size.issues',
    what: 'more issues than anyone reads',
    raw: plan({
      id: 'a',
      use: 'value',
      in: Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`k${index}`, '{{no.such}}'])),
    }),
    path: '',
  },
  { code: 'id.duplicate', what: 'an id given twice', raw: plan(ask('a', 'x'), ask('a', 'y')), path: '/nodes/1/id' },
  { code: 'id.reserved', what: 'a head of references', raw: plan(ask('input', 'x')), path: '/nodes/0/id' },
  { code: 'id.reserved', what: 'a keyword of CEL', raw: plan(ask('loop', 'x')), path: '/nodes/0/id' },
  {
    code: 'id.reserved',
    what: 'meta in out',
    raw: plan(ask('a', 'x', { out: { meta: 'string' } })),
    path: '/nodes/0/out/meta',
  },
  {
    code: 'use.unknown',
    what: 'a misspelt tool',
    raw: plan({ id: 'a', use: 'tool:serach', in: { query: 'x' } }),
    path: '/nodes/0/use',
    suggest: ['tool:search'],
  },
  {
    code: 'in.missing',
    what: 'a tool without its query',
    raw: plan({ id: 'a', use: 'tool:search', in: { top: 3 } }),
    path: '/nodes/0/in',
  },
  { code: 'in.missing', what: 'llm without a prompt', raw: plan({ id: 'a', use: 'llm' }), path: '/nodes/0/in' },
  {
    code: 'in.unknown',
    what: 'an input that the tool does not take',
    raw: plan(search('a', 'x', { in: { query: 'x', limit: 3 } })),
    path: '/nodes/0/in/limit',
  },
  {
    code: 'type.mismatch',
    what: 'an array where a text is wanted',
    raw: plan(search('a', 'x'), search('b', '{{a.hits}}')),
    path: '/nodes/1/in/query',
  },
  {
    code: 'type.mismatch',
    what: 'text where a whole number is wanted',
    raw: plan({ id: 'a', use: 'tool:search', in: { query: 'x', top: 'a {{input.n}}' } }),
    path: '/nodes/0/in/top',
  },
  {
    code: 'type.mismatch',
    what: 'a literal beyond its bound',
    raw: plan({ id: 'a', use: 'tool:search', in: { query: 'x', top: 99 } }),
    path: '/nodes/0/in/top',
  },
  {
    code: 'type.mismatch',
    what: 'a literal outside its choices',
    raw: plan({ id: 'a', use: 'tool:send-mail', in: { to: 'a', body: 'b', urgency: 'hihg' } }),
    path: '/nodes/0/in/urgency',
    suggest: ['high'],
  },
  { code: 'ref.syntax', what: 'a call in a reference', raw: plan(ask('a', '{{now()}}')), path: '/nodes/0/in/prompt' },
  {
    code: 'ref.unknown_node',
    what: 'a node that is not there',
    raw: plan(search('documents', 'x'), ask('b', '{{documnets.hits}}')),
    path: '/nodes/1/in/prompt',
    suggest: ['documents'],
  },
  {
    code: 'ref.unknown_node',
    what: 'in needs',
    raw: plan(ask('a', 'x', { needs: ['nobody'] })),
    path: '/nodes/0/needs/0',
  },
  {
    code: 'ref.unknown_node',
    what: 'in the output',
    raw: { ...plan(ask('a', 'x')), output: ['{{zebra.text}}'] },
    path: '/output/0',
  },
  {
    code: 'ref.unknown_field',
    what: 'a field that the output lacks',
    raw: plan(search('a', 'x'), ask('b', '{{a.hit}}')),
    path: '/nodes/1/in/prompt',
    suggest: ['hits'],
  },
  {
    code: 'ref.unknown_field',
    what: 'a field inside an each',
    raw: plan(search('a', 'x'), ask('b', '{{item.titel}}', { each: '{{a.hits}}' })),
    path: '/nodes/1/in/prompt',
    suggest: ['title'],
  },
  {
    code: 'ref.unknown_input',
    what: 'an input that is not declared',
    raw: { ...plan(ask('a', '{{input.tiket}}')), input: { ticket: 'string' } },
    path: '/nodes/0/in/prompt',
    suggest: ['ticket'],
  },
  {
    code: 'ref.unknown_input',
    what: 'a plan without input',
    raw: plan(ask('a', '{{input.ticket}}')),
    path: '/nodes/0/in/prompt',
  },
  { code: 'ref.scope', what: 'item without each', raw: plan(ask('a', '{{item}}')), path: '/nodes/0/in/prompt' },
  { code: 'ref.scope', what: 'self outside until', raw: plan(ask('a', '{{self.text}}')), path: '/nodes/0/in/prompt' },
  {
    code: 'ref.forward',
    what: 'a later node',
    raw: plan(ask('b', '{{a.text}}'), ask('a', 'x')),
    path: '/nodes/0/in/prompt',
  },
  { code: 'ref.self', what: 'the node itself', raw: plan(ask('a', '{{a.text}}')), path: '/nodes/0/in/prompt' },
  {
    code: 'graph.cycle',
    what: 'two nodes that wait for one another',
    raw: plan(ask('a', '{{b.text}}'), ask('b', '{{a.text}}')),
    path: '/nodes/0',
  },
  {
    code: 'condition.syntax',
    what: 'half a condition',
    raw: plan(ask('a', 'x', { when: '1 ==' })),
    path: '/nodes/0/when',
  },
  {
    code: 'condition.type',
    what: 'an unknown field in a condition',
    raw: plan(ask('kind', 'x', { out: { label: 'a|b' } }), ask('b', 'x', { when: "kind.lable == 'a'" })),
    path: '/nodes/1/when',
    suggest: ['label'],
  },
  {
    code: 'condition.type',
    what: 'an unknown node in a condition',
    raw: plan(ask('a', 'x', { when: 'nobody.text == "a"' })),
    path: '/nodes/0/when',
  },
  { code: 'condition.type', what: 'no bool', raw: plan(ask('a', 'x', { when: '1 + 1' })), path: '/nodes/0/when' },
  {
    code: 'each.not_array',
    what: 'a text',
    raw: plan(ask('a', 'x'), ask('b', '{{item}}', { each: '{{a.text}}' })),
    path: '/nodes/1/each',
  },
  {
    code: 'each.not_array',
    what: 'no reference',
    raw: plan(ask('b', '{{item}}', { each: 'all of them' })),
    path: '/nodes/0/each',
  },
  {
    code: 'repeat.unbounded',
    what: 'more rounds than allowed',
    raw: plan(ask('a', 'x', { repeat: { until: 'self.text == "x"', max: 21 } })),
    path: '/nodes/0/repeat/max',
  },
  {
    code: 'repeat.unbounded',
    what: 'no bound at all',
    raw: plan(ask('a', 'x', { repeat: { until: 'self.text == "x"' } })),
    path: '/nodes/0/repeat/max',
  },
  {
    code: 'wait.impossible',
    what: 'a quorum of more nodes than there are',
    raw: plan(ask('a', 'x'), ask('b', '{{a.text}}', { wait: { atLeast: 2 } })),
    path: '/nodes/1/wait',
  },
  {
    code: 'node.unused',
    what: 'a result for nobody',
    raw: { ...plan(ask('a', 'x'), ask('b', 'y')), output: '{{a.text}}' },
    path: '/nodes/1',
  },
  {
    code: 'field.ineffective',
    what: 'a model for a tool',
    raw: plan(search('a', 'x', { model: { tier: 'fast' } })),
    path: '/nodes/0/model',
  },
  {
    code: 'schema.invalid',
    what: 'a type that is none',
    raw: plan(ask('a', 'x', { out: { label: 'strng' } })),
    path: '/nodes/0/out',
  },
  {
    code: 'schema.unsafe',
    what: 'a pattern',
    raw: plan(ask('a', 'x', { out: { type: 'object', properties: { code: { type: 'string', pattern: '(a+)+$' } } } })),
    path: '/nodes/0/out/properties/code',
  },
  {
    code: 'model.unknown',
    what: 'a misspelt model',
    raw: plan(ask('a', 'x', { model: { id: 'acme/swfit-1' } })),
    path: '/nodes/0/model/id',
    suggest: ['acme/swift-1'],
  },
  {
    code: 'model.unknown',
    what: 'an unknown route',
    raw: plan(ask('a', 'x', { model: { route: 'sales' } })),
    path: '/nodes/0/model/route',
  },
  {
    code: 'model.ambiguous',
    what: 'a model and a route',
    raw: plan(ask('a', 'x', { model: { id: 'swift-1', route: 'support' } })),
    path: '/nodes/0/model',
  },
  {
    code: 'model.no_capable',
    what: 'a capability that no model has',
    raw: plan(ask('a', 'x', { model: { can: ['audio-in'] } })),
    path: '/nodes/0/model',
  },
  {
    code: 'model.no_capable',
    what: 'an operation that no model does',
    raw: plan({ id: 'a', use: 'image', in: { prompt: 'x' } }),
    path: '/nodes/0',
  },
  {
    code: 'model.privacy',
    what: 'personal data for a model that keeps it',
    raw: plan(ask('a', 'x', { sensitivity: 'personal', model: { tier: 'premium' } })),
    path: '/nodes/0/model',
  },
  {
    code: 'escalate.evaluator',
    what: 'a misspelt evaluator',
    raw: plan(ask('a', 'x', { escalate: { evaluator: 'agrement', to: ['premium'] } })),
    path: '/nodes/0/escalate/evaluator',
    suggest: ['agreement'],
  },
  {
    code: 'escalate.target',
    what: 'a rung that is nothing',
    raw: plan(ask('a', 'x', { escalate: { evaluator: 'judge', to: ['premum'] } })),
    path: '/nodes/0/escalate/to/0',
    suggest: ['premium'],
  },
  {
    code: 'limits.contradiction',
    what: 'a node that may spend more than the plan',
    raw: { ...plan(ask('a', 'x', { limits: { usd: 2 } })), budget: { usd: 1 } },
    path: '/nodes/0/limits/usd',
  },
  {
    code: 'limits.contradiction',
    what: 'more tokens asked for than allowed',
    raw: plan({ id: 'a', use: 'llm', in: { prompt: 'x', maxTokens: 500 }, limits: { tokens: 100 } }),
    path: '/nodes/0/limits/tokens',
  },
  {
    code: 'budget.infeasible',
    what: 'no money for the cheapest run',
    raw: { ...plan(ask('a', 'x')), budget: { usd: 0.000_000_001 } },
    path: '/budget/usd',
  },
  {
    code: 'budget.infeasible',
    what: 'a node beyond its own limit',
    raw: plan(ask('a', 'x', { limits: { usd: 0 } })),
    path: '/nodes/0/limits/usd',
  },
  {
    code: 'budget.unpriced',
    what: 'a price that nobody knows',
    raw: { ...plan(ask('a', 'x')), budget: { usd: 1 } },
    path: '/budget/usd',
    parts: unpriced,
  },
  {
    code: 'budget.slow',
    what: 'a path longer than the time',
    raw: { ...plan(ask('a', 'x'), ask('b', '{{a.text}}')), budget: { seconds: 1 } },
    path: '/budget/seconds',
  },
  {
    code: 'workflow.cycle',
    what: 'workflows that use one another',
    raw: plan({ id: 'a', use: 'workflow:a' }),
    path: '/nodes/0/use',
    parts: endless,
  },
  {
    code: 'workflow.cycle',
    what: 'a workflow that uses itself',
    raw: { ...plan({ id: 'x', use: 'workflow:b' }), id: 'c' },
    path: '/nodes/0/use',
    parts: { ...nested, workflows: new Map([['b', workflow('workflow:c')]]) },
  },
  {
    code: 'workflow.depth',
    what: 'workflows nested too deep',
    raw: plan({ id: 'x', use: 'workflow:a' }),
    path: '/nodes/0/use',
    parts: { ...nested, bounds: { nesting: 2 } },
  },
  {
    code: 'validator.failed',
    what: 'a getter that throws',
    raw: {
      get version(): number {
        throw new Error('no');
      },
    },
    path: '',
  },
];

describe('every issue', () => {
  it.each(CASES)('$code: $what', ({ code, raw, path, suggest, parts }) => {
    const { issues, plan: valid } = validate(raw, catalogue(parts), { repair: false });
    const found = issues.filter((issue) => issue.code === code && issue.path === path);
    expect(found.length, JSON.stringify(issues, null, 1)).toBeGreaterThan(0);
    expect(valid === undefined).toBe(issues.some(({ severity }) => severity === 'error'));
    if (suggest !== undefined) expect(found.flatMap((issue) => issue.suggest ?? [])[0]).toBe(suggest[0]);
  });

  it('has a case for every code', () => {
    expect([...new Set(CASES.map(({ code }) => code))].sort()).toEqual(Object.keys(ISSUE_CODES).sort());
  });

  it('says the value, the rule and the remedy', () => {
    for (const { raw, parts, code } of CASES) {
      for (const { message } of validate(raw, catalogue(parts), { repair: false }).issues) {
        expect(message.length, `${code}: ${message}`).toBeGreaterThan(30);
        expect(message.length).toBeLessThan(900);
      }
    }
  });
});

describe('all issues at once', () => {
  it('checks the other nodes when one is broken in shape', () => {
    const raw = plan({ id: 'a', use: 5 }, { id: 'b', use: 'tool:nothing-like-it' }, search('c', '{{a.x}} {{zebra.y}}'));
    const { issues } = validate(raw, catalogue(), { repair: false });
    expect(issues.map(({ code, path }) => `${code} ${path}`)).toEqual(
      expect.arrayContaining([
        'shape.type /nodes/0/use',
        'use.unknown /nodes/1/use',
        'ref.unknown_node /nodes/2/in/query',
      ]),
    );
    // Node a is there, whatever is wrong with it.
    expect(issues.some(({ message }) => message.includes('"a.x"'))).toBe(false);
  });

  it('keeps the fields of a node that are right', () => {
    const raw = plan(ask('a', '{{zebra.x}}', { limits: { usd: 'much' } }));
    const codes = validate(raw, catalogue(), { repair: false }).issues.map(({ code }) => code);
    expect(codes).toEqual(['shape.type', 'ref.unknown_node']);
  });
});

describe('what is no issue', () => {
  const valid = (raw: unknown, parts?: CatalogueParts) => {
    const all: Catalogue = catalogue(parts);
    return validate(raw, all, { repair: false }).issues;
  };
  it.each([
    ['meta of a node', plan(ask('a', 'x'), ask('b', '{{a.meta.costUsd}} {{a.meta.model}}'))],
    ['a chain of fallbacks with a literal', plan(ask('a', 'x'), ask('b', '{{a.text ?? a.meta.model ?? "none"}}'))],
    ['any reference in a prompt', plan(search('a', 'x'), ask('b', '{{a.hits}}'))],
    ['prev in a repeat', plan(ask('a', 'Again: {{prev.text}}', { repeat: { until: 'self.text != ""', max: 3 } }))],
    [
      'fields of an output that nobody declared',
      plan({ id: 'a', use: 'tool:send-mail', in: { to: 'a', body: 'b' } }, ask('b', '{{a.any[3].thing}}')),
    ],
    [
      'a value step read by field',
      plan({ id: 'a', use: 'value', in: { n: 3, list: ['x'] } }, ask('b', '{{a.n}} {{a.list[0]}}')),
    ],
    [
      'an alias of the config, one of a card, and provider/model',
      plan(
        ask('a', 'x', { model: { id: 'cheap' } }),
        ask('b', '{{a.text}}', { model: { id: 'steady' } }),
        ask('c', '{{b.text}}', { model: { id: 'acme/swift-1' } }),
      ),
    ],
    [
      'a number where a whole number may come',
      plan(ask('a', 'x', { out: { n: 'number' } }), {
        id: 'b',
        use: 'tool:search',
        in: { query: 'x', top: '{{a.n}}' },
      }),
    ],
  ])('%s', (_, raw) => {
    expect(valid(raw)).toEqual([]);
  });

  it('a reference through $ref and anyOf of a tool', () => {
    const tool = {
      ...SEARCH,
      use: 'tool:tree',
      output: {
        $defs: {
          tree: { anyOf: [{ type: 'null' }, { type: 'object', properties: { next: { $ref: '#/$defs/tree' } } }] },
        },
        $ref: '#/$defs/tree',
      },
    };
    const raw = plan({ id: 'a', use: 'tool:tree', in: { query: 'x' } }, ask('b', '{{a.next.next.next}}'));
    expect(valid(raw, { steps: [tool], models: MODELS })).toEqual([]);
    const wrong = plan({ id: 'a', use: 'tool:tree', in: { query: 'x' } }, ask('b', '{{a.next.nxt}}'));
    expect(valid(wrong, { steps: [tool] }).map(({ code }) => code)).toEqual(['ref.unknown_field']);
  });
});
