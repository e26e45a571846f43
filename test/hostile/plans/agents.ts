/** Agents whose models lie, whose tools return garbage, and who hand over for ever; conversations under hostile keys. */
import { each, type Family } from '../harness/report.ts';
import { document, llm, type ModelCall, material, nest, type PlanCase, times } from './plan-case.ts';

const agent = (rest: object = {}, more: object = {}): object =>
  document([{ id: 'a', use: 'llm', in: { prompt: 'x', tools: ['material', 'garbage'], ...rest }, ...more }]);

const call = (name: string, given: unknown = {}): ModelCall => ({ name, arguments: given });
const garbage = (kind: string): ModelCall => call('garbage', { kind });

/** What the tool `garbage` returns or throws: see `material.ts`. */
const GARBAGE = [
  'cycle',
  'prototype',
  'getter-throws',
  'getter-grows',
  'proxy',
  'half-pair',
  'bytes',
  'bigint',
  'function',
  'symbol',
  'nan',
  'map',
  'promise',
  'long-keys',
  'deep',
  'throws-nothing',
  'throws-cycle',
  'throws-at-length',
  'to-json-loops',
  'sparse',
  'nul',
];

const ARGUMENTS: Readonly<Record<string, unknown>> = {
  text: 'kind',
  null: null,
  list: [],
  number: 1,
  prototype: JSON.parse('{"__proto__": {"kind": "text", "size": 1}}'),
  'no-fields': {},
  deep: JSON.parse(nest(3000, '{"a":', '1', '}')),
  wide: Object.fromEntries(times(100_000, (index) => [`field${index}`, index])),
  large: { kind: 'text', size: 1, note: 'x'.repeat(5_000_000) },
  negative: { kind: 'text', size: -1 },
  huge: { kind: 'text', size: 1e300 },
};

const NAMES = [
  '',
  '__proto__',
  'constructor',
  'handoff:',
  'handoff:a',
  'handoff:nobody',
  'workflow:double',
  'tool:material',
  'x'.repeat(100_000),
  'material\u0000',
  '\ud800',
];

const calls: Family<PlanCase> = {
  ...each(
    'returned',
    Object.fromEntries(GARBAGE.map((kind) => [kind, kind])),
    (kind): PlanCase => ({
      plan: () => agent({ transcript: true }),
      calls: (answered) => (answered < 3 ? [garbage(kind), garbage(kind)] : []),
      ends: 'done',
    }),
  ),
  ...each(
    'node-of',
    Object.fromEntries(GARBAGE.map((kind) => [kind, kind])),
    (kind): PlanCase => ({
      plan: () => document([{ id: 'a', use: 'tool:garbage', in: { kind } }]),
    }),
  ),
  ...each(
    'called-with',
    ARGUMENTS,
    (given): PlanCase => ({
      plan: () => agent({ transcript: true }),
      calls: (answered) => (answered < 3 ? [call('material', given)] : []),
    }),
  ),
  ...each(
    'called-by',
    Object.fromEntries(NAMES.map((name, index) => [String(index), name])),
    (name): PlanCase => ({
      plan: () => agent({ transcript: true }),
      calls: (answered) => (answered < 3 ? [call(name)] : []),
    }),
  ),
  'calls-for-ever': { plan: () => agent({ rounds: 20 }), calls: () => [call('material', { kind: 'text', size: 1 })] },
  'thousands-of-calls': {
    plan: () => agent({ rounds: 20 }),
    calls: () => times(5000, () => call('material', { kind: 'text', size: 1 })),
  },
  'calls-of-megabytes': {
    plan: () => agent({ rounds: 20, transcript: true }),
    calls: () => times(8, () => call('material', { kind: 'text', size: 2 ** 20 })),
  },
  'calls-for-every-item': {
    plan: () =>
      document([
        material('m', 'items', 500),
        { id: 'a', use: 'llm', each: '{{m.items}}', in: { prompt: 'x', tools: ['material'], rounds: 20 } },
      ]),
    calls: () => [call('material', { kind: 'items', size: 100 })],
  },
  'rounds-beyond-the-bound': { plan: () => agent({ rounds: 1e9 }) },
  'rounds-by-a-text': { plan: () => agent({ rounds: '20' }) },
  'stops-at-no-tool': { plan: () => agent({ stopWhen: '__proto__' }) },
  'approves-for-ever': {
    plan: () => agent({ approve: ['material'] }),
    calls: () => times(300, () => call('material', { kind: 'text', size: 100_000 })),
  },
  'limits-of-prototypes': {
    plan: () => agent({ toolLimits: JSON.parse('{"__proto__": {"calls": 0}, "constructor": {"calls": 1}}') }),
  },
  'limit-of-none': {
    plan: () => agent({ rounds: 20, toolLimits: { material: { calls: 0 } } }),
    calls: () => [call('material', { kind: 'text', size: 1 })],
  },
  'hands-over-for-ever': {
    plan: () => agent({ rounds: 20, agents: { b: { about: 'b', system: 'b' }, c: { about: 'c', system: 'c' } } }),
    calls: (answered) => [call(`handoff:${['b', 'c', 'a'][answered % 3]}`)],
    ends: 'done',
  },
  'hands-over-to-all-at-once': {
    plan: () =>
      agent({
        rounds: 20,
        agents: Object.fromEntries(times(16, (index) => [`n${index}`, { about: 'x'.repeat(10_000) }])),
      }),
    calls: () => times(200, (index) => call(`handoff:n${index % 16}`)),
  },
  'hands-over-to-itself': { plan: () => agent({ agents: { a: {} } }) },
  'agents-of-prototypes': {
    plan: () => agent({ agents: JSON.parse('{"__proto__": {"about": "x"}, "constructor": {"about": "x"}}') }),
    calls: (answered) => (answered < 2 ? [call('handoff:constructor')] : []),
  },
  'thousand-agents': { plan: () => agent({ agents: Object.fromEntries(times(1000, (index) => [`n${index}`, {}])) }) },
  'tool-that-is-its-own-workflow': {
    plan: () =>
      document([{ id: 'n', use: 'workflow:w', in: {} }], {
        workflows: { w: { nodes: [{ id: 'a', use: 'llm', in: { prompt: 'x', tools: ['workflow:w'] } }] } },
      }),
    calls: () => [call('workflow:w')],
  },
  'tools-that-are-workflows': {
    plan: () =>
      document([{ id: 'n', use: 'llm', in: { prompt: 'x', tools: ['workflow:c'], rounds: 20 } }], {
        workflows: {
          a: { nodes: [{ id: 'a', use: 'llm', in: { prompt: 'x', tools: ['material'], rounds: 20 } }] },
          b: { nodes: [{ id: 'a', use: 'llm', in: { prompt: 'x', tools: ['workflow:a'], rounds: 20 } }] },
          c: { nodes: [{ id: 'a', use: 'llm', in: { prompt: 'x', tools: ['workflow:b'], rounds: 20 } }] },
        },
      }),
    calls: () =>
      ['workflow:a', 'workflow:b', 'workflow:c', 'workflow_a', 'workflow_b', 'workflow_c'].flatMap((name) => [
        call(name),
        call(name),
      ]),
    runSeconds: 6,
  },
};

const KEYS: Readonly<Record<string, string>> = {
  path: '../../../etc/passwd',
  sql: "'; DROP TABLE thread_entries; --",
  nul: 'user\u0000other',
  'half-pair': '\ud800',
  prototype: '__proto__',
  blank: '   ',
  empty: '',
  longest: 'k'.repeat(500),
  'too-long': 'k'.repeat(501),
  wildcard: '%',
  emoji: '😀'.repeat(250),
  template: '{{{{input.x}}',
};

const threads: Family<PlanCase> = {
  ...each(
    'thread-key',
    KEYS,
    (key): PlanCase => ({
      plan: () => document([llm('a', 'x', { thread: key }), llm('b', 'y', { thread: key, needs: ['a'] })]),
    }),
  ),
  'thread-key-of-megabytes': {
    plan: () => document([material('big', 'text', 2 ** 20), llm('a', 'x', { thread: '{{big.text}}' })]),
  },
  'thread-for-every-item': {
    plan: () => document([material('m', 'items', 2000), llm('a', '{{item}}', { each: '{{m.items}}', thread: 'all' })]),
  },
  'thread-by-item': {
    plan: () =>
      document([material('m', 'items', 2000), llm('a', '{{item}}', { each: '{{m.items}}', thread: '{{item}}' })]),
  },
  'thread-of-megabytes': {
    plan: () =>
      document(
        times(60, (index) =>
          llm(`n${index}`, 'x', {
            thread: { key: 'k', last: 200, tokens: 100_000, summarise: true },
            ...(index === 0 ? {} : { needs: [`n${index - 1}`] }),
          }),
        ),
      ),
    answer: () => 'word '.repeat(200_000),
  },
  'thread-that-sums-up': {
    plan: () =>
      document(
        times(200, (index) =>
          llm(`n${index}`, 'x'.repeat(4000), {
            thread: { key: 'k', last: 2, tokens: 100, summarise: true },
            ...(index === 0 ? {} : { needs: [`n${index - 1}`] }),
          }),
        ),
      ),
    answer: (prompt) => prompt,
  },
  'thread-of-rounds': {
    plan: () => document([llm('a', '{{prev.text}}x', { thread: 'k', repeat: { until: 'false', max: 20 } })]),
    answer: (prompt) => prompt + prompt,
  },
};

export const agents: readonly Family<PlanCase>[] = [calls, threads];
