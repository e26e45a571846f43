import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { validate } from '../../src/validator/validate.ts';
import { catalogue, SEARCH, SEND } from './catalogue.ts';

const READING = { ...SEARCH, sideEffects: false };
const CATALOGUE = catalogue({ steps: [READING, SEND] });

const FIRST = {
  id: 'mail',
  use: 'llm',
  in: { prompt: 'Read it' },
  out: { kind: 'offer|bill', parts: 'string[]', sum: 'number' },
};

/** A plan of two nodes; `more` are fields of the second, `around` those of the plan. */
const plan = (more: object = {}, around: object = {}) => ({
  version: 1,
  nodes: [FIRST, { id: 'reply', use: 'llm', in: { prompt: 'Answer {{mail.kind}}' }, ...more }],
  output: '{{reply.text}}',
  ...around,
});

function mended(raw: unknown) {
  const asWritten = validate(raw, CATALOGUE, { repair: false });
  const { plan: valid, issues, repaired } = validate(raw, CATALOGUE);
  expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
  // A repair that is not told, or of a plan that needs none, is as bad as none.
  expect(asWritten.plan).toBeUndefined();
  expect(repaired.length).toBeGreaterThan(0);
  return { plan: valid?.plan, node: valid?.plan.nodes.at(-1), codes: [...new Set(repaired.map(({ code }) => code))] };
}

describe('a plan inside something else', () => {
  const whole = plan();
  it.each<[string, unknown]>([
    ['an object', { plan: whole }],
    ['two objects', { type: 'function', function: { arguments: whole } }],
    ['a list of one', [whole]],
    ['words beside it', { thoughts: 'first the mail', answer: whole }],
    ['a list of nodes alone', whole.nodes],
  ])('%s', (_, raw) => {
    expect(mended(raw).plan?.nodes).toHaveLength(2);
  });

  it('is not chosen among two', () => {
    expect(validate({ draft: whole, final: whole }, CATALOGUE).plan).toBeUndefined();
  });
});

describe('fields of a plan', () => {
  it.each<[string, unknown, object]>([
    ['no version', { ...plan(), version: undefined }, {}],
    ['a version in words', plan({}, { version: 'v1.0' }), {}],
    ['a budget as a number', plan({}, { budget: 0.25 }), { budget: { usd: 0.25 } }],
    ['a budget as a sum', plan({}, { budget: '$0.25' }), { budget: { usd: 0.25 } }],
    ['a budget in texts', plan({}, { budget: { usd: '0.25', seconds: null } }), { budget: { usd: 0.25 } }],
    ['words about it', plan({}, { title: 'Mail', reasoning: ['first', 'then'], _made: 1 }), {}],
    [
      'nothing in what is not used',
      plan({}, { id: null, input: [], workflows: null, failFast: 'false' }),
      { failFast: false },
    ],
  ])('%s', (_, raw, expected) => {
    const { nodes: _nodes, output: _output, ...rest } = mended(raw).plan ?? {};
    expect(rest).toEqual({ version: 1, ...expected });
  });

  it.each(['steps', 'tasks', 'actions'])('nodes called %s', (name) => {
    const { nodes, ...rest } = plan();
    expect(mended({ ...rest, [name]: nodes }).plan?.nodes).toEqual(nodes);
  });

  it('nodes by their ids', () => {
    const nodes = Object.fromEntries(plan().nodes.map(({ id, ...node }) => [id, node]));
    expect(mended({ ...plan(), nodes }).plan?.nodes).toEqual(plan().nodes);
  });

  it('another version is another format', () => {
    expect(validate(plan({}, { version: '2' }), CATALOGUE).plan).toBeUndefined();
  });
});

describe('fields of a node', () => {
  it.each<[string, object, object]>([
    ['one name to wait for', { needs: 'mail' }, { needs: ['mail'] }],
    ['names in a text', { needs: 'mail, {{mail.kind}}' }, { needs: ['mail'] }],
    ['a tier', { model: 'Premium' }, { model: { tier: 'premium' } }],
    ['a model', { model: 'acme/swift-1' }, { model: { id: 'acme/swift-1' } }],
    ['a model with its provider', { model: { provider: 'acme', name: 'swift-1' } }, { model: { id: 'acme/swift-1' } }],
    ['any model', { model: 'auto' }, {}],
    ['a field of the model', { tier: 'fast' }, { model: { tier: 'fast' } }],
    ['limits beside it', { retries: '2', maxCost: 0.5 }, { limits: { retries: 2, usd: 0.5 } }],
    ['limits under other names', { limits: { max_tokens: '90' } }, { limits: { tokens: 90 } }],
    ['a word for what a failure does', { onError: 'ignore' }, { onError: 'skip' }],
    ['a failure in an object', { onError: { action: 'Continue' } }, { onError: 'skip' }],
    ['a value that stands in', { onError: { fallback: { text: '-' } } }, { onError: { value: { text: '-' } } }],
    ['rounds', { repeat: 3 }, { repeat: { until: 'false', max: 3 } }],
    ['one round', { repeat: 1 }, {}],
    ['a number to wait for', { wait: 1 }, { wait: { atLeast: 1 } }],
    ['nodes to wait for', { wait: ['mail'] }, { needs: ['mail'] }],
    ['a cache that is on', { cache: true }, { cache: 'use' }],
    ['an output that is a text', { out: 'string' }, {}],
    [
      'nothing in every field',
      { when: '', each: null, model: {}, wait: [], out: {}, undo: '', escalate: false, thread: '' },
      {},
    ],
    ['words for nothing', { when: 'none', each: 'N/A', repeat: 'null' }, {}],
    ['words about it', { description: 'answers', name: 'Reply', note: null, '//': 'x' }, {}],
    ['a condition that always holds', { when: true }, {}],
  ])('%s', (_, more, expected) => {
    const { id: _id, use: _use, in: _in, ...rest } = mended(plan(more)).node ?? {};
    expect(rest).toEqual(expected);
  });

  it.each<[string, object, object]>([
    ['the prompt under another name', { in: { question: 'Why {{mail.kind}}?' } }, { prompt: 'Why {{mail.kind}}?' }],
    ['the prompt alone', { in: 'Why {{mail.kind}}?' }, { prompt: 'Why {{mail.kind}}?' }],
    ['the prompt beside it', { in: undefined, prompt: 'Why {{mail.kind}}?' }, { prompt: 'Why {{mail.kind}}?' }],
    ['a system prompt', { in: { prompt: 'Why?', system_prompt: 'Be brief' } }, { prompt: 'Why?', system: 'Be brief' }],
    [
      'nothing in an input',
      { in: { prompt: 'Why?', system: null, maxTokens: '80' } },
      { prompt: 'Why?', maxTokens: 80 },
    ],
  ])('inputs: %s', (_, more, expected) => {
    expect(mended(plan(more)).node?.in).toEqual(expected);
  });

  it('inputs of a tool: only the one that there can be', () => {
    const { nodes } = mended(plan({ use: 'tool:search', in: 'tides' }, { output: '{{reply.hits}}' })).plan ?? {};
    expect(nodes?.[1]?.in).toEqual({ query: 'tides' });
    const two = plan({ use: 'tool:send-mail', in: 'tides' }, { output: '{{reply.result}}' });
    expect(validate(two, CATALOGUE).plan).toBeUndefined();
  });

  it('words with a reference in them are no comment', () => {
    expect(validate(plan({ note: 'for {{mail.sum}}' }), CATALOGUE).plan).toBeUndefined();
  });

  it.each([{ version: 7 }, { onError: 'retry' }, { when: false }, { timeout: 30 }, { shards: 4 }])(
    'what may mean two things is left to its author: %j',
    (more) => {
      const raw = 'version' in more ? plan({}, more) : plan(more);
      expect(validate(raw, CATALOGUE).plan).toBeUndefined();
    },
  );
});

describe('types', () => {
  it.each<[unknown, unknown]>([
    ['bool', 'boolean'],
    ['int', 'integer'],
    ['Float', 'number'],
    ['str?', 'string?'],
    ['list<int>', 'integer[]'],
    ['List[str]', 'string[]'],
    ['array of strings', 'string[]'],
    ['Optional[float]', 'number?'],
    ['string | null', 'string?'],
    ['object[]', 'any[]'],
    ['dict', 'any'],
    [['red', 'green'], 'red|green'],
    [['string'], 'string[]'],
    ['enum(red, green)', 'red|green'],
    ['string: what it is about', 'string'],
    ['date', 'string'],
  ])('%j is %j', (written, type) => {
    const { node, codes } = mended(plan({ out: { it: written } }, { output: '{{reply.it}}' }));
    expect([node?.out, codes]).toEqual([{ it: type }, ['type.rewritten']]);
  });

  it('a list of objects has their fields', () => {
    const { node } = mended(
      plan({ out: { rows: [{ name: 'str' }].map(() => ({ name: 'string' })) } }, { output: '{{reply.rows}}' }),
    );
    expect(node?.out?.rows).toMatchObject({ type: 'array', items: { type: 'object', required: ['name'] } });
  });

  it('of the input, too', () => {
    const raw = plan({ in: { prompt: '{{input.age}}' } }, { input: { age: 'int' } });
    expect(mended(raw).plan?.input).toEqual({ age: 'integer' });
  });
});

describe('conditions of other languages', () => {
  it.each([
    ["mail.kind === 'bill'", "mail.kind == 'bill'"],
    ["mail.kind = 'bill' and mail.sum <> 3", "mail.kind == 'bill' && mail.sum != 3"],
    ["mail.kind !== 'a = b'", "mail.kind != 'a = b'"],
    ['mail.sum != None', 'mail.sum != null'],
    ['mail.sum is not None', 'mail.sum != null'],
    ['{{mail.sum}} === 3', 'mail.sum == 3'],
    ['mail.parts.length > 0', 'size(mail.parts) > 0'],
    ['len(mail.parts) > 0', 'size(mail.parts) > 0'],
    ["mail.kind.includes('ill')", "mail.kind.contains('ill')"],
    ["mail.parts.includes('top')", "('top' in mail.parts)"],
    ["'top' not in mail.parts", "!('top' in mail.parts)"],
    ['mail?.sum > 3', 'mail.sum > 3'],
    ['mail.output.sum > 3', 'mail.sum > 3'],
  ])('%s', (when, expected) => {
    expect(mended(plan({ when })).node?.when).toBe(expected);
  });

  it('are read in expressions, too', () => {
    const raw = plan(
      { use: 'value', in: { many: '{{= mail.parts.length() > 2 && mail.sum === 3 }}' } },
      { output: '{{reply.many}}' },
    );
    expect(mended(raw).node?.in?.many).toBe('{{= size(mail.parts) > 2 && mail.sum == 3 }}');
  });

  it('are not guessed where the type is not known', () => {
    const raw = plan({ when: "docs.it.includes('x')" });
    raw.nodes.splice(1, 0, { id: 'docs', use: 'llm', in: { prompt: 'x' }, out: { it: 'any' } } as never);
    expect(validate(raw, CATALOGUE).plan).toBeUndefined();
  });
});

describe('ids', () => {
  it.each(['Mail', 'first-mail', 'firstMail', 'first mail', '1'])('%s is renamed everywhere', (id) => {
    const raw = {
      version: 1,
      nodes: [
        { ...FIRST, id },
        {
          id: 'B',
          use: 'llm',
          in: { prompt: `a-${id} {{${id}.kind}} {{ ${id}.sum ?? 3 }}` },
          needs: [id],
          when: `${id}.parts[0] == '${id}'`,
        },
      ],
      output: { it: '{{B.text}}', sum: `{{${id}.sum}}` },
    };
    const { plan: valid } = mended(raw);
    const name = valid?.nodes[0]?.id ?? '';
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(valid?.nodes[1]).toMatchObject({
      id: 'b',
      in: { prompt: `a-${id} {{${name}.kind}} {{ ${name}.sum ?? 3 }}` },
      needs: [name],
      when: `${name}.parts[0] == '${id}'`,
    });
    expect(valid?.output).toEqual({ it: '{{b.text}}', sum: `{{${name}.sum}}` });
  });

  it('never become the id of another node', () => {
    const raw = { version: 1, nodes: [FIRST, { ...FIRST, id: 'Mail' }], output: ['{{mail.sum}}', '{{Mail.sum}}'] };
    const { plan: valid } = mended(raw);
    expect(valid?.nodes.map(({ id }) => id)).toEqual(['mail', 'mail_2']);
    expect(valid?.output).toEqual(['{{mail.sum}}', '{{mail_2.sum}}']);
  });
});

describe('detours of references', () => {
  it.each([
    ['{{mail.output.kind}}', '{{mail.kind}}'],
    ['{{nodes.mail.kind}}', '{{mail.kind}}'],
    ['{{steps.mail.outputs.kind}}', '{{mail.kind}}'],
    ['It is {{mail.text}}', 'It is {{mail}}'],
    ['{{mail.parts.length}}', '{{= size(mail.parts)}}'],
  ])('%s', (prompt, expected) => {
    const raw = plan({ use: 'value', in: { it: prompt } }, { output: '{{reply.it}}' });
    expect(mended(raw).node?.in?.it).toBe(expected);
  });
});

describe('words for the output of a node', () => {
  const docs = { id: 'docs', use: 'tool:search', in: { query: 'tides' } };
  const named = { id: 'short', use: 'llm', in: { prompt: 'Shorten {{docs.hits}}' } };
  const last = (prompt: string) => ({
    version: 1,
    nodes: [docs, named, { id: 'end', use: 'llm', in: { prompt } }],
    output: '{{end.text}}',
  });
  it.each([
    ['output of step 2', '{{short.text}}'],
    ['Translate the output of step 2.', 'Translate {{short.text}}.'],
    ['<node_2>', '{{short.text}}'],
    [`Translate ${'$'}v0`, undefined],
    ['the result of the first step', '{{docs.hits}}'],
    ['Sum up the answer of the previous step', 'Sum up {{short.text}}'],
    ['<output_of_search>', '{{docs.hits}}'],
    ['output of step 1', undefined],
    ['Compare the outputs', undefined],
    ['{{docs.hits}} and the output of step 2', undefined],
  ])('%s', (prompt, expected) => {
    const { plan: valid } = validate(last(prompt), CATALOGUE);
    const zeroBased = prompt.includes('v0') ? 'Translate {{docs.hits}}' : prompt;
    expect(valid?.plan.nodes[2]?.in?.prompt).toBe(expected ?? zeroBased);
  });

  it('change nothing where the node has side effects', () => {
    const raw = {
      version: 1,
      nodes: [docs, { id: 'send', use: 'tool:send-mail', in: { to: 'a', body: 'output of step 1' } }],
    };
    expect(validate(raw, CATALOGUE).plan?.plan.nodes[1]?.in?.body).toBe('output of step 1');
  });
});

describe('any plan', () => {
  const field = fc.oneof(fc.string(), fc.constant(null), fc.integer(), fc.boolean(), fc.constant({}), fc.constant([]));
  const names = [
    'needs',
    'when',
    'each',
    'repeat',
    'wait',
    'out',
    'model',
    'limits',
    'onError',
    'in',
    'id',
    'use',
    'note',
    'tier',
  ];

  it('that is valid as it is written is left alone, and no other makes the validator fail', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...names), field),
        fc.dictionary(fc.string(), field),
        (more, around) => {
          const raw = plan(more, around);
          const before = JSON.stringify(raw);
          const asWritten = validate(raw, CATALOGUE, { repair: false });
          const { issues, repaired } = validate(raw, CATALOGUE);
          expect(JSON.stringify(raw)).toBe(before);
          expect(issues.some(({ code }) => code === 'validator.failed')).toBe(false);
          if (asWritten.issues.length === 0) expect(repaired).toEqual([]);
        },
      ),
    );
  });

  it('of a program is never repaired', () => {
    const { repaired, plan: valid } = validate(plan({ needs: 'mail' }), CATALOGUE, { repair: false });
    expect([repaired, valid]).toEqual([[], undefined]);
  });
});
