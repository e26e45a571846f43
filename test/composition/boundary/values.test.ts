/**
 * Values at the boundary to code of the user, with every store.
 *
 * U1. What a tool, a step, a hook, a listener or a caller does to a value changes nothing that others hold.
 * U2. The next node sees what it would see after a resume.
 * U3. An error keeps its place, its cause and its stack.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  createPolyphony,
  defineStep,
  human,
  type Logger,
  type Plugin,
  type Polyphony,
  type PolyphonyOptions,
  type RunEvent,
  type Stores,
  type Tool,
  workflow,
} from '../../../src/index.ts';
import { memoryStores } from '../../../src/stores/memory.ts';
import { sqliteStores } from '../../../src/stores/sqlite.ts';
import { collected } from '../../executor/harness.ts';
import { temporaryFolder } from '../../stores/folder.ts';

const folder = temporaryFolder();
let files = 0;
const STORES: readonly (readonly [string, () => () => Stores])[] = [
  [
    'memory',
    () => {
      const stores = memoryStores();
      return () => ({ ...stores, close: async () => {} });
    },
  ],
  [
    'SQLite',
    () => {
      const path = join(folder, `${++files}.db`);
      return () => sqliteStores({ path });
    },
  ],
];

const tool = (name: string, run: (input: never) => unknown): Tool => ({
  name,
  description: name,
  input: { type: 'object' },
  output: {},
  run: async (input) => run(input as never),
});

/** Changes all that it can reach. */
function spoil(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const part of Object.values(value)) spoil(part);
  if (Array.isArray(value)) value.reverse().push('spoilt');
  else Object.assign(value, { spoilt: true });
}

const spoiler = tool('spoil', (input) => {
  spoil(input);
  return 'done';
});
const kept: unknown[] = [];
const giver = tool('give', () => {
  const made = { list: [1, { deep: [2, 3] }] };
  kept.push(made);
  return made;
});
const open = (stores: Stores, more: Partial<PolyphonyOptions> = {}): Promise<Polyphony> =>
  createPolyphony({ stores, plugins: [{ name: 'own', tools: [spoiler, giver] }], defaults: false, ...more });

const MADE = { list: [1, { deep: [2, 3] }] };
const PLAN = {
  version: 1,
  input: { rows: 'any' },
  nodes: [
    { id: 'made', use: 'tool:give' },
    { id: 'bare', use: 'tool:spoil' },
    { id: 'a', use: 'tool:spoil', in: { from: '{{made.list}}', all: '{{made}}', rows: '{{input.rows}}' } },
    { id: 'b', use: 'tool:spoil', each: '{{input.rows}}', in: { item: '{{item}}', fixed: { list: [1, 2] } } },
    { id: 'ask', use: 'human', in: { question: 'go?', data: '{{made}}' } },
    {
      id: 'late',
      use: 'value',
      needs: ['a', 'b'],
      in: { made: '{{made}}', rows: '{{input.rows}}', fixed: { list: [1, 2] }, said: '{{ask.answer}}' },
    },
  ],
  output: '{{late}}',
} as const;
const rowsOf = () => ({
  rows: [
    { id: 1, tags: ['x', 'y'] },
    { id: 2, tags: [] },
  ],
});
const LATE = { made: MADE, rows: rowsOf().rows, fixed: { list: [1, 2] }, said: 'yes' };

describe.each(STORES)('values that code of the user was given, with %s', (_name, newStores) => {
  it.each([true, false])('are its own, at once and after a resume; behind a hook: %s', async (isHooked) => {
    const stores = newStores();
    const listener: Plugin = { name: 'listener', onEvent: (event: RunEvent) => spoil(event) };
    const hook: Plugin = {
      name: 'hook',
      async node(call, next) {
        const output = await next(call);
        spoil(call.inputs);
        return output;
      },
    };
    const own: Plugin = { name: 'own', tools: [spoiler, giver] };
    const first = await open(stores(), { plugins: [own, listener, ...(isHooked ? [hook] : [])] });
    const input = rowsOf();
    const handle = await first.start(PLAN, input);
    for await (const event of handle.events()) spoil(event);
    for (const made of kept.splice(0)) spoil(made);
    const waiting = await handle.result();
    expect(waiting.waiting).toMatchObject([{ data: MADE }]);
    spoil(waiting);
    expect(input).toEqual(rowsOf());
    spoil(input);
    for await (const event of first.runs.replay(handle.runId)) spoil(event);
    spoil(await first.engine.inspect(handle.runId));
    await first.close();

    const second = await open(stores());
    const done = await (await second.runs.answer(handle.runId, 'ask', 'yes')).result();
    expect(done.output).toEqual(LATE);
    spoil(done.output);
    const events = await collected(second.runs.replay(handle.runId));
    expect(events.find(({ type }) => type === 'run-finished')).toMatchObject({ output: LATE });
    expect(events.find(({ type }) => type === 'run-started')).toMatchObject({ input: rowsOf() });
    expect(JSON.stringify(events)).not.toContain('spoilt');
    await second.close();
  });

  it('are the same for the next node as after a resume', async () => {
    const seen: string[] = [];
    const values = {
      at: new Date(0),
      none: undefined,
      list: [undefined, -0],
      u: new URL('https://example.org/'),
      o: Object.create({ inherited: 1 }),
    };
    const make = defineStep({
      name: 'make',
      input: z.object({}),
      output: z.object({ v: z.any() }),
      run: () => ({ v: values }),
    });
    const look = defineStep({
      name: 'look',
      input: z.object({ v: z.any(), go: z.any().optional() }),
      output: z.object({ t: z.string() }),
      run: ({ v }) => {
        seen.push(`${Object.keys(v)} ${v.at.constructor.name} ${JSON.stringify(v)} ${Object.is(v.list[1], -0)}`);
        return { t: 'x' };
      },
    });
    const flow = workflow({ id: 'w' })
      .node('make', make, () => ({ in: {} }))
      .node('look', look, (c) => ({ in: { v: c.make.v } }))
      .node('go', human, () => ({ in: { question: 'go?' }, needs: ['look'] }))
      .node('again', look, (c) => ({ in: { v: c.make.v, go: c.go } }))
      .output((c) => ({ t: c.again.t }));
    const stores = newStores();
    const first = await open(stores());
    const { runId } = await first.run(flow, {});
    await first.close();
    const second = await open(stores(), { workflows: [flow] });
    expect(await (await second.runs.answer(runId, 'go', 'yes')).result()).toMatchObject({ status: 'done' });
    await second.close();
    expect(seen).toHaveLength(2);
    expect(seen[1]).toBe(seen[0]);
  });
});

describe('what JSON does not have', () => {
  const step = (name: string, run: () => unknown): Plugin => ({
    name,
    steps: [{ type: { use: name, description: name, input: {}, output: {} }, run: async () => run() as never }],
  });
  it.each<[string, Plugin, string, RegExp]>([
    [
      'a tool',
      { name: 'p', tools: [tool('t', () => ({ rows: [1n] }))] },
      'tool:t',
      /tool t .*node n.* a bigint at \/rows\/0/,
    ],
    [
      'a step',
      step('s', () => ({ value: { at: [Number.NaN] }, costNanoUsd: 0 })),
      's',
      /step s in node n .*NaN at \/at\/0/,
    ],
    ['a step without an output', step('s', () => undefined), 's', /step s in node n returned undefined, not an output/],
    [
      'a hook',
      { name: 'p', node: async (call, next) => ({ ...(await next(call)), value: new Map() }) },
      'value',
      /node n, as the plugin "p" changed it, holds a Map/,
    ],
    [
      'a hook without an output',
      { name: 'p', node: async () => undefined as never },
      'value',
      /plugin "p" returned undefined/,
    ],
    [
      'a hook that throws',
      {
        name: 'p',
        node: async () => {
          throw { reason: 'odd' };
        },
      },
      'value',
      /plugin "p" failed in its node hook, at node n: {"reason":"odd"}/,
    ],
  ])('names %s, the node and the place', async (_name, plugin, use, message) => {
    const polyphony = await open(memoryStores(), { plugins: [plugin] });
    const { status, error } = await (await polyphony.start({ version: 1, nodes: [{ id: 'n', use }] })).result();
    expect(status).toBe('failed');
    expect(error?.message).toMatch(message);
    await polyphony.close();
  });

  it('is refused where a caller gives it', async () => {
    const polyphony = await open(memoryStores());
    const plan = {
      version: 1,
      input: { type: 'object', properties: { a: {}, at: {} } },
      nodes: [{ id: 'n', use: 'human', in: { question: 'go?' } }],
    } as const;
    await expect(polyphony.run(plan, { a: [() => 1] })).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining('The input of the run holds a function at /a/0'),
    });
    const { runId } = await polyphony.run(plan, { at: new Date(0) });
    await expect(polyphony.engine.answer(runId, 'n', { n: 1n })).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining('The answer of node n holds a bigint at /n'),
    });
    await polyphony.close();
  });
});

describe('an error of code of the user', () => {
  const lines: { fields: Record<string, unknown>; message: string }[] = [];
  const log = (fields: object, message: string) => void lines.push({ fields: { ...fields }, message });
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const reason = new Error('the disk is full', { cause: new Error('sector 7') });

  it.each([
    ['tool:t', 'Tool t failed in node n, item 1: the disk is full', 'tool-failed', { tool: 't' }],
    ['s', 'Step s failed in node n, item 1: the disk is full', 'plugin-failed', { step: 's' }],
  ])('of %s keeps message, place, cause and stack', async (use, message, code, named) => {
    lines.length = 0;
    const fail = (item: unknown): unknown => {
      if (item === 2) throw reason;
      return 1;
    };
    const stores = memoryStores();
    const plugin: Plugin = {
      name: 'p',
      tools: [tool('t', ({ item }: { item: unknown }) => fail(item))],
      steps: [
        {
          type: { use: 's', description: 's', input: {}, output: {} },
          run: async ({ inputs }) => ({ value: fail(inputs.item), costNanoUsd: 0 }),
        },
      ],
    };
    const polyphony = await open(stores, { plugins: [plugin], logger });
    const plan = {
      version: 1,
      input: { n: 'any' },
      nodes: [{ id: 'n', use, each: '{{input.n}}', in: { item: '{{item}}' } }],
    };
    const handle = await polyphony.start(plan as never, { n: [1, 2] });
    const { error } = await handle.result();
    expect(error).toMatchObject({ code, message, details: { nodeId: 'n', item: 1, ...named } });
    expect(error?.stack).toMatch(/the disk is full[\s\S]*values\.test\.ts[\s\S]*Caused by: Error: sector 7/);
    expect(error?.stack?.length).toBeLessThanOrEqual(4096);
    await expect(polyphony.run(plan as never, { n: [1, 2] })).rejects.toMatchObject({ code, message, cause: reason });
    expect(JSON.stringify(await collected(stores.journal.read(handle.runId)))).not.toContain('values.test.ts');
    const told = lines.find((line) => line.message.includes('failed in node n, item 1'));
    expect(told?.fields).toMatchObject({ runId: handle.runId, nodeId: 'n', item: 1, cause: reason, ...named });
    await polyphony.close();
  });
});
