/** The input of a run is held to what its plan declares, at every place where one enters. */
import { afterEach, describe, expect, it } from 'vitest';
import { createPolyphony, definePlugin, type Plan, type Polyphony, t, value, workflow } from '../../src/index.ts';
import { fakeProvider } from '../../src/testing/index.ts';

const order = workflow({ id: 'order', input: { amount: 'integer', speed: 'slow|quick?' } })
  .node('done', value, (c) => ({ in: { amount: c.input.amount, said: t`${c.input.amount}` } }))
  .output((c) => ({ done: c.done }));

const tools = definePlugin({
  name: 'given',
  tools: [
    {
      name: 'give',
      description: 'Returns the value of a field.',
      input: { type: 'object' },
      output: {},
      run: async ({ value }) => value,
    },
  ],
});

let polyphony: Polyphony;
afterEach(() => polyphony.close());
const open = async (): Promise<Polyphony> => {
  polyphony = await createPolyphony({
    plugins: [tools],
    providers: [fakeProvider({ script: () => 'x' })],
    workflows: [order],
  });
  return polyphony;
};

type Input = Readonly<Record<string, unknown>>;

/** A plan whose only node gives its own input, as a tool returned it, to the workflow. */
const nestedIn = (input: Input): Plan => ({
  version: 1,
  nodes: [
    { id: 'given', use: 'tool:give', in: { value: input } },
    {
      id: 'sub',
      use: 'workflow:order',
      in: Object.fromEntries(['amount', ...Object.keys(input)].map((name) => [name, `{{given.${name}}}`])),
    },
  ],
  output: '{{sub}}',
});

const ENTRIES: readonly (readonly [string, (p: Polyphony, input: Input) => Promise<unknown>])[] = [
  ['a workflow', (p, input) => p.run(order, input as never)],
  ['its plan', (p, input) => p.run(order.plan, input)],
  ['its plan at the engine', async (p, input) => p.engine.start(await valid(p), { input }).result()],
  [
    'a fork',
    async (p, input) => {
      const { runId } = await p.run(order, { amount: 1 });
      return (await p.runs.fork(runId, { from: 'done', input })).result();
    },
  ],
];

async function valid(p: Polyphony) {
  const { plan } = await p.validate(order.plan);
  if (plan === undefined) throw new Error('the plan of the test is invalid');
  return plan;
}

const WRONG: readonly (readonly [string, Input, RegExp])[] = [
  ['a text for a number', { amount: 'many' }, /\/amount must be integer/],
  ['no number', { amount: Number.NaN }, /\/amount must be integer, not NaN|NaN at \/amount/],
  [
    'an endless number',
    { amount: Number.POSITIVE_INFINITY },
    /\/amount must be integer, not Infinity|Infinity at \/amount/,
  ],
  ['a choice that is none', { amount: 1, speed: 'warp' }, /\/speed/],
  ['a field that is missing', { speed: 'slow' }, /amount/],
  ['a misspelt field', { amount: 1, sped: 'slow' }, /"sped" is not declared \(did you mean "speed"\?\)/],
];

describe.each(ENTRIES)('the input of %s', (_name, start) => {
  it.each(WRONG)('is refused: %s', async (_what, input, message) => {
    const p = await open();
    await expect(start(p, input)).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringMatching(message),
    });
  });
  it('is taken when it matches', async () => {
    const p = await open();
    expect(await start(p, { amount: 2, speed: 'quick' })).toMatchObject({
      status: 'done',
      output: { done: { amount: 2 } },
    });
  });
});

describe('the input of a sub-workflow', () => {
  it.each(WRONG.filter(([, input]) => !('sped' in input) && Number.isFinite(input.amount ?? 0)))(
    'fails its node: %s',
    async (_what, input, message) => {
      const p = await open();
      const result = await (await p.start(nestedIn(input))).result();
      expect(result).toMatchObject({ status: 'failed', error: { code: 'invalid-request' } });
      expect(result.error?.message).toMatch(message);
      expect(result.error?.message).toContain('node sub');
      expect(await p.runs.list({ nested: true })).toHaveLength(1);
    },
  );
  it('fails its node where the number is a text', async () => {
    const p = await open();
    const result = await (await p.start(nestedIn({ amount: 'many' }))).result();
    expect(result.error?.message).toContain('"workflow:order"');
  });
  it('may be null where a field is optional, because that is what an absent value is', async () => {
    const p = await open();
    const result = await p.run(nestedIn({ amount: 3, speed: null }));
    expect(result).toMatchObject({ output: { done: { amount: 3 } } });
  });
});

describe('a plan that takes no input', () => {
  const plan: Plan = { version: 1, nodes: [{ id: 'v', use: 'value', in: { x: 1 } }], output: '{{v.x}}' };
  it('says so when it is given one', async () => {
    const p = await open();
    await expect(p.run(plan, { name: 'Ada', age: 3 })).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining('"name", "age" were given'),
    });
  });
  it.each([[undefined], [{}], [{ name: undefined }]])('takes %j', async (input) => {
    const p = await open();
    expect(await p.run(plan, input)).toMatchObject({ output: 1 });
  });
});
