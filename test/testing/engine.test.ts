/** The engine suite passes the in-process engine on every journal, and catches engines that break a promise. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { ExecutionEngine, NodeRunner, RunEvent, RunHandle } from '../../src/core/run/engine.ts';
import type { RunJournal } from '../../src/core/stores.ts';
import { createEngine } from '../../src/executor/engine.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { type TestEngineParts, testEngine } from '../../src/testing/index.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { failuresOf } from './broken.ts';

const folder = mkdtempSync(join(tmpdir(), 'polyphony-engine-'));
let files = 0;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const valid: typeof validPlan = (plan) => validPlan(plan);
const inProcess = (parts: TestEngineParts): ExecutionEngine => createEngine({ ...parts, validPlan: valid });
const memoryJournal = () => memoryStores().journal;

function sqliteJournal() {
  const { journal, close } = sqliteStores({ path: join(folder, `${++files}.db`) });
  return { ...journal, close };
}

describe('the in-process engine on the memory journal', () => {
  testEngine({ test, make: inProcess, journal: memoryJournal, valid });
});

describe('the in-process engine on the SQLite journal', () => {
  testEngine({ test, make: inProcess, journal: sqliteJournal, valid });
});

/** Engines that keep their runs themselves, by the runtime of the processes that share them, and die on demand. */
function ownJournals(forgetful = false) {
  const kept = new WeakMap<object, RunJournal>();
  const dead = new WeakSet<ExecutionEngine>();
  const make = (parts: TestEngineParts): ExecutionEngine => {
    const journal = kept.get(parts.runtime) ?? memoryJournal();
    if (!forgetful) kept.set(parts.runtime, journal);
    const append: RunJournal['append'] = (...given) => (dead.has(engine) ? undefined : journal.append(...given));
    const owner = 'the same in every life';
    const engine = createEngine({ ...parts, journal: { ...journal, append }, validPlan: valid, owner });
    return engine;
  };
  return { make, crash: async (engine: ExecutionEngine) => void dead.add(engine), journal: nowhere, valid };
}

const unused = (): never => {
  throw new Error('this journal is not looked at');
};
const nowhere = (): RunJournal => ({ ...memoryJournal(), append: unused, read: unused, list: unused, claim: unused });

describe('an engine that keeps its runs in a place of its own', () => {
  testEngine({ test, ...ownJournals() });
});

type Break = (parts: TestEngineParts) => ExecutionEngine;

const withRunners = (parts: TestEngineParts, wrap: (runner: NodeRunner) => NodeRunner): ExecutionEngine =>
  inProcess({ ...parts, runners: new Map([...parts.runners].map(([use, runner]) => [use, wrap(runner)])) });

function withHandle(parts: TestEngineParts, wrap: (handle: RunHandle) => Partial<RunHandle>): ExecutionEngine {
  const engine = inProcess(parts);
  return {
    ...engine,
    start: (plan, options) => {
      const handle = engine.start(plan, options);
      return { ...handle, ...wrap(handle) };
    },
  };
}

async function* without(events: AsyncIterable<RunEvent>, type: RunEvent['type']): AsyncGenerator<RunEvent> {
  for await (const event of events) if (event.type !== type) yield event;
}

const broken: Readonly<Record<string, readonly [Break, string]>> = {
  'makes text of every input': [
    (parts) =>
      withRunners(parts, (runner) => (call) => {
        const inputs = Object.entries(call.inputs).map(([name, value]) => [name, String(value)]);
        return runner({ ...call, inputs: Object.fromEntries(inputs) });
      }),
    'runs a chain in its order and passes outputs on with their types',
  ],
  'loses an event of its stream': [
    (parts) => withHandle(parts, (handle) => ({ events: () => without(handle.events(), 'node-finished') })),
    'numbers the events of a run without a gap, from its start to its end',
  ],
  'calls every end a success': [
    (parts) =>
      withHandle(parts, (handle) => ({ result: async () => ({ ...(await handle.result()), status: 'done' }) })),
    'fails the run with the error of the node, and starts nothing behind it',
  ],
  'starts what it should skip': [
    (parts) => {
      const engine = inProcess(parts);
      const start: ExecutionEngine['start'] = ({ plan }, options) => {
        const nodes = plan.nodes.map(({ when: _, ...node }) => node);
        return engine.start(valid({ ...plan, nodes }), options);
      };
      return { ...engine, start };
    },
    'skips a node whose condition is false, and what refers to nothing else',
  ],
  'forgets onError': [
    (parts) => {
      const engine = inProcess(parts);
      const start: ExecutionEngine['start'] = ({ plan }, options) => {
        const nodes = plan.nodes.map(({ onError: _, ...node }) => node);
        return engine.start(valid({ ...plan, nodes }), options);
      };
      return { ...engine, start };
    },
    'goes on where onError says so: with nothing, or with a value',
  ],
  'gives items back from the last to the first': [
    (parts) =>
      withHandle(parts, (handle) => ({
        result: async () => {
          const result = await handle.result();
          return Array.isArray(result.output) ? { ...result, output: result.output.toReversed() } : result;
        },
      })),
    'runs a node once per item, in any order, and keeps the order of the items',
  ],
  'resumes from the beginning': [
    (parts) => {
      const engine = inProcess(parts);
      const resume = async (runId: string): Promise<RunHandle> => {
        for await (const event of parts.journal.read(runId)) {
          if (event.type === 'run-started') return engine.start(valid(event.plan), { runId: `${runId} again` });
        }
        return engine.resume(runId);
      };
      return { ...engine, resume };
    },
    'resumes after a crash without running again what had finished',
  ],
  'makes a new key for every try': [
    (parts) => {
      let count = 0;
      return withRunners(parts, (runner) => (call) => runner({ ...call, idempotencyKey: `key ${++count}` }));
    },
    'runs a node again under the same key when a crash left its end unknown',
  ],
  'runs to inspect': [
    (parts) => {
      const engine = inProcess(parts);
      const inspect: ExecutionEngine['inspect'] = async (runId) => (await engine.fork(runId, { from: 'a' })).result();
      return { ...engine, inspect };
    },
    'replays, inspects and lists a run without running anything',
  ],
  'forks without the change': [
    (parts) => {
      const engine = inProcess(parts);
      return { ...engine, fork: (runId, { with: _, ...options }) => engine.fork(runId, options) };
    },
    'forks a run: what is before the node is kept, it and what is behind it run again',
  ],
  'answers for the person': [
    (parts) =>
      withRunners(
        parts,
        (runner) => (call) => runner({ ...call, answer: { question: { question: '' }, value: 'no' } }),
      ),
    'suspends for a person, and goes on with the answer in another process',
  ],
  'knows every run': [
    (parts) => {
      const engine = inProcess(parts);
      const inspect: ExecutionEngine['inspect'] = async (runId) => ({
        runId,
        status: 'done',
        usage: { input: 0, output: 0 },
        costNanoUsd: 0,
        ms: 0,
        nodes: [],
      });
      return { ...engine, inspect };
    },
    'throws not-found for a run that it does not know',
  ],
};

describe('testEngine', () => {
  test.each(Object.entries(broken))('catches one that %s', async (_, [make, caught]) => {
    const failures = await failuresOf((run) => testEngine({ test: run, make, journal: memoryJournal, valid }));
    expect(failures).toContain(caught);
  });

  test('catches one that loses what it keeps itself when it dies', async () => {
    const failures = await failuresOf((run) => testEngine({ test: run, ...ownJournals(true) }));
    expect(failures).toContain('resumes after a crash without running again what had finished');
  });
});
