/**
 * Laws of a model that calls tools, wherever its run is cut off, on its own, in items, in rounds and in both.
 *
 * 1. A call that the journal holds as ended never runs again. One that had not ended runs again with the same key.
 * 2. An answer that the journal holds is not asked for again, and the models are told the same.
 * 3. The output and what was paid are those of a run that nobody cut off.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ChatRequest, ModelEvent } from '../../src/core/model/model.ts';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import type { RunEvent } from '../../src/core/run/engine.ts';
import { fullEvents } from '../../src/core/run/full-events.ts';
import { knownRun } from '../../src/runs/journal/restore.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { collected, settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { setUp } from '../runners/run-node.ts';
import { CALL_COST, scriptedGateway } from '../runners/scripted-gateway.ts';

const LONG = 'ebb and flow '.repeat(200);
const NODES: readonly PlanNode[] = [
  { id: 'once', use: 'llm', in: { prompt: 'p', tools: ['book', 'fails'] } },
  { id: 'items', use: 'llm', in: { prompt: '{{item}}', tools: ['book', 'fails'] }, each: '{{input.list}}' },
  {
    id: 'rounds',
    use: 'llm',
    in: { prompt: 'again', tools: ['book', 'fails'] },
    repeat: { until: 'false', max: 2 },
  },
];
const INPUT = { list: ['a', 'b', 'c'] };

/** Calls of each round of the loop. Where there is a text instead, the model pauses. */
type Script = readonly (number | 'pause')[];

interface World {
  /** Keys of the calls of tools that ran. */
  readonly ran: string[];
  /** Messages that the model was asked with. */
  readonly asked: string[];
}

function worldOf(script: Script, journal = memoryStores().journal) {
  const world: World = { ran: [], asked: [] };
  const book: Tool = {
    name: 'book',
    description: 'Books.',
    input: {},
    run: async ({ what }, { idempotencyKey }) => {
      world.ran.push(idempotencyKey);
      await Promise.resolve();
      return what;
    },
  };
  const fails: Tool = { ...book, name: 'fails', run: (input, context) => book.run(input, context).then(refuse) };
  const gateway = scriptedGateway([]);
  const inner = gateway.stream;
  gateway.stream = ((request: ChatRequest, options = {}) => {
    const said = request.messages.filter(({ role }) => role === 'assistant').length;
    world.asked.push(JSON.stringify(request.messages));
    const answers = [answerOf(script[said], said)];
    return scriptedGateway(answers).stream(request, options);
  }) as typeof inner;
  const tools = new Map([book, fails].map((tool) => [tool.name, tool]));
  return { ...world, ...setUp([], { tools, gateway, journal }) };
}

const refuse = (): never => {
  throw new Error('nothing free');
};

function answerOf(calls: Script[number] | undefined, round: number): readonly ModelEvent[] {
  const usage = { input: 10, output: 5 };
  const text: ModelEvent = { type: 'text-delta', text: `round ${round}` };
  if (calls === 'pause') return [text, { type: 'finish', reason: 'pause', usage, costNanoUsd: CALL_COST } as never];
  const parts = Array.from({ length: calls ?? 0 }, (_, index): ModelEvent => {
    const name = index % 3 === 2 ? 'fails' : index % 5 === 4 ? 'unknown' : 'book';
    const call = { type: 'tool-call', id: `call${index}`, name, arguments: { what: `${LONG}${round}` } } as const;
    return { type: 'tool-call', call };
  });
  return [text, ...parts];
}

const placeOf = ({ nodeId, item, repeat, round, index }: Extract<RunEvent, { type: 'tool-call' }>): string =>
  [nodeId, ...(item === undefined ? [] : [item]), ...(repeat === undefined ? [] : [`r${repeat}`])].join('/') +
  `/tool/${round - 1}.${index}`;

const endedIn = (events: readonly RunEvent[], runId: string): string[] =>
  events.flatMap((event) => (event.type === 'tool-call' ? [`${runId}/${placeOf(event)}`] : []));

async function first(script: Script) {
  const world = worldOf(script);
  const handle = world.engine.start(validPlan({ nodes: [...NODES] }), { input: INPUT });
  const result = await settled(world, handle);
  expect(result).toMatchObject({ status: 'done' });
  const records = await collected(world.journal.read(handle.runId));
  return { world, result, records, runId: handle.runId };
}

async function goOn(script: Script, prefix: readonly RunEvent[], runId: string) {
  const { journal } = memoryStores();
  await journal.append(runId, prefix);
  const world = worldOf(script, journal);
  const before = await world.engine.inspect(runId);
  const result = await settled(world, await world.engine.resume(runId));
  return { world, before, result, after: await world.engine.inspect(runId) };
}

const scripts = fc.array(fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constant('pause' as const)), {
  minLength: 1,
  maxLength: 4,
});

it('runs no tool twice, however a run with tools is cut off', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(scripts, async (script) => {
      const { world, result, records, runId } = await first(script);
      expect(new Set(world.ran).size).toBe(world.ran.length);
      for (let length = 1; length < records.length; length += 1) {
        const prefix = records.slice(0, length);
        const again = await goOn(script, prefix, runId);
        const ended = new Set(endedIn(prefix, runId));
        expect(again.world.ran.filter((key) => ended.has(key))).toEqual([]);
        expect([...again.world.ran.filter((key) => !world.ran.includes(key))]).toEqual([]);
        expect(again.world.asked.every((messages) => world.asked.includes(messages))).toBe(true);
        expect(again.result).toMatchObject({ status: 'done', output: result.output });
        expect(again.result.costNanoUsd).toBe((again.before.costNanoUsd ?? 0) + again.world.asked.length * CALL_COST);
        expect(again.result.costNanoUsd).toBe(result.costNanoUsd);
        expect(again.result.usage).toEqual(result.usage);
        // The last answer of a round of `repeat` is counted with the end of its node.
        const { calls } = (await knownRun(again.world.journal, runId)).calls;
        expect(calls).toBeLessThanOrEqual(world.asked.length);
        expect(calls).toBeGreaterThanOrEqual(world.asked.length - 2);
        expect(again.after).toMatchObject({ costNanoUsd: result.costNanoUsd, usage: result.usage });
      }
    }),
    { numRuns: 6 },
  );
});

it('holds a long text of a call once, and reads it back', async () => {
  const { records, runId, world } = await first([2, 1]);
  const holding = records.filter((event) => JSON.stringify(event).includes(`${LONG}0`));
  expect(holding.map(({ type }) => type)).toEqual(['model-answered']);
  const full = await collected(fullEvents(world.journal.read(runId)));
  const calls = full.filter((event) => event.type === 'tool-call');
  expect(calls).toHaveLength(3 * 6);
  for (const call of calls) expect(call).toMatchObject({ arguments: { what: call.result } });
});
