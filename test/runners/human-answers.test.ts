/** Answers meet their question when they are given: in a run that goes on, in a suspended one, and in another process. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import { type NodeCall, type RunResult, SuspendRun } from '../../src/core/run/engine.ts';
import { collected, type Harness, harness, settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { deferred } from '../kit/loopback.ts';

const LIST = ['ada', 'bob', 'cyd', 'dan', 'eve'];
const GREET: PlanNode = { id: 'greet', use: 'human', each: '{{input.list}}', in: { question: 'Greet {{item}}?' } };
const SIDE: PlanNode = { id: 'side', use: 'step', in: { x: 1 } };

interface Asked {
  readonly h: Harness;
  readonly runId: string;
  /** Drives the run to its next end. */
  readonly end: () => Promise<RunResult>;
}

type Ask = (nodes: readonly PlanNode[], input?: Readonly<Record<string, unknown>>) => Promise<Asked>;

/** Something else of the run is still going on when the answers come. */
const live: Ask = async (nodes, input = {}) => {
  const gate = deferred();
  const h = harness({ step: ({ node, inputs }) => (node.id === 'side' ? gate.promise : inputs) });
  const handle = h.engine.start(validPlan({ nodes: [...nodes, SIDE], output: `{{${nodes[0]?.id}}}` }), { input });
  await h.runtime.clock.advance(1);
  const end = async (): Promise<RunResult> => {
    gate.resolve();
    return settled(h, handle);
  };
  return { h, runId: handle.runId, end };
};

/** Nobody drives the run any more, and the answers are given to another engine. */
const stored: Ask = async (nodes, input = {}) => {
  const first = harness();
  const plan = validPlan({ nodes: [...nodes], output: `{{${nodes[0]?.id}}}` });
  const { runId } = await settled(first, first.engine.start(plan, { input }));
  const h = harness({ journal: first.journal });
  return { h, runId, end: async () => settled(h, await h.engine.resume(runId)) };
};

const both: [name: string, ask: Ask][] = [
  ['a run that goes on', live],
  ['a suspended run', stored],
];

describe.each(both)('answers to %s', (_name, ask) => {
  it('that do not fit are refused, change nothing, and leave the question open', async () => {
    const choose: PlanNode = { id: 'choose', use: 'human', in: { question: 'Which?', choices: ['red', 'blue'] } };
    const { h, runId, end } = await ask([choose]);
    const before = await collected(h.journal.read(runId));
    for (const wrong of [
      'green',
      'Red',
      ' red',
      null,
      undefined,
      0,
      true,
      {},
      ['red'],
      { answer: 'green', approved: true },
    ])
      await expect(h.engine.answer(runId, 'choose', wrong)).rejects.toMatchObject({ code: 'invalid-request' });
    expect(await collected(h.journal.read(runId))).toEqual(before);
    await h.engine.answer(runId, 'choose', 'red');
    expect(await end()).toMatchObject({ status: 'done', output: { answer: 'red', approved: false } });
  });

  it('are held to the "out" of the node', async () => {
    const out = { answer: 'integer' };
    const { h, runId, end } = await ask([{ id: 'count', use: 'human', in: { question: 'How many?' }, out }]);
    const wrong = h.engine.answer(runId, 'count', 'several');
    await expect(wrong).rejects.toThrow(/"out" of its node: \/answer must be integer/);
    await h.engine.answer(runId, 'count', 4);
    expect(await end()).toMatchObject({ status: 'done', output: { answer: 4, approved: false } });
  });

  it('reach their item of an "each", in any order', async () => {
    const order = fc.shuffledSubarray([...LIST.keys()], { minLength: LIST.length });
    const check = fc.asyncProperty(order, async (items) => {
      const { h, runId, end } = await ask([GREET], { list: LIST });
      for (const item of items) await h.engine.answer(runId, 'greet', `hello ${LIST[item]}`, { item });
      const { output } = await end();
      expect(output).toEqual(LIST.map((name) => ({ answer: `hello ${name}`, approved: false })));
    });
    await fc.assert(check, { numRuns: 15 });
  });

  it('reach the item that they name, and without one the first that asked', async () => {
    const { h, runId, end } = await ask([GREET], { list: LIST.slice(0, 3) });
    await h.engine.answer(runId, 'greet', 'no', { item: 1 });
    await expect(h.engine.answer(runId, 'greet', 'yes', { item: 1 })).rejects.toThrow('0 (Greet ada?), 2 (Greet cyd?)');
    await expect(h.engine.answer(runId, 'greet', 'yes', { item: 9 })).rejects.toMatchObject({ code: 'not-found' });
    await h.engine.answer(runId, 'greet', 'ok');
    await h.engine.answer(runId, 'greet', 'yes');
    expect((await end()).output).toMatchObject([{ approved: true }, { approved: false }, { approved: true }]);
  });

  it('are refused when it has been cancelled', async () => {
    const { h, runId } = await ask([GREET], { list: LIST });
    const cancelling = h.engine.cancel(runId);
    const late = h.engine.answer(runId, 'greet', 'yes', { item: 0 });
    await expect(late).rejects.toMatchObject({ code: 'not-found', message: expect.stringContaining('cancelled') });
    await h.runtime.clock.advance(2000);
    expect(await cancelling).toBe(true);
    expect((await collected(h.journal.read(runId))).map(({ type }) => type)).not.toContain('answer');
  });
});

describe('a waiting question', () => {
  it('names its item, its choices and the one that approves, live and in the journal', async () => {
    const node: PlanNode = {
      ...GREET,
      in: { question: '{{item}}?', choices: ['Ship it', 'Hold'], approve: 'Ship it' },
      out: { answer: 'string', approved: 'boolean' },
    };
    const { h, runId, end } = await live([node], { list: LIST.slice(0, 2) });
    const first = { nodeId: 'greet', item: 0, question: 'ada?', choices: ['Ship it', 'Hold'], approve: 'Ship it' };
    const waiting = [first, { ...first, item: 1, question: 'bob?' }];
    expect((await h.engine.inspect(runId)).waiting).toMatchObject(waiting);
    expect((await end()).waiting).toMatchObject(waiting);
    expect((await h.engine.inspect(runId)).waiting).toMatchObject(waiting);
    await h.engine.answer(runId, 'greet', 'Ship it', { item: 1 });
    await h.engine.answer(runId, 'greet', 'Hold');
    const result = await settled(h, await h.engine.resume(runId));
    expect(result.output).toEqual([
      { answer: 'Hold', approved: false },
      { answer: 'Ship it', approved: true },
    ]);
  });

  it.each([
    [{ choices: [] }, 'choices'],
    [{ choices: 'yes' }, 'choices'],
    [{ choices: [{ a: 1 }] }, 'choices'],
    [{ choices: ['a', 'b'], approve: 'c' }, 'approve'],
    [{ approve: 'yes' }, 'approve'],
    [{ choices: ['a'], approve: ['a'] }, 'approve'],
  ])('that no answer would fit is not asked: %j', async (more, word) => {
    const h = harness();
    const node: PlanNode = { id: 'ask', use: 'human', in: { question: 'Well?', ...more } };
    const result = await settled(h, h.engine.start(validPlan({ nodes: [node] })));
    expect(result).toMatchObject({ status: 'failed', error: { code: 'invalid-request' } });
    expect(result.error?.message).toContain(`"${word}"`);
  });

  it('is asked again where a journal holds an answer that does not fit it', async () => {
    const { h, runId } = await stored([{ id: 'n', use: 'human', in: { question: 'N?' }, out: { answer: 'integer' } }]);
    const seq = ((await collected(h.journal.read(runId))).at(-1)?.seq ?? 0) + 1;
    await h.journal.append(runId, [{ seq, at: 0, runId, type: 'answer', nodeId: 'n', answer: 'unchecked' }]);
    const again = await settled(h, await h.engine.resume(runId));
    expect(again).toMatchObject({ status: 'suspended', waiting: [{ nodeId: 'n', question: 'N?' }] });
    await h.engine.answer(runId, 'n', 6);
    expect(await settled(h, await h.engine.resume(runId))).toMatchObject({ status: 'done', output: { answer: 6 } });
  });

  it('of a run that failed is asked again when the run is resumed', async () => {
    let breaks = true;
    const h = harness({
      step: ({ inputs }) => {
        if (breaks) throw new Error('out of order');
        return inputs;
      },
    });
    const ask: PlanNode = { id: 'ask', use: 'human', in: { question: 'Well?' } };
    const { runId, status } = await settled(h, h.engine.start(validPlan({ nodes: [ask, SIDE], output: '{{ask}}' })));
    expect(status).toBe('failed');
    await expect(h.engine.answer(runId, 'ask', 'yes')).rejects.toThrow(/failed.*resume it/);
    breaks = false;
    expect(await settled(h, await h.engine.resume(runId))).toMatchObject({ status: 'suspended' });
    await h.engine.answer(runId, 'ask', 'yes');
    expect(await settled(h, await h.engine.resume(runId))).toMatchObject({
      status: 'done',
      output: { approved: true },
    });
  });
});

it.each([1, 2, 4])(
  'items whose answers come at once go on as many at a time as the limits of the node say: %d',
  async (limit) => {
    const gate = deferred();
    let [now, most] = [0, 0];
    const step = async ({ node, answer }: NodeCall): Promise<unknown> => {
      if (node.id === 'side') return gate.promise;
      if (answer === undefined) throw new SuspendRun({ question: 'Go on?' });
      now += 1;
      most = Math.max(most, now);
      for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
      now -= 1;
      return answer.value;
    };
    const h = harness({ step });
    const greet: PlanNode = { id: 'greet', use: 'step', each: '{{input.list}}', limits: { concurrency: limit } };
    const handle = h.engine.start(validPlan({ nodes: [greet, SIDE], output: '{{greet}}' }), { input: { list: LIST } });
    await h.runtime.clock.advance(1);
    await Promise.all(LIST.map((name, item) => h.engine.answer(handle.runId, 'greet', name, { item })));
    gate.resolve();
    expect(await settled(h, handle)).toMatchObject({ status: 'done', output: LIST });
    expect(most).toBe(limit);
  },
);
