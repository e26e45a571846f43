/** Calls that a person approved and whose workflow then waits: nobody is asked about them again, wherever the run goes on. */
import { describe, expect, it } from 'vitest';
import type { ModelEvent } from '../../src/core/model/model.ts';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import type { RunJournal } from '../../src/core/stores.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { collected, settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { type SetUp, setUp } from './run-node.ts';
import type { Answer } from './scripted-gateway.ts';

const call = (name: string, args: unknown = {}, id = 'c1'): ModelEvent => ({
  type: 'tool-call',
  call: { type: 'tool-call', id, name, arguments: args as never },
});

const DAY = 86_400;
const WAITS: Readonly<Record<string, PlanNode>> = {
  seconds: { id: 'hold', use: 'wait', in: { seconds: DAY } },
  event: { id: 'hold', use: 'wait', in: { event: 'settled' } },
  person: { id: 'hold', use: 'human', in: { question: 'Settled?' } },
};

const SEND: PlanNode = { id: 'send', use: 'tool:send', in: { order: '{{input.order}}' }, needs: ['hold'] };
const workflowsOf = (kind: string) => (id: string) => {
  if (id === 'refund')
    return validPlan({ id, input: { order: 'string' }, nodes: [WAITS[kind] as PlanNode, SEND], output: '{{send}}' });
  if (id === 'outer') return validPlan({ id, nodes: [AGENT], output: '{{a}}' });
  return undefined;
};

const ASKED = { prompt: 'help', tools: ['workflow:refund', 'pay'], approve: ['workflow:refund', 'pay'] };
const AGENT: PlanNode = { id: 'a', use: 'llm', in: ASKED };

function worldOf(
  kind: string,
  answers: readonly Answer[],
  { extraTools = [], ...more }: SetUp & { readonly extraTools?: readonly Tool[] } = {},
) {
  const sent: string[] = [];
  const tool = (name: string): Tool => ({
    name,
    description: 'For tests.',
    input: {},
    run: async ({ order }, { idempotencyKey }) => {
      sent.push(`${name} ${order} ${idempotencyKey}`);
      return `${name} ${order}`;
    },
  });
  const tools = new Map([...['send', 'pay'].map(tool), ...extraTools].map((one) => [one.name, one]));
  return { sent, ...setUp(answers, { tools, workflows: workflowsOf(kind), ...more }) };
}

type World = ReturnType<typeof worldOf>;

/** The questions about calls that were recorded, by the key of the call. */
async function approvalsAsked(world: World, runId: string): Promise<string[]> {
  const events = await collected(world.journal.read(runId));
  return events.flatMap((event) =>
    event.type === 'node-suspended' && event.question.question.startsWith('The model wants')
      ? [event.question.origin ?? '']
      : [],
  );
}

const sendSettled = async ({ engine }: World) => engine.event?.('settled', {});

/** What the workflow waits for comes, in one of the ways in which it may. */
async function come(world: World, kind: string, runId: string): Promise<void> {
  if (kind === 'seconds') await world.runtime.clock.advance(DAY * 1000);
  if (kind === 'event') expect(await sendSettled(world)).toMatchObject({ delivered: [{}] });
  if (kind === 'person') {
    const [asked] = (await world.engine.inspect(runId)).waiting ?? [];
    const place = asked?.item === undefined ? {} : { item: asked.item };
    await world.engine.answer(runId, asked?.nodeId ?? '', 'yes', place);
  }
}

const SHAPES: Readonly<Record<string, { node: PlanNode; input: object }>> = {
  alone: { node: AGENT, input: {} },
  items: { node: { ...AGENT, each: '{{input.list}}' }, input: { list: ['x'] } },
  rounds: { node: { ...AGENT, repeat: { until: 'true', max: 2 } }, input: {} },
  nested: { node: { id: 'o', use: 'workflow:outer', in: {} }, input: {} },
};

describe.each(['seconds', 'event', 'person'])('an approved call whose workflow waits: %s', (kind) => {
  describe.each(Object.keys(SHAPES))('%s', (shape) => {
    const { node, input } = SHAPES[shape] as (typeof SHAPES)[string];

    async function approved() {
      const world = worldOf(kind, [[call('workflow:refund', { order: 'o1' })], 'done']);
      const asked = await settled(world, world.engine.start(validPlan({ nodes: [node] }), { input: input as never }));
      const [first] = asked.waiting ?? [];
      await world.engine.answer(asked.runId, first?.id ?? '', 'yes');
      const waiting = await settled(world, await world.engine.resume(asked.runId));
      expect(waiting).toMatchObject({ status: 'suspended' });
      expect(waiting.waiting?.[0]?.question).not.toContain('The model wants');
      return { world, runId: asked.runId };
    }

    it('goes on without a second approval', async () => {
      const { world, runId } = await approved();
      await come(world, kind, runId);
      const result = await settled(world, await world.engine.resume(runId));
      expect(result).toMatchObject({ status: 'done' });
      expect(world.sent).toHaveLength(1);
      expect(world.gateway.asked).toHaveLength(2);
    });

    it('goes on in a process that resumed it too early', async () => {
      const { world, runId } = await approved();
      const early = await settled(world, await world.engine.resume(runId));
      expect(early).toMatchObject({ status: 'suspended' });
      expect(early.waiting?.[0]?.question).not.toContain('The model wants');
      await come(world, kind, runId);
      const result = await settled(world, await world.engine.resume(runId));
      expect(result).toMatchObject({ status: 'done' });
      expect(world.sent).toHaveLength(1);
      const nestedId = shape === 'nested' ? `${runId}.o` : runId;
      expect(await approvalsAsked(world, nestedId)).toHaveLength(1);
    });
  });
});

describe('approved and other calls of one round', () => {
  const ROUND = [call('pay', { order: 'p' }, 'x'), call('workflow:refund', { order: 'o1' }, 'y')];

  /** Both come while a process drives the run, because another node of it still works. */
  it.each([
    ['the answer first', ['answer', 'event'], false],
    ['the event first', ['event', 'answer'], false],
    ['both at once, the answer first', ['answer', 'event'], true],
    ['both at once, the event first', ['event', 'answer'], true],
  ])('keeps the answer of a person beside an event for another call: %s', async (_name, order, atOnce) => {
    let open = (): void => {};
    const slow: Tool = {
      ...{ name: 'slow', description: 'Waits.', input: {} },
      run: () => new Promise((resolve) => (open = () => resolve(1))),
    };
    const node: PlanNode = { ...AGENT, in: { ...ASKED, approve: ['pay'] } };
    const world = worldOf('event', [ROUND, 'done'], { extraTools: [slow] });
    const plan = validPlan({ nodes: [node, { id: 'stay', use: 'tool:slow', in: {} }] });
    const handle = world.engine.start(plan);
    await world.runtime.clock.runAll(1);
    const asked = await world.engine.inspect(handle.runId);
    expect(asked.waiting).toMatchObject([{ id: 'a', data: { tool: 'pay' } }]);
    const given = { answer: () => world.engine.answer(handle.runId, 'a', 'yes'), event: () => sendSettled(world) };
    const all = order.map((name) => given[name as keyof typeof given]);
    if (atOnce) await Promise.all(all.map((give) => give()));
    else for (const give of all) await give();
    await world.runtime.clock.runAll(1);
    open();
    expect(await settled(world, handle)).toMatchObject({ status: 'done' });
    expect(world.sent).toHaveLength(2);
    expect(world.gateway.asked).toHaveLength(2);
  });

  it('asks in the order of the calls, each once, of which one is refused, one waits and one is approved', async () => {
    const calls = [...ROUND, call('pay', { order: 'q' }, 'z')];
    const world = worldOf('seconds', [calls, 'done']);
    const { runId } = await settled(world, world.engine.start(validPlan({ nodes: [AGENT] })));
    for (const given of ['no', 'yes']) {
      await world.engine.answer(runId, 'a', given);
      await settled(world, await world.engine.resume(runId));
    }
    await world.runtime.clock.advance(DAY * 1000);
    const last = await settled(world, await world.engine.resume(runId));
    expect(last).toMatchObject({ status: 'suspended', waiting: [{ data: { arguments: { order: 'q' } } }] });
    await world.engine.answer(runId, 'a', 'yes');
    expect(await settled(world, await world.engine.resume(runId))).toMatchObject({ status: 'done' });
    expect(world.sent.map((one) => one.split(' ', 2).join(' '))).toEqual(['send o1', 'pay q']);
    expect(await approvalsAsked(world, runId)).toEqual([0, 1, 2].map((index) => `${runId}/a/tool/0.${index}`));
    expect(world.gateway.asked).toHaveLength(2);
  });

  it('runs with the arguments that a person gave, also after the wait', async () => {
    const world = worldOf('seconds', [[call('workflow:refund', { order: 'o1' })], 'done']);
    const { runId } = await settled(world, world.engine.start(validPlan({ nodes: [AGENT] })));
    await world.engine.answer(runId, 'a', { approved: true, arguments: { order: 'o2' } });
    await settled(world, await world.engine.resume(runId));
    await world.runtime.clock.advance(DAY * 1000);
    expect(await settled(world, await world.engine.resume(runId))).toMatchObject({ status: 'done' });
    const events = await collected(world.journal.read(runId));
    const calls = events.filter(({ type }) => type === 'tool-call');
    expect(calls).toMatchObject([{ approval: 'changed', arguments: { order: 'o2' }, result: { result: 'send o2' } }]);
  });

  it('asks anew in a fork, whose effects are others', async () => {
    const world = worldOf('seconds', [[call('workflow:refund', { order: 'o1' })], 'done']);
    const nodes: PlanNode[] = [AGENT, { id: 'b', use: 'value', in: { n: 1 }, needs: ['a'] }];
    const { runId } = await settled(world, world.engine.start(validPlan({ nodes })));
    await world.engine.answer(runId, 'a', 'yes');
    await settled(world, await world.engine.resume(runId));
    const forked = await settled(world, await world.engine.fork(runId, { from: 'b' }));
    expect(forked).toMatchObject({ status: 'suspended', waiting: [{ origin: `${forked.runId}/a/tool/0.0` }] });
    expect(world.sent).toEqual([]);
  });

  it('goes on from every prefix of the journals with one approval a call, once it is recorded', async () => {
    const stores = memoryStores();
    const written: { runId: string; event: Parameters<RunJournal['append']>[1][number] }[] = [];
    const append: RunJournal['append'] = async (runId, events) => {
      for (const event of events) written.push({ runId, event });
      await stores.journal.append(runId, events);
    };
    const answers = [[call('workflow:refund', { order: 'o1' })], 'done'] as const;
    const world = worldOf('person', answers, { journal: { ...stores.journal, append } });
    const { runId } = await settled(world, world.engine.start(validPlan({ nodes: [AGENT] })));
    for (let turn = 0; turn < 2; turn += 1) {
      await world.engine.answer(runId, 'a', 'yes');
      await settled(world, await world.engine.resume(runId));
    }
    for (let length = 1; length < written.length; length += 1) {
      const { journal } = memoryStores();
      for (const { runId: of, event } of written.slice(0, length)) await journal.append(of, [event]);
      const known = written.slice(0, length);
      const isAnswered = known.some(({ runId: of, event }) => of === runId && event.type === 'answer');
      const isAsked = known.some(({ event }) => event.type === 'model-answered');
      const again = worldOf('person', isAsked ? ['done'] : answers, { journal });
      let result = await settled(again, await again.engine.resume(runId));
      const questions: string[] = [];
      for (let turn = 0; turn < 5 && result.status === 'suspended'; turn += 1) {
        questions.push(result.waiting?.[0]?.question ?? '');
        await again.engine.answer(runId, 'a', 'yes');
        result = await settled(again, await again.engine.resume(runId));
      }
      expect(result).toMatchObject({ status: 'done' });
      const about = questions.filter((question) => question.startsWith('The model wants'));
      expect(about, `${length}: ${questions}`).toHaveLength(isAnswered ? 0 : 1);
    }
  });
});
