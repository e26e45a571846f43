import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { ChatRequest, Message } from '../../src/core/model/model.ts';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import { VALUE_BOUNDS } from '../../src/core/run/value-bounds.ts';
import type { ThreadStore } from '../../src/core/stores/threads.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeClock } from '../../src/testing/fakes.ts';
import { settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { run, setUp } from './run-node.ts';
import { type Answer, CALL_COST, type ScriptedGateway } from './scripted-gateway.ts';

const newThreads = (): ThreadStore => memoryStores({ clock: fakeClock() }).threads;
const chat = (prompt: string, more: Partial<PlanNode> = {}): PlanNode => ({
  id: 'chat',
  use: 'llm',
  in: { system: 'Be kind', prompt },
  thread: 'ann',
  ...more,
});
const asked = (gateway: ScriptedGateway, call: number): readonly Message[] =>
  (gateway.asked[call]?.request as ChatRequest | undefined)?.messages ?? [];
const texts = (messages: readonly Message[]) => messages.map(({ role, content }) => `${role}: ${String(content)}`);
const told = async (threads: ThreadStore, key = 'ann') =>
  (await threads.read(key))?.entries.map(({ question, answer }) => `${question} → ${answer}`) ?? [];
/** So many questions that were answered before. */
async function talk(threads: ThreadStore, count: number, text = ''): Promise<void> {
  for (let at = 1; at <= count; at += 1)
    await threads.append({ key: 'ann', writer: `before ${at}`, question: `q${at}${text}`, answer: `a${at}${text}` });
}
const warnings = (result: Awaited<ReturnType<typeof run>>['result']) =>
  result.nodes.flatMap(({ meta }) => meta?.warnings.map(({ code }) => code) ?? []);

describe('a thread', () => {
  it('puts what was said between the system prompt and the prompt, and adds question and answer', async () => {
    const threads = newThreads();
    await run(['Hello Ann'], chat('I am Ann', { id: 'first' }), { threads });
    const { gateway } = await run(['Ann'], chat('Who am I?'), { threads });
    expect(texts(asked(gateway, 0))).toEqual([
      'system: Be kind',
      'user: I am Ann',
      'assistant: Hello Ann',
      'user: Who am I?',
    ]);
    expect(await told(threads)).toEqual(['I am Ann → Hello Ann', 'Who am I? → Ann']);
  });

  it('is read no further than one value of the run may be large', async () => {
    const threads = newThreads();
    await talk(threads, 5, 'x'.repeat(200));
    const valueBounds = () => ({ ...VALUE_BOUNDS, valueBytes: 1000 });
    const summarise: Partial<PlanNode> = { thread: { key: 'ann', summarise: true } };
    for (const more of [{}, summarise]) {
      const { gateway } = await run(['ok'], chat('Go on', { id: `chat${Object.keys(more).length}`, ...more }), {
        threads: { ...threads, append: async () => {} },
        valueBounds,
      });
      const questions = asked(gateway, 0).flatMap(({ role, content }) => (role === 'user' ? [String(content)] : []));
      expect(questions.map((text) => text.slice(0, 2))).toEqual(['q4', 'q5', 'Go']);
    }
  });

  it('keeps a typed answer as its JSON, and what was asked without its pictures', async () => {
    const threads = newThreads();
    const images = ['https://x.test/a.png'];
    await run(['{"name": "Ann"}'], chat('x', { in: { prompt: 'Who?', images }, out: { name: 'string' } }), { threads });
    expect(await told(threads)).toEqual(['Who? → {"name":"Ann"}']);
  });

  it('takes the newest messages that fit in number and in tokens', async () => {
    const threads = newThreads();
    await talk(threads, 30);
    const all = await run(['ok'], chat('now'), { threads });
    expect(asked(all.gateway, 0)).toHaveLength(22);
    expect(texts(asked(all.gateway, 0))[1]).toBe('user: q21');
    const last = await run(['ok'], { ...chat('now'), id: 'b', thread: { key: 'ann', last: 4 } }, { threads });
    expect(texts(asked(last.gateway, 0)).slice(1, -1)).toHaveLength(4);
    const few = await run(['ok'], { ...chat('now'), id: 'c', thread: { key: 'ann', tokens: 40 } }, { threads });
    const kept = asked(few.gateway, 0).length - 2;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(20);
    const none = await run(['ok'], { ...chat('now'), id: 'd', thread: { key: 'ann', tokens: 1 } }, { threads });
    expect(asked(none.gateway, 0)).toHaveLength(2);
  });

  it('has a key of each item, and adds nothing of an item that failed', async () => {
    const threads = newThreads();
    const answers: Answer[] = ['one', new PolyphonyError('no-route', 'none')];
    const node = chat('Hi {{item}}', { each: '{{input.who}}', thread: '{{item}}', onError: 'skip' });
    const world = setUp(answers, { threads });
    await settled(world, world.engine.start(validPlan({ nodes: [node] }), { input: { who: ['ann', 'ben'] } }));
    expect([await told(threads, 'ann'), await told(threads, 'ben')]).toEqual([['Hi ann → one'], []]);
  });

  it('keeps the last round of a node that repeats', async () => {
    const threads = newThreads();
    const node = chat('Hi', { repeat: { until: 'self.text == "two"', max: 3 } });
    await run(['one', 'two'], node, { threads });
    expect(await told(threads)).toEqual(['Hi → two']);
  });

  it('remembers nothing where its key is missing, with a warning', async () => {
    const threads = newThreads();
    const world = setUp(['ok'], { threads });
    const plan = validPlan({ nodes: [chat('Hi', { thread: 'user {{input.user}}' })] });
    const result = await settled(world, world.engine.start(plan, { input: { user: null } }));
    expect([result.status, warnings(result), await threads.list()]).toEqual(['done', ['thread-empty'], []]);
  });

  it('refuses a key that is too long, and stores that keep no threads', async () => {
    const world = setUp(['ok'], { threads: newThreads() });
    const plan = validPlan({ nodes: [chat('Hi', { thread: '{{input.user}}' })] });
    const long = await settled(world, world.engine.start(plan, { input: { user: 'x'.repeat(501) } }));
    expect(long.error?.code).toBe('invalid-request');
    expect((await run(['ok'], chat('Hi'))).result.error?.code).toBe('unsupported');
  });

  it('counts what is remembered among the values of the run', async () => {
    const threads = newThreads();
    await talk(threads, 2, 'x'.repeat(2000));
    const valueBounds = () => ({ valueBytes: 1e6, renderedBytes: 5000, runBytes: 1e6, writtenBytes: 1e6 });
    const { result, gateway } = await run(['ok'], chat('Hi'), { threads, valueBounds });
    expect([result.error?.code, gateway.asked.length]).toEqual(['limit-exceeded', 0]);
  });

  it('fails the node where the store cannot keep what was said', async () => {
    const threads: ThreadStore = {
      ...newThreads(),
      append: () => Promise.reject(new PolyphonyError('store-full', 'full')),
    };
    const { result } = await run(['ok'], chat('Hi'), { threads });
    expect([result.error?.code, result.costNanoUsd]).toEqual(['store-full', CALL_COST]);
  });
});

describe('the summary of a thread', () => {
  const summing = (more: Partial<PlanNode> = {}) =>
    chat('now', { thread: { key: 'ann', last: 4, summarise: true }, ...more });

  it('is made by a cheap model once the messages do not fit, booked to the node, and used again', async () => {
    const threads = newThreads();
    await talk(threads, 4);
    const first = await run(['They said q1 to q3', 'ok'], summing({ sensitivity: 'personal' }), { threads });
    expect(first.gateway.asked[0]?.request).toMatchObject({ model: { tier: 'fast' }, sensitivity: 'personal' });
    expect(texts(asked(first.gateway, 0)).join()).toContain('user: q3\nassistant: a3');
    expect(texts(asked(first.gateway, 1))).toEqual([
      'system: Be kind',
      'user: Summary of the conversation so far:\nThey said q1 to q3\n\nq4',
      'assistant: a4',
      'user: now',
    ]);
    expect(first.result.costNanoUsd).toBe(2 * CALL_COST);
    const second = await run(['ok'], { ...summing(), id: 'later' }, { threads });
    expect(second.gateway.asked).toHaveLength(1);
    expect(texts(asked(second.gateway, 0))[1]).toContain('They said q1 to q3');
  });

  it('is asked of the model that the node names', async () => {
    const threads = newThreads();
    await talk(threads, 4);
    const { gateway } = await run(['sum', 'ok'], summing({ model: { id: 'own/local' } }), { threads });
    expect(gateway.asked[0]?.request.model).toEqual({ id: 'own/local' });
  });

  it.each<[string, Answer]>([
    ['fails', new PolyphonyError('no-route', 'none')],
    ['is empty', ' '],
  ])('that %s is a warning, and the older messages are left out', async (_, failed) => {
    const threads = newThreads();
    await talk(threads, 4);
    const { result, gateway } = await run([failed, 'ok'], summing(), { threads });
    expect([result.status, warnings(result), result.costNanoUsd]).toEqual(['done', ['thread-summary'], 2 * CALL_COST]);
    expect(texts(asked(gateway, 1))).toEqual([
      'system: Be kind',
      ...[3, 4].flatMap((at) => [`user: q${at}`, `assistant: a${at}`]),
      'user: now',
    ]);
    expect((await threads.read('ann'))?.summary).toBeUndefined();
  });
});
