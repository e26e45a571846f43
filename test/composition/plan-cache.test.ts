/**
 * The plan cache, in both stores: who is given a plan again, and what makes it be made anew.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Plan } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import type { KeyValueStore, Stores } from '../../src/core/stores.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeRuntime } from '../../src/testing/fakes.ts';
import { fakeCard, fakeProvider } from '../../src/testing/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'polyphony-plans-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

const STORES: Readonly<Record<string, () => Stores | Promise<Stores>>> = {
  memory: () => memoryStores(),
  sqlite: () => {
    files += 1;
    return sqliteStores({ path: join(folder, `${files}.db`) });
  },
};

const tool = (name: string, more: Partial<Tool> = {}): Tool => ({
  name,
  description: 'For tests.',
  input: { type: 'object' },
  output: { type: 'object' },
  sideEffects: false,
  ...more,
  run: async (input) => ({ got: input }),
});

interface Given {
  readonly stores: Stores;
  readonly tools?: readonly Tool[];
  readonly config?: object;
  readonly use?: string;
}

/** Its planner names the word behind "read" as the path, and counts how often it was asked. */
async function world({
  stores,
  tools = [tool('read')],
  config = { planner: { cache: {} } },
  use = 'tool:read',
}: Given) {
  let asked = 0;
  const runtime = fakeRuntime();
  const provider = fakeProvider({
    models: [fakeCard({ id: 'planner', capabilities: ['text', 'streaming', 'json-mode', 'planning'] })],
    script: ({ request }) => {
      asked += 1;
      const said = JSON.stringify(request);
      const path = /read ([\w./]+)"/.exec(said)?.[1] ?? 'none';
      const plan: Plan = { version: 1, goal: 'x', nodes: [{ id: 'a', use, in: { path } }], output: '{{a.got}}' };
      return JSON.stringify(plan);
    },
  });
  const polyphony = await createPolyphony({
    plugins: [{ name: 'world', providers: [provider], tools }],
    stores,
    config,
  });
  return { polyphony, runtime, asked: () => asked };
}

describe.each(Object.entries(STORES))('plans in the store %s', (_name, open) => {
  it('are found again for the same shape, without a call, and say so', async () => {
    const stores = await open();
    const w = await world({ stores });
    expect((await w.polyphony.plan('please read one.md')).cached).toBeUndefined();
    const made = await w.polyphony.plan('please read two.md');
    expect(made).toMatchObject({ cached: true, rounds: 0, costNanoUsd: 0 });
    expect(made.plan.plan.nodes[0]?.in).toEqual({ path: 'two.md' });
    const outcome = await w.polyphony.run('please read three.md');
    expect(outcome).toMatchObject({ status: 'done', output: { path: 'three.md' } });
    const events = [];
    for await (const event of w.polyphony.runs.replay(outcome.runId)) events.push(event);
    expect(events.find(({ type }) => type === 'plan-revised')).toMatchObject({ cached: true });
    expect(w.asked()).toBe(1);
    await w.polyphony.close();
  });
});

describe('a plan is made anew', () => {
  const twice = async (second: (stores: Stores) => Promise<number>, first: Partial<Given> = {}): Promise<number> => {
    const stores = memoryStores();
    const w = await world({ stores, ...first });
    await w.polyphony.plan('please read one.md');
    return second(stores);
  };
  const askedBy = async (given: Given, request = 'please read two.md', options = {}): Promise<number> => {
    const w = await world(given);
    await w.polyphony.plan(request, options);
    return w.asked();
  };

  it.each([
    ['nobody has switched the cache on', (stores: Stores) => askedBy({ stores, config: {} })],
    ['it is asked for', (stores: Stores) => askedBy({ stores }, undefined, { fresh: true })],
    ['the words differ', (stores: Stores) => askedBy({ stores }, 'Please read two.md')],
    ['the kind of file differs', (stores: Stores) => askedBy({ stores }, 'please read two.csv')],
    ['there is another tool', (stores: Stores) => askedBy({ stores, tools: [tool('read'), tool('write')] })],
    [
      'a tool is described otherwise',
      (stores: Stores) => askedBy({ stores, tools: [tool('read', { description: 'New.' })] }),
    ],
    [
      'a tool changes something now',
      (stores: Stores) => askedBy({ stores, tools: [tool('read', { sideEffects: true })] }),
    ],
    [
      'another model plans',
      (stores: Stores) => askedBy({ stores, config: { planner: { cache: {}, model: 'planner' } } }),
    ],
    [
      'somebody else asks',
      (stores: Stores) => askedBy({ stores }, undefined, { scopes: [{ kind: 'user', id: 'ann' }] }),
    ],
  ] as const)('where %s', async (_name, second) => {
    expect(await twice(second)).toBe(1);
  });

  it('only once, else', async () => {
    expect(await twice((stores) => askedBy({ stores }))).toBe(0);
  });

  it('when it is too old', async () => {
    const stores = memoryStores();
    const w = await world({ stores });
    await w.polyphony.plan('please read one.md');
    const [key] = await stores.keyValue.keys('plan-cache/');
    const entry = (await stores.keyValue.get(key ?? '')) as { readonly until: number };
    expect(entry.until - Date.now()).toBeGreaterThan(6.9 * 86_400_000);
    await stores.keyValue.set(key ?? '', { ...entry, until: Date.now() - 1 });
    await w.polyphony.plan('please read two.md');
    expect(w.asked()).toBe(2);
    await w.polyphony.close();
  });

  it.each([
    null,
    7,
    {},
    { until: 9e15, templates: [{}] },
    { until: 9e15, templates: [{ plan: { nodes: [7] }, fixed: [null] }] },
  ])('where the store holds %j', async (value) => {
    const stores = memoryStores();
    const w = await world({ stores });
    await w.polyphony.plan('please read one.md');
    for (const key of await stores.keyValue.keys('plan-cache/')) await stores.keyValue.set(key, value);
    expect((await w.polyphony.plan('please read two.md')).plan.plan.nodes[0]?.in).toEqual({ path: 'two.md' });
    expect(w.asked()).toBe(2);
    await w.polyphony.close();
  });

  it('where the store fails', async () => {
    const inner = memoryStores();
    const fails = async (): Promise<never> => {
      throw new Error('the disk is gone');
    };
    const broken: KeyValueStore = { ...inner.keyValue, get: fails, set: fails };
    const w = await world({ stores: { ...inner, keyValue: broken } });
    await w.polyphony.plan('please read one.md');
    expect(w.asked()).toBe(1);
    await w.polyphony.close();
  });
});

describe('the cache', () => {
  it('holds a bounded number of shapes', async () => {
    const stores = memoryStores();
    const w = await world({ stores, config: { planner: { cache: { shapes: 3 } } } });
    for (const word of ['a', 'b', 'c', 'd', 'e']) await w.polyphony.plan(`${word} read one.md`);
    expect(await stores.keyValue.keys('plan-cache/')).toHaveLength(3);
    await w.polyphony.close();
  });

  it('gives no plan with side effects without saying so', async () => {
    const stores = memoryStores();
    const config = { planner: { cache: {} }, approval: { sideEffects: 'ask' } };
    const w = await world({ stores, config, tools: [tool('send', { sideEffects: true })], use: 'tool:send' });
    await w.polyphony.plan('please read one.md');
    const outcome = await w.polyphony.run('please read two.md');
    if (outcome.status !== 'suspended') throw new Error(outcome.status);
    expect(outcome.waiting[0]?.question).toContain('plan cache');
    expect(outcome.waiting[0]?.data).toMatchObject({ cached: true });
    expect(w.asked()).toBe(1);
    await w.polyphony.close();
  });
});
