/** Workflows of a plan that multiply, call themselves, or have names that are none. */
import { each, type Family } from '../harness/report.ts';
import { document, llm, material, type Node, type PlanCase, times, value } from './plan-case.ts';

const member = (nodes: readonly Node[], rest: object = {}): object => ({
  input: { list: 'any', text: 'string?' },
  nodes,
  output: `{{${nodes.at(-1)?.id}}}`,
  ...rest,
});

/** A level that runs the one below for every item of what it is given. */
const level = (below: string): object =>
  member([{ id: 'n', use: `workflow:${below}`, each: '{{input.list}}', in: { list: '{{input.list}}' } }]);

const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  'a/b',
  'A',
  'a\u0000b',
  'input',
];

const shapes: Family<PlanCase> = {
  ...each(
    'member-named',
    Object.fromEntries(NAMES.map((name, index) => [String(index), name])),
    (name): PlanCase => ({
      plan: () =>
        `{"version":1,"workflows":{${JSON.stringify(name)}:{"nodes":[{"id":"a","use":"value","in":{}}]}},"nodes":[{"id":"b","use":${JSON.stringify(`workflow:${name}`)},"in":{}}]}`,
    }),
  ),
  'member-of-itself': {
    plan: () =>
      document([{ id: 'n', use: 'workflow:a', in: { list: [] } }], {
        workflows: { a: member([{ id: 'n', use: 'workflow:a', in: { list: [] } }]) },
      }),
    ends: 'refused',
  },
  'members-in-a-circle': {
    plan: () =>
      document([{ id: 'n', use: 'workflow:b', in: { list: [] } }], {
        workflows: {
          a: member([{ id: 'n', use: 'workflow:b', in: { list: [] } }]),
          b: member([{ id: 'n', use: 'workflow:a', in: { list: [] } }]),
        },
      }),
    ends: 'refused',
  },
  'members-that-double': {
    plan: () =>
      document([{ id: 'n', use: 'workflow:m30', in: { list: [] } }], {
        workflows: Object.fromEntries(
          times(31, (index) => [
            `m${index}`,
            member(
              index === 0
                ? [value('n', {})]
                : times(2, (place) => ({ id: `n${place}`, use: `workflow:m${index - 1}`, in: { list: [] } })),
            ),
          ]),
        ),
      }),
  },
  'members-by-eighty': {
    plan: () =>
      document([{ id: 'n', use: 'workflow:c', in: { list: [] } }], {
        workflows: {
          a: member(times(80, (index) => value(`n${index}`, { x: index }))),
          b: member(times(80, (index) => ({ id: `n${index}`, use: 'workflow:a', in: { list: [] } }))),
          c: member(times(80, (index) => ({ id: `n${index}`, use: 'workflow:b', in: { list: [] } }))),
        },
      }),
    runSeconds: 6,
  },
  'members-for-every-item': {
    plan: () =>
      document(
        [
          material('m', 'items', 10_000),
          { id: 'n', use: 'workflow:c', each: '{{m.items}}', in: { list: '{{m.items}}' } },
        ],
        {
          workflows: { a: member([value('n', { x: 1 })]), b: level('a'), c: level('b') },
        },
      ),
    runSeconds: 6,
  },
  'rounds-of-rounds': {
    plan: () =>
      document([{ id: 'n', use: 'workflow:c', in: { list: [] }, repeat: { until: 'false', max: 20 } }], {
        workflows: Object.fromEntries(
          ['a', 'b', 'c'].map((name, index, names) => [
            name,
            member([
              index === 0
                ? value('n', { x: 1 }, { repeat: { until: 'false', max: 20 } })
                : {
                    id: 'n',
                    use: `workflow:${names[index - 1]}`,
                    in: { list: [] },
                    repeat: { until: 'false', max: 20 },
                  },
            ]),
          ]),
        ),
      }),
    runSeconds: 6,
  },
  'many-members': {
    plan: () =>
      document([value('n', {})], {
        workflows: Object.fromEntries(times(5000, (index) => [`m${index}`, member([value('a', {})])])),
      }),
    ends: 'refused',
  },
  'members-within-members': {
    plan: () =>
      document([value('n', {})], {
        workflows: { a: member([value('a', {})], { workflows: { b: member([value('a', {})]) } }) },
      }),
  },
  'member-with-a-huge-output': {
    plan: () =>
      document([material('big', 'text', 2 ** 20), { id: 'n', use: 'workflow:a', in: { list: '{{big.text}}' } }], {
        workflows: { a: member([value('a', {})], { output: times(500, () => '{{input.list}}') }) },
      }),
  },
};

const ends: Family<PlanCase> = {
  ...each(
    'finish',
    {
      each: { each: '{{m.items}}' },
      rounds: { repeat: { until: 'false', max: 20 } },
      undone: { undo: 'tool:material' },
      waiting: { wait: 'any', needs: ['m'] },
    },
    (rest: object): PlanCase => ({
      plan: () =>
        document([
          material('m', 'items', 5000),
          llm('slow', '{{item}}', { each: '{{m.items}}' }),
          value('f', { x: 1 }, { finish: true, ...rest }),
          ...times(100, (index) => value(`n${index}`, {}, { finish: true, needs: ['m'] })),
        ]),
    }),
  ),
  'undo-of-ten-thousand': {
    plan: () =>
      document(
        [
          material('m', 'items', 10_000),
          {
            id: 'done',
            use: 'tool:material',
            each: '{{= m.items.map(x, x + "!") }}',
            in: { kind: 'text', size: 1, note: '{{item}}' },
            undo: { use: 'tool:material', in: { kind: 'text', size: 1, of: '{{item}} {{index}} {{self.text}}' } },
          },
          { id: 'broken', use: 'tool:material', needs: ['done'], in: { kind: 'error', size: 1 } },
        ],
        { failFast: false },
      ),
    ends: 'failed',
  },
  'undo-that-fails-at-length': {
    plan: () =>
      document([
        material('m', 'items', 1000),
        {
          id: 'done',
          use: 'tool:material',
          each: '{{m.items}}',
          in: { kind: 'text', size: 1 },
          undo: { use: 'tool:material', in: { kind: 'error', size: 1_000_000 } },
        },
        { id: 'broken', use: 'tool:material', needs: ['done'], in: { kind: 'error', size: 1 } },
      ]),
    ends: 'failed',
  },
  'undo-by-a-model': {
    plan: () => document([{ ...material('a', 'text', 1), undo: { use: 'llm', in: { prompt: 'x' } } }]),
    ends: 'refused',
  },
  'undo-of-undo': {
    plan: () =>
      document([{ ...material('a', 'text', 1), undo: { use: 'tool:material', in: {}, undo: 'tool:material' } }]),
  },
  'kept-at-length': {
    plan: () =>
      document([
        material('m', 'items', 2000),
        {
          id: 'n',
          use: 'tool:material',
          each: '{{m.items}}',
          in: { kind: 'error', size: 100_000 },
          onError: { keep: true },
        },
        value('all', { x: '{{n.meta.errors}}', y: '{{n.meta.error}}', z: '{{n}}' }),
      ]),
  },
  'kept-and-planned-anew': {
    plan: () =>
      document([
        { id: 'a', use: 'tool:material', in: { kind: 'error', size: 1 }, onError: { keep: true } },
        {
          id: 'b',
          use: 'tool:material',
          in: { kind: 'error', size: 1 },
          when: 'a.meta.error != null',
          onError: 'replan',
        },
      ]),
  },
};

export const members: readonly Family<PlanCase>[] = [shapes, ends];
