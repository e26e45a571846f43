/** Plans that wait for themselves, never end, ask thousands of people, or start more and more. */
import { each, type Family } from '../harness/report.ts';
import { document, llm, material, type PlanCase, times, value } from './plan-case.ts';

const shapes: Family<PlanCase> = {
  'needs-itself': { plan: () => document([value('a', {}, { needs: ['a'] })]), ends: 'refused' },
  'no-nodes': { plan: () => ({ version: 1, nodes: [] }), ends: 'refused' },
  'most-nodes': { plan: () => document(times(256, (index) => value(`n${index}`, {}))), ends: 'done' },
  'one-node-more': { plan: () => document(times(257, (index) => value(`n${index}`, {}))), ends: 'refused' },
  'ten-thousand-nodes': { plan: () => document(times(10_000, (index) => value(`n${index}`, {}))), ends: 'refused' },
  'chain-of-all': {
    plan: () => document(times(256, (index) => value(`n${index}`, { x: index === 0 ? 1 : `{{n${index - 1}.x}}` }))),
    ends: 'done',
  },
  'nothing-runs': {
    plan: () =>
      document(
        times(200, (index) =>
          value(`n${index}`, { x: index === 0 ? 1 : `{{n${index - 1}.x ?? 1}}` }, { when: 'false' }),
        ),
      ),
  },
  'quorum-of-zero': { plan: () => document([value('a', {}), value('b', {}, { needs: ['a'], wait: { atLeast: 0 } })]) },
  'quorum-of-more-than-there-are': {
    plan: () => document([value('a', {}), value('b', {}, { needs: ['a'], wait: { atLeast: 256 } })]),
  },
  'any-of-the-failed': {
    plan: () =>
      document([
        ...times(100, (index) => ({ id: `n${index}`, use: 'tool:material', in: { kind: 'error', size: 1 } })),
        value('b', {}, { needs: times(100, (index) => `n${index}`), wait: 'any' }),
      ]),
  },
};

const loops: Family<PlanCase> = {
  'rounds-to-the-bound': {
    plan: () => document([llm('a', 'x', { repeat: { until: 'false', max: 20 } })]),
    ends: 'done',
  },
  'rounds-without-end': { plan: () => document([llm('a', 'x', { repeat: { until: 'false', max: 1e9 } })]) },
  'rounds-of-items': {
    plan: () =>
      document([
        material('m', 'items', 10_000),
        value('a', { x: '{{item}}' }, { each: '{{m.items}}', repeat: { until: 'false', max: 20 } }),
      ]),
  },
  'each-over-each': {
    plan: () =>
      document([
        material('m', 'items', 200),
        ...times(20, (index) =>
          value(
            `n${index}`,
            { x: '{{item}}', all: index === 0 ? 1 : `{{n${index - 1}}}` },
            { each: index === 0 ? '{{m.items}}' : `{{n${index - 1}}}` },
          ),
        ),
      ]),
  },
  'replans-for-ever': {
    plan: () => document([{ id: 'a', use: 'tool:material', in: { kind: 'error', size: 1 }, onError: 'replan' }]),
  },
  'many-replan': {
    plan: () =>
      document(
        times(50, (index) => ({
          id: `n${index}`,
          use: 'tool:material',
          in: { kind: 'error', size: 1 },
          onError: 'replan',
        })),
      ),
  },
  'plans-in-plans': { plan: () => document([{ id: 'a', use: 'plan', in: { goal: 'again' } }]) },
  'plans-by-ten': {
    plan: () => document(times(10, (index) => ({ id: `n${index}`, use: 'plan', in: { goal: 'again' } }))),
  },
  'plans-for-every-item': {
    plan: () =>
      document([material('m', 'items', 1000), { id: 'a', use: 'plan', each: '{{m.items}}', in: { goal: '{{item}}' } }]),
  },
  // The retries wait, so only the operator's bound ends it soon.
  'retries-of-items': {
    runSeconds: 5,
    plan: () =>
      document([
        material('m', 'items', 500),
        {
          id: 'a',
          use: 'tool:material',
          each: '{{m.items}}',
          in: { kind: 'error', size: 1 },
          limits: { retries: 10 },
          onError: 'skip',
        },
      ]),
    ends: 'failed',
  },
  'waits-for-a-tool': {
    plan: () => document([{ id: 'a', use: 'tool:material', in: { kind: 'hang', size: 1 }, limits: { seconds: 1 } }]),
    ends: 'failed',
  },
  'thousands-of-waits': {
    plan: () =>
      document([
        material('m', 'items', 10_000),
        {
          id: 'a',
          use: 'tool:material',
          each: '{{m.items}}',
          in: { kind: 'hang', size: 1 },
          limits: { seconds: 2, concurrency: 1000 },
        },
      ]),
    ends: 'failed',
  },
};

const people: Family<PlanCase> = {
  'two-hundred-questions': {
    plan: () => document(times(200, (index) => ({ id: `n${index}`, use: 'human', in: { question: 'Yes?' } }))),
    ends: 'suspended',
  },
  'questions-for-every-item': {
    plan: () =>
      document([
        material('m', 'items', 10_000),
        { id: 'a', use: 'human', each: '{{m.items}}', in: { question: '{{item}}?' } },
      ]),
  },
  'questions-in-rounds': {
    plan: () => document([{ id: 'a', use: 'human', in: { question: 'Yes?' }, repeat: { until: 'false', max: 20 } }]),
  },
  'a-hundred-thousand-choices': {
    plan: () =>
      document([
        { id: 'a', use: 'human', in: { question: 'Which?', choices: times(100_000, (index) => `c${index}`) } },
      ]),
  },
};

const LADDERS: Readonly<Record<string, object>> = {
  'by-nobody': { evaluator: 'nobody', to: ['premium'] },
  'by-proto': { evaluator: '__proto__', to: ['premium'] },
  'to-nowhere': { evaluator: 'validators', to: [] },
  'to-itself': { evaluator: 'validators', below: 1, to: times(20, () => 'fake/one') },
  'ten-thousand-rungs': { evaluator: 'validators', to: times(10_000, () => 'premium') },
  'never-good-enough': {
    evaluator: 'validators',
    below: 1e9,
    to: ['premium', 'balanced', 'fast'],
    context: 'with-draft',
  },
  'the-judge': { evaluator: 'judge', below: 1, to: ['premium'] },
};

const FIELDS: Readonly<Record<string, object>> = {
  'unknown-model': { model: { id: '__proto__' } },
  'unknown-route': { model: { route: 'constructor' } },
  'unknown-tier': { model: { tier: 'gods' } },
  'every-capability': { model: { can: times(10_000, () => 'text') } },
  'strengths-of-thousands': { model: { strengths: times(10_000, (index) => `s${index}`) } },
  regulated: { sensitivity: 'regulated' },
  'sensitivity-unknown': { sensitivity: '../../' },
  'concurrency-of-all': { limits: { concurrency: 1e9 } },
  'no-seconds': { limits: { seconds: 1e-9 } },
  'no-money': { limits: { usd: 0 } },
  'unknown-fields': Object.fromEntries(times(5000, (index) => [`field${index}`, { deep: [[index]] }])),
  'unknown-wait': { wait: 'never' },
  'unknown-error-rule': { onError: { run: 'rm -rf /' } },
};

export const control: readonly Family<PlanCase>[] = [
  shapes,
  loops,
  people,
  each('ladder', LADDERS, (escalate) => ({ plan: () => document([llm('a', 'x', { escalate })]) })),
  each('field', FIELDS, (field) => ({ plan: () => document([llm('a', 'x', field)]) })),
];
