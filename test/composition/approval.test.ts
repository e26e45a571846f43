/**
 * Plans that a person has to approve.
 *
 * A1. No node with side effects starts before the answer is yes, from every prefix of the journal, whatever it waits for.
 * A2. By default plans of a caller run, and of a plan of a model what says that it has side effects is refused.
 * A3. The answer belongs to the run: another process goes on with it; "no" fails the run, and nothing was done.
 */
import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { Approval } from '../../src/core/plan/approval.ts';
import type { Plan, PlanNode } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import type { RunEvent } from '../../src/core/run/engine.ts';
import { createPolyphony, type Polyphony } from '../../src/polyphony.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeCard, fakeProvider } from '../../src/testing/index.ts';

const LOOK: PlanNode = { id: 'look', use: 'tool:look' };
const PAY: PlanNode = { id: 'pay', use: 'tool:pay', in: { for: '{{look.found}}' } };
const plan = (...nodes: PlanNode[]): Plan => ({ version: 1, nodes });
const PLAIN = plan(LOOK, PAY);

interface World {
  readonly polyphony: Polyphony;
  readonly ran: string[];
  readonly prompts: string[];
  readonly stores: ReturnType<typeof memoryStores>;
}

/** Planning answers come in turn, the last one again and again; `ask` costs what a call costs. */
async function world(
  plans: readonly (Plan | PolyphonyError)[],
  config: object = {},
  stores = memoryStores(),
): Promise<World> {
  const ran: string[] = [];
  const prompts: string[] = [];
  let turn = 0;
  const tool = (name: string, more: Partial<Tool>): Tool => ({
    name,
    description: 'For tests.',
    input: { type: 'object' },
    output: { type: 'object' },
    ...more,
    run: async () => {
      ran.push(name);
      return { found: name };
    },
  });
  const tools = [
    tool('look', { sideEffects: false }),
    tool('pay', { effects: { writes: ['bank'] } }),
    tool('silent', {}),
    tool('fails', { sideEffects: false }),
  ];
  const broken: Tool = { ...(tools[3] as Tool), run: () => Promise.reject(new Error('the line is dead')) };
  const provider = fakeProvider({
    models: [
      fakeCard({
        id: 'model',
        capabilities: ['text', 'streaming', 'json-mode', 'planning', 'tools'],
        price: { input: 10, output: 10 },
      }),
    ],
    script: ({ purpose, request }) => {
      if (purpose !== 'planner') {
        ran.push('model');
        return 'said';
      }
      prompts.push(JSON.stringify(request));
      const next = plans[Math.min(turn, plans.length - 1)];
      turn += 1;
      return next instanceof PolyphonyError ? [{ fail: next }] : JSON.stringify(next);
    },
  });
  const plugins = [{ name: 'world', providers: [provider], tools: [...tools.slice(0, 3), broken] }];
  return { polyphony: await createPolyphony({ plugins, stores, config }), ran, prompts, stores };
}

const ASK: Approval = { sideEffects: 'ask' };

async function events({ polyphony }: World, runId: string): Promise<RunEvent[]> {
  const list: RunEvent[] = [];
  for await (const event of polyphony.runs.replay(runId)) list.push(event);
  return list;
}

describe('a plan that a model wrote', () => {
  it.each([true, false])(
    'is refused where it changes something and nobody can be asked; streaming: %s',
    async (streaming) => {
      const w = await world([PLAIN]);
      const error = await w.polyphony.run('pay it', {}, { streaming }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'blocked', message: expect.stringContaining('pay (tool:pay)') });
      expect(w.ran).not.toContain('pay');
      await w.polyphony.close();
    },
  );

  it.each([
    ['it changes nothing', [LOOK], {}],
    ['its tool says nothing, and nobody has said anything', [{ id: 'a', use: 'tool:silent' }], {}],
    ['side effects are allowed', [LOOK, PAY], { approval: { sideEffects: 'allow' } }],
    ['the caller decides itself', [LOOK, PAY], { onPlan: () => {} }],
  ] as const)('runs where %s', async (_name, nodes, options) => {
    const w = await world([plan(...nodes)]);
    expect((await w.polyphony.run('do it', {}, options)).status).toBe('done');
    await w.polyphony.close();
  });

  it.each([{ attended: false, onPlan: () => {} }, { approval: { sideEffects: 'deny' } }] as const)(
    'is refused with %j',
    async (options) => {
      const w = await world([plan({ id: 'a', use: 'tool:pay' })]);
      await expect(w.polyphony.run('do it', {}, options)).rejects.toMatchObject({ code: 'blocked' });
      await w.polyphony.close();
    },
  );

  it('counts what says nothing where somebody has said what becomes of side effects', async () => {
    const w = await world([plan({ id: 'a', use: 'tool:silent' })], { approval: { sideEffects: 'deny' } });
    await expect(w.polyphony.run('do it')).rejects.toMatchObject({ code: 'blocked' });
    await w.polyphony.close();
  });

  it('asks with what it changes and what it costs, and goes on in another process', async () => {
    const w = await world([PLAIN]);
    const outcome = await w.polyphony.run('pay it', {}, { approval: ASK });
    if (outcome.status !== 'suspended') throw new Error(outcome.status);
    const [asked] = outcome.waiting;
    expect(asked).toMatchObject({ nodeId: 'plan_approval', choices: ['yes', 'no'], data: { approval: 'plan' } });
    expect(asked?.question).toContain('It changes something outside: pay (tool:pay)');
    expect(w.ran).toEqual(['look']);
    const other = await world([PLAIN], {}, w.stores);
    const result = await (await other.polyphony.runs.answer(outcome.runId, 'plan_approval', 'yes')).result();
    expect(result.status).toBe('done');
    expect(other.ran).toEqual(['pay']);
    await w.polyphony.close();
  });

  it('fails with "no", and has done nothing', async () => {
    const w = await world([PLAIN], { approval: ASK });
    const { runId } = await w.polyphony.run('pay it');
    const result = await (await w.polyphony.runs.answer(runId, 'plan_approval', 'no')).result();
    expect(result).toMatchObject({ status: 'failed', error: { code: 'blocked' } });
    expect(w.ran).not.toContain('pay');
    await w.polyphony.close();
  });

  it('starts nothing with side effects from any prefix of its journal', async () => {
    const w = await world([PLAIN], { approval: ASK });
    const { runId } = await w.polyphony.run('pay it');
    const all = await events(w, runId);
    await w.polyphony.close();
    for (let length = 1; length <= all.length; length += 1) {
      const stores = memoryStores();
      await stores.journal.append(runId, all.slice(0, length));
      const other = await world([PLAIN], { approval: ASK }, stores);
      const result = await (await other.polyphony.resume(runId)).result();
      expect(result.status, `after ${length} events`).toBe('suspended');
      expect(other.ran).not.toContain('pay');
      await other.polyphony.close();
    }
  });

  it.each([
    ['for any', [LOOK, { id: 'other', use: 'tool:look' }, { ...PAY, needs: ['other'], wait: 'any' }]],
    ['for a quorum', [LOOK, { id: 'other', use: 'tool:look' }, { ...PAY, needs: ['other'], wait: { atLeast: 1 } }]],
    ['for nothing', [{ id: 'pay', use: 'tool:pay' }]],
    ['to undo', [{ ...LOOK, undo: 'tool:pay' }]],
    ['in a loop', [{ ...PAY, in: {}, each: '{{[1,2]}}' }]],
    ['for a model that may call it', [{ id: 'agent', use: 'llm', in: { prompt: 'Pay.', tools: ['pay'] } }]],
  ] as readonly (readonly [string, PlanNode[]])[])('asks first where the node waits %s', async (_name, nodes) => {
    const w = await world(
      [plan(...nodes.map((node) => (node.each === undefined ? node : { ...node, each: '{{= [1,2]}}' })))],
      {
        approval: ASK,
      },
    );
    const outcome = await w.polyphony.run('do it', {}, { streaming: false });
    expect(outcome.status).toBe('suspended');
    expect(w.ran).not.toContain('pay');
    await w.polyphony.close();
  });

  it('is asked about where it runs a workflow that changes something', async () => {
    const inner = { nodes: [{ id: 'x', use: 'tool:pay' }] };
    const w = await world([{ version: 1, workflows: { inner }, nodes: [{ id: 'a', use: 'workflow:inner' }] }]);
    await expect(w.polyphony.run('do it')).rejects.toMatchObject({ code: 'blocked' });
    await w.polyphony.close();
  });

  it('inside a `plan` node needs the same', async () => {
    const w = await world([plan({ id: 'a', use: 'plan', in: { goal: 'pay' } }), plan({ id: 'b', use: 'tool:pay' })]);
    const result = await (await w.polyphony.start('do it', {}, { approval: ASK })).result();
    expect(result.status).toBe('suspended');
    expect(result.waiting?.[0]?.id).toBe('a/plan_approval');
    await w.polyphony.close();
  });
});

describe('the question of a plan', () => {
  const TWO = { bounds: { nodes: 2 }, approval: ASK };

  it.each([true, false])('does not count towards its nodes; streaming: %s', async (streaming) => {
    const w = await world([PLAIN], TWO);
    const { runId, status } = await w.polyphony.run('pay it', {}, { streaming });
    expect(status).toBe('suspended');
    await w.polyphony.close();
    const other = await world([PLAIN], TWO, w.stores);
    const result = await (await other.polyphony.runs.answer(runId, 'plan_approval', 'yes')).result();
    expect(result.status).toBe('done');
    await other.polyphony.close();
  });

  it('does not count towards its bytes', async () => {
    const bounds = { bytes: JSON.stringify(PLAIN).length };
    const w = await world([PLAIN], { bounds, approval: ASK });
    const { runId, status } = await w.polyphony.run(PLAIN);
    expect(status).toBe('suspended');
    const result = await (await w.polyphony.runs.answer(runId, 'plan_approval', 'yes')).result();
    expect(result.status).toBe('done');
    await w.polyphony.close();
  });

  it('is no way around the bounds', async () => {
    const w = await world([], { bounds: { nodes: 2 } });
    const { runId } = await w.polyphony.run(PLAIN, {}, { approval: ASK });
    const [started] = await events(w, runId);
    if (started?.type !== 'run-started') throw new Error('no start');
    const [question] = started.plan.nodes;
    if (question === undefined) throw new Error('no question');
    const questions = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ ...question, id: `plan_approval_${at}` }));
    const issues = async (nodes: readonly PlanNode[]) => {
      const found = (await w.polyphony.validate(plan(...nodes))).issues;
      return found.flatMap(({ code, got }) => (code === 'size.nodes' ? [got] : []));
    };
    expect(await issues([...questions(4), LOOK, PAY])).toEqual([]);
    expect(await issues([...questions(5), LOOK, PAY])).toEqual([3]);
    const forged = { ...question, in: { ...question.in, mustApprove: false } };
    expect(await issues([forged, LOOK, PAY])).toEqual([3]);
    await w.polyphony.close();
  });
});

describe('a revised plan', () => {
  const FAILS: PlanNode = { id: 'fails', use: 'tool:fails', onError: 'replan' };

  it('may do what the plan before said, and nothing new without being asked', async () => {
    const known = await world([plan(LOOK, PAY)]);
    expect((await known.polyphony.run(plan(LOOK, FAILS, { ...PAY, needs: ['fails'] }))).status).toBe('done');
    await known.polyphony.close();
    const fresh = await world([plan(LOOK, { ...PAY, in: { for: 'somebody else' } })]);
    const failed = await fresh.polyphony.run(plan(LOOK, FAILS)).catch((thrown: unknown) => thrown);
    expect(failed).toMatchObject({ code: 'blocked' });
    expect(fresh.ran).not.toContain('pay');
    await fresh.polyphony.close();
  });

  it('asks about what is new, and leaves what has finished alone', async () => {
    const w = await world([plan(LOOK, { id: 'gift', use: 'tool:pay', in: { for: 'a gift' } })]);
    const outcome = await w.polyphony.run(plan(LOOK, { ...FAILS, needs: ['look'] }), {}, { approval: ASK });
    if (outcome.status !== 'suspended') throw new Error(outcome.status);
    expect(outcome.waiting[0]?.question).toContain('gift (tool:pay)');
    const result = await (await w.polyphony.runs.answer(outcome.runId, 'plan_approval', true)).result();
    expect(result.status).toBe('done');
    expect(w.ran).toEqual(['look', 'pay']);
    await w.polyphony.close();
  });

  it('of a caller who can be asked is asked about, though the plan that the caller wrote is not', async () => {
    const w = await world([plan(LOOK, { ...PAY, in: { for: 'somebody else' } })]);
    expect((await w.polyphony.run(PLAIN, {}, { attended: true })).status).toBe('done');
    const outcome = await w.polyphony.run(plan(LOOK, { ...FAILS, needs: ['look'] }), {}, { attended: true });
    if (outcome.status !== 'suspended') throw new Error(outcome.status);
    expect(outcome.waiting[0]?.question).toContain('pay (tool:pay)');
    expect(w.ran).toEqual(['look', 'pay', 'look']);
    const ended = await (await w.polyphony.runs.answer(outcome.runId, 'plan_approval', 'no')).result();
    expect(ended).toMatchObject({ status: 'failed', error: { code: 'blocked' } });
    expect(w.ran).toEqual(['look', 'pay', 'look']);
    await w.polyphony.close();
  });
});

describe('a plan of the caller', () => {
  it('runs unless the run or the config says otherwise', async () => {
    const w = await world([]);
    expect((await w.polyphony.run(PLAIN)).status).toBe('done');
    expect((await w.polyphony.run(PLAIN, {}, { approval: ASK })).status).toBe('suspended');
    await expect(w.polyphony.run(PLAIN, {}, { approval: { sideEffects: 'deny' } })).rejects.toMatchObject({
      code: 'blocked',
    });
    await w.polyphony.close();
  });
});

describe('a plan that costs something', () => {
  const SAYS = plan({ id: 'say', use: 'llm', in: { prompt: 'Hello.' } });

  it('is asked about above the amount, before anything is paid', async () => {
    const w = await world([SAYS], { approval: { aboveUsd: 0.000001 } });
    const outcome = await w.polyphony.run('say it');
    expect(outcome.status).toBe('suspended');
    expect(w.ran).toEqual([]);
    const result = await (await w.polyphony.runs.answer(outcome.runId, 'plan_approval', 'yes')).result();
    expect(result.status).toBe('done');
    expect(w.ran).toEqual(['model']);
    await w.polyphony.close();
  });

  it('runs below it, and where the run takes the amount away', async () => {
    const w = await world([SAYS], { approval: { aboveUsd: 0.000001, sideEffects: 'ask' } });
    expect((await w.polyphony.run('say it', {}, { approval: { aboveUsd: 100 } })).status).toBe('done');
    expect((await w.polyphony.run('say it', {}, { approval: { aboveUsd: undefined } })).status).toBe('done');
    await w.polyphony.close();
  });

  it.each([{ aboveUsd: -1 }, { aboveUsd: '1' }, { sideEffects: 'yes' }, { above: 1 }, 'ask'])(
    'refuses the approval %j',
    async (approval) => {
      const w = await world([SAYS]);
      await expect(w.polyphony.run('say it', {}, { approval: approval as never })).rejects.toMatchObject({
        code: 'invalid-request',
      });
      await w.polyphony.close();
    },
  );
});

describe('a plan above the cap', () => {
  const DEAR = plan(
    ...Array.from({ length: 20 }, (_, at) => ({ id: `a${at}`, use: 'llm', in: { prompt: 'word '.repeat(3000) } })),
  );
  const CHEAP = plan({ id: 'a', use: 'llm', in: { prompt: 'Hi.', maxTokens: 10 } });

  it('goes back once with the figures, and the cheaper one runs', async () => {
    const w = await world([DEAR, CHEAP]);
    const outcome = await w.polyphony.run('write', {}, { budgetUsd: 0.4, streaming: false });
    expect(outcome.status).toBe('done');
    expect(w.prompts).toHaveLength(2);
    expect(w.prompts[1]).toContain('is expected to cost $');
    expect(w.ran).toEqual(['model']);
    await w.polyphony.close();
  });

  it('is used where the second one is dearer still, and nothing goes back again', async () => {
    const w = await world([DEAR, DEAR]);
    const made = await w.polyphony.run('write', {}, { budgetUsd: 0.4 }).catch((thrown: unknown) => thrown);
    expect(made).toMatchObject({ code: 'budget-exceeded' });
    expect(w.prompts).toHaveLength(2);
    await w.polyphony.close();
  });

  it('is used where the planner cannot be asked again', async () => {
    const refused = new PolyphonyError('content-policy', 'it does not want to');
    const w = await world([DEAR, refused]);
    const made = await w.polyphony.run('write', {}, { budgetUsd: 0.4 }).catch((thrown: unknown) => thrown);
    expect(made).toMatchObject({ code: 'budget-exceeded' });
    expect(w.prompts).toHaveLength(2);
    await w.polyphony.close();
  });

  it('does not go back where nothing caps the run', async () => {
    const w = await world([DEAR]);
    await w.polyphony.run('write');
    expect(w.prompts).toHaveLength(1);
    await w.polyphony.close();
  });
});
