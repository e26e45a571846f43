/**
 * The calls of tools of all agents of a run, with those of the runs nested in it, are bounded by the `concurrency` of the run.
 *
 * 1. No more of them run at once, and a run whose agents have more calls than that reaches it.
 * 2. Every run ends, also where agents are tools of agents and there is one slot for all.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ChatRequest, ModelEvent } from '../../src/core/model/model.ts';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import { settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { setUp } from '../runners/run-node.ts';
import { scriptedGateway } from '../runners/scripted-gateway.ts';

const LEVELS = 3;

/** An agent at each level calls the one below it; the last one calls the tool only. */
const agentOf = (level: number): PlanNode => ({
  id: 'a',
  use: 'llm',
  in: { prompt: `level ${level}`, tools: ['work', ...(level < LEVELS ? [`workflow:w${level + 1}`] : [])] },
});

function worldOf(calls: number, deep: boolean) {
  const work = { now: 0, most: 0, done: 0 };
  const tool: Tool = {
    name: 'work',
    description: 'Works.',
    input: {},
    async run() {
      work.now += 1;
      work.most = Math.max(work.most, work.now);
      for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
      work.now -= 1;
      work.done += 1;
      return 'done';
    },
  };
  const gateway = scriptedGateway([]);
  gateway.stream = ((request: ChatRequest, options = {}) => {
    const isAsked = request.messages.some(({ role }) => role === 'assistant');
    const below = deep
      ? (request.tools ?? []).map(({ name }) => name).find((name) => name.startsWith('workflow:'))
      : '';
    const names = Array.from({ length: calls }, (_, index) => (index % 2 === 1 && below ? below : 'work'));
    const answer = names.map(
      (name, index): ModelEvent => ({
        type: 'tool-call',
        call: { type: 'tool-call', id: `c${index}`, name, arguments: {} },
      }),
    );
    return scriptedGateway([isAsked ? 'ok' : answer]).stream(request, { id: 'call', ...options });
  }) as typeof gateway.stream;
  const workflows = (id: string) => validPlan({ nodes: [agentOf(Number(id.slice(1)))] });
  return { work, ...setUp([], { tools: new Map([['work', tool]]), gateway, workflows }) };
}

const agents = fc.record({
  nodes: fc.integer({ min: 1, max: 4 }),
  calls: fc.integer({ min: 1, max: 4 }),
  concurrency: fc.integer({ min: 1, max: 5 }),
  deep: fc.boolean(),
});

it('bounds the calls of tools of all agents together, and ends', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(agents, async ({ nodes, calls, concurrency, deep }) => {
      const world = worldOf(calls, deep);
      const plan = validPlan({
        nodes: Array.from({ length: nodes }, (_, index) => ({ ...agentOf(1), id: `n${index}` })),
      });
      const result = await settled(world, world.engine.start(plan, { concurrency }));
      expect(result).toMatchObject({ status: 'done' });
      expect(world.work.now).toBe(0);
      expect(world.work.most).toBeLessThanOrEqual(concurrency);
      if (deep) return;
      expect(world.work.done).toBe(nodes * calls);
      expect(world.work.most).toBe(Math.min(concurrency, nodes * calls));
    }),
    { numRuns: 30 },
  );
});
