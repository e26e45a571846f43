/** A request whose plan runs while it is written, from the planner's model to the result, on a clock driven by hand. */
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../src/core/model/model.ts';
import type { Tool } from '../src/core/plugin.ts';
import type { RunEvent, RunHandle, RunResult } from '../src/core/run/engine.ts';
import type { Stores } from '../src/core/stores.ts';
import { createPolyphony, type Polyphony, type StartOptions } from '../src/polyphony.ts';
import { memoryStores } from '../src/stores/memory.ts';
import {
  type FakeProvider,
  type FakeRuntime,
  fakeCard,
  fakeProvider,
  fakeRuntime,
  finish,
} from '../src/testing/index.ts';
import { settled } from './executor/harness.ts';

const ask = (id: string, prompt: string, more: object = {}) => ({ id, use: 'llm', in: { prompt }, ...more });
const A = ask('a', 'first');
const B = ask('b', 'second');
const LAST = ask('last', '{{a.text}} {{b.text}}');
const GOOD = { version: 1, goal: 'go', nodes: [A, B, LAST], output: '{{last.text}}' };
/** No repair of the validator mends the output. */
const BAD = { ...GOOD, output: '{{nothing_like_it.x}}' };

const PLANNER_COST = 5 * 100_000;
const ANSWER_COST = 5 * 1000;

interface Script {
  /** Answers of the planner in turn, the last one again and again; four characters a millisecond. */
  readonly plans: readonly (object | string)[];
  /** Of an answer, in milliseconds. @default 20 */
  readonly answerMs?: number;
  readonly stores?: Stores;
}

const tool = (name: string): Tool => ({ name, description: name, input: { type: 'object' }, run: async () => name });

interface Opened {
  readonly polyphony: Polyphony;
  readonly runtime: FakeRuntime;
  readonly provider: FakeProvider;
  readonly prompts: () => readonly string[];
}

const promptOf = ({ request }: Attempt): string =>
  request.operation === 'chat' ? String(request.messages.at(-1)?.content) : '';

function slowly(text: string) {
  const pieces = text.match(/[\s\S]{1,4}/g) ?? [];
  return [...pieces.flatMap((piece) => [{ wait: 1 }, { type: 'text-delta', text: piece } as const]), finish()];
}

async function open({ plans, answerMs = 20, stores }: Script): Promise<Opened> {
  const runtime = fakeRuntime();
  let turn = 0;
  const provider = fakeProvider({
    runtime,
    models: [
      fakeCard({
        id: 'planner',
        capabilities: ['text', 'streaming', 'json-mode', 'planning'],
        price: { input: 0, output: 100 },
      }),
      fakeCard({ id: 'worker', price: { input: 0, output: 1 } }),
    ],
    script(attempt) {
      if (attempt.purpose !== 'planner') {
        const said = (text: string) => ({ type: 'text-delta', text }) as const;
        return [said('said '), { wait: answerMs }, said(promptOf(attempt)), finish()];
      }
      const plan = plans[Math.min(turn, plans.length - 1)] ?? '';
      turn += 1;
      return slowly(typeof plan === 'string' ? plan : JSON.stringify(plan));
    },
  });
  const plugins = [
    { name: 'fake', providers: [provider], tools: [tool('send'), { ...tool('look'), sideEffects: false }] },
  ];
  const config = { planner: { model: 'fake/planner' } };
  const polyphony = await createPolyphony({ runtime, plugins, config, ...(stores === undefined ? {} : { stores }) });
  const prompts = () => provider.seen.filter(({ purpose }) => purpose !== 'planner').map(promptOf);
  return { polyphony, runtime, provider, prompts };
}

interface Ran extends Opened {
  readonly handle: RunHandle;
  readonly events: readonly RunEvent[];
  readonly result: RunResult;
}

async function run(script: Script, options: StartOptions = {}, input?: Record<string, unknown>): Promise<Ran> {
  const opened = await open(script);
  const starting = opened.polyphony.start('do it', input, options);
  if (options.streaming === false) await opened.runtime.clock.runAll();
  const handle = await starting;
  const result = await settled({ runtime: opened.runtime }, handle);
  const events: RunEvent[] = [];
  for await (const event of handle.events()) events.push(event);
  await opened.polyphony.close();
  return { ...opened, handle, events, result };
}

const told = (events: readonly RunEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'plan-delta' ? event.nodes.map(({ id }) => id) : []));
const first = (events: readonly RunEvent[], type: RunEvent['type']): number =>
  events.findIndex((event) => event.type === type);

describe('a request', () => {
  it('starts its first node before the last one is written, and runs none twice', async () => {
    const { events, result, prompts } = await run({ plans: [GOOD] });
    expect(result).toMatchObject({ status: 'done', output: 'said said first said second' });
    expect(told(events)).toEqual(['a', 'b', 'last']);
    const lastDelta = events.findLastIndex(({ type }) => type === 'plan-delta');
    expect(first(events, 'node-started')).toBeGreaterThan(first(events, 'plan-delta'));
    expect(first(events, 'node-started')).toBeLessThan(lastDelta);
    expect(prompts()).toEqual(['first', 'second', 'said first said second']);
    expect(result.costNanoUsd).toBe(PLANNER_COST + 3 * ANSWER_COST);
    expect(result.usage.output).toBe(4 * 5);
  });

  it('may be planned before anything runs', async () => {
    const { events, result } = await run({ plans: [GOOD] }, { streaming: false });
    expect(result).toMatchObject({ status: 'done', costNanoUsd: PLANNER_COST + 3 * ANSWER_COST });
    expect(result.usage.output).toBe(4 * 5);
    expect(told(events)).toEqual([]);
    expect(events[0]).toMatchObject({ type: 'run-started', plan: GOOD });
  });

  it('reads the plan out of prose and a fence when it is whole: it may be a draft of another one', async () => {
    const { events, result } = await run({ plans: [`Sure {here}:\n\`\`\`json\n${JSON.stringify(GOOD)}\n\`\`\``] });
    expect(result.status).toBe('done');
    expect(told(events)).toEqual([]);
  });

  it('that cannot be planned is refused before a run of it is kept', async () => {
    const { polyphony, provider } = await open({ plans: [GOOD] });
    await expect(polyphony.start('  ')).rejects.toMatchObject({ code: 'invalid-request' });
    await expect(polyphony.start('x'.repeat(200_001))).rejects.toMatchObject({ code: 'invalid-request' });
    expect([await polyphony.engine.list(), provider.seen]).toEqual([[], []]);
    await polyphony.close();
  });

  it('hands the whole plan to whom it may concern, who may refuse it', async () => {
    const onPlan = () => {
      throw new Error('not like this');
    };
    const { result } = await run({ plans: [GOOD] }, { onPlan });
    expect(result).toMatchObject({ status: 'failed', error: { message: 'not like this' } });
  });

  it('whose whole plan is refused before it starts is refused with an error of ours, whatever was thrown', async () => {
    const { polyphony, runtime } = await open({ plans: [GOOD] });
    for (const thrown of [new Error('not like this'), null, 'no']) {
      const onPlan = () => Promise.reject(thrown);
      const refused = polyphony.start('do it', {}, { streaming: false, onPlan }).catch((error: unknown) => error);
      await runtime.clock.runAll();
      expect(await refused).toMatchObject({ name: 'PolyphonyError', code: 'plugin-failed' });
    }
    await polyphony.close();
  });

  it('whose whole plan nobody lets pass ends with the signal of its caller', async () => {
    const { polyphony, runtime } = await open({ plans: [GOOD] });
    const controller = new AbortController();
    const onPlan = () => new Promise(() => {});
    const options = { streaming: false, onPlan, signal: controller.signal };
    const refused = polyphony.start('do it', {}, options).catch((error: unknown) => error);
    await runtime.clock.runAll();
    controller.abort();
    await runtime.clock.runAll();
    expect(await refused).toMatchObject({ code: 'cancelled' });
    expect(await polyphony.engine.list()).toEqual([]);
    await polyphony.close();
  });
});

describe('a plan that is mended', () => {
  it('keeps what stayed as it was', async () => {
    const { result, prompts, events } = await run({ plans: [BAD, GOOD] });
    expect(result).toMatchObject({ status: 'done', costNanoUsd: 2 * PLANNER_COST + 3 * ANSWER_COST });
    expect(prompts()).toEqual(['first', 'second', 'said first said second']);
    const answered = events.flatMap((event) => (event.type === 'plan-answered' ? [event] : []));
    expect(answered).toMatchObject([{ round: 1, issues: [{ code: 'ref.unknown_node' }] }, { round: 2 }]);
  });

  it('runs what changed again, and counts both', async () => {
    const changed = { ...GOOD, nodes: [A, ask('b', 'otherwise'), LAST] };
    const { result, prompts, polyphony, handle } = await run({ plans: [BAD, changed] });
    expect(result).toMatchObject({ status: 'done', output: 'said said first said otherwise' });
    // `last` had run on the old answer of `b`.
    const all = ['first', 'second', 'said first said second', 'otherwise', 'said first said otherwise'];
    expect(prompts()).toEqual(all);
    expect(result.costNanoUsd).toBe(2 * PLANNER_COST + 5 * ANSWER_COST);
    const totals = await polyphony.stores.ledger.totals('scope:run');
    expect(totals).toMatchObject([{ group: handle.runId, attempts: 7, costNanoUsd: result.costNanoUsd }]);
  });

  it('that cannot be mended fails the run, and stops down to the socket what had started', async () => {
    const { result, provider, prompts, events, polyphony } = await run({ plans: [BAD], answerMs: 100_000 });
    expect(result).toMatchObject({ status: 'failed', error: { code: 'invalid-plan' } });
    expect(prompts()).toEqual(['first', 'second']);
    expect(provider.open()).toBe(0);
    const stopped = events.flatMap((event) => (event.type === 'node-cancelled' ? [event.nodeId] : []));
    expect(stopped).toEqual(['a', 'b']);
    // The word that each had said by then.
    expect(result.costNanoUsd).toBeGreaterThan(2 * PLANNER_COST);
    expect(await polyphony.stores.ledger.totals('scope:run')).toMatchObject([{ costNanoUsd: result.costNanoUsd }]);
  });

  it('charges what was done for nothing', async () => {
    const { result, polyphony, handle } = await run({ plans: [BAD] });
    expect(result.costNanoUsd).toBe(2 * PLANNER_COST + 3 * ANSWER_COST);
    const later = await createPolyphony({ plugins: [], stores: polyphony.stores });
    expect((await later.runs.show(handle.runId)).costNanoUsd).toBe(result.costNanoUsd);
  });
});

describe('bounds', () => {
  it('hold for planner and early nodes together', async () => {
    const { result, prompts } = await run({ plans: [BAD, GOOD] }, { budgetUsd: 0.0000001 });
    expect(result).toMatchObject({ status: 'failed', error: { code: 'budget-exceeded' } });
    expect(prompts()).toEqual([]);
  });

  it('of the plan itself hold as soon as they are written', async () => {
    const poor = { version: 1, budget: { usd: 0.0000001 }, nodes: [A], output: '{{a.text}}' };
    const { result, prompts } = await run({ plans: [poor] });
    // The whole plan is refused as infeasible; until then the budget alone keeps the node from starting.
    expect(result.error?.code).toBe('invalid-plan');
    expect(prompts()).toEqual([]);
  });

  it('are not met where the input does not fit, so nothing starts', async () => {
    const plan = {
      version: 1,
      input: { ticket: 'string' },
      nodes: [A, ask('b', '{{input.ticket}}')],
      output: '{{b.text}}',
    };
    const { result, events } = await run({ plans: [plan] });
    expect(result).toMatchObject({ status: 'failed', error: { code: 'invalid-request' } });
    expect(first(events, 'node-started')).toBe(-1);
    const fitting = await run({ plans: [plan] }, {}, { ticket: 'T1' });
    expect(fitting.result).toMatchObject({ status: 'done', output: 'said T1' });
    expect(first(fitting.events, 'node-started')).toBeLessThan(first(fitting.events, 'plan-revised'));
  });

  it('keep people, and tools that may change something, back until the plan is whole', async () => {
    const human = { id: 'b', use: 'human', in: { question: 'Shall I?' } };
    const tools = [
      { id: 'c', use: 'tool:send' },
      { id: 'd', use: 'tool:look' },
    ];
    const { result, events } = await run({
      plans: [{ ...GOOD, nodes: [A, human, ...tools, ask('e', 'fifth')], output: '{{a.text}}' }],
    });
    expect(result.status).toBe('suspended');
    const whole = first(events, 'plan-revised');
    const before = events.slice(0, whole).flatMap((event) => (event.type === 'node-started' ? [event.nodeId] : []));
    expect(before).toEqual(['a', 'd', 'e']);
  });
});

describe('a run that ends while it is planned', () => {
  it('is cancelled down to the sockets of planner and nodes', async () => {
    const { polyphony, runtime, provider } = await open({ plans: [GOOD], answerMs: 100_000 });
    const handle = await polyphony.start('do it');
    await runtime.clock.advance(30);
    expect(provider.open()).toBe(2);
    handle.cancel('enough');
    const result = await settled({ runtime }, handle);
    expect(result.status).toBe('cancelled');
    expect(provider.open()).toBe(0);
    const { costNanoUsd } = await polyphony.engine.inspect(handle.runId);
    expect(costNanoUsd).toBe(result.costNanoUsd);
    // What the planner had written is charged.
    expect(costNanoUsd).toBeGreaterThan(0);
    await polyphony.close();
  });

  it('is planned anew when it is resumed, and what had finished is not paid again', async () => {
    const stores = memoryStores();
    const before = await open({ plans: [GOOD], stores });
    const handle = await before.polyphony.start('do it');
    // `a` has answered, the plan is not whole.
    await before.runtime.clock.advance(45);
    handle.cancel('a process that ends');
    await settled({ runtime: before.runtime }, handle);
    const after = await open({ plans: [GOOD], stores });
    const resumed = await after.polyphony.resume(handle.runId);
    const result = await settled({ runtime: after.runtime }, resumed);
    expect(result).toMatchObject({ status: 'done', output: 'said said first said second' });
    expect(before.prompts()).toEqual(['first', 'second']);
    expect(after.prompts()).toEqual(['second', 'said first said second']);
    await after.polyphony.close();
  });
});
