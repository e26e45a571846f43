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
    ['a text as concurrency', () => polyphony.run(plan, {}, { concurrency: wrong('2') }), 'invalid-request', '2'],
  ])('refuses %s', async (_name, call, code, said) => {
    await expect(call()).rejects.toMatchObject({ code, message: expect.stringContaining(said) });
  });
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
  const step = defineStep({
    name: 'dawdle',
    input: {},
    output: { n: 'number' },
    run: (() => ({ n: later() })) as never,
  });
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
