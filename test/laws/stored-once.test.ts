/**
 * Laws of large values in a journal, whatever the plan, in memory and in a file.
 *
 * 1. The journal, read in full, holds the shown events that are not transient.
 * 2. Each long text is written in one event of a run, however often it is handed on.
 * 3. Both hold after a resume from every prefix and for a fork at every node, which give the same output.
 */

import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import {
  type NodeCall,
  type NodeRunner,
  type RunEvent,
  type RunResult,
  TRANSIENT_EVENTS,
} from '../../src/core/run/engine.ts';
import { fullEvents } from '../../src/core/run/full-events.ts';
import type { RunJournal } from '../../src/core/stores.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeRuntime } from '../../src/testing/fakes.ts';
import { collected, type Harness, harness, settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { otherEngine } from '../runs/other-engine.ts';
import { temporaryFolder } from '../stores/folder.ts';
import { RANDOM_INPUT, type RandomPlan, randomPlans } from './random-plans.ts';

const TEXTS = ['tide', 'moon', 'harbour', 'ferry'].map((word) => `${word} `.repeat(400));
const INPUT = { ...RANDOM_INPUT, list3: TEXTS.slice(0, 3), text: TEXTS[3] };

/** Nodes hand on the texts of those before them, and the text of the run. */
const handingOn: fc.Arbitrary<RandomPlan> = randomPlans({ quorums: false, failures: true }).map((random) => {
  const nodes = random.plan.plan.nodes.map((node): PlanNode => {
    const from = (node.in?.from ?? []) as readonly string[];
    const texts = from.map((reference) => reference.replace('.id}}', '.text}}'));
    return { ...node, in: { ...node.in, from: texts, all: '{{input.text}}', it: '{{item}}' } };
  });
  return { ...random, plan: validPlan({ ...random.plan.plan, nodes }) };
});

/** A copy, as tools return it. */
function outputOf({ behaviours }: RandomPlan, { node, inputs, round = 0, item }: NodeCall): unknown {
  const { ms, fails } = behaviours.get(node.id) ?? { ms: 1, fails: false };
  if (fails) throw new Error(`${node.id} fails`);
  return JSON.parse(
    JSON.stringify({ ...inputs, text: TEXTS[ms % TEXTS.length], ok: ms % 2 === 0, round, item: item ?? null }),
  );
}

const recorded = (random: RandomPlan, journal: RunJournal): Harness =>
  harness({ journal, step: (call) => outputOf(random, call), validPlan: () => random.plan });

const durable = (events: readonly RunEvent[]): RunEvent[] => events.filter(({ type }) => !TRANSIENT_EVENTS.has(type));

/** Both laws of one run. Returns what its journal holds. */
async function expectStoredOnce(journal: RunJournal, runId: string, shown: readonly RunEvent[]): Promise<RunEvent[]> {
  const records = await collected(journal.read(runId));
  const full = await collected(fullEvents(journal.read(runId)));
  expect(full.slice(-shown.length)).toEqual(shown);
  for (const text of TEXTS) {
    const holding = records.filter((event) => JSON.stringify(event).includes(text));
    expect(holding.length).toBeLessThanOrEqual(1);
  }
  return records;
}

async function run(random: RandomPlan, journal: RunJournal): Promise<{ h: Harness; result: RunResult }> {
  const h = recorded(random, journal);
  const { concurrency } = random;
  const handle = h.engine.start(random.plan, { runId: 'run', input: INPUT, concurrency });
  const result = await settled(h, handle);
  await expectStoredOnce(journal, 'run', durable(await collected(handle.events())));
  return { h, result };
}

async function resumeFromEveryPrefix(random: RandomPlan, records: readonly RunEvent[], result: RunResult) {
  for (let length = 1; length < records.length; length += 1) {
    const { journal } = memoryStores();
    await journal.append('run', records.slice(0, length));
    const h = recorded(random, journal);
    const handle = await h.engine.resume('run', { concurrency: random.concurrency });
    const again = await settled(h, handle);
    expect([again.status, again.output]).toEqual([result.status, result.output]);
    await expectStoredOnce(journal, 'run', durable(await collected(handle.events())));
  }
}

async function forkAtEveryNode(random: RandomPlan, h: Harness, result: RunResult) {
  for (const { node } of random.plan.nodes) {
    const handle = await h.engine.fork('run', { from: node.id, concurrency: random.concurrency });
    const again = await settled(h, handle);
    if (result.status === 'done') expect(again.output).toEqual(result.output);
    await expectStoredOnce(h.journal, handle.runId, durable(await collected(handle.events())));
  }
}

const folder = temporaryFolder();

describe('a large value', () => {
  it('is in the journal once, after any resume and in any fork', async () => {
    await fc.assert(
      fc.asyncProperty(handingOn, async (random) => {
        const { journal } = memoryStores();
        const { h, result } = await run(random, journal);
        const records = await collected(journal.read('run'));
        await resumeFromEveryPrefix(random, records, result);
        await forkAtEveryNode(random, h, result);
      }),
      { numRuns: 12 },
    );
  });

  it('is in a file once too', async () => {
    let files = 0;
    await fc.assert(
      fc.asyncProperty(handingOn, async (random) => {
        files += 1;
        const stores = sqliteStores({ path: join(folder, `${files}.db`) });
        const { h, result } = await run(random, stores.journal);
        await forkAtEveryNode(random, h, result);
        const records = await collected(stores.journal.read('run'));
        await stores.close();
        await resumeFromEveryPrefix(random, records.slice(0, 8), result);
      }),
      { numRuns: 5 },
    );
  });

  it('is once in the journal of an engine that reads it again before every step', async () => {
    await fc.assert(
      fc.asyncProperty(handingOn, async (random) => {
        const { journal } = memoryStores();
        const runtime = fakeRuntime();
        const step: NodeRunner = async (call) => ({ value: outputOf(random, call), costNanoUsd: 0 });
        const runners = new Map([['step', step]]);
        const engine = otherEngine({ runtime, journal, runners, validPlan: () => random.plan });
        const handle = engine.start(random.plan, { runId: 'run', input: INPUT });
        await settled({ runtime }, handle);
        await expectStoredOnce(journal, 'run', durable(await collected(handle.events())));
      }),
      { numRuns: 25 },
    );
  });
});
