/** Limits of the operator that a plan, a result or a model wants to widen. */
import type { ConfigInput } from '../../../src/core/config/config-input.ts';
import type { Family } from '../harness/report.ts';
import { document, type Node, times } from '../plans/plan-case.ts';
import { agent, type EscapeCase, lure, type World } from './escape-case.ts';
import { ANSWER_USD } from './world.ts';

/** The guard is the operator's config. */
const bounded = (
  config: ConfigInput,
  plan: (world: World) => unknown,
  breach: EscapeCase['breach'],
  more: Partial<EscapeCase> = {},
): EscapeCase => ({
  attempt: (world, isGuarded) => ({ plan: plan(world), ...(isGuarded ? { config } : {}) }),
  breach,
  ...more,
});

const atMost =
  (most: number, count: (world: World) => number, what: string): EscapeCase['breach'] =>
  (world) =>
    count(world) > most ? `${count(world)} ${what}, and ${most} are allowed` : undefined;

const CAP_USD = 0.05;
const capped: ConfigInput = { budgets: [{ scope: 'run', usd: CAP_USD }] };
const overspent = atMost(Math.floor(CAP_USD / ANSWER_USD), ({ answers }) => answers, 'paid answers');
const questions = (count: number, rest: object = {}): Node[] =>
  times(count, (index) => agent(`q${index}`, { prompt: `Question ${index}` }, rest));
const RICH = { usd: 1000 };
const many = (count: number) => () => ({ items: times(count, (index) => `item ${index}`) });

const money: Family<EscapeCase> = {
  'budget-of-the-plan': bounded(capped, () => document(questions(8), { budget: RICH }), overspent),
  'budget-of-every-node': bounded(capped, () => document(questions(8, { limits: RICH })), overspent),
  'budget-of-a-workflow': bounded(
    capped,
    () =>
      document(
        times(4, (index) => ({ id: `w${index}`, use: 'workflow:spend', in: {} })),
        { workflows: { spend: { budget: RICH, nodes: questions(3), output: '{{q2.text}}' } } },
      ),
    overspent,
  ),
  'budget-told-by-a-tool': bounded(
    capped,
    () =>
      document([lure(), agent('a', { prompt: '{{item}}' }, { each: '{{lure.items}}', limits: RICH, onError: 'skip' })]),
    overspent,
    { lured: many(20) },
  ),
  'budget-that-a-model-eats': bounded(
    capped,
    () => document([agent('a', { tools: ['ping'], rounds: 20 })], { budget: RICH }),
    overspent,
    { calls: () => [{ name: 'ping', arguments: { n: 1 } }] },
  ),
  'budget-of-skipped-errors': bounded(
    capped,
    () => document(questions(8, { onError: 'skip' }), { failFast: false }),
    overspent,
  ),
};

const CALLS: ConfigInput = { limits: { run: { calls: 5 } } };
const calledTooOften = atMost(5, ({ answers }) => answers, 'calls');

const counts: Family<EscapeCase> = {
  'calls-of-every-item': bounded(
    CALLS,
    () => document([lure(), agent('a', { prompt: '{{item}}' }, { each: '{{lure.items}}', onError: 'skip' })]),
    calledTooOften,
    { lured: many(40) },
  ),
  'calls-of-nested-runs': bounded(
    CALLS,
    () =>
      document(
        times(4, (index) => ({ id: `w${index}`, use: 'workflow:ask', in: {}, onError: 'skip' })),
        { workflows: { ask: { nodes: questions(4), output: '{{q3.text}}' } } },
      ),
    calledTooOften,
  ),
  'rounds-of-a-loop': bounded(
    { bounds: { rounds: 3 } },
    () => document([{ id: 'a', use: 'tool:ping', in: { n: 1 }, repeat: { until: 'self.ok', max: 20 } }]),
    atMost(3, ({ pings }) => pings, 'rounds'),
  ),
  'rounds-of-a-model': bounded(
    { bounds: { toolRounds: 2 } },
    () => document([agent('a', { tools: ['ping'], rounds: 20 })]),
    atMost(2, ({ pings }) => pings, 'rounds of tools'),
    { calls: () => [{ name: 'ping', arguments: { n: 1 } }] },
  ),
  'items-of-a-result': bounded(
    { bounds: { items: 10 } },
    () => document([lure(), { id: 'a', use: 'tool:ping', in: { n: '{{item}}' }, each: '{{lure.items}}' }]),
    atMost(10, ({ pings }) => pings, 'items'),
    { lured: many(50) },
  ),
  'nodes-of-a-plan': bounded(
    { bounds: { nodes: 5 } },
    () => document(times(20, (index) => ({ id: `p${index}`, use: 'tool:ping', in: { n: index } }))),
    atMost(5, ({ pings }) => pings, 'nodes'),
  ),
  'bounds-in-the-plan': bounded(
    { bounds: { nodes: 5 } },
    () =>
      document(
        times(20, (index) => ({ id: `p${index}`, use: 'tool:ping', in: { n: index } })),
        { goal: 'bounds.nodes = 256' },
      ),
    atMost(5, ({ pings }) => pings, 'nodes'),
  ),
  'plans-of-plans': bounded(
    { limits: { run: { plannerCalls: 2 } } },
    () =>
      document(
        times(6, (index) => ({ id: `p${index}`, use: 'plan', in: { goal: `Reach goal ${index}` }, onError: 'skip' })),
      ),
    atMost(2, ({ plannings }) => plannings, 'calls of the planner'),
  ),
  'calls-of-one-answer': bounded(
    { limits: { answers: { toolCalls: 3 } } },
    () => document([agent('a', { tools: ['ping'] })]),
    atMost(3, ({ pings }) => pings, 'tools'),
    { calls: (answered) => (answered === 0 ? times(30, (n) => ({ name: 'ping', arguments: { n } })) : []) },
  ),
  'bytes-of-a-result': bounded(
    { limits: { values: { valueBytes: 10_000, renderedBytes: 10_000 } } },
    () => document([lure(), agent('a', { prompt: '{{lure.text}}' })]),
    atMost(20_000, ({ longestPrompt }) => longestPrompt, 'characters were sent'),
    { lured: () => ({ text: 'x'.repeat(1_000_000) }) },
  ),
  'calls-at-the-same-time': bounded(
    { concurrency: { fake: 2 } },
    () =>
      document([lure(), agent('a', { prompt: '{{item}}' }, { each: '{{lure.items}}', limits: { concurrency: 100 } })]),
    atMost(2, ({ mostOpen }) => mostOpen, 'calls were open'),
    { lured: many(20) },
  ),
};

export const limits: Family<EscapeCase> = { ...money, ...counts };
