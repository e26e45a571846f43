/** Issues of agents: the tools, rounds and agents of an `llm` node, each with a plan that has it. */
import type { Plan } from '../../src/core/plan/plan.ts';
import { type Case, plan } from './fragments.ts';

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

const agent = (more: object) => ({ id: 'a', use: 'llm', in: { prompt: 'x', tools: ['tool:search'], ...more } });
const team = (agents: object) => agent({ agents });

export const AGENT_CASES: readonly Case[] = [
  {
    code: 'agent.rounds',
    what: 'more rounds than the operator allows',
    raw: plan(agent({ rounds: 21 })),
    path: '/nodes/0/in/rounds',
  },
  {
    code: 'agent.tool',
    what: 'approval for a tool that the model cannot call',
    raw: plan(agent({ approve: ['search', 'send-mail'] })),
    path: '/nodes/0/in/approve/1',
  },
  {
    code: 'agent.tool',
    what: 'a misspelt limit',
    raw: plan(agent({ toolLimits: { serach: { calls: 1 } } })),
    path: '/nodes/0/in/toolLimits/serach',
    suggest: ['search'],
  },
  {
    code: 'agent.tool',
    what: 'an end that the model cannot reach',
    raw: plan(agent({ stopWhen: 'submit' })),
    path: '/nodes/0/in/stopWhen',
  },
  {
    code: 'agent.tool',
    what: 'a rule for an agent that is not there',
    raw: plan(team({ money: { system: 'x' } }), agent({ approve: ['handoff:money'] })),
    path: '/nodes/1/in/approve/0',
  },
  {
    code: 'agent.handoff',
    what: 'an agent with the name of its node',
    raw: plan(team({ a: { system: 'x' } })),
    path: '/nodes/0/in/agents/a',
  },
  {
    code: 'agent.handoff',
    what: 'too many agents',
    raw: plan(team(Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`b${n}`, { system: 'x' }])))),
    path: '/nodes/0/in/agents',
  },
  {
    code: 'use.unknown',
    what: 'a misspelt tool of an agent',
    raw: plan(team({ money: { system: 'x', tools: ['search', 'serach'] } })),
    path: '/nodes/0/in/agents/money/tools/1',
    suggest: ['search'],
  },
  {
    code: 'use.unknown',
    what: 'a workflow that is not there, among the tools',
    raw: plan(agent({ tools: ['workflow:refund'] })),
    path: '/nodes/0/in/tools/0',
  },
  {
    code: 'model.unknown',
    what: 'a misspelt model of an agent',
    raw: plan(team({ money: { system: 'x', model: { id: 'acme/swfit-1' } } })),
    path: '/nodes/0/in/agents/money/model/id',
  },
  {
    code: 'in.missing',
    what: 'an agent without a prompt of its own',
    raw: plan(team({ money: { about: 'x' } })),
    path: '/nodes/0/in/agents/money',
  },
  {
    code: 'field.ineffective',
    what: 'rounds without tools',
    raw: plan({ id: 'a', use: 'llm', in: { prompt: 'x', rounds: 3 } }),
    path: '/nodes/0/in/rounds',
  },
  {
    code: 'workflow.cycle',
    what: 'a workflow that a model may call, and that calls itself',
    raw: plan(agent({ tools: ['workflow:a'] })),
    path: '/nodes/0/in',
    parts: endless,
  },
  {
    code: 'workflow.depth',
    what: 'workflows that are too deep below a tool',
    raw: plan(agent({ tools: ['workflow:a'] })),
    path: '/nodes/0/in',
    parts: { ...nested, bounds: { nesting: 2 } },
  },
];
