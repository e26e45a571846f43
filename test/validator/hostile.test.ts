/** V1: nothing that is given makes the validator throw, hang or exceed its bounds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Validation } from '../../src/core/plan/validation.ts';
import { ISSUE_CODES, REPAIR_CODES } from '../../src/validator/document/codes.ts';
import { MOST_ISSUES } from '../../src/validator/document/report.ts';
import { validate } from '../../src/validator/validate.ts';
import { catalogue } from './catalogue.ts';

const ALL = catalogue();

/** What holds of every validation. */
function check(raw: unknown): Validation {
  const validation = validate(raw, ALL);
  const { plan, issues, repaired } = validation;
  expect(plan === undefined).toBe(issues.some(({ severity }) => severity === 'error'));
  expect(issues.length).toBeLessThanOrEqual(MOST_ISSUES + 1);
  for (const { code, message } of issues) {
    expect(Object.hasOwn(ISSUE_CODES, code)).toBe(true);
    expect(code).not.toBe('validator.failed');
    expect(message.length).toBeLessThan(2500);
  }
  for (const { code } of repaired) expect(Object.hasOwn(REPAIR_CODES, code)).toBe(true);
  return validation;
}

const names = fc.constantFrom(
  ...[
    'kind',
    'docs',
    'a',
    'input',
    'item',
    'self',
    'prev',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '',
  ],
);
const template = fc
  .array(
    fc.oneof(
      names.map((name) => `{{${name}}}`),
      names.map((name) => `{{${name}.text ?? ${name}[0].x}}`),
      fc.constantFrom(
        '{{',
        '}}',
        '{{{',
        '{{{{',
        '{{a.b',
        '{{a()}}',
        '\ud800',
        '\u0000',
        '{{a ?? "}}"}}',
        '{{a[999999999]}}',
      ),
      fc.string({ maxLength: 8 }),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(''));
const condition = fc.oneof(
  template,
  fc.constantFrom(
    'kind.label == "a"',
    '[1].all(x, x > 0)',
    'a.matches("(a+)+$")',
    '!'.repeat(500),
    '('.repeat(500),
    '__proto__.x',
    'size(docs.hits) > 1',
  ),
);
const schema = fc.oneof(
  fc.dictionary(names, fc.constantFrom('string', 'a|b', 'string[]', 'number?', '', 'string[][][][]')),
  fc.constantFrom(
    { $ref: '#' },
    { type: 'object', properties: { a: { $ref: '#/properties/a' } } },
    { anyOf: [{ $ref: '#' }, { $ref: '#' }] },
    { type: 'string', pattern: '(a+)+$', items: {} },
    { type: ['object', 7], properties: { a: 3 }, items: null },
  ),
);
const value = fc.oneof(template, fc.jsonValue({ maxDepth: 3 }), fc.dictionary(names, template));
const node = fc.record(
  {
    id: fc.oneof(names, fc.constantFrom('b', 'c')),
    use: fc.constantFrom(
      'llm',
      'tool:search',
      'value',
      'image',
      'plan',
      'human',
      'tool:serach',
      'constructor',
      '__proto__',
      '',
    ),
    in: fc.oneof(fc.dictionary(fc.constantFrom('prompt', 'query', 'qurey', 'top', 'x'), value), value),
    needs: fc.array(names, { maxLength: 3 }),
    when: condition,
    each: template,
    repeat: fc.record({ until: condition, max: fc.constantFrom(1, 5, 1e9) }),
    wait: fc.constantFrom('all', 'any', { atLeast: 2 }, { atLeast: 1e9 }),
    out: schema,
    model: fc.record(
      { id: names, tier: fc.constantFrom('fast', 'premium', 'fsat'), can: fc.constantFrom([], ['tools'], ['x']) },
      { requiredKeys: [] },
    ),
    escalate: fc.record({ evaluator: fc.constantFrom('judge', 'jugde'), to: fc.array(names, { maxLength: 3 }) }),
    limits: fc.record(
      { usd: fc.constantFrom(0, 1e300, -1, 1e-12), tokens: fc.constantFrom(1, 2 ** 52) },
      { requiredKeys: [] },
    ),
    session: template,
    thread: fc.oneof(template, fc.record({ key: template, last: fc.constantFrom(1, 4), summarise: fc.boolean() })),
  },
  { requiredKeys: ['id', 'use'] },
);
const plan = fc.record(
  {
    version: fc.constantFrom(1, 2),
    input: schema,
    budget: fc.record({ usd: fc.constantFrom(0, 1, 1e300) }),
    nodes: fc.array(node, { maxLength: 6 }),
    output: value,
  },
  { requiredKeys: ['version', 'nodes'] },
);

describe('whatever is given', () => {
  it('no issue repeats more than the beginning of a text, a key or a list', () => {
    const long = 'x'.repeat(60_000);
    const many = Array.from({ length: 5000 }, (_, index) => `value ${index}`);
    const nodes = [
      { id: 'a', use: 'llm', in: { prompt: `{{${long.slice(0, 400)}}}`, [long]: 1 }, out: { [long]: long } },
      {
        id: long,
        use: long,
        [long]: many,
        out: { type: 'object', properties: { [long]: { enum: many, pattern: long } } },
      },
      { id: 'c', use: 'llm', in: { prompt: many, tools: long }, model: { id: long.slice(0, 200), tier: long } },
      {
        id: 'd',
        use: 'llm',
        in: { prompt: 'x' },
        out: { type: 'object', properties: { b: { $ref: long } } },
        each: long,
      },
    ];
    const { issues } = check({ version: 1, nodes, [long]: many });
    expect(issues.length).toBeGreaterThan(5);
    for (const issue of issues) expect(JSON.stringify(issue).length).toBeLessThan(25_000);
  });

  it('plans made of hostile parts', () => {
    fc.assert(
      fc.property(plan, (raw) => void check(raw)),
      { numRuns: 400 },
    );
  });

  it('their texts, cut and mangled', () => {
    fc.assert(
      fc.property(plan, fc.nat(), fc.string({ maxLength: 4 }), (raw, at, noise) => {
        const text = JSON.stringify(raw);
        const cut = at % (text.length + 1);
        check(text.slice(0, cut));
        check(text.slice(0, cut) + noise + text.slice(cut));
      }),
      { numRuns: 150 },
    );
  });

  it('any value of the language', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
    });
    fc.assert(
      fc.property(anything, (raw) => void check(raw)),
      { numRuns: 200 },
    );
    fc.assert(
      fc.property(
        anything,
        (part) => void check({ version: 1, nodes: [{ id: 'a', use: 'value', in: part }], output: part }),
      ),
      { numRuns: 200 },
    );
  });

  it('arbitrary text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (raw) => void check(raw)),
      { numRuns: 150 },
    );
  });
});

describe('what could hang', () => {
  it('a value that holds itself', () => {
    const raw: Record<string, unknown> = { version: 1 };
    raw.nodes = [{ id: 'a', use: 'value', in: raw }];
    expect(check(raw).issues.map(({ code }) => code)).toEqual(['size.depth']);
  });

  it('a value that doubles at every level', () => {
    let raw: unknown = 'x'.repeat(100);
    for (let level = 0; level < 28; level += 1) raw = [raw, raw];
    expect(check({ version: 1, nodes: [{ id: 'a', use: 'value', in: { raw } }] }).issues[0]?.code).toBe('size.bytes');
  });

  it('proxies without an end', () => {
    const endless: object = new Proxy(
      {},
      {
        get: () => endless,
        ownKeys: () => ['a', 'b'],
        getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
      },
    );
    expect(check(endless).issues.map(({ code }) => code)).toEqual(['size.depth']);
    const long = new Proxy([], { get: (_, key) => (key === 'length' ? Number.MAX_SAFE_INTEGER : 'x'.repeat(100)) });
    expect(check({ version: 1, nodes: long }).issues.map(({ code }) => code)).toEqual(['size.bytes']);
  });

  it('a proxy that throws', () => {
    const hostile = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no');
        },
      },
    );
    expect(validate(hostile, ALL).issues.map(({ code }) => code)).toEqual(['validator.failed']);
    const odd = new Proxy(
      {},
      {
        ownKeys: () => {
          throw null;
        },
      },
    );
    expect(validate(odd, ALL).issues.map(({ code }) => code)).toEqual(['validator.failed']);
  });

  it.each([
    ['brackets', '['.repeat(1_000_000)],
    ['braces', '{"a":'.repeat(200_000)],
    ['quotes', '"'.repeat(60_000)],
    ['stray quotes in a fence', `{"nodes": [${'" '.repeat(20_000)}]}`],
    ['backslashes', `{"a":"${'\\\\'.repeat(400_000)}"}`],
    ['nothing but spaces', ' '.repeat(2_000_000)],
  ])('a long text of %s', (_, raw) => {
    expect(check(raw).plan).toBeUndefined();
  });

  it.each([
    ['references', '{{a.b}} '.repeat(100_000)],
    ['openings', '{{'.repeat(400_000)],
    ['a path', `{{a${'.b'.repeat(400_000)}}}`],
    ['fallbacks', `{{a${' ?? a'.repeat(150_000)}}}`],
  ])('a template of many %s', (_, prompt) => {
    check({ version: 1, nodes: [{ id: 'a', use: 'llm', in: { prompt } }] });
  });

  it('256 nodes that all need one another, and 256 that name nobody', () => {
    const ids = Array.from({ length: 256 }, (_, index) => `node_${index}`);
    const all = ids.map((id) => ({ id, use: 'llm', in: { prompt: 'x' }, needs: ids }));
    expect(check({ version: 1, nodes: all }).issues.some(({ code }) => code === 'graph.cycle')).toBe(true);
    const lost = ids.map((id) => ({
      id,
      use: `tool:${id}`,
      in: { prompt: ids.map((other) => `{{z${other}.x}}`).join() },
    }));
    expect(check({ version: 1, nodes: lost }).issues.some(({ code }) => code === 'size.issues')).toBe(true);
  });

  it('an output schema that refers to itself twice', () => {
    const out = { $defs: { a: { anyOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/a' }] } }, $ref: '#/$defs/a' };
    check({
      version: 1,
      nodes: [
        { id: 'a', use: 'llm', in: { prompt: 'x' }, out },
        { id: 'b', use: 'llm', in: { prompt: '{{a.b.c}}' } },
      ],
    });
  });

  it('nothing of the prototypes is touched', () => {
    check(
      '{"version":1,"nodes":[{"id":"a","use":"value","in":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}]}',
    );
    check({ version: 1, nodes: [{ id: 'a', use: 'llm', constructor: 1, inputs: { prompt: 'x' } }] });
    expect('polluted' in {}).toBe(false);
  });
});
