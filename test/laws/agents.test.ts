/**
 * Laws of agents whose calls people approve, whose tools are workflows, and that hand over to each other, wherever the run is cut off:
 * on their own, in items and in rounds.
 *
 * 1. A call that was refused never runs; one that was approved runs once, with the arguments that were approved.
 * 2. Nothing is asked of a model twice, and no question that was answered is asked of a person again, once a record tells of it.
 * 3. The output and what was paid are those of a run that nobody cut off.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ChatRequest, ModelEvent } from '../../src/core/model/model.ts';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import type { RunEvent, RunResult, WaitingQuestion } from '../../src/core/run/engine.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { setUp } from '../runners/run-node.ts';
import { CALL_COST, scriptedGateway } from '../runners/scripted-gateway.ts';

const ASKED = {
  tools: ['pay', 'workflow:check', 'look'],
  approve: ['pay', 'workflow:check'],
  toolLimits: { look: { calls: 2 } },
  agents: { other: { system: 'Another.', tools: ['pay', 'look'] } },
};
const NODES: readonly PlanNode[] = [
  { id: 'once', use: 'llm', in: { prompt: 'p', ...ASKED } },
  { id: 'items', use: 'llm', in: { prompt: '{{item}}', ...ASKED }, each: '{{input.list}}' },
  { id: 'rounds', use: 'llm', in: { prompt: 'again', ...ASKED }, repeat: { until: 'false', max: 2 } },
];
const INPUT = { list: ['a', 'b'] };
const CHECK = {
  id: 'check',
  input: { what: 'string' },
  nodes: [
    { id: 'sure', use: 'human', in: { question: 'Sure of {{input.what}}?' } },
    { id: 'said', use: 'llm', in: { prompt: 'say {{input.what}}' } },
  ],
  output: '{{said.text}} {{sure.approved}}',
};

type Called = 'pay' | 'check' | 'look' | 'other';
/** Calls of each round of the loop. */
type Script = readonly (readonly Called[])[];

function worldOf(script: Script, journal = memoryStores().journal) {
  const ran: string[] = [];
  const asked: string[] = [];
  const tool = (name: string): Tool => ({
    name,
    description: 'For tests.',
    input: {},
    run: async ({ amount }, { idempotencyKey }) => {
      ran.push(`${idempotencyKey} ${amount}`);
      await Promise.resolve();
      return `${name} ${amount}`;
    },
  });
  const gateway = scriptedGateway([]);
  const inner = gateway.stream;
  gateway.stream = ((request: ChatRequest, options = {}) => {
    asked.push(`${options.id}`);
    const isNested = String(request.messages.at(-1)?.content).startsWith('say ');
    const said = request.messages.filter(({ role }) => role === 'assistant').length;
    const calls = isNested ? [] : (script[said] ?? []);
    return scriptedGateway([answerOf(calls, said)]).stream(request, options);
  }) as typeof inner;
  const tools = new Map(['pay', 'look'].map((name) => [name, tool(name)]));
  const workflows = (id: string) => (id === 'check' ? validPlan(CHECK) : undefined);
  return { ran, asked, ...setUp([], { tools, gateway, journal, workflows }) };
}

function answerOf(calls: readonly Called[], round: number): readonly ModelEvent[] {
  const parts = calls.map((called, index): ModelEvent => {
    const name = { check: 'workflow:check', other: 'handoff:other', pay: 'pay', look: 'look' }[called];
    const given =
      called === 'other' ? {} : called === 'check' ? { what: `w${round}${index}` } : { amount: round * 10 + index };
    return { type: 'tool-call', call: { type: 'tool-call', id: `c${index}`, name, arguments: given as never } };
  });
  return [{ type: 'text-delta', text: `round ${round}` }, ...parts];
}

/** By what is asked alone, so that it is the same wherever the question is asked. */
function answerTo({ data, question }: WaitingQuestion): unknown {
  const what = (data as { arguments?: { what?: string } } | undefined)?.arguments?.what;
  if (what !== undefined) return what.endsWith('2') ? 'no need' : 'yes';
  const amount = (data as { arguments?: { amount?: number } } | undefined)?.arguments?.amount;
  if (amount === undefined) return question.includes('0?') ? 'yes' : 'no';
  if (amount % 3 === 0) return 'too much';
  return amount % 3 === 1 ? true : { approved: true, arguments: { amount: amount + 1000 } };
}

async function toItsEnd(world: ReturnType<typeof worldOf>, first: RunResult, questions: string[]): Promise<RunResult> {
  let result = first;
  for (let turn = 0; turn < 60 && result.status === 'suspended'; turn += 1) {
    for (const one of result.waiting ?? []) {
      questions.push(one.origin ?? one.question);
      const { nodeId, item } = one;
      await world.engine.answer(result.runId, nodeId, answerTo(one), item === undefined ? {} : { item });
    }
    result = await settled(world, await world.engine.resume(result.runId));
  }
  expect(result).toMatchObject({ status: 'done' });
  return result;
}

/** The events of the run and of those nested in it, in the order in which they were written. */
async function begun(script: Script) {
  const stores = memoryStores();
  const written: { runId: string; event: RunEvent }[] = [];
  const append: typeof stores.journal.append = async (runId, events) => {
    for (const event of events) written.push({ runId, event });
    await stores.journal.append(runId, events);
  };
  const world = worldOf(script, { ...stores.journal, append });
  const handle = world.engine.start(validPlan({ nodes: [...NODES] }), { input: INPUT });
  const questions: string[] = [];
  const result = await toItsEnd(world, await settled(world, handle), questions);
  return { world, result, written, questions, runId: handle.runId };
}

const called = fc.constantFrom<Called>('pay', 'pay', 'check', 'look', 'other');
const scripts = fc.array(fc.array(called, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });

it('repeats nothing, however the run of agents is cut off', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(scripts, fc.nat(), async (script, offset) => {
      const { world, result, written, questions, runId } = await begun(script);
      expect(new Set(world.ran).size).toBe(world.ran.length);
      expect(new Set(world.asked).size).toBe(world.asked.length);
      expect(new Set(questions).size).toBe(questions.length);
      const step = Math.max(1, Math.floor(written.length / 12));
      for (let length = 1 + (offset % step); length < written.length; length += step) {
        const { journal } = memoryStores();
        for (const { runId: of, event } of written.slice(0, length)) await journal.append(of, [event]);
        const again = worldOf(script, journal);
        const before = await again.engine.inspect(runId);
        if (before.status === 'done') continue;
        const asked: string[] = [];
        // Also one that waits: a process that resumes it too early asks what was asked, and nothing else.
        const first = await settled(again, await again.engine.resume(runId));
        const after = await toItsEnd(again, first, asked);
        expect(after.output).toEqual(result.output);
        expect(after.costNanoUsd).toBe(result.costNanoUsd);
        expect(after.usage).toEqual(result.usage);
        expect(await again.engine.inspect(runId)).toMatchObject({
          costNanoUsd: result.costNanoUsd,
          usage: result.usage,
        });
        expect(again.ran.filter((key) => !world.ran.includes(key))).toEqual([]);
        const ended = new Set(
          written
            .slice(0, length)
            .flatMap(({ event }) => (event.type === 'tool-call' && event.error === undefined ? [keyOf(event)] : [])),
        );
        expect(again.ran.filter((key) => ended.has(key.split(' ')[0] ?? ''))).toEqual([]);
        expect(asked.filter((origin) => ended.has(origin))).toEqual([]);
        const answered = answeredIn(written.slice(0, length));
        expect(asked.filter((origin) => answered.has(origin))).toEqual([]);
        expect(result.costNanoUsd).toBe(world.asked.length * CALL_COST);
      }
    }),
    { numRuns: 8 },
  );
});

/** Names of the questions that somebody has answered. */
function answeredIn(written: readonly { readonly runId: string; readonly event: RunEvent }[]): ReadonlySet<string> {
  const asked = new Map<string, string>();
  const answered = new Set<string>();
  for (const { runId, event } of written) {
    if (event.type !== 'node-suspended' && event.type !== 'answer') continue;
    const place = `${runId}/${event.nodeId}/${event.item ?? ''}`;
    if (event.type === 'node-suspended') asked.set(place, event.question.origin ?? event.question.question);
    else answered.add(asked.get(place) ?? '');
  }
  return answered;
}

function keyOf({ runId, nodeId, item, repeat, round, index }: Extract<RunEvent, { type: 'tool-call' }>): string {
  const place = [nodeId, ...(item === undefined ? [] : [item]), ...(repeat === undefined ? [] : [`r${repeat}`])];
  return `${runId}/${place.join('/')}/tool/${round - 1}.${index}`;
}
