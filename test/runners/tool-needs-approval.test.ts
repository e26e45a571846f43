/** A tool that wants approval wherever it is used: by a model, and by a plan. */
import { describe, expect, it } from 'vitest';
import type { ModelEvent } from '../../src/core/model/model.ts';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import type { RunResult } from '../../src/core/run/engine.ts';
import { settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { setUp } from './run-node.ts';

function worldOf(answers: Parameters<typeof setUp>[0] = [], failures = 0) {
  const sent: unknown[] = [];
  let left = failures;
  const send: Tool = {
    name: 'post/send',
    description: 'Sends.',
    input: { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] },
    approval: 'ask',
    run: async ({ to }) => {
      if (left > 0) {
        left -= 1;
        throw new Error('busy');
      }
      sent.push(to);
      return `sent to ${to}`;
    },
  };
  return { sent, ...setUp(answers, { tools: new Map([[send.name, send]]) }) };
}

type World = ReturnType<typeof worldOf>;
const begin = (world: World, node: PlanNode) =>
  settled(world, world.engine.start(validPlan({ nodes: [node] }), { input: {} }));
async function answer(world: World, { runId }: RunResult, given: unknown) {
  await world.engine.answer(runId, 'a', given);
  return settled(world, await world.engine.resume(runId));
}
const STEP: PlanNode = { id: 'a', use: 'tool:post/send', in: { to: 'ann' } };

describe('in a plan', () => {
  it('waits for a person, and runs once it is approved', async () => {
    const world = worldOf();
    const asked = await begin(world, STEP);
    expect(asked).toMatchObject({
      status: 'suspended',
      waiting: [{ nodeId: 'a', data: { tool: 'post/send', arguments: { to: 'ann' } } }],
    });
    expect(asked.waiting?.[0]?.question).toContain('The plan wants to call post/send');
    expect(world.sent).toEqual([]);
    expect(await answer(world, asked, 'yes')).toMatchObject({
      status: 'done',
      output: { a: { result: 'sent to ann' } },
    });
    expect(world.sent).toEqual(['ann']);
  });

  it.each(['no', false, 'not today'])('does not run after %j', async (given) => {
    const world = worldOf();
    const done = await answer(world, await begin(world, STEP), given);
    expect(done).toMatchObject({ status: 'failed', error: { code: 'blocked' } });
    expect(world.sent).toEqual([]);
  });

  it('runs with what a person changed', async () => {
    const world = worldOf();
    const done = await answer(world, await begin(world, STEP), { approved: true, arguments: { to: 'bob' } });
    expect(done.status).toBe('done');
    expect(world.sent).toEqual(['bob']);
  });

  it('asks about no call that cannot run', async () => {
    const world = worldOf();
    expect(await begin(world, { ...STEP, in: { to: 3 } })).toMatchObject({
      status: 'failed',
      error: { code: 'invalid-request' },
    });
  });
});

describe('for a model', () => {
  it('is asked about without a word of the node', async () => {
    const call = { type: 'tool-call', id: 'c', name: 'post/send', arguments: { to: 'ann' } } as const;
    const world = worldOf([[{ type: 'tool-call', call } as ModelEvent], 'done']);
    const node: PlanNode = { id: 'a', use: 'llm', in: { prompt: 'go', tools: ['post/send'] } };
    const asked = await begin(world, node);
    expect(asked.status).toBe('suspended');
    expect(world.sent).toEqual([]);
    expect(await answer(world, asked, 'yes')).toMatchObject({ status: 'done' });
    expect(world.sent).toEqual(['ann']);
  });
});
