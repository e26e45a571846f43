/** Plans of few bytes whose values grow: by joining, nesting, repeating, listing and computing. */
import { each, type Family } from '../harness/report.ts';
import { document, llm, material, type Node, type PlanCase, times, value, wrapped } from './plan-case.ts';

const MEGABYTE = 2 ** 20;

/** Each node holds what the one before it holds, several times. */
const chain = (length: number, first: unknown, next: (before: string) => unknown): object =>
  document([value('n0', first), ...times(length - 1, (index) => value(`n${index + 1}`, next(`n${index}`)))]);

const overItems = (items: Node, ...nodes: readonly Node[]): object => document([items, ...nodes]);

const chains: Family<PlanCase> = {
  'twice-a-node': { plan: () => chain(60, { text: 'ab' }, (id) => ({ text: `{{${id}.text}}{{${id}.text}}` })) },
  'ten-times-a-node': {
    plan: () => chain(30, { text: 'ab' }, (id) => ({ text: `{{${id}.text}}`.repeat(10) })),
  },
  'twice-as-fields': { plan: () => chain(60, { a: 1, b: 2 }, (id) => ({ a: `{{${id}}}`, b: `{{${id}}}` })) },
  'twice-as-list': { plan: () => chain(60, { list: [1] }, (id) => ({ list: [`{{${id}.list}}`, `{{${id}.list}}`] })) },
  'twice-as-json-text': { plan: () => chain(60, { a: '"' }, (id) => ({ a: `{{${id}}} {{${id}}}` })) },
  'quotes-in-quotes': { plan: () => chain(40, { a: '"\\"' }, (id) => ({ a: `x{{${id}}}` })) },
  'deeper-a-node': { plan: () => chain(200, { a: 1 }, (id) => wrapped(20, `{{${id}}}`, (a) => ({ a }))) },
  'wide-then-joined': {
    plan: () =>
      document([
        material('big', 'text', MEGABYTE),
        ...times(200, (index) => value(`n${index}`, { text: '{{big.text}}' })),
        value('joined', { text: times(200, (index) => `{{n${index}.text}}`).join('') }),
      ]),
  },
};

const prompts: Family<PlanCase> = {
  'prompt-of-prompts': {
    plan: () =>
      document([llm('n0', 'x'), ...times(30, (index) => llm(`n${index + 1}`, `{{n${index}.text}}{{n${index}.text}}`))]),
    answer: (prompt) => prompt,
  },
  'answers-of-a-megabyte': {
    plan: () => overItems(material('items', 'items', 400), llm('asked', '{{item}}', { each: '{{items.items}}' })),
    answer: () => 'a'.repeat(MEGABYTE),
  },
  'one-huge-answer': { plan: () => document([llm('asked', 'x')]), answer: () => 'a'.repeat(30 * MEGABYTE) },
  'messages-that-repeat': {
    plan: () =>
      document([
        material('big', 'text', MEGABYTE),
        {
          id: 'asked',
          use: 'llm',
          in: { messages: times(200, () => ({ role: 'user', content: '{{big.text}}{{big.text}}' })) },
        },
      ]),
  },
  'session-of-a-megabyte': {
    plan: () => document([material('big', 'text', MEGABYTE), llm('asked', 'x', { session: '{{big.text}}' })]),
  },
};

const items: Family<PlanCase> = {
  ...each('items-carry', { text: '{{big.text}}', twice: '{{big.text}}{{big.text}}', object: '{{big}}' }, (carried) => ({
    plan: () =>
      document([
        material('big', 'text', MEGABYTE),
        material('items', 'items', 2000),
        value('out', { carried }, { each: '{{items.items}}' }),
      ]),
  })),
  'ten-thousand-items': {
    plan: () =>
      overItems(material('items', 'items', 10_000), value('out', { item: '{{item}}' }, { each: '{{items.items}}' })),
    ends: 'done',
  },
  'too-many-items': {
    plan: () =>
      overItems(material('items', 'items', 200_000), value('out', { x: '{{item}}' }, { each: '{{items.items}}' })),
    ends: 'failed',
  },
  'items-of-items': {
    plan: () =>
      overItems(
        material('items', 'items', 3000),
        ...times(8, (index) =>
          value(
            `n${index}`,
            { all: index === 0 ? '{{items.items}}' : `{{n${index - 1}}}` },
            { each: '{{items.items}}' },
          ),
        ),
      ),
  },
  'items-of-files': {
    plan: () =>
      overItems(material('items', 'items', 600), {
        id: 'read',
        use: 'tool:read_file',
        each: '{{items.items}}',
        in: { path: 'megabyte.txt' },
      }),
  },
  'items-that-fail-at-length': {
    plan: () =>
      overItems(material('items', 'items', 2000), {
        id: 'failed',
        use: 'tool:material',
        each: '{{items.items}}',
        onError: 'skip',
        in: { kind: 'error', size: MEGABYTE },
      }),
  },
  'items-with-large-stand-ins': {
    plan: () =>
      overItems(material('items', 'items', 5000), {
        id: 'failed',
        use: 'tool:material',
        each: '{{items.items}}',
        onError: { value: { text: 'x'.repeat(100_000) } },
        in: { kind: 'error', size: 1 },
      }),
  },
  'items-of-workflows': {
    plan: () =>
      overItems(material('items', 'items', 3000), {
        id: 'nested',
        use: 'workflow:double',
        each: '{{items.items}}',
        in: { text: 'x'.repeat(10_000) },
      }),
  },
  'workflows-that-double': {
    plan: () =>
      document([
        { id: 'n0', use: 'workflow:double', in: { text: 'ab' } },
        ...times(40, (index) => ({ id: `n${index + 1}`, use: 'workflow:double', in: { text: `{{n${index}.text}}` } })),
      ]),
  },
};

const rounds: Family<PlanCase> = {
  ...each(
    'rounds-double',
    { text: 'x{{prev.a}}{{prev.a}}', list: ['{{prev.a}}', '{{prev.a}}'], object: { b: '{{prev}}', c: '{{prev}}' } },
    (a) => ({
      plan: () => document([value('n', { a }, { repeat: { until: 'false', max: 20 } })]),
    }),
  ),
  'rounds-double-a-megabyte': {
    plan: () =>
      document([
        material('big', 'text', MEGABYTE),
        value('n', { a: '{{prev.a ?? big.text}}{{prev.a ?? big.text}}' }, { repeat: { until: 'false', max: 20 } }),
      ]),
  },
};

/** Expressions over a list `m.items`, which may hold ten thousand. */
const EXPRESSIONS = {
  'map-doubles': 'size(m.items.map(x, m.items + m.items)) > 0',
  'map-in-map': 'size(m.items.map(a, m.items.map(b, m.items.map(c, a + b + c)))) > 0',
  'map-in-map-of-texts': 'size(m.items.map(a, m.items.map(b, a + b + a + b))) > 0',
  'map-in-map-of-lists': 'size(m.items.map(a, m.items.map(b, m.items))) > 0',
  'map-keeps-all': 'size(m.items.map(a, m.items)) > 0',
  'concat-chain': `size(${times(60, () => 'm.items').join(' + ')}) > 0`,
  'text-chain': `size(${times(60, () => 'big.text').join(' + ')}) > 0`,
  'text-in-map': 'size(m.items.map(x, big.text + big.text)) > 0',
  'filter-in-exists': 'm.items.exists(a, m.items.filter(b, m.items.exists(c, c == a)).size() > 999999)',
  'literal-doubles': `size(${wrapped(9, '[1,2,3]', (list) => `[1,2].map(x, ${list})`)}) > 0`,
};

const expressions = each(
  'expression',
  EXPRESSIONS,
  (when): PlanCase => ({
    plan: () =>
      document([
        material('m', 'items', 5000),
        material('big', 'text', MEGABYTE),
        value('n', { x: '{{m.items[0]}}{{big.text}}' }, { when }),
      ]),
  }),
);

const outputs: Family<PlanCase> = {
  'output-that-repeats': {
    plan: () =>
      document([material('big', 'text', MEGABYTE)], { output: { all: times(1000, () => '{{big.text}}').join('') } }),
  },
  'output-of-lists': {
    plan: () => document([material('m', 'items', 10_000)], { output: times(2000, () => '{{m.items}}') }),
  },
  ...each('material', { wide: 200_000, deep: 100_000, numbers: 3_000_000, text: 100 * MEGABYTE }, (size, kind) => ({
    plan: () =>
      document([material('m', kind, size), value('n', { a: '{{m}}', b: 'x {{m}}', c: '{{m.value ?? m.text}}' })]),
  })),
  'question-of-megabytes': {
    plan: () =>
      document([
        material('big', 'text', 4 * MEGABYTE),
        { id: 'asked', use: 'human', in: { question: '{{big.text}}{{big.text}}', data: { a: '{{big}}' } } },
      ]),
  },
};

export const growth: readonly Family<PlanCase>[] = [chains, prompts, items, rounds, expressions, outputs];
