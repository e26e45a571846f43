/** What plan-format.md says about `undo`: what a run did is undone, once, in reverse order, when it fails or is cancelled. */
import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { NodeCall, RunEvent } from '../../src/core/run/engine.ts';
import { VALUE_BOUNDS } from '../../src/core/run/value-bounds.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sleep } from '../../src/system/clock.ts';
import { collected, finished, type HarnessOptions, harness, settled } from './harness.ts';
import { plan } from './scripted-steps.ts';

/** A world that remembers effects by their key, so that what happens twice shows. */
function world(options: HarnessOptions & { readonly deaf?: boolean } = {}) {
  const effects = new Map<string, number>();
  const undone: string[] = [];
  const h = harness({
    ...options,
    step: async ({ node, inputs, idempotencyKey, signal, item }) => {
      const name = item === undefined ? node.id : `${node.id}[${item}]`;
      if (node.use === 'tool:undo') {
        if (inputs.broken === true) throw new PolyphonyError('tool-failed', 'the shop is closed');
        undone.push(name);
        return {};
      }
      if (typeof inputs.ms === 'number') await sleep(h.runtime.clock, inputs.ms, options.deaf ? undefined : signal);
      if (inputs.fail === true) throw new PolyphonyError('tool-failed', 'it broke');
      effects.set(idempotencyKey, (effects.get(idempotencyKey) ?? 0) + 1);
      return inputs;
    },
  });
  const undoCalls = (): NodeCall[] => h.calls.filter(({ node }) => node.use === 'tool:undo');
  return { ...h, effects, undone, undoCalls };
}

/** Lets everything happen that needs no time. */
const ticks = async (): Promise<void> => {
  for (let tick = 0; tick < 200; tick += 1) await Promise.resolve();
};

const pay: PlanNode = { id: 'pay', use: 'tool:pay', in: { sum: 5 }, undo: 'tool:undo' };
const book: PlanNode = {
  id: 'book',
  use: 'tool:book',
  needs: ['pay'],
  in: { seat: 7 },
  undo: { use: 'tool:undo', in: { seat: '{{book.seat}}', paid: '{{pay.sum}}', also: '{{self.seat}}' } },
};
const breaks: PlanNode = { id: 'breaks', use: 'tool:mail', needs: ['book'], in: { fail: true } };

describe('a run that fails', () => {
  it('undoes what finished, the last first, with the inputs that the plan gives and keys of its own', async () => {
    const w = world();
    const result = await finished(w, plan([pay, book, breaks]));
    expect(result).toMatchObject({
      status: 'failed',
      error: { message: 'it broke' },
      undone: [
        { nodeId: 'book', use: 'tool:undo' },
        { nodeId: 'pay', use: 'tool:undo' },
      ],
    });
    const { runId } = result;
    expect(w.undoCalls().map(({ inputs, idempotencyKey }) => [idempotencyKey, inputs])).toEqual([
      [`${runId}/book/undo`, { seat: 7, paid: 5, also: 7 }],
      [`${runId}/pay/undo`, { input: { sum: 5 }, output: { sum: 5 } }],
    ]);
    expect(await w.engine.inspect(runId)).toMatchObject({ status: 'failed', undone: result.undone });
    expect(w.runtime.clock.pending()).toBe(0);
  });

  it('records what cannot be undone, and undoes the others', async () => {
    const w = world();
    const broken = { ...book, undo: { use: 'tool:undo', in: { broken: true } } };
    const { undone, error } = await finished(w, plan([pay, broken, breaks]));
    expect(error?.message).toBe('it broke');
    expect(undone).toMatchObject([{ nodeId: 'book', error: { code: 'tool-failed' } }, { nodeId: 'pay' }]);
    expect(undone?.[1]).not.toHaveProperty('error');
  });

  it('undoes the items of an each that finished, and no other', async () => {
    const w = world();
    const items: PlanNode = {
      id: 'items',
      use: 'tool:pay',
      each: '{{list.of}}',
      limits: { concurrency: 1 },
      in: { n: '{{index}}', fail: '{{item.bad}}' },
      undo: { use: 'tool:undo', in: { n: '{{self.n}}', at: '{{index}}', was: '{{item.bad}}' } },
    };
    const list: PlanNode = { id: 'list', use: 'step', in: { of: [{}, {}, { bad: true }, {}] } };
    const { undone } = await finished(w, plan([list, items]));
    expect(undone?.map(({ item }) => item)).toEqual([1, 0]);
    expect(w.undoCalls().map(({ inputs }) => inputs)).toMatchObject([
      { n: 1, at: 1 },
      { n: 0, at: 0 },
    ]);
  });

  it('undoes each item of a list that an expression makes, however much all of that is', async () => {
    const w = world({ valueBounds: () => ({ ...VALUE_BOUNDS, runBytes: 1_000_000 }) });
    const items: PlanNode = {
      id: 'items',
      use: 'tool:pay',
      each: '{{= list.of.map(x, string(x) + "!") }}',
      in: { n: '{{index}}' },
      undo: { use: 'tool:undo', in: { was: '{{item}}', note: `{{item}}${'x'.repeat(100)}` } },
    };
    const list: PlanNode = {
      id: 'list',
      use: 'step',
      in: { of: Array.from({ length: 300 }, (_, index) => `${index}`) },
    };
    const { undone } = await finished(w, plan([list, items, { ...breaks, needs: ['items'] }]));
    expect(undone).toHaveLength(300);
    expect(undone?.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(w.undoCalls().map(({ inputs }) => inputs.was)).toEqual(
      Array.from({ length: 300 }, (_, index) => `${299 - index}!`),
    );
  });

  it('undoes what it did although its values have no more room', async () => {
    const w = world({ valueBounds: () => ({ ...VALUE_BOUNDS, runBytes: 4000 }) });
    const told = { ...book, undo: { use: 'tool:undo', in: { seat: `{{self.seat}} ${'x'.repeat(3000)}` } } };
    const large: PlanNode = { id: 'large', use: 'step', needs: ['book'], in: { text: 'x'.repeat(5000) } };
    const { undone, error } = await finished(w, plan([pay, told, large]));
    expect(error?.code).toBe('limit-exceeded');
    expect(undone).toEqual([
      { nodeId: 'book', use: 'tool:undo' },
      { nodeId: 'pay', use: 'tool:undo' },
    ]);
  });

  it('waits a minute for one that does not answer, then goes on with the next', async () => {
    const w = world();
    const hangs = { ...book, undo: { use: 'step', in: { ms: 600_000 } } };
    const { undone, ms } = await finished(w, plan([pay, hangs, breaks]));
    expect(undone).toMatchObject([{ nodeId: 'book', error: { code: 'timeout' } }, { nodeId: 'pay' }]);
    expect(ms).toBe(60_000);
  });

  it('gives it the time of one attempt of its node, where the node has limits', async () => {
    const hangs = { use: 'step', in: { ms: 3_600_000 } };
    for (const [limits, seconds] of [
      [{ seconds: 5 }, 5],
      [{ seconds: 300, attemptSeconds: 90 }, 90],
      [{ seconds: 300 }, 300],
    ] as const) {
      const { undone, ms } = await finished(world(), plan([pay, { ...book, undo: hangs, limits }, breaks]));
      expect(undone).toMatchObject([{ nodeId: 'book', error: { code: 'timeout' } }, { nodeId: 'pay' }]);
      expect(undone?.[0]?.error?.message).toContain(`${seconds} seconds (the limits of the node)`);
      expect(ms).toBe(seconds * 1000);
    }
  });

  it('waits ten minutes in all for those that do not answer, and a second for each that is left', async () => {
    const w = world();
    const of = Array.from({ length: 30 }, (_, index) => ({ ms: index % 10 === 4 ? 0 : 3_600_000 }));
    const list: PlanNode = { id: 'list', use: 'step', needs: ['pay'], in: { of } };
    const items: PlanNode = {
      id: 'items',
      use: 'tool:pay',
      each: '{{list.of}}',
      in: { n: '{{index}}' },
      undo: { use: 'step', in: { ms: '{{item.ms}}' } },
    };
    const { undone = [], ms } = await finished(w, plan([pay, list, items, { ...breaks, needs: ['items'] }]));
    expect(undone.map(({ item, error }) => (error === undefined ? item : error.code))).toEqual([
      ...Array.from({ length: 30 }, (_, back) => ((29 - back) % 10 === 4 ? 29 - back : 'timeout')),
      undefined,
    ]);
    expect(undone.at(0)?.error?.message).toContain('60 seconds (what a node without limits gets)');
    expect(undone.at(-2)?.error?.message).toContain('1 seconds (limits.run.undoMs of the config)');
    expect(ms).toBe((600 + 27 - 10) * 1000);
    expect(w.runtime.clock.pending()).toBe(0);
  });

  it('undoes what finishes although it was told to stop', async () => {
    const w = world({ deaf: true });
    const late: PlanNode = { id: 'late', use: 'tool:pay', in: { ms: 500 }, undo: 'tool:undo' };
    const { undone } = await finished(w, plan([late, { id: 'breaks', use: 'step', in: { fail: true } }]));
    expect(undone).toMatchObject([{ nodeId: 'late' }]);
  });
});

describe('a run that does not fail', () => {
  it('undoes nothing', async () => {
    const w = world();
    const result = await finished(w, plan([pay, book, { ...breaks, onError: { keep: true } }]));
    expect([result.status, result.undone, w.undone]).toEqual(['done', undefined, []]);
  });

  it('undoes nothing where its process only lets go of it, and goes on after that', async () => {
    const w = world();
    const slow: PlanNode = { id: 'slow', use: 'step', needs: ['book'], in: { ms: 1000 } };
    const stopping = new AbortController();
    const handle = w.engine.start(plan([pay, book, slow]), { signal: stopping.signal });
    await ticks();
    stopping.abort();
    expect((await settled(w, handle)).status).toBe('cancelled');
    expect(w.undone).toEqual([]);
    expect((await settled(w, await w.engine.resume(handle.runId))).status).toBe('done');
    expect([...w.effects.values()]).toEqual([1, 1, 1]);
  });
});

describe('a run that is cancelled', () => {
  const slow: PlanNode = { id: 'slow', use: 'step', needs: ['book'], in: { ms: 100_000 } };

  it('is undone, driven here or not', async () => {
    const w = world();
    const handle = w.engine.start(plan([pay, book, slow]));
    await ticks();
    handle.cancel('by hand');
    const result = await settled(w, handle);
    expect([result.status, result.undone?.length]).toEqual(['cancelled', 2]);
    const asks: PlanNode = { id: 'asks', use: 'human', needs: ['book'], in: { question: 'Go on?' } };
    const other = world();
    const waiting = await finished(other, plan([pay, book, asks]));
    expect(waiting.status).toBe('suspended');
    const cancelling = other.engine.cancel(waiting.runId, 'by hand');
    for (let turn = 0; turn < 200; turn += 1) await other.runtime.clock.runAll(1);
    expect(await cancelling).toBe(true);
    expect(other.undone).toEqual(['book', 'pay']);
    expect(await other.engine.inspect(waiting.runId)).toMatchObject({ status: 'cancelled', undone: [{}, {}] });
  });
});

describe('undoing and the journal', () => {
  /** From every prefix: together, the two lives undo each place once, and nothing that the journal has as undone again. */
  it('goes on from every prefix, and undoes nothing twice', async () => {
    const first = world();
    const { runId } = await finished(first, plan([pay, book, breaks]));
    const events = await collected(first.journal.read(runId));
    for (let length = 1; length <= events.length; length += 1) {
      const prefix = events.slice(0, length);
      const { journal } = memoryStores();
      await journal.append(runId, prefix);
      const w = world({ journal });
      const ended = prefix.at(-1)?.type === 'run-failed';
      const result = await settled(w, await w.engine.resume(runId));
      expect(result.status).toBe('failed');
      const began = prefix.some(({ type }) => type === 'undo-started') && !ended;
      if (began) {
        const before = prefix.flatMap((event) => (event.type === 'node-undone' ? [event.nodeId] : []));
        expect([...before, ...w.undone]).toEqual(['book', 'pay']);
        expect(w.effects.size).toBe(0);
        expect(result.error?.message).toBe('it broke');
        expect(result.undone?.map(({ nodeId }) => nodeId)).toEqual(['book', 'pay']);
      }
      expect((await w.engine.inspect(runId)).undone).toEqual(result.undone);
    }
  });

  it('runs what was undone again when the run goes on, under new keys, and not what stands', async () => {
    const w = world();
    let isMended = false;
    const h = harness({
      journal: w.journal,
      step: ({ node, inputs }) => {
        if (node.id === 'breaks' && !isMended) throw new PolyphonyError('tool-failed', 'it broke');
        return inputs;
      },
    });
    const aside: PlanNode = { id: 'aside', use: 'step', in: { a: 1 } };
    const stands: PlanNode = { id: 'stands', use: 'tool:pay', in: { b: 1 }, undo: { use: 'none', in: {} } };
    const { runId } = await finished(h, plan([aside, stands, pay, book, breaks]));
    isMended = true;
    h.calls.length = 0;
    const result = await settled(h, await h.engine.resume(runId));
    expect(result.status).toBe('done');
    expect(result.undone).toBeUndefined();
    expect(h.calls.map(({ idempotencyKey }) => idempotencyKey)).toEqual([
      `${runId}/pay~1`,
      `${runId}/book~1`,
      `${runId}/breaks~1`,
    ]);
    const events: RunEvent[] = await collected(h.journal.read(runId));
    expect(events.find(({ type }) => type === 'run-resumed')).toMatchObject({ again: ['pay', 'book', 'breaks'] });
  });

  it('does not undo in a fork what the first run did', async () => {
    const w = world();
    const { runId } = await finished(w, plan([pay, book, { ...breaks, in: {} }]));
    const fork = await settled(w, await w.engine.fork(runId, { from: 'breaks', with: { fail: true } }));
    expect([fork.status, fork.undone]).toEqual(['failed', undefined]);
    const again = await settled(w, await w.engine.fork(runId, { from: 'book', with: { fail: true } }));
    expect([again.status, w.undone]).toEqual(['failed', []]);
  });

  it('runs in a fork what was undone again', async () => {
    const w = world();
    const { runId } = await finished(w, plan([pay, book, breaks]));
    w.calls.length = 0;
    const fork = await settled(w, await w.engine.fork(runId, { from: 'breaks', with: { fail: false } }));
    expect(fork.status).toBe('done');
    expect(w.calls.map(({ node }) => node.id)).toEqual(['pay', 'book', 'breaks']);
  });
});
