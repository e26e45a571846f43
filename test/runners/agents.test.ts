import { describe, expect, it } from 'vitest';
import type { ChatRequest, Message, ModelEvent } from '../../src/core/model/model.ts';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { Tool, ToolContext } from '../../src/core/plugin.ts';
import { VALUE_BOUNDS } from '../../src/core/run/value-bounds.ts';
import { collected, settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { run, setUp } from './run-node.ts';
import { CALL_COST } from './scripted-gateway.ts';

const call = (name: string, args: unknown = {}, id = 'c1'): ModelEvent => ({
  type: 'tool-call',
  call: { type: 'tool-call', id, name, arguments: args as never },
});

function recording(name: string, give: (input: Readonly<Record<string, unknown>>) => unknown = () => 'fine') {
  const contexts: ToolContext[] = [];
  const tool: Tool = {
    name,
    description: 'For tests.',
    input: {},
    async run(input, context) {
      contexts.push(context);
      return give(input);
    },
  };
  return { tool, contexts };
}

const toolsOf = (...tools: Tool[]) => ({ tools: new Map(tools.map((tool) => [tool.name, tool])) });
const agent = (more: Readonly<Record<string, unknown>>, node: Partial<PlanNode> = {}): PlanNode => ({
  id: 'a',
  use: 'llm',
  in: { prompt: 'go', ...more },
  ...node,
});
const messages = (request: unknown): readonly Message[] => (request as ChatRequest).messages;

describe('the rounds of a loop', () => {
  it.each([1, 3, 12])('are at most those that the node asks for: %i', async (rounds) => {
    const { tool } = recording('look');
    const answers = [...Array.from({ length: rounds }, () => [call('look')]), 'done'];
    const { result, gateway } = await run(answers, agent({ tools: ['look'], rounds }), toolsOf(tool));
    expect(result).toMatchObject({ status: 'done', output: { a: { text: 'done' } } });
    expect(gateway.asked).toHaveLength(rounds + 1);
    expect(gateway.asked.at(-1)?.request).toMatchObject({ toolChoice: 'none' });
    expect(result.nodes[0]?.meta?.warnings).toMatchObject([{ code: 'tool-rounds' }]);
  });

  it.each([0, 2.5, 21, -1])('are refused where they are no number within the bound: %d', async (rounds) => {
    const { result, gateway } = await run(['x'], agent({ tools: ['add'], rounds }));
    expect(result).toMatchObject({ status: 'failed', error: { code: 'invalid-request' } });
    expect(result.error?.message).toContain('from 1 to 20');
    expect(gateway.asked).toHaveLength(0);
  });

  it('are never more than the operator allows', async () => {
    const { gateway } = await run([[call('add', { a: 1, b: 1 })], 'x'], agent({ tools: ['add'] }), {
      mostToolRounds: 1,
    });
    expect(gateway.asked[1]?.request).toMatchObject({ toolChoice: 'none' });
  });
});

describe('a tool that ends the loop', () => {
  const rows = recording('save', ({ rows: saved }) => saved);
  const stopping = (more: Readonly<Record<string, unknown>> = {}, node: Partial<PlanNode> = {}) =>
    agent({ tools: ['save', 'add'], stopWhen: 'save', ...more }, node);
  const world = toolsOf(rows.tool, { ...recording('add').tool });

  it('gives its arguments in the form of out', async () => {
    const out = { rows: 'integer', note: 'string?' };
    const { result, gateway } = await run(
      [[call('add')], [call('save', { rows: 3, note: null })], 'never'],
      stopping({}, { out }),
      world,
    );
    expect(result).toMatchObject({ status: 'done', output: { a: { rows: 3 } }, costNanoUsd: 2 * CALL_COST });
    expect(result.nodes[0]?.meta).toMatchObject({ model: 'one', provider: 'fake', costUsd: 0.000002 });
    expect(gateway.asked).toHaveLength(2);
  });

  it('gives them as a text where there is no out', async () => {
    const { result } = await run([[call('tool:x'), call('save', { rows: 3 }, 'c2')]], stopping({}), world);
    expect(result.output).toEqual({ a: { text: '{"rows":3}' } });
  });

  it('is asked for once more where its arguments do not fit out', async () => {
    const { result, gateway } = await run(
      [[call('save', { rows: 'many' })], '{"rows":4}'],
      stopping({}, { out: { rows: 'integer' } }),
      world,
    );
    expect(result).toMatchObject({ output: { a: { rows: 4 } }, costNanoUsd: 2 * CALL_COST });
    expect(messages(gateway.asked[1]?.request).at(-1)).toMatchObject({ role: 'user' });
  });

  it('does not end it when it fails, and a model that answers by itself ends it too', async () => {
    const broken = recording('save', () => {
      throw new Error('disk full');
    });
    const { result, gateway } = await run(
      [[call('save')], 'I could not'],
      stopping({ tools: ['save'] }),
      toolsOf(broken.tool),
    );
    expect(result.output).toEqual({ a: { text: 'I could not' } });
    expect(gateway.asked).toHaveLength(2);
  });

  it('ends it in a run that goes on after it, without another call', async () => {
    const world = setUp([[call('save', { rows: 5 })]], toolsOf(rows.tool));
    const plan = validPlan({ nodes: [stopping({ tools: ['tool:save'] }, { out: { rows: 'integer' } })] });
    const { runId } = await settled(world, world.engine.start(plan));
    const events = [];
    for await (const event of world.journal.read(runId))
      if (event.type !== 'node-finished' && event.type !== 'run-finished') events.push(event);
    const second = setUp([]);
    await second.journal.append(runId, events);
    const again = setUp([], { ...toolsOf(rows.tool), journal: second.journal });
    const result = await settled(again, await again.engine.resume(runId));
    expect(result).toMatchObject({ status: 'done', output: { a: { rows: 5 } }, costNanoUsd: CALL_COST });
    expect(result.nodes[0]?.meta).toMatchObject({ model: 'one', provider: 'fake' });
    expect(again.gateway.asked).toHaveLength(0);
  });
});

describe('the transcript', () => {
  it('is in meta of a node that asks for it, without the system prompt, and another node goes on with it', async () => {
    const nodes: PlanNode[] = [
      agent({ tools: ['look'], system: 'secret rules', transcript: true }),
      { id: 'b', use: 'llm', in: { messages: '{{a.meta.transcript}}', prompt: 'and now?' } },
    ];
    const { result, gateway } = await run(
      [[call('look', { q: 1 })], 'done', 'later'],
      nodes,
      toolsOf(recording('look').tool),
    );
    const transcript = [
      { role: 'user', content: 'go' },
      { role: 'assistant', content: [{ type: 'tool-call', name: 'look' }] },
      { role: 'tool', content: [{ content: 'fine' }] },
      { role: 'assistant', content: [{ type: 'text', text: 'done' }] },
    ];
    expect(result.nodes[0]?.meta?.transcript).toMatchObject(transcript);
    expect(messages(gateway.asked[2]?.request)).toMatchObject([...transcript, { role: 'user', content: 'and now?' }]);
    expect(JSON.stringify(result.nodes[0]?.meta)).not.toContain('secret rules');
  });

  it('is absent otherwise, and holds the last messages of a long one', async () => {
    const history = Array.from({ length: 600 }, (_, n) => ({
      role: n % 2 === 0 ? 'user' : 'assistant',
      content: `m${n}`,
    }));
    const [bare, kept] = await Promise.all(
      [{}, { transcript: true }].map((more) => run(['x'], agent({ messages: history, prompt: 'go', ...more }))),
    );
    expect(bare?.result.nodes[0]?.meta).not.toHaveProperty('transcript');
    expect(kept?.result.nodes[0]?.meta?.transcript).toHaveLength(256);
    expect(kept?.result.nodes[0]?.meta?.transcript?.at(-1)).toMatchObject({ role: 'assistant' });
  });

  it('holds at most a mebibyte, and begins with no result whose call is cut off', async () => {
    const { tool } = recording('look', ({ n }) => String(n).repeat(700_000));
    const answers = [[call('look', { n: 1 })], [call('look', { n: 2 })], 'done'];
    const { result } = await run(answers, agent({ tools: ['look'], transcript: true }), toolsOf(tool));
    expect(result.nodes[0]?.meta?.transcript).toMatchObject([
      { role: 'assistant', content: [{ arguments: { n: 2 } }] },
      { role: 'tool' },
      { role: 'assistant' },
    ]);
  });

  it('counts as a value of the run, and is in the journal once', async () => {
    const { tool } = recording('look', () => 'wave '.repeat(30_000));
    const nodes = [agent({ tools: ['look'], transcript: true })];
    const { journal, runId } = await (async () => {
      const world = setUp([[call('look')], 'done'], toolsOf(tool));
      const { runId } = await settled(world, world.engine.start(validPlan({ nodes })));
      return { journal: world.journal, runId };
    })();
    const records = await collected(journal.read(runId));
    expect(records.filter((event) => JSON.stringify(event).includes('wave wave')).map(({ type }) => type)).toEqual([
      'tool-call',
    ]);
    // Room for what the second agent is told in plain, but not beside the transcript of the first.
    const valueBounds = () => ({ ...VALUE_BOUNDS, runBytes: 650_000 });
    const told = async (transcript: boolean): Promise<number> => {
      const answers = [[call('look')], 'done', [call('look')], 'done'];
      const tight = setUp(answers, { ...toolsOf(tool), valueBounds });
      const [first, second] = [agent({ tools: ['look'], transcript }), agent({ tools: ['look'] })];
      const both = [
        { ...first, id: 'first' },
        { ...second, id: 'second', needs: ['first'] },
      ];
      const { status, runId: id } = await settled(tight, tight.engine.start(validPlan({ nodes: both })));
      expect(status).toBe('done');
      const calls = await collected(tight.journal.read(id));
      return calls.filter((event) => event.type === 'tool-call' && event.error === undefined).length;
    };
    expect([await told(false), await told(true)]).toEqual([2, 1]);
  });
});

describe('the limits of a tool', () => {
  it('stop its calls beyond a number, over all rounds, and tell the model', async () => {
    const { tool, contexts } = recording('look');
    const node = agent({ tools: ['look'], toolLimits: { 'tool:look': { calls: 3 } } });
    const answers = [[call('look'), call('look')], [call('look'), call('look')], [call('look')], 'done'];
    const { result, gateway } = await run(answers, node, toolsOf(tool));
    expect(result.status).toBe('done');
    expect(contexts).toHaveLength(3);
    expect(messages(gateway.asked[2]?.request).at(-1)?.content).toMatchObject([
      { content: 'fine' },
      { isError: true, content: expect.stringContaining('called 3 times, which is the limit') },
    ]);
  });

  it.each([
    ['approve', ['pay']],
    ['approve', 'look'],
    ['stopWhen', 'pay'],
    ['toolLimits', { pay: { calls: 1 } }],
    ['toolLimits', { look: { calls: -1 } }],
    ['toolLimits', 3],
  ])('are refused, as every rule, where they cannot hold: %s %j', async (field, value) => {
    const { result, gateway } = await run(
      ['x'],
      agent({ tools: ['look'], [field]: value }),
      toolsOf(recording('look').tool),
    );
    expect(result).toMatchObject({ status: 'failed', error: { code: 'invalid-request' } });
    expect(gateway.asked).toHaveLength(0);
  });
});

describe('what a tool is told of its call', () => {
  it('is where it comes from, frozen', async () => {
    const { tool, contexts } = recording('look');
    const world = setUp([[call('look')], 'x', [call('look')], 'x'], toolsOf(tool));
    const nodes: PlanNode[] = [
      { id: 'first', use: 'tool:look', in: {} },
      {
        ...agent(
          { tools: ['look'] },
          { id: 'second', each: '{{input.list}}', needs: ['first'], limits: { concurrency: 1 } },
        ),
      },
    ];
    const input = { list: ['x', 'y'] };
    const options = { input, session: 'talk', tags: { team: 'blue' } };
    const { runId } = await settled(world, world.engine.start(validPlan({ nodes }), options));
    const common = { runId, session: 'talk', tags: { team: 'blue' } };
    expect(contexts).toMatchObject([
      { ...common, nodeId: 'first' },
      { ...common, nodeId: 'second', item: 0 },
      { ...common, nodeId: 'second', item: 1 },
    ]);
    expect(contexts[0]).not.toHaveProperty('item');
    for (const context of contexts) {
      expect(Object.isFrozen(context) && Object.isFrozen(context.tags)).toBe(true);
      expect(Object.keys(context).sort()).not.toContain('scopes');
    }
  });
});
