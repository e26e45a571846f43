/**
 * Laws of the bound on what a run writes.
 *
 * 1. Its journal is never larger, whatever grows: results, items, rounds, questions, answers, inputs, outputs, messages.
 * 2. A run that meets the bound ends with limit-exceeded, and its journal tells so: the node, the bound, the cost until then.
 * 3. It counts with the runs nested in it, and after a resume with what was written before.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlanNode, ValidPlan } from '../../src/core/plan/plan.ts';
import type { NodeCall, NodeRunner, RunEvent, RunResult } from '../../src/core/run/engine.ts';
import { VALUE_BOUNDS } from '../../src/core/run/value-bounds.ts';
import { humanRunner } from '../../src/runners/human.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import {
  collected,
  finished,
  type Harness,
  type HarnessOptions,
  harness,
  output,
  settled,
} from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';

const LIMIT = 100_000;
const COST = 7;
const bounded = (options: HarnessOptions = {}, writtenBytes = LIMIT): Harness =>
  harness({ ...options, valueBounds: () => ({ ...VALUE_BOUNDS, writtenBytes }) });

/** Never the same twice. */
const textOf = (id: string, length: number): string => `${id} `.repeat(length / (id.length + 1));
const placeOf = ({ node, item, round }: NodeCall): string => `${node.id}/${item ?? ''}/${round ?? ''}`;
const fresh = (length: number) => (call: NodeCall) =>
  output({ value: { text: textOf(placeOf(call), length) }, costNanoUsd: COST });

const bytesOf = (events: readonly RunEvent[]): number =>
  events.reduce((sum, event) => sum + Buffer.byteLength(JSON.stringify(event)), 0);

const chain = (count: number): ValidPlan =>
  validPlan({
    nodes: Array.from({ length: count }, (_, index) => ({
      id: `n${index}`,
      use: 'step',
      ...(index === 0 ? {} : { needs: [`n${index - 1}`] }),
    })),
  });

/** What holds for every run that met the bound. */
async function expectEnded(h: Harness, result: RunResult, nodeId: string | undefined, limit = LIMIT) {
  const details = { bound: 'limits.values.writtenBytes', limit, ...(nodeId === undefined ? {} : { nodeId }) };
  expect(result).toMatchObject({ status: 'failed', error: { code: 'limit-exceeded', details } });
  expect(result.error?.details?.nodeId).toBe(nodeId);
  expect(result.error?.message).toContain('limits.values.writtenBytes');
  const events = await collected(h.journal.read(result.runId));
  expect(bytesOf(events)).toBeLessThanOrEqual(limit);
  expect(events.at(-1)).toMatchObject({ type: 'run-failed', error: { code: 'limit-exceeded' } });
  const inspected = await h.engine.inspect(result.runId);
  expect(inspected).toMatchObject({ status: 'failed', costNanoUsd: result.costNanoUsd });
  expect(h.runtime.clock.pending()).toBe(0);
  return events;
}

describe('what a run writes', () => {
  it('ends with the node whose result has no room; what it cost is recorded', async () => {
    const h = bounded({ step: fresh(20_000) });
    const result = await finished(h, chain(10));
    const events = await expectEnded(h, result, 'n4');
    expect(result.costNanoUsd).toBe(5 * COST);
    expect(events.at(-2)).toMatchObject({ type: 'node-failed', nodeId: 'n4', costNanoUsd: COST });
    expect(result.nodes.map(({ state }) => state).slice(0, 6)).toEqual([...Array(4).fill('done'), 'failed', 'waiting']);
  });

  it.each<[string, Partial<PlanNode>]>([
    ['items', { each: '{{input.list}}' }],
    ['items that run one after the other', { each: '{{input.list}}', limits: { concurrency: 1 } }],
    ['items that may fail', { each: '{{input.list}}', onError: 'skip' }],
    ['rounds', { repeat: { until: 'false', max: 9 } }],
  ])('counts %s', async (_what, more) => {
    const h = bounded({ step: fresh(20_000) });
    const plan = validPlan({ nodes: [{ id: 'n', use: 'step', ...more }] });
    const input = { list: Array.from({ length: 9 }, (_, index) => index) };
    const result = await finished(h, plan, { input });
    await expectEnded(h, result, 'n');
    expect(result.costNanoUsd).toBe(h.calls.length * COST);
    // Nothing had to be given up after its grace period.
    expect(result.ms).toBe(0);
  });

  it('counts outputs, questions, inputs and the messages of errors', async () => {
    const step = fresh(60_000);
    const nodes = [{ id: 'n', use: 'step' }];
    await expectEnded(...(await ran(validPlan({ nodes, output: 'so: {{n.text}}' }), { step })), undefined);
    const ask = { id: 'ask', use: 'human', in: { question: 'Is this right? {{n.text}}' } };
    await expectEnded(...(await ran(validPlan({ nodes: [...nodes, ask] }), { step })), 'ask');
    const failing = validPlan({ nodes });
    const fails = () => {
      throw new Error(textOf('no', 200_000));
    };
    // An error has at most 16 KiB of text, so that only a small bound has no room for it.
    const h = bounded({ step: fails }, 15_000);
    const result = await finished(h, failing);
    expect(result).toMatchObject({ status: 'failed', error: { code: 'plugin-failed' } });
    const events = await collected(h.journal.read(result.runId));
    expect(bytesOf(events)).toBeLessThan(10_000);
    expect(events.at(-1)?.type).toBe('run-failed');
  });

  async function ran(plan: ValidPlan, options: HarnessOptions = {}): Promise<[Harness, RunResult]> {
    const h = bounded(options);
    return [h, await finished(h, plan)];
  }

  it('refuses to begin with an input that has no room, and writes nothing', async () => {
    const h = bounded();
    const result = await finished(h, chain(2), { input: { text: textOf('a', 200_000) } });
    expect(result).toMatchObject({ status: 'failed', error: { code: 'limit-exceeded' } });
    expect(await h.engine.list()).toEqual([]);
    expect(h.calls).toEqual([]);
    expect(h.runtime.clock.pending()).toBe(0);
  });

  it('goes on once the bound is raised, and does not repeat what was done', async () => {
    const h = bounded({ step: fresh(20_000) });
    const { runId } = await finished(h, chain(10));
    const next = bounded({ step: fresh(20_000), journal: h.journal, validPlan: () => chain(10) }, 10 * LIMIT);
    const result = await settled(next, await next.engine.resume(runId));
    expect(result).toMatchObject({ status: 'done', costNanoUsd: 11 * COST });
    expect(next.calls.map(({ node }) => node.id)).toEqual(['n4', 'n5', 'n6', 'n7', 'n8', 'n9']);
  });

  it('calls nothing when a run is resumed that has no room left', async () => {
    const h = bounded({ step: fresh(20_000) });
    const { runId } = await finished(h, chain(10));
    const next = bounded({ step: fresh(20_000), journal: h.journal, validPlan: () => chain(10) }, LIMIT / 2);
    const before = await collected(h.journal.read(runId));
    const result = await settled(next, await next.engine.resume(runId));
    expect(result).toMatchObject({ status: 'failed', error: { code: 'limit-exceeded' } });
    expect(next.calls).toEqual([]);
    expect(await collected(h.journal.read(runId))).toEqual(before);
    expect(next.runtime.clock.pending()).toBe(0);
  });

  it.each(['driven', 'suspended'] as const)(
    'refuses an answer that has no room; the run, %s, waits on',
    async (way) => {
      const ask: PlanNode = { id: 'ask', use: 'human', in: { question: 'Which?' } };
      const slow: PlanNode = { id: 'slow', use: 'step' };
      const plan = validPlan({ nodes: way === 'driven' ? [ask, slow] : [ask], output: '{{ask.answer}}' });
      let release = (): void => {};
      const done = new Promise<string>((resolve) => {
        release = () => resolve('done');
      });
      const step = () => done;
      const h = bounded({ step, validPlan: () => plan });
      const handle = h.engine.start(plan);
      await h.runtime.clock.runAll(1);
      const answer = (text: string) => h.engine.answer(handle.runId, 'ask', text);
      await expect(answer(textOf('a', 200_000))).rejects.toMatchObject({ code: 'limit-exceeded' });
      await answer('this');
      release();
      const result = await settled(h, way === 'driven' ? handle : await h.engine.resume(handle.runId));
      expect(result).toMatchObject({ status: 'done', output: 'this' });
    },
  );

  it('refuses a fork whose beginning has no room', async () => {
    const h = bounded({ step: fresh(20_000), validPlan: () => chain(4) });
    const { runId, status } = await finished(h, chain(4));
    expect(status).toBe('done');
    const next = bounded({ journal: h.journal, validPlan: () => chain(4) }, LIMIT / 2);
    const forked = next.engine.fork(runId, { from: 'n3', runId: 'fork' });
    await expect(forked).rejects.toMatchObject({ code: 'limit-exceeded' });
    expect(await h.engine.list()).toHaveLength(1);
  });

  it('counts a run with the runs that are nested in it', async () => {
    const inner = validPlan({ nodes: [{ id: 'n', use: 'step' }] });
    const outer = validPlan({
      nodes: [{ id: 'm', use: 'workflow:inner', each: '{{input.list}}', limits: { concurrency: 1 } }],
    });
    const { journal } = memoryStores();
    const step: NodeRunner = async (call) => ({ value: textOf(call.runId, 20_000), costNanoUsd: COST });
    const nest: NodeRunner = async ({ runId, node, item, signal }) => {
      const parent = { runId, nodeId: node.id, kind: 'nested' } as const;
      const handle = h.engine.start(inner, { runId: `${runId}.${node.id}.${item}`, parent, signal });
      const { error, costNanoUsd } = await handle.result();
      if (error !== undefined) throw Object.assign(new Error(error.message), { name: error.code });
      return { value: 'short', costNanoUsd };
    };
    const runners = new Map([
      ['step', step],
      ['workflow:', nest],
      ['human', humanRunner()],
    ]);
    const h: Harness = bounded({ journal, runners });
    const result = await finished(h, outer, { runId: 'run', input: { list: [0, 1, 2, 3, 4, 5, 6, 7, 8] } });
    expect(result).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('writtenBytes') } });
    let bytes = 0;
    for (const run of await journal.list({ nested: true })) bytes += bytesOf(await collected(journal.read(run.runId)));
    expect(bytes).toBeGreaterThan(LIMIT / 2);
    expect(bytes).toBeLessThanOrEqual(LIMIT);
  });

  it('is within the bound for any results of any sizes, in a journal that can be read and gone on with', async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 12 });
    const ends = new Set<string>();
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 8000, max: LIMIT }), fc.boolean(), async (lengths, limit, all) => {
        const step = (call: NodeCall) => fresh(lengths[Number(call.node.id.slice(1))] ?? 0)(call);
        const nodes = lengths.map((_, index) => ({ id: `n${index}`, use: 'step', ...(all ? {} : needs(index)) }));
        const plan = validPlan({ nodes });
        const h = bounded({ step, validPlan: () => plan }, limit);
        const result = await finished(h, plan);
        ends.add(result.error?.code ?? result.status);
        const events = await collected(h.journal.read(result.runId));
        expect(bytesOf(events)).toBeLessThanOrEqual(limit);
        const inspected = await h.engine.inspect(result.runId);
        expect([inspected.status, inspected.costNanoUsd]).toEqual([result.status, result.costNanoUsd]);
      }),
      { numRuns: 100 },
    );
    expect([...ends].sort()).toEqual(['done', 'limit-exceeded']);
  });
});

const needs = (index: number): Partial<PlanNode> => (index === 0 ? {} : { needs: [`n${index - 1}`] });
