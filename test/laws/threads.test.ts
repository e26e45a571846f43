/**
 * What threads keep, whatever happens to a run: a process that dies at any point neither doubles nor loses what was said, a run
 * that goes on sees what it saw, a fork and a replay write nothing.
 */
import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../src/core/model/model.ts';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { ThreadStore } from '../../src/core/stores/threads.ts';
import type { RunJournal, Stores } from '../../src/core/stores.ts';
import { createEngine } from '../../src/executor/engine.ts';
import { createRunners } from '../../src/runners/create-runners.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeRuntime } from '../../src/testing/fakes.ts';
import { settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { scriptedGateway } from '../runners/scripted-gateway.ts';

type WithThreads = Pick<Stores, 'journal'> & { readonly threads: ThreadStore };

const CHAT: PlanNode = { id: 'chat', use: 'llm', in: { prompt: 'And now?' }, thread: 'ann' };
const AFTER: PlanNode = { id: 'after', use: 'value', in: { said: '{{chat.text}}' } };
const PLAN = validPlan({ nodes: [CHAT, AFTER] });

/** A process over these stores whose answers name it. */
function process(stores: WithThreads, name: string, workflow = PLAN) {
  const runtime = fakeRuntime();
  const gateway = scriptedGateway(Array.from({ length: 20 }, (_, at) => `${name} ${at}`));
  const runners = createRunners({
    gateway,
    tools: new Map(),
    clock: runtime.clock,
    engine: () => engine,
    workflows: () => workflow,
    threads: stores.threads,
  });
  const engine = createEngine({ runtime, journal: stores.journal, runners, validPlan, owner: 'the same' });
  return { runtime, engine, gateway };
}

/** Operations on the stores from this one on never end: the process is dead. The first of them may have been committed. */
function dying({ journal, threads }: WithThreads, from: number, isCommitted: boolean): WithThreads {
  let done = 0;
  const mortal = <A extends readonly unknown[], R>(operation: (...given: A) => Promise<R> | undefined) =>
    async function live(...given: A): Promise<R> {
      done += 1;
      if (done < from) return (await operation(...given)) as R;
      if (done === from && isCommitted) await operation(...given);
      return new Promise<never>(() => {});
    };
  const dead: RunJournal = { ...journal, append: mortal(journal.append) };
  return { journal: dead, threads: { ...threads, open: mortal(threads.open), append: mortal(threads.append) } };
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 60; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
};
const said = async ({ threads }: WithThreads, key = 'ann') =>
  (await threads.read(key))?.entries.map(({ question, answer }) => `${question} ${answer}`) ?? [];
const messages = (request: unknown): readonly string[] =>
  (request as ChatRequest).messages.map(({ content }) => String(content));

describe('a process that dies at any point', () => {
  it.each([false, true])('neither doubles nor loses what was said (last write committed: %s)', async (isCommitted) => {
    let finished = 0;
    for (let from = 1; from < 12; from += 1) {
      const stores = memoryStores();
      await stores.threads.append({ key: 'ann', writer: 'before', question: 'Hi', answer: 'ho' });
      process(dying(stores, from, isCommitted), 'first').engine.start(PLAN, { runId: 'run_a' });
      await turns();
      const isEnded = (await stores.journal.list()).some(({ nodes }) => nodes.finished > 0);
      if (isEnded) expect(await said(stores)).toHaveLength(2);
      // Another run says something meanwhile.
      await stores.threads.append({ key: 'ann', writer: 'meanwhile', question: 'Me', answer: 'too' });
      const second = process(stores, 'second');
      if ((await stores.journal.list()).length === 0) continue;
      const result = await settled(second, await second.engine.resume('run_a'));
      const output = result.nodes[0]?.output as { readonly text: string };
      const own = (await said(stores)).filter((line) => line.startsWith('And now?'));
      expect({ from, status: result.status, own }).toEqual({ from, status: 'done', own: [`And now? ${output.text}`] });
      finished += 1;
    }
    expect(finished).toBeGreaterThan(6);
  });

  it('goes on with what it saw before, not with what others said meanwhile', async () => {
    const stores = memoryStores();
    await stores.threads.append({ key: 'ann', writer: 'before', question: 'Hi', answer: 'ho' });
    // The second operation opens the thread.
    process(dying(stores, 3, false), 'first').engine.start(PLAN, { runId: 'run_a' });
    await turns();
    await stores.threads.append({ key: 'ann', writer: 'meanwhile', question: 'Me', answer: 'too' });
    const second = process(stores, 'second');
    await settled(second, await second.engine.resume('run_a'));
    const resumed = second.gateway.asked.map(({ request }) => messages(request));
    const third = process(stores, 'third');
    await settled(third, third.engine.start(PLAN, { runId: 'run_b' }));
    expect(third.gateway.asked.map(({ request }) => messages(request))[0]).toContain('Me');
    for (const seen of resumed) expect(seen).toEqual(['Hi', 'ho', 'And now?']);
  });
});

describe('two runs at once', () => {
  it('both add what they said, in the order of their ends', async () => {
    const stores = memoryStores();
    const worlds = ['a', 'b', 'c'].map((name) => process(stores, name));
    await Promise.all(worlds.map((world, at) => settled(world, world.engine.start(PLAN, { runId: `run_${at}` }))));
    expect((await said(stores)).sort()).toEqual(['And now? a 0', 'And now? b 0', 'And now? c 0']);
  });
});

describe('a fork', () => {
  const nested = validPlan({ nodes: [{ id: 'inner', use: 'workflow:chat', in: {} }] });
  it.each([
    ['of a run', PLAN, 'chat'],
    ['of a run around it', nested, 'inner'],
  ])('%s sees what that one saw and writes nothing', async (_, plan, from) => {
    const stores = memoryStores();
    await stores.threads.append({ key: 'ann', writer: 'before', question: 'Hi', answer: 'ho' });
    const world = process(stores, 'own');
    await settled(world, world.engine.start(plan, { runId: 'run_a' }));
    const before = await said(stores);
    expect(before).toHaveLength(2);
    const result = await settled(world, await world.engine.fork('run_a', { from, runId: 'run_f' }));
    expect([result.status, await said(stores)]).toEqual(['done', before]);
    const [first, second] = world.gateway.asked.map(({ request }) => messages(request));
    expect(second).toEqual(first);
  });
});

describe('a replay', () => {
  it('does not read the store', async () => {
    const stores = memoryStores();
    const world = process(stores, 'own');
    await settled(world, world.engine.start(PLAN, { runId: 'run_a' }));
    const closed = new Proxy(stores.threads, {
      get: () => () => Promise.reject(new Error('a replay has no use for threads')),
    });
    const events: string[] = [];
    const later = process({ ...stores, threads: closed }, 'later');
    for await (const { type } of later.engine.replay('run_a')) events.push(type);
    expect(events).toContain('node-finished');
  });
});
