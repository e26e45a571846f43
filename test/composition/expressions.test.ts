/**
 * Expressions in runs: the same values in every process that goes on with a run, nothing run twice, counted as all values are.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Plan, PlanNode } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import type { RunEvent } from '../../src/core/run/engine.ts';
import { createPolyphony, type Polyphony } from '../../src/polyphony.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeProvider } from '../../src/testing/fakes.ts';
import { collected } from '../executor/harness.ts';
import { card } from '../validator/catalogue.ts';

const ROWS = [
  { name: 'Ada', visits: 12, tags: ['a', 'b'] },
  { name: 'Ben', visits: 3, tags: ['b'] },
  { name: 'Cy', visits: 8, tags: [] },
];
const row = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    visits: { type: 'number' },
    tags: { type: 'array', items: { type: 'string' } },
  },
  required: ['name', 'visits', 'tags'],
};
const echo = (calls: string[]): Tool => ({
  name: 'echo',
  description: 'Gives back what it is given.',
  input: { type: 'object' },
  output: { type: 'object' },
  sideEffects: true,
  run: async (input, { idempotencyKey }) => {
    calls.push(String(idempotencyKey));
    return input as Record<string, unknown>;
  },
});

const PLAN: Plan = {
  version: 1,
  input: { type: 'object', properties: { rows: { type: 'array', items: row }, lang: { enum: ['en', 'de'] } } },
  nodes: [
    { id: 'best', use: 'value', in: { rows: "{{= input.rows.filter(r, r.visits > 5).sortBy('visits', 'desc') }}" } },
    { id: 'cards', use: 'tool:echo', each: '{{= best.rows.map(r, r.name) }}', in: { text: "{{= item + '!' }}" } },
    {
      id: 'turns',
      use: 'tool:echo',
      in: { seen: '{{= prev == null ? [round] : prev.seen + [round] }}', at: '{{run.startedAt}}' },
      repeat: { until: 'round >= 3', max: 5 },
    },
    {
      id: 'ask',
      use: 'human',
      in: { question: "{{= {'en': 'Go on?', 'de': 'Weiter?'}[input.lang] }}" },
      needs: ['cards'],
    },
    {
      id: 'end',
      use: 'tool:echo',
      in: { at: '{{= run.startedAt }}', mean: "{{= avg(input.rows, 'visits').fixed(1) }}" },
      needs: ['ask'],
    },
  ],
  output: {
    names: "{{= cards.map(c, c.text).join(' ') }}",
    tags: '{{= input.rows.map(r, r.tags).flatten().unique() }}',
    rounds: '{{= turns.seen }}',
    same: '{{= turns.at == end.at }}',
    mean: '{{end.mean}}',
    total: "{{= sum(best.rows, 'visits') }}",
  },
} as unknown as Plan;
const INPUT = { rows: ROWS, lang: 'de' };
const OUTPUT = { names: 'Ada! Cy!', tags: ['a', 'b'], rounds: [1, 2, 3], same: true, mean: '7.7', total: 20 };

const opened: Polyphony[] = [];
afterAll(() => Promise.all(opened.map((polyphony) => polyphony.close())));

async function open(stores = memoryStores(), more: object = {}) {
  const calls: string[] = [];
  const polyphony = await createPolyphony({
    defaults: false,
    stores,
    plugins: [{ name: 'tools', tools: [echo(calls)] }],
    ...more,
  });
  opened.push(polyphony);
  return { polyphony, calls, stores };
}

const run = async (polyphony: Polyphony, plan: Plan | string, input: object = {}) =>
  (await polyphony.start(plan as Plan, input as never)).result();

describe('a run of a plan with expressions', () => {
  let events: readonly RunEvent[] = [];
  let keys: readonly string[] = [];
  beforeAll(async () => {
    const { polyphony, calls, stores } = await open();
    const { issues } = await polyphony.validate(PLAN, { repair: false });
    expect(issues).toEqual([]);
    const waiting = await run(polyphony, PLAN, INPUT);
    expect(waiting).toMatchObject({ status: 'suspended', waiting: [{ question: 'Weiter?' }] });
    const handle = await polyphony.runs.answer(waiting.runId, 'ask', 'yes');
    expect(await handle.result()).toMatchObject({ status: 'done', output: OUTPUT });
    events = await collected(stores.journal.read(waiting.runId));
    keys = calls;
  });

  it('ends the same from every prefix of its journal, and repeats nothing that is finished', async () => {
    expect(events.length).toBeGreaterThan(15);
    for (let length = 1; length < events.length; length += 1) {
      const prefix = events.slice(0, length);
      const runId = prefix[0]?.runId ?? '';
      const { polyphony, calls, stores } = await open();
      await stores.journal.append(runId, prefix);
      let result = await (await polyphony.engine.resume(runId)).result();
      if (result.status === 'suspended') result = await (await polyphony.runs.answer(runId, 'ask', 'yes')).result();
      expect(result).toMatchObject({ status: 'done', output: OUTPUT });
      const finished = prefix.filter(({ type }) => ['node-finished', 'item-finished', 'round-finished'].includes(type));
      expect(new Set(calls).size).toBe(calls.length);
      expect(calls.length).toBeLessThanOrEqual(keys.length);
      for (const key of calls) expect(keys).toContain(key);
      for (const event of finished)
        if (event.type === 'node-finished') expect(calls).not.toContain(`${runId}/${event.nodeId}`);
    }
  });

  it('is forked from a node that an expression reads, and replayed', async () => {
    const { polyphony, calls, stores } = await open();
    const runId = events[0]?.runId ?? '';
    await stores.journal.append(runId, events);
    expect((await collected(polyphony.engine.replay(runId))).at(-1)).toMatchObject({ output: OUTPUT });
    const forked = await polyphony.engine.fork(runId, { from: 'best', input: { ...INPUT, rows: ROWS.slice(0, 1) } });
    let result = await forked.result();
    if (result.status === 'suspended')
      result = await (await polyphony.runs.answer(forked.runId, 'ask', 'yes')).result();
    expect(result).toMatchObject({ status: 'done', output: { names: 'Ada!', mean: '12.0', rounds: [1, 2, 3] } });
    // What reads none of it is kept.
    expect(calls.some((key) => key.includes('/turns'))).toBe(false);
  });
});

describe('what an expression makes', () => {
  const grow = (expression: string): Plan => ({
    version: 1,
    input: { rows: 'any' },
    nodes: [{ id: 'a', use: 'value', in: { x: expression } }],
    output: '{{= size(a.x) }}',
  });
  const rows = Array.from({ length: 9000 }, (_, index) => ({ index }));

  it('counts as rendered, and for an each as held', async () => {
    const values = { valueBytes: 1_000_000, runBytes: 4_000_000, renderedBytes: 200_000 };
    const { polyphony } = await open(memoryStores(), { config: { limits: { values } } });
    const list = '{{= input.rows.map(r, r.index) + input.rows.map(r, r.index) }}';
    expect(await run(polyphony, grow(list), { rows })).toMatchObject({
      status: 'failed',
      error: { code: 'limit-exceeded' },
    });
    const each: Plan = { version: 1, input: { rows: 'any' }, nodes: [{ id: 'a', use: 'value', each: list, in: {} }] };
    expect(await run(polyphony, each, { rows })).toMatchObject({ status: 'failed', error: { code: 'limit-exceeded' } });
    expect(await run(polyphony, grow('{{= input.rows.first(10) }}'), { rows: rows.slice(0, 100) })).toMatchObject({
      output: 10,
    });
  });

  it.each([
    ['work', '{{= input.rows.map(r, input.rows.exists(s, s.index < 0)) }}', 'limit-exceeded'],
    ['bytes', '{{= input.rows.map(r, input.rows.map(s, s.index)) }}', 'limit-exceeded'],
    ['no JSON', '{{= [1.0 / (size(input.rows) - 9000.0)] }}', 'invalid-plan'],
    ['no list', '{{= input.rows[0].index.sum() }}', 'invalid-plan'],
  ])('is bounded: %s', async (_, expression, code) => {
    const { polyphony } = await open();
    expect(await run(polyphony, grow(expression), { rows })).toMatchObject({ status: 'failed', error: { code } });
  });
});

describe('names that the format gives values to', () => {
  const value = (id: string, inputs: object): PlanNode => ({ id, use: 'value', in: { ...inputs } });

  it('are those of earlier nodes first, and with a warning', async () => {
    const { polyphony } = await open();
    const plan: Plan = {
      version: 1,
      nodes: [value('run', { startedAt: 'mine' }), value('a', { x: '{{= run.startedAt }}', y: '{{run.startedAt}}' })],
      output: '{{a}}',
    };
    const { issues } = await polyphony.validate(plan);
    expect(issues.map(({ code }) => code)).toEqual(['ref.shadowed', 'ref.shadowed']);
    expect(await run(polyphony, plan)).toMatchObject({ output: { x: 'mine', y: 'mine' } });
  });

  it('are not those of later nodes', async () => {
    const { polyphony } = await open();
    const plan: Plan = {
      version: 1,
      nodes: [value('a', { x: '{{run.startedAt}}' }), value('run', { of: '{{a.x}}' })],
      output: { x: '{{a.x}}', y: '{{run.of}}' },
    };
    const { issues, plan: valid } = await polyphony.validate(plan, { repair: false });
    expect(issues).toEqual([]);
    expect(valid?.nodes[0]?.dependencies).toEqual([]);
    const { output } = (await run(polyphony, plan)) as { readonly output: { readonly x: string; readonly y: string } };
    expect(output.x).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(output.y).toBe(output.x);
  });

  it('leave plans valid that name an input so', async () => {
    const { polyphony } = await open();
    const plan = {
      version: 1,
      input: { round: 'number' },
      nodes: [{ id: 'a', use: 'value', in: { x: '{{round}}' }, repeat: { until: 'true', max: 2 } }],
      output: '{{a.x}}',
    };
    expect(await run(polyphony, plan as Plan, { round: 7 })).toMatchObject({ output: 7 });
  });
});

describe('a node after one that was skipped', () => {
  const plan = (expression: string): Plan => ({
    version: 1,
    input: { go: 'boolean' },
    nodes: [
      { id: 'a', use: 'value', when: 'input.go', in: { text: 'yes' } },
      { id: 'b', use: 'value', in: { text: expression } },
    ],
    output: '{{b}}',
  });

  it.each([
    ["{{= a.text + '!' }}", null],
    ["{{= a == null ? 'none' : a.text }}", { text: 'none' }],
    ["{{= has(a.text) ? a.text : 'none' }}", { text: 'none' }],
  ])('%s', async (expression, output) => {
    const { polyphony } = await open();
    expect(await run(polyphony, plan(expression), { go: false })).toMatchObject({ status: 'done', output });
  });
});

describe('a model by data', () => {
  const provider = fakeProvider({ id: 'acme', models: [card('small', 'fast', 1), card('large', 'premium', 9)] });
  const plan = (model: object): Plan =>
    ({
      version: 1,
      input: { hard: 'boolean', which: 'acme/small|acme/large?' },
      nodes: [{ id: 'a', use: 'llm', in: { prompt: 'x' }, model }],
      output: '{{a.meta.model}}',
    }) as unknown as Plan;

  it.each([
    [{ tier: "{{= input.hard ? 'premium' : 'fast' }}" }, { hard: true }, 'large'],
    [{ tier: "{{= input.hard ? 'premium' : 'fast' }}" }, { hard: false }, 'small'],
    [{ id: '{{input.which}}' }, { hard: true, which: 'acme/large' }, 'large'],
  ])('%j of %j', async (model, input, output) => {
    const { polyphony } = await open(memoryStores(), { providers: [provider] });
    const estimate = await polyphony.validate(plan(model));
    expect(estimate.issues).toEqual([]);
    const { lowNanoUsd, highNanoUsd } = estimate.plan?.estimate ?? {};
    expect(highNanoUsd).toBeGreaterThan(Number(lowNanoUsd));
    expect(await run(polyphony, plan(model), input)).toMatchObject({ status: 'done', output });
  });

  it('asks none that it was not checked for', async () => {
    const { polyphony } = await open(memoryStores(), { providers: [provider] });
    const before = provider.seen.length;
    expect(await run(polyphony, plan({ id: '{{input.which}}' }), { hard: true })).toMatchObject({
      status: 'failed',
      error: { code: 'invalid-request' },
    });
    expect(provider.seen).toHaveLength(before);
  });
});
