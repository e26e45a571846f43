/** What a program in JavaScript gives by mistake is refused in words, and never as an error of ours in the middle of the work. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  createPolyphony,
  defineStep,
  type Polyphony,
  type PolyphonyOptions,
  value,
  workflow,
} from '../../src/index.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeProvider } from '../../src/testing/index.ts';

const open = (options: object = {}) =>
  createPolyphony({ providers: [fakeProvider({})], ...options } as PolyphonyOptions);
const started = workflow({ id: 'started' }).node('one', value, () => ({ in: { n: 1 } }));
const plan = { version: 1, nodes: [{ id: 'one', use: 'value', in: { n: 1 } }] } as const;

it.each([
  [{ workflows: [{}] }, 'workflows[0]'],
  [{ workflows: [started.output((c) => c.one), started] }, '.output('],
  [{ workflows: started }, 'give a list'],
  [{ workflows: [plan] }, 'workflows[0]'],
  [{ workflows: [null] }, 'workflows[0]'],
  [{ plugins: {} }, 'plugins'],
  [{ providers: 'openai' }, 'providers'],
  [{ recover: 'yes' }, 'recover'],
  [{ recover: { concurency: 2 } }, 'did you mean "concurrency"'],
  [{ logger: 'x' }, 'createPolyphony.logger is "x", but it must be a logger, with debug, info, warn, error'],
  [{ logger: { info: () => {} } }, 'createPolyphony.logger is an object, but it must be a logger'],
  [{ engine: 'x' }, 'createPolyphony.engine is "x", but it must be a function'],
  [{ stores: 'x' }, 'but it must be stores with journal, ledger and keyValue'],
  [{ runtime: {} }, 'createPolyphony.runtime is an object, but it must be a runtime with clock'],
  [{ transport: () => {} }, 'createPolyphony.transport is a function, but it must be a transport'],
  [{ defaults: 'no' }, 'createPolyphony.defaults is "no", but it must be true or false'],
  [{ environment: 0 }, 'createPolyphony.environment is 0, but it must be true or false'],
])('createPolyphony(%j) names what is wrong', async (options, said) => {
  await expect(open(options)).rejects.toMatchObject({ code: 'invalid-config', message: expect.stringContaining(said) });
});

describe('a method', () => {
  let polyphony: Polyphony;
  beforeAll(async () => {
    polyphony = await open();
  });
  afterAll(() => polyphony.close());
  const wrong = <T>(given: unknown): T => given as T;

  it.each([
    ['a workflow without an output', () => polyphony.run(wrong<typeof plan>(started)), 'invalid-plan', '.output('],
    ['a fork without options', () => polyphony.runs.fork('x', wrong(undefined)), 'invalid-request', '{ from }'],
    ['an unknown status', () => polyphony.runs.list({ status: wrong('interupted') }), 'invalid-request', 'interrupted'],
    ['a misspelt filter', () => polyphony.runs.list(wrong({ stauts: 'done' })), 'invalid-request', 'stauts'],
    ['a limit below 0', () => polyphony.runs.list({ limit: -1 }), 'invalid-request', '-1'],
    ['options that are no object', () => polyphony.run(plan, {}, wrong(5)), 'invalid-request', 'A run cannot have 5'],
    ['a callback that is none', () => polyphony.run(plan, {}, { onPlan: wrong('x') }), 'invalid-request', 'a function'],
    ['an unknown word', () => polyphony.run(plan, {}, { streaming: wrong('fre') }), 'invalid-request', 'or "free"'],
    [
      'a text as a switch',
      () => polyphony.run(plan, {}, { attended: wrong('no') }),
      'invalid-request',
      'true or false',
    ],
    ['an input among options', () => polyphony.run(plan, {}, wrong({ input: {} })), 'invalid-request', '"input"'],
    ['a misspelt plan option', () => polyphony.plan('x', wrong({ onDelat: () => {} })), 'invalid-request', '"onDelta"'],
    ['a callback of planning', () => polyphony.plan('x', { onDelta: wrong('x') }), 'invalid-request', 'a function'],
    [
      'a preview as well',
      () => polyphony.planningPreview('x', { fresh: wrong(1) }),
      'invalid-request',
      'true or false',
    ],
    ['a misspelt validation', () => polyphony.validate(plan, wrong({ repiar: true })), 'invalid-request', '"repair"'],
    ['a misspelt simulation', () => polyphony.simulate(plan, wrong({ runz: 5 })), 'invalid-request', '"runs"'],
    ['times beside "before"', () => polyphony.prune(wrong({ runs: 5 })), 'invalid-request', 'no field "runs"'],
    ['a prune without a time', () => polyphony.prune(wrong({})), 'invalid-request', '{ before: { runs'],
    [
      'a time that is none',
      () => polyphony.prune({ before: { runs: wrong('1') } }),
      'invalid-request',
      'before.runs is "1"',
    ],
    ['a misspelt watch', async () => polyphony.runs.watch('x', wrong({ singal: 1 })), 'invalid-request', '"signal"'],
    ['nested as a text', () => polyphony.runs.list({ nested: wrong('no') }), 'invalid-request', 'true or false'],
    ['a text as concurrency', () => polyphony.run(plan, {}, { concurrency: wrong('2') }), 'invalid-request', '2'],
  ])('refuses %s', async (_name, call, code, said) => {
    await expect(call()).rejects.toMatchObject({ code, message: expect.stringContaining(said) });
  });
});

it.each<[string, () => unknown, string]>([
  ['memory', () => memoryStores({ endedRun: 5 } as never), 'has no field "endedRun": did you mean "endedRuns"?'],
  [
    'memory',
    () => memoryStores({ ledgerRows: '5' as never }),
    'memoryStores.ledgerRows is "5", but it must be a number',
  ],
  ['SQLite', () => sqliteStores({ path: 'x', onError: 'x' as never }), 'sqliteStores.onError is "x", but it must be a'],
  ['SQLite', () => sqliteStores({ path: 'x', powersafe: true } as never), 'did you mean "powerSafe"?'],
])('stores in %s refuse an option that they would not heed', (_, open, message) => {
  expect(open).toThrow(expect.objectContaining({ code: 'invalid-config', message: expect.stringContaining(message) }));
});

it('says which id is used twice', () => {
  const again = started as unknown as { node(id: string, ...rest: unknown[]): unknown };
  expect(() => again.node('one', value, () => ({ in: {} }))).toThrow('There is a node "one" already');
});

it('lets no promise end the process that is in a value which was refused', async () => {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', listener);
  const later = () => new Promise((_, reject) => setImmediate(() => reject(new Error('too late'))));
  const anything = { type: 'object' } as const;
  const tool = { name: 'later', description: 'Forgets to wait.', input: anything, sideEffects: false };
  const tools = [
    { ...tool, run: () => ({ list: [later(), later()] }) },
    { ...tool, name: 'typed', output: z.object({ n: z.number() }), run: () => ({ n: later() }) },
  ];
  const step = defineStep({ name: 'wait', input: {}, output: { n: 'number' }, run: (() => ({ n: later() })) as never });
  const flow = workflow({ id: 'wait' })
    .node('one', step, () => ({ in: {} }))
    .output((c) => ({ n: c.one.n }));
  const polyphony = await open({ plugins: [{ name: 'late', tools }] });
  for (const use of ['tool:later', 'tool:typed']) {
    const run = polyphony.run({ version: 1, nodes: [{ id: 'a', use, in: {} }] });
    await expect(run).rejects.toMatchObject({ message: expect.stringMatching(/promise/i) });
  }
  await expect(polyphony.run(flow, {})).rejects.toMatchObject({ code: 'invalid-output' });
  await polyphony.close();
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.off('unhandledRejection', listener);
  expect(unhandled).toEqual([]);
});
