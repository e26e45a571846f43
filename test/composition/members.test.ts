/** Workflows inside a plan: they run as runs within the run, and their plan is all that another process needs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Plan } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import type { RunEvent } from '../../src/core/run/engine.ts';
import type { Stores } from '../../src/core/stores.ts';
import { createPolyphony, type Polyphony, type PolyphonyOptions } from '../../src/polyphony.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeCard, fakeProvider } from '../../src/testing/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'polyphony-members-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface World {
  readonly polyphony: Polyphony;
  /** Texts that models were asked, in order. */
  readonly asked: string[];
}

/** Models that say what they were asked, and a tool that adds one. */
async function world(stores: Stores = memoryStores(), more: PolyphonyOptions = {}): Promise<World> {
  const asked: string[] = [];
  const provider = fakeProvider({
    models: [fakeCard({ id: 'echo', capabilities: ['text', 'streaming'] })],
    script: ({ request }) => {
      const text = JSON.stringify(request).match(/<([^>]*)>/)?.[1] ?? '';
      asked.push(text);
      return `${text}!`;
    },
  });
  const add: Tool = {
    name: 'add_one',
    description: 'Adds one.',
    input: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
    output: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
    sideEffects: false,
    run: async ({ n }) => ({ n: Number(n) + 1 }),
  };
  const plugins = [{ name: 'world', tools: [add] }];
  return {
    asked,
    polyphony: await createPolyphony({ plugins, defaults: false, providers: [provider], stores, ...more }),
  };
}

/** A loop whose body has several nodes, and a list whose items have a body that uses another workflow. */
const PLAN: Plan = {
  version: 1,
  input: { topics: 'string[]' },
  workflows: {
    ask: {
      input: { text: 'string' },
      nodes: [{ id: 'answer', use: 'llm', in: { prompt: '<{{input.text}}>' } }],
      output: { text: '{{answer.text}}' },
    },
    both: {
      goal: 'Ask twice about a topic',
      input: { topic: 'string' },
      nodes: [
        { id: 'first', use: 'workflow:ask', in: { text: 'first {{input.topic}}' } },
        { id: 'second', use: 'workflow:ask', in: { text: 'second {{first.text}}' } },
      ],
      output: { of: '{{input.topic}}', text: '{{second.text}}' },
    },
    count: {
      input: { n: 'integer' },
      nodes: [
        { id: 'asked', use: 'workflow:ask', in: { text: 'count {{input.n}}' } },
        { id: 'next', use: 'tool:add_one', in: { n: '{{input.n}}' } },
      ],
      output: { n: '{{next.n}}', words: '{{asked.text}}' },
    },
  },
  nodes: [
    { id: 'about', use: 'workflow:both', each: '{{input.topics}}', in: { topic: '{{item}}' } },
    {
      id: 'rounds',
      use: 'workflow:count',
      needs: ['about'],
      in: { n: '{{prev.n ?? 0}}' },
      repeat: { until: 'self.n >= 3', max: 5 },
    },
  ],
  output: { about: '{{about}}', rounds: '{{rounds.words}}' },
};
const INPUT = { topics: ['tides', 'winds'] };
const OUTPUT = {
  about: [
    { of: 'tides', text: 'second first tides!!' },
    { of: 'winds', text: 'second first winds!!' },
  ],
  rounds: 'count 2!',
};
/** Calls of models that a run makes when nothing interrupts it. */
const CALLS = 7;
const withoutMeta = (output: unknown): unknown =>
  JSON.parse(JSON.stringify(output, (key, value: unknown) => (key === 'meta' ? undefined : value)));

describe('a plan with workflows', () => {
  it('runs them, also as the body of an each and of a repeat', async () => {
    const { polyphony, asked } = await world();
    const result = await polyphony.run(PLAN, INPUT);
    expect(withoutMeta(result.status === 'done' ? result.output : undefined)).toEqual(OUTPUT);
    expect(asked.length).toBe(CALLS);
    expect((await polyphony.validate(PLAN)).issues).toEqual([]);
    await polyphony.close();
  });

  it('names win over registered ones, and mean nothing outside', async () => {
    const registered = (name: string) => ({
      id: name,
      use: `workflow:${name}`,
      inputSchema: { type: 'object' },
      schemas: { outputs: new Map() },
      steps: [],
      workflows: [],
    });
    const plan = (said: string): Plan => ({
      version: 1,
      nodes: [{ id: 'v', use: 'value', in: { said } }],
      output: { said: '{{v.said}}' },
    });
    const through: Plan = {
      version: 1,
      id: 'through',
      nodes: [{ id: 'w', use: 'workflow:ask' }],
      output: '{{w.said}}',
    };
    const workflows = [
      { ...registered('ask'), plan: { ...plan('the registered one'), id: 'ask' } },
      { ...registered('through'), plan: through },
    ];
    const { polyphony } = await world(memoryStores(), { workflows });
    const both: Plan = {
      version: 1,
      workflows: { ask: { nodes: plan('its own').nodes, output: { said: '{{v.said}}' } } },
      nodes: [
        { id: 'own', use: 'workflow:ask' },
        { id: 'other', use: 'workflow:through' },
      ],
      output: ['{{own.said}}', '{{other}}'],
    };
    const result = await polyphony.run(both);
    expect(result).toMatchObject({ status: 'done', output: ['its own', 'the registered one'] });
    await polyphony.close();
  });

  it('of one name in two plans never meet', async () => {
    const { polyphony } = await world();
    const of = (said: string): Plan => ({
      version: 1,
      workflows: { same: { nodes: [{ id: 'v', use: 'value', in: { said } }], output: { said: '{{v.said}}' } } },
      nodes: [{ id: 'x', use: 'workflow:same' }],
      output: '{{x.said}}',
    });
    const results = await Promise.all(['one', 'two'].map((said) => polyphony.run(of(said))));
    expect(results).toMatchObject([{ output: 'one' }, { output: 'two' }]);
    await polyphony.close();
  });
});

interface Written {
  readonly runId: string;
  readonly event: RunEvent;
}

/** Stores that keep the order in which the records of all runs were written. */
function watched(written: Written[]): Stores {
  const stores = memoryStores();
  const { journal } = stores;
  const append: typeof journal.append = (runId, events) => {
    for (const event of events) written.push({ runId, event: structuredClone(event) });
    return journal.append(runId, events);
  };
  return { ...stores, journal: { ...journal, append } };
}

const isAnswer = ({ event }: Written): boolean => event.type === 'node-finished' && event.nodeId === 'answer';

describe('a run of it that was cut at any record', () => {
  it('goes on in another process, which knows only the journal, and asks nothing twice', async () => {
    const written: Written[] = [];
    const first = await world(watched(written));
    expect((await first.polyphony.run(PLAN, INPUT, { runId: 'run_cut' })).status).toBe('done');
    await first.polyphony.close();
    expect(written.filter(isAnswer).length).toBe(CALLS);
    for (let length = 1; length < written.length - 1; length += 1) {
      const stores = memoryStores();
      const kept = written.slice(0, length);
      for (const { runId, event } of kept) await stores.journal.append(runId, [event]);
      const { polyphony, asked } = await world(stores);
      const result = await (await polyphony.resume('run_cut')).result();
      expect(result.status, `${length}: ${result.error?.message}`).toBe('done');
      expect(withoutMeta(result.output)).toEqual(OUTPUT);
      expect(asked.length).toBe(CALLS - kept.filter(isAnswer).length);
      await polyphony.close();
    }
  });

  it('is a run within the run, whose plan holds what it uses and no more', async () => {
    const written: Written[] = [];
    const { polyphony } = await world(watched(written));
    await polyphony.run(PLAN, INPUT, { runId: 'run_in' });
    const started = written.flatMap(({ runId, event }) =>
      event.type === 'run-started' ? [[runId, event.plan] as const] : [],
    );
    const plans = new Map(started);
    expect(plans.get('run_in')).toEqual(PLAN);
    expect(Object.keys(plans.get('run_in.about.0')?.workflows ?? {})).toEqual(['ask']);
    expect(plans.get('run_in.about.1.first')).toEqual({ version: 1, ...PLAN.workflows?.ask });
    await polyphony.close();
  });
});

describe('a run of it in a file', () => {
  it('is resumed by a process that was given nothing', async () => {
    const path = join(folder, 'runs.db');
    const asking: Plan = {
      version: 1,
      workflows: {
        check: {
          input: { text: 'string' },
          nodes: [
            { id: 'sure', use: 'human', in: { question: 'Is {{input.text}} right?' } },
            { id: 'end', use: 'value', in: { said: '{{sure.answer}}' } },
          ],
          output: { said: '{{end.said}}' },
        },
        twice: {
          input: { text: 'string' },
          nodes: [
            { id: 'draft', use: 'llm', in: { prompt: '<{{input.text}}>' } },
            { id: 'one', use: 'workflow:check', in: { text: '{{draft.text}}' } },
            { id: 'two', use: 'workflow:check', in: { text: '{{one.said}}' } },
          ],
          output: { said: ['{{one.said}}', '{{two.said}}'] },
        },
      },
      nodes: [{ id: 'both', use: 'workflow:twice', in: { text: 'start' } }],
      output: '{{both.said}}',
    };
    const before = await world(sqliteStores({ path }));
    const started = await before.polyphony.run(asking, {}, { runId: 'run_file' });
    expect(started).toMatchObject({ status: 'suspended', waiting: [{ question: 'Is start! right?' }] });
    await before.polyphony.close();
    const after = await world(sqliteStores({ path }));
    const next = await (await after.polyphony.runs.answer('run_file', 'both', 'yes')).result();
    expect(next).toMatchObject({ status: 'suspended', waiting: [{ question: 'Is yes right?' }] });
    const last = await (await after.polyphony.runs.answer('run_file', 'both', 'very')).result();
    expect(last).toMatchObject({ status: 'done', output: ['yes', 'very'] });
    expect(after.asked).toEqual([]);
    const fork = await (await after.polyphony.runs.fork('run_file', { from: 'both', with: { text: 'anew' } })).result();
    expect(fork).toMatchObject({ status: 'suspended' });
    expect(after.asked.length).toBe(1);
    await after.polyphony.close();
  });
});
