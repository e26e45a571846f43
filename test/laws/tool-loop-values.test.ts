/**
 * What a model and its tools say to each other counts against the bounds of values before it is recorded or told.
 *
 * 1. No request of a loop holds more than `renderedBytes` of it, however many rounds, calls and items there are; all
 *    conversations of a run, with the runs nested in it, hold no more than `runBytes` together.
 * 2. A result without room is `limit-exceeded` to the model, naming node, bound and remedy; an answer without room is that to the node.
 * 3. Nothing is counted any more once a call has ended, and a run that goes on counts what its journal holds of a conversation.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ChatRequest, ModelEvent } from '../../src/core/model/model.ts';
import type { Plan, PlanNode } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import type { RunEvent } from '../../src/core/run/engine.ts';
import { VALUE_BOUNDS } from '../../src/core/run/value-bounds.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { collected, settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { setUp } from '../runners/run-node.ts';
import { scriptedGateway } from '../runners/scripted-gateway.ts';

const RENDERED = 20_000;
const RUN = 60_000;
/** What says who speaks, and the errors of results that had no room: a round of them is small. */
const BESIDE = 1000;

interface World {
  /** Bytes of what the tools returned and the model said, of each request. */
  readonly said: number[];
  /** Of the requests that are open at the same time. */
  most: number;
}

interface Script {
  readonly rounds: number;
  readonly calls: number;
  readonly resultBytes: number;
  readonly answerBytes: number;
}

function worldOf(script: Script, bounds: Partial<typeof VALUE_BOUNDS> = {}, journal = memoryStores().journal) {
  const world: World = { said: [], most: 0 };
  let open = 0;
  const say: Tool = {
    name: 'say',
    description: 'Says.',
    input: {},
    run: async () => 'x'.repeat(script.resultBytes),
  };
  const gateway = scriptedGateway([]);
  gateway.stream = async function* (request: ChatRequest, options = {}) {
    const before = request.messages.filter(({ role }) => role === 'assistant').length;
    const bytes = request.messages.filter(({ role }) => role !== 'user').reduce((sum, one) => sum + sizeOf(one), 0);
    world.said.push(bytes);
    open += bytes;
    world.most = Math.max(world.most, open);
    // The others ask too, before this one goes on.
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    yield* scriptedGateway([answerOf(script, before)]).stream(request, { id: 'call', ...options });
    open -= bytes;
  } as typeof gateway.stream;
  const valueBounds = () => ({ ...VALUE_BOUNDS, renderedBytes: RENDERED, runBytes: RUN, ...bounds });
  return { world, ...setUp([], { tools: new Map([['say', say]]), gateway, journal, valueBounds }) };
}

const sizeOf = (message: unknown): number => Buffer.byteLength(JSON.stringify(message));

function answerOf({ rounds, calls, answerBytes }: Script, before: number): readonly ModelEvent[] {
  if (before >= rounds) return [{ type: 'text-delta', text: 'done' }];
  const given = { text: 'y'.repeat(answerBytes) };
  return Array.from({ length: calls }, (_, index): ModelEvent => {
    const call = { type: 'tool-call', id: `c${index}`, name: 'say', arguments: index === 0 ? given : {} } as const;
    return { type: 'tool-call', call };
  });
}

const agent: PlanNode = { id: 'a', use: 'llm', in: { prompt: 'p', tools: ['say'], rounds: 6 } };
const PLANS: Readonly<Record<string, Partial<Plan> & Pick<Plan, 'nodes'>>> = {
  alone: { nodes: [agent] },
  items: { nodes: [{ ...agent, each: '{{input.list}}' }] },
  siblings: { nodes: ['a', 'b', 'c', 'd'].map((id) => ({ ...agent, id })) },
  handed: {
    nodes: [{ ...agent, in: { ...agent.in, agents: { other: { about: 'x', tools: ['say'] } } } }],
  },
};
const INPUT = { list: [1, 2, 3, 4, 5, 6] };

const script = fc.record({
  rounds: fc.integer({ min: 1, max: 6 }),
  calls: fc.integer({ min: 1, max: 6 }),
  resultBytes: fc.constantFrom(10, 1000, 5000, 15_000),
  answerBytes: fc.constantFrom(0, 500, 3000),
});

/** Each call and each answer has an envelope: its id, its name, its role. */
const envelope = ({ calls, rounds }: Script): number => rounds * (calls * 450 + 100) + BESIDE;

it.each(Object.keys(PLANS))('1: no request of agents %s holds more than its bounds', async (name) => {
  await fc.assert(
    fc.asyncProperty(script, async (given) => {
      const world = worldOf(given);
      const plan = validPlan(PLANS[name] ?? { nodes: [] });
      const result = await settled(world, world.engine.start(plan, { input: INPUT }));
      if (result.status === 'failed') expect(result.error?.code).toBe('limit-exceeded');
      expect(Math.max(...world.world.said)).toBeLessThanOrEqual(RENDERED + envelope(given));
      // Each of them is there twice, and what the run holds of it a third time.
      expect(3 * world.world.most).toBeLessThanOrEqual(RUN + 3 * 8 * envelope(given));
    }),
    { numRuns: 25 },
  );
});

const errorsOf = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.type === 'tool-call' && event.error !== undefined ? [event.error] : []));

it.each([
  ['renderedBytes', { renderedBytes: 7000 }],
  ['runBytes', { runBytes: 25_000 }],
  ['valueBytes', { valueBytes: 4000 }],
] as const)('2: a result beyond %s is an error to the model', async (bound, bounds) => {
  const world = worldOf({ rounds: 4, calls: 1, resultBytes: 5000, answerBytes: 0 }, bounds);
  const handle = world.engine.start(validPlan({ nodes: [agent] }));
  expect(await settled(world, handle)).toMatchObject({ status: 'done' });
  const errors = errorsOf(await collected(handle.events()));
  expect(errors.length).toBeGreaterThan(0);
  for (const { code, message } of errors) {
    expect(code).toBe('limit-exceeded');
    expect(message).toMatch(new RegExp(`node a.*limits.values.${bound}.*config`));
  }
});

it('2: an answer without room ends the node', async () => {
  const world = worldOf({ rounds: 4, calls: 1, resultBytes: 10, answerBytes: 3000 }, { renderedBytes: 5000 });
  const result = await settled(world, world.engine.start(validPlan({ nodes: [agent] })));
  expect(result).toMatchObject({ status: 'failed', error: { code: 'limit-exceeded' } });
  expect(result.error?.message).toMatch(/node a.*limits.values.renderedBytes/);
});

it('3: conversations that have ended leave room for the next ones', async () => {
  const nodes = Array.from({ length: 8 }, (_, index) => ({
    ...agent,
    id: `n${index}`,
    ...(index === 0 ? {} : { needs: [`n${index - 1}`] }),
  }));
  const world = worldOf({ rounds: 1, calls: 2, resultBytes: 2000, answerBytes: 0 }, { renderedBytes: 6000 });
  const handle = world.engine.start(validPlan({ nodes }));
  expect(await settled(world, handle)).toMatchObject({ status: 'done' });
  expect(errorsOf(await collected(handle.events()))).toEqual([]);
});

it('3: a run that goes on counts what its journal holds', async () => {
  const given = { rounds: 2, calls: 1, resultBytes: 2000, answerBytes: 0 };
  const first = worldOf(given);
  const handle = first.engine.start(validPlan({ nodes: [agent] }));
  expect(await settled(first, handle)).toMatchObject({ status: 'done' });
  const records = await collected(first.journal.read(handle.runId));
  const until = records.findIndex(({ type }) => type === 'tool-call');
  const { journal } = memoryStores();
  await journal.append(handle.runId, records.slice(0, until + 1));
  const again = worldOf(given, { renderedBytes: 3000 }, journal);
  const resumed = await again.engine.resume(handle.runId);
  expect(await settled(again, resumed)).toMatchObject({ status: 'done' });
  const [error] = errorsOf(await collected(resumed.events()));
  expect(error).toMatchObject({ code: 'limit-exceeded', message: expect.stringMatching(/renderedBytes/) });
});
