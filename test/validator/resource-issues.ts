/** Issues of models, money and nesting, each with a plan that has it. */
import type { Plan } from '../../src/core/plan/plan.ts';
import { card } from './catalogue.ts';
import { ask, type Case, plan, search } from './fragments.ts';

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

export const RESOURCE_CASES: readonly Case[] = [
  {
    code: 'model.open',
    what: 'a tier that any text may be',
    raw: { ...plan(ask('a', 'x', { model: { tier: '{{input.tier}}' } })), input: { tier: 'string' } },
    path: '/nodes/0/model/tier',
  },
  {
    code: 'model.unknown',
    what: 'a model that only one branch chooses',
    raw: {
      ...plan(ask('a', 'x', { model: { id: "{{= input.hard ? 'acme/swift-9' : 'acme/swift-1'}}" } })),
      input: { hard: 'boolean' },
    },
    path: '/nodes/0/model/id',
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
    code: 'model.unknown',
    what: 'an unknown task',
    raw: plan(ask('a', 'x', { model: { task: 'sales' } })),
    path: '/nodes/0/model/task',
  },
  {
    code: 'model.ambiguous',
    what: 'a route and a task',
    raw: plan(ask('a', 'x', { model: { route: 'support', task: 'writing' } })),
    path: '/nodes/0/model',
  },
  {
    code: 'model.intent',
    what: 'bounds that are not understood',
    raw: plan(ask('a', 'x', { model: { intent: 'cheap and fast' } })),
    path: '/nodes/0/model/intent',
  },
  {
    code: 'model.intent',
    what: 'bounds of which there are none',
    raw: plan(ask('a', 'x', { model: { tier: 'fast', intent: {} } })),
    path: '/nodes/0/model/intent',
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
    code: 'model.no_capable',
    what: 'an operation that no model does, without a stand-in',
    raw: plan({ id: 'a', use: 'rerank', in: { query: 'x', documents: ['y'] }, onError: 'fail' }),
    path: '/nodes/0',
  },
  {
    code: 'model.no_capable',
    what: 'an answer that no model can give, with a stand-in',
    raw: plan(ask('a', 'x', { model: { can: ['audio-in'] }, onError: 'skip' })),
    path: '/nodes/0/model',
  },
  {
    code: 'model.stand_in',
    what: 'an operation that no model does, with a stand-in',
    raw: plan({ id: 'a', use: 'rerank', in: { query: 'x', documents: ['y'] }, onError: 'skip' }),
    path: '/nodes/0',
  },
  {
    code: 'model.no_capable',
    what: 'a tier that must not give way',
    raw: plan(ask('a', 'x', { model: { tier: 'fast', strict: true, can: ['reasoning'] } })),
    path: '/nodes/0/model',
  },
  {
    code: 'model.tier',
    what: 'a tier that no capable model has',
    raw: plan(ask('a', 'x', { model: { tier: 'fast', can: ['reasoning'] } })),
    path: '/nodes/0/model/tier',
  },
  {
    code: 'model.tier',
    what: 'a rung of a tier that no capable model has',
    raw: plan(
      ask('a', 'x', { model: { can: ['reasoning'] }, escalate: { evaluator: 'judge', to: ['premium', 'balanced'] } }),
    ),
    path: '/nodes/0/escalate/to/1',
  },
  {
    code: 'model.privacy',
    what: 'personal data for a model that keeps it',
    raw: plan(ask('a', 'x', { sensitivity: 'personal', model: { tier: 'premium' } })),
    path: '/nodes/0/model',
  },
  {
    code: 'thread.step',
    what: 'a step that has no conversation',
    raw: plan({ ...search('a', 'x'), thread: 'ann' }),
    path: '/nodes/0/thread',
  },
  {
    code: 'thread.shared',
    what: 'items that all write to one conversation',
    raw: plan(ask('a', '{{item}}', { each: '{{input.names}}', thread: { key: 'all' } })),
    path: '/nodes/0/thread/key',
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
    code: 'budget.infeasible',
    what: 'a call that no model makes for so little',
    raw: plan(ask('a', 'x', { model: { intent: 'under $0.000000001, under 2 s' } })),
    path: '/nodes/0/model/intent',
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
    code: 'workflow.depth',
    what: 'workflows of the plan nested too deep',
    raw: {
      ...plan({ id: 'x', use: 'workflow:c' }),
      workflows: {
        a: { nodes: [{ id: 'v', use: 'value' }] },
        b: { nodes: [{ id: 'v', use: 'workflow:a' }] },
        c: { nodes: [{ id: 'v', use: 'workflow:b' }] },
      },
    },
    path: '/nodes/0/use',
    parts: { bounds: { nesting: 2 } },
  },
  {
    code: 'workflow.cycle',
    what: 'workflows of the plan that use each other',
    raw: {
      ...plan({ id: 'x', use: 'workflow:a' }),
      workflows: {
        a: { nodes: [{ id: 'v', use: 'workflow:b' }] },
        b: { nodes: [{ id: 'v', use: 'workflow:a' }] },
      },
    },
    path: '/workflows/a',
  },
  {
    code: 'workflow.cycle',
    what: 'a workflow of the plan that uses itself, although one of that name is registered',
    raw: { ...plan({ id: 'x', use: 'workflow:a' }), workflows: { a: { nodes: [{ id: 'v', use: 'workflow:a' }] } } },
    path: '/workflows/a',
    parts: nested,
  },
  {
    code: 'workflow.forward',
    what: 'a workflow of the plan before one that it uses',
    raw: {
      ...plan({ id: 'x', use: 'workflow:a' }),
      workflows: {
        a: {
          nodes: [
            { id: 'w', use: 'value' },
            { id: 'v', use: 'workflow:b' },
          ],
        },
        b: { nodes: [{ id: 'v', use: 'value' }] },
      },
    },
    path: '/workflows/a/nodes/1/use',
  },
  {
    code: 'workflow.unused',
    what: 'a workflow of the plan that nothing uses',
    raw: { ...plan({ id: 'x', use: 'value' }), workflows: { a: { nodes: [{ id: 'v', use: 'value' }] } } },
    path: '/workflows/a',
  },
  {
    code: 'ref.unknown_input',
    what: 'a workflow of the plan that reads the input of the plan',
    raw: {
      ...plan({ id: 'x', use: 'workflow:a' }),
      input: { topic: 'string' },
      workflows: { a: { nodes: [{ id: 'v', use: 'value', in: { topic: '{{input.topic}}' } }] } },
    },
    path: '/workflows/a/nodes/0/in/topic',
  },
  {
    code: 'ref.unknown_node',
    what: 'a workflow of the plan that reads a node of the plan',
    raw: {
      ...plan({ id: 'y', use: 'value' }, { id: 'x', use: 'workflow:a' }),
      workflows: { a: { nodes: [{ id: 'v', use: 'value', in: { topic: '{{y.b}}' } }] } },
    },
    path: '/workflows/a/nodes/0/in/topic',
  },
  {
    code: 'in.missing',
    what: 'a workflow of the plan without an input that it needs',
    raw: {
      ...plan({ id: 'x', use: 'workflow:a' }),
      workflows: { a: { input: { n: 'integer' }, nodes: [{ id: 'v', use: 'value', in: { n: '{{input.n}}' } }] } },
    },
    path: '/nodes/0/in',
  },
  {
    code: 'in.unknown',
    what: 'an input for a workflow of the plan that takes none',
    raw: {
      ...plan({ id: 'x', use: 'workflow:a', in: { n: 1 } }),
      workflows: { a: { nodes: [{ id: 'v', use: 'value' }] } },
    },
    path: '/nodes/0/in/n',
  },
  {
    code: 'ref.unknown_field',
    what: 'a field that a workflow of the plan does not give',
    raw: {
      ...plan({ id: 'x', use: 'workflow:a' }, search('y', '{{x.text}}')),
      workflows: { a: { nodes: [{ id: 'v', use: 'value', in: { n: 1 } }], output: { sum: '{{v.n}}' } } },
    },
    path: '/nodes/1/in/query',
  },
  {
    code: 'type.mismatch',
    what: 'what a workflow of the plan gives, of another type',
    raw: {
      ...plan({ id: 'x', use: 'workflow:a' }, { id: 'y', use: 'tool:search', in: { query: 'q', top: '{{x.name}}' } }),
      workflows: { a: { nodes: [ask('v', 'x')], output: { name: '{{v.text}}' } } },
    },
    path: '/nodes/1/in/top',
  },
  {
    code: 'size.nodes',
    what: 'too many nodes, with those of its workflows',
    raw: {
      ...plan({ id: 'x', use: 'workflow:a' }),
      workflows: { a: { nodes: [ask('v', 'x'), ask('w', 'x')] } },
    },
    path: '/workflows',
    parts: { bounds: { nodes: 2 } },
  },
  {
    code: 'shape.unknown_field',
    what: 'a misspelt field of a node in a workflow of the plan',
    raw: {
      ...plan({ id: 'x', use: 'workflow:a' }),
      workflows: { a: { nodes: [{ id: 'v', use: 'value', wen: 'true' }] } },
    },
    path: '/workflows/a/nodes/0/wen',
    suggest: ['when'],
  },
  {
    code: 'shape.unknown_field',
    what: 'workflows inside a workflow of the plan',
    raw: {
      ...plan({ id: 'x', use: 'workflow:a' }),
      workflows: { a: { workflows: {}, nodes: [{ id: 'v', use: 'value' }] } },
    },
    path: '/workflows/a/workflows',
  },
  {
    code: 'shape.value',
    what: 'a name that no workflow may have',
    raw: { ...plan({ id: 'x', use: 'value' }), workflows: { 'Not this': { nodes: [{ id: 'v', use: 'value' }] } } },
    path: '/workflows/Not this',
  },
  {
    code: 'use.unknown',
    what: 'a misspelt workflow of the plan',
    raw: {
      ...plan({ id: 'x', use: 'workflow:improv' }),
      workflows: { improve: { nodes: [{ id: 'v', use: 'value' }] } },
    },
    path: '/nodes/0/use',
    suggest: ['workflow:improve'],
  },
];
