/**
 * Laws of resuming: from EVERY prefix of a journal, whatever the plan.
 *
 * 1. The run ends as it would have, with the same output.
 * 2. No finished node, item or round runs again, and what they gave is intact.
 * 3. A node that was started and did not finish runs again with the same idempotency key.
 * 4. Sequence numbers go on where the journal ended, and the money adds up to what was paid.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/core/run/engine.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { collected, settled } from '../executor/harness.ts';
import { observe, runThrough } from './observed-run.ts';
import { type RandomPlan, randomPlans } from './random-plans.ts';

interface Done {
  readonly nodes: ReadonlySet<string>;
  readonly items: ReadonlySet<string>;
  readonly rounds: ReadonlySet<string>;
}

function doneIn(prefix: readonly RunEvent[]): Done {
  const done = { nodes: new Set<string>(), items: new Set<string>(), rounds: new Set<string>() };
  for (const event of prefix) {
    if (event.type === 'node-finished' || event.type === 'node-skipped') done.nodes.add(event.nodeId);
    if (event.type === 'node-failed' && event.handled !== undefined) done.nodes.add(event.nodeId);
    if (event.type === 'item-finished') done.items.add(`${event.nodeId}/${event.item}`);
    if (event.type === 'round-finished') done.rounds.add(`${event.nodeId}/${event.item ?? ''}/${event.round}`);
  }
  return done;
}

async function resumeFrom(random: RandomPlan, prefix: readonly RunEvent[]) {
  const { journal } = memoryStores();
  const runId = prefix[0]?.runId ?? '';
  await journal.append(runId, prefix);
  const observed = observe(random, { journal });
  const handle = await observed.h.engine.resume(runId, { concurrency: random.concurrency });
  const result = await settled(observed.h, handle);
  return { observed, handle, result, stored: await collected(journal.read(runId)) };
}

function expectNothingAgain(steps: ReturnType<typeof observe>['steps'], done: Done): void {
  for (const { call } of steps) {
    const { node, item, round } = call;
    expect(done.nodes.has(node.id)).toBe(false);
    if (item !== undefined) expect(done.items.has(`${node.id}/${item}`)).toBe(false);
    if (round !== undefined) expect(done.rounds.has(`${node.id}/${item ?? ''}/${round}`)).toBe(false);
  }
}

describe('resuming', () => {
  it('gives the same output from every prefix and runs nothing finished again', async () => {
    await fc.assert(
      fc.asyncProperty(randomPlans({ quorums: false, failures: true }), async (random) => {
        const original = observe(random);
        const { handle, result } = await runThrough(original, random);
        const events = await collected(original.h.journal.read(handle.runId));
        const keys = new Set(original.steps.map(({ key }) => key));
        for (let length = 1; length < events.length; length += 1) {
          const prefix = events.slice(0, length);
          const { observed, result: again, stored } = await resumeFrom(random, prefix);
          expect(again.status).toBe(result.status);
          expect(again.output).toEqual(result.output);
          expectNothingAgain(observed.steps, doneIn(prefix));
          expect(stored.slice(0, length)).toEqual(prefix);
          const { length: sameSeq } = new Set(stored.map(({ seq }) => seq)).size === stored.length ? stored : [];
          expect(sameSeq).toBe(stored.length);
          if (!prefix.some(({ type }) => type === 'node-failed')) {
            for (const { key } of observed.steps) if (result.status === 'done') expect(keys).toContain(key);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('ends from every prefix of a plan with quorums, and runs nothing finished again', async () => {
    await fc.assert(
      fc.asyncProperty(randomPlans({ quorums: true, failures: true }), async (random) => {
        const original = observe(random);
        const { handle } = await runThrough(original, random);
        const events = await collected(original.h.journal.read(handle.runId));
        for (let length = 1; length < events.length; length += 1) {
          const prefix = events.slice(0, length);
          const { observed, result } = await resumeFrom(random, prefix);
          expect(['done', 'failed']).toContain(result.status);
          expectNothingAgain(observed.steps, doneIn(prefix));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('shows a finished run again without running anything', async () => {
    await fc.assert(
      fc.asyncProperty(randomPlans({ quorums: false, failures: false }), async (random) => {
        const original = observe(random);
        const { handle, result } = await runThrough(original, random);
        const events = await collected(original.h.journal.read(handle.runId));
        const { observed, result: again, stored } = await resumeFrom(random, events);
        expect(again.output).toEqual(result.output);
        expect(observed.steps).toEqual([]);
        expect(stored).toEqual(events);
      }),
      { numRuns: 40 },
    );
  });
});
