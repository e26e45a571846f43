/** A `wait` ends at its moment, never before it and never twice, whoever drives the run. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeClock, fakeRuntime } from '../../src/testing/fakes.ts';
import { collected, finished, harness, settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { deferred } from '../kit/loopback.ts';
import { setUp } from './run-node.ts';

const START = 1_700_000_000_000;
const iso = (ms: number): string => new Date(ms).toISOString();
const pause = (inputs: Readonly<Record<string, unknown>>, more: Partial<PlanNode> = {}): PlanNode => ({
  id: 'pause',
  use: 'wait',
  in: inputs,
  ...more,
});
const BEFORE: PlanNode = { id: 'before', use: 'step', in: { x: 1 } };
const AFTER: PlanNode = { id: 'after', use: 'step', in: { at: '{{pause.at}}' } };

const at = (ms: number, journal = memoryStores().journal) =>
  harness({ journal, runtime: { ...fakeRuntime(), clock: fakeClock(START + ms) } });
const planOf = (...nodes: PlanNode[]) => validPlan({ nodes, output: '{{pause}}' });

describe('a wait', () => {
  it.each([
    ['seconds', { seconds: 30 }],
    ['a time', { until: iso(START + 30_000) }],
    ['a time in another zone', { until: iso(START + 30_000 + 7_200_000).replace('Z', '+02:00') }],
  ])('that is short is waited for by the process: %s', async (_name, inputs) => {
    const h = at(0);
    const handle = h.engine.start(planOf(BEFORE, pause(inputs, { needs: ['before'] }), AFTER));
    await h.runtime.clock.advance(29_999);
    expect(h.calls.map(({ node }) => node.id)).toEqual(['before']);
    expect((await h.engine.inspect(handle.runId)).status).toBe('running');
    await h.runtime.clock.advance(1);
    expect(await handle.result()).toMatchObject({ status: 'done', output: { at: iso(START + 30_000) } });
    expect(h.runtime.clock.pending()).toBe(0);
  });

  it('that is long suspends the run, and ends at its moment or with the first resume after it', async () => {
    const h = at(0);
    const { runId, ...first } = await settled(h, h.engine.start(planOf(BEFORE, pause({ seconds: 3600 }), AFTER)));
    const waiting = [{ id: 'pause', nodeId: 'pause', wait: { until: START + 3_600_000 } }];
    expect(first).toMatchObject({ status: 'suspended', waiting });
    expect(await h.engine.inspect(runId)).toMatchObject({ status: 'suspended', waiting });
    const early = at(1_000_000, h.journal);
    expect(await settled(early, await early.engine.resume(runId))).toMatchObject({ status: 'suspended', waiting });
    const late = at(9_000_000, h.journal);
    const result = await settled(late, await late.engine.resume(runId));
    expect(result).toMatchObject({ status: 'done', output: { at: iso(START + 9_000_000) } });
    expect(late.calls.map(({ node }) => node.id)).toEqual(['after']);
  });

  it('of which little is left is waited for by the process that resumes it', async () => {
    const h = at(0);
    const { runId } = await settled(h, h.engine.start(planOf(pause({ seconds: 3600 }))));
    const near = at(3_590_000, h.journal);
    const handle = await near.engine.resume(runId);
    await near.runtime.clock.advance(9999);
    expect((await near.engine.inspect(runId)).status).toBe('running');
    await near.runtime.clock.advance(1);
    expect(await handle.result()).toMatchObject({ status: 'done', output: { at: iso(START + 3_600_000) } });
  });

  it.each([{ seconds: 0 }, { until: iso(START) }, { until: '1999-12-31T23:59Z' }])(
    'that is over ends at once: %j',
    async (inputs) => {
      const h = at(0);
      expect(await finished(h, planOf(pause(inputs)))).toMatchObject({ status: 'done', output: { at: iso(START) } });
    },
  );

  it('runs beside other nodes, and per item', async () => {
    const gate = deferred();
    const h = harness({ step: ({ node }) => (node.id === 'side' ? gate.promise : {}) });
    const each = pause({ seconds: '{{item}}' }, { each: '{{input.list}}' });
    const side: PlanNode = { id: 'side', use: 'step' };
    const handle = h.engine.start(planOf(each, side), { input: { list: [300, 100, 0, 200] } });
    await h.runtime.clock.advance(299_999);
    const { nodes, waiting } = await h.engine.inspect(handle.runId);
    expect(nodes[0]?.state).toBe('suspended');
    expect(waiting?.map(({ id }) => id)).toEqual(['pause[0]']);
    await h.runtime.clock.advance(1);
    gate.resolve();
    const { output } = await settled(h, handle);
    expect(output).toEqual([300, 100, 0, 200].map((seconds) => ({ at: iso(START + seconds * 1000) })));
  });

  it('waits each round anew', async () => {
    const h = at(0);
    const repeat = { until: 'false', max: 3 };
    const { output } = await finished(h, planOf(pause({ seconds: 10 }, { repeat })));
    expect(output).toEqual({ at: iso(START + 30_000) });
  });

  it.each([
    ['nothing', {}],
    ['two things', { seconds: 1, event: 'a' }],
    ['only nulls', { seconds: null, until: null }],
    ['a negative time', { seconds: -1 }],
    ['a time in words', { seconds: '5' }],
    ['no number', { seconds: Number.NaN }],
    ['more than ten years', { seconds: 1e12 }],
    ['a time without its zone', { until: '2026-03-31T09:00:00' }],
    ['a day', { until: '2026-03-31' }],
    ['a day that there is not', { until: '2026-02-30T00:00:00Z' }],
    ['an hour that there is not', { until: '2026-02-20T24:30:00Z' }],
    ['an empty name', { event: '' }],
    ['a name that is none', { event: 5 }],
    ['a long name', { event: 'x'.repeat(201) }],
    ['a match that is no object', { event: 'a', match: [1] }],
    ['a schema that is none', { event: 'a', schema: 'string' }],
    [
      'an unsafe schema',
      { event: 'a', schema: { type: 'object', properties: { a: { type: 'string', pattern: '(a+)+$' } } } },
    ],
  ])('fails for %s before it waits', async (_name, inputs) => {
    const result = await finished(at(0), planOf(pause(inputs)));
    expect(result).toMatchObject({ status: 'failed', error: { code: 'invalid-request' } });
    expect(result.error?.message).toContain('Node pause');
  });

  it('is answered by nobody', async () => {
    const h = at(0);
    const { runId } = await settled(h, h.engine.start(planOf(pause({ seconds: 3600 }))));
    await expect(h.engine.answer(runId, 'pause', 'yes')).rejects.toThrow('asks nobody');
  });

  it('has a time of its own too: what comes first counts, whenever one looks', async () => {
    for (const [limit, output] of [
      [100, 'late'],
      [5000, { at: iso(START + 9_000_000) }],
    ] as const) {
      const h = at(0);
      const node = pause({ seconds: 3600 }, { limits: { seconds: limit }, onError: { value: 'late' } });
      const { runId } = await settled(h, h.engine.start(planOf(node)));
      const late = at(9_000_000, h.journal);
      expect(await settled(late, await late.engine.resume(runId))).toMatchObject({ status: 'done', output });
    }
  });

  it('is a part of a nested run, short or long', async () => {
    const inner = planOf(pause({ seconds: 5 }));
    const long = planOf(pause({ seconds: 5000 }));
    const { engine, ...rest } = setUp([], { workflows: (id) => (id === 'long' ? long : inner) });
    const nodes = (use: string): PlanNode[] => [{ id: 'pause', use }];
    const short = await settled(rest, engine.start(validPlan({ nodes: nodes('workflow:inner'), output: '{{pause}}' })));
    expect(short).toMatchObject({ status: 'done', output: { at: iso(START + 5000) } });
    const { runId, ...asked } = await settled(
      rest,
      engine.start(validPlan({ nodes: nodes('workflow:long'), output: '{{pause}}' })),
    );
    expect(asked).toMatchObject({
      status: 'suspended',
      waiting: [{ id: 'pause/pause', wait: { until: START + 5_005_000 } }],
    });
    await rest.runtime.clock.advance(5_000_000);
    const last = await settled(rest, await engine.resume(runId));
    expect(last).toMatchObject({ status: 'done', output: { at: iso(START + 5_005_000) } });
  });

  it('of a nested run ends while the run around it goes on', async () => {
    const gate = deferred();
    const slow = { name: 'slow', description: 'Waits.', input: {}, run: () => gate.promise.then(() => 'over') };
    const inner = planOf(pause({ seconds: 5000 }));
    const { engine, runtime } = setUp([], { workflows: () => inner, tools: new Map([['slow', slow]]) });
    const nodes: PlanNode[] = [
      { id: 'pause', use: 'workflow:inner' },
      { id: 'side', use: 'tool:slow' },
    ];
    const handle = engine.start(validPlan({ nodes, output: '{{pause}}' }));
    await runtime.clock.advance(4_999_999);
    expect((await engine.inspect(handle.runId)).nodes[0]?.state).not.toBe('done');
    await runtime.clock.advance(2);
    expect((await engine.inspect(handle.runId)).nodes[0]).toMatchObject({ state: 'done' });
    gate.resolve();
    expect(await settled({ runtime }, handle)).toMatchObject({ status: 'done' });
  });
});

describe('the law of waiting', () => {
  it('holds from every prefix of the journal, at any time of the resume: once, not early, nothing again', async () => {
    const seconds = 100;
    const h = at(0);
    const plan = planOf(BEFORE, pause({ seconds }, { needs: ['before'] }), AFTER);
    const { runId } = await settled(h, h.engine.start(plan));
    const over = at(seconds * 1000, h.journal);
    await settled(over, await over.engine.resume(runId));
    const events = await collected(h.journal.read(runId));
    const fired = events.findIndex(({ type }) => type === 'answer');
    const asked = events.findIndex(({ type }) => type === 'node-suspended');
    const time = fc.integer({ min: 0, max: 3 * seconds * 1000 });
    const check = fc.asyncProperty(fc.integer({ min: 1, max: events.length - 1 }), time, async (cut, from) => {
      const { journal } = memoryStores();
      await journal.append(runId, events.slice(0, cut));
      const moment = cut <= asked ? START + from + seconds * 1000 : START + Math.max(from, seconds * 1000);
      let now = from;
      let result = await (async () => {
        const first = at(now, journal);
        return settled(first, await first.engine.resume(runId));
      })();
      if (result.status === 'suspended') {
        now = moment - START;
        const next = at(now, journal);
        result = await settled(next, await next.engine.resume(runId));
      }
      expect(result.status).toBe('done');
      const stored = await collected(journal.read(runId));
      const firings = stored.filter(({ type }) => type === 'answer');
      expect(firings.length).toBe(1);
      if (cut <= fired) expect(firings[0]?.at).toBeGreaterThanOrEqual(moment);
      expect(stored.filter((event) => event.type === 'node-suspended').length).toBe(1);
      for (const id of ['before', 'pause', 'after'])
        expect(stored.filter((event) => event.type === 'node-finished' && event.nodeId === id).length).toBe(1);
    });
    await fc.assert(check, { numRuns: 150 });
  });
});

describe('other runs of a plan that waits', () => {
  it('a fork waits anew from the node that it begins with, and keeps an earlier wait', async () => {
    const h = at(0);
    const plan = planOf(pause({ seconds: 100 }), AFTER);
    const { runId } = await settled(h, h.engine.start(plan));
    const anew = at(50_000, h.journal);
    const suspended = await settled(anew, await anew.engine.fork(runId, { from: 'pause', runId: 'fork-1' }));
    expect(suspended.waiting).toMatchObject([{ wait: { until: START + 150_000 } }]);
    const over = at(100_000, h.journal);
    await settled(over, await over.engine.resume(runId));
    const late = at(500_000, h.journal);
    const kept = await settled(late, await late.engine.fork(runId, { from: 'after', runId: 'fork-2' }));
    expect(kept).toMatchObject({ status: 'done', output: { at: iso(START + 100_000) } });
    const shorter = await late.engine.fork(runId, { from: 'pause', with: { seconds: 0 }, runId: 'fork-3' });
    expect(await settled(late, shorter)).toMatchObject({ output: { at: iso(START + 500_000) } });
    expect((await collected(late.engine.replay(runId))).filter(({ type }) => type === 'answer').length).toBe(1);
  });

  it('what an event brings is counted among the values of its run', async () => {
    const { VALUE_BOUNDS } = await import('../../src/core/run/value-bounds.ts');
    const bounds = { ...VALUE_BOUNDS, valueBytes: 1000 };
    const h = harness({ valueBounds: () => bounds });
    const { runId } = await settled(h, h.engine.start(planOf(pause({ event: 'big' }))));
    const sent = await h.engine.event?.('big', 'x'.repeat(2000));
    expect(sent).toMatchObject({
      delivered: [],
      refused: [{ runId, id: 'pause', error: { code: 'limit-exceeded' } }],
    });
    expect(await h.engine.event?.('big', 'small')).toMatchObject({ delivered: [{ runId, id: 'pause' }] });
    expect(await settled(h, await h.engine.resume(runId))).toMatchObject({ output: { payload: 'small' } });
  });

  it('an event is delivered once, from every prefix of the journal after that', async () => {
    const h = at(0);
    const { runId } = await settled(
      h,
      h.engine.start(planOf(BEFORE, pause({ event: 'go' }, { needs: ['before'] }), AFTER)),
    );
    expect((await h.engine.event?.('go', { n: 1 }))?.delivered.length).toBe(1);
    await settled(h, await h.engine.resume(runId));
    const events = await collected(h.journal.read(runId));
    const taken = events.findIndex(({ type }) => type === 'answer');
    for (let cut = taken + 1; cut < events.length; cut += 1) {
      const { journal } = memoryStores();
      await journal.append(runId, events.slice(0, cut));
      const next = at(1000, journal);
      expect((await next.engine.event?.('go', { n: 2 }))?.delivered).toEqual([]);
      const result = await settled(next, await next.engine.resume(runId));
      expect(result).toMatchObject({ status: 'done', output: { at: iso(START), payload: { n: 1 } } });
    }
  });
});
