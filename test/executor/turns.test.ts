/** Two callers change one run at the same time: it is driven once, and every place in its journal is written once. */
import { describe, expect, it } from 'vitest';
import type { PolyphonyError } from '../../src/core/errors.ts';
import type { RunHandle } from '../../src/core/run/engine.ts';
import type { RunJournal } from '../../src/core/stores.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sleep } from '../../src/system/clock.ts';
import { fakeRuntime, seededRandom } from '../../src/testing/fakes.ts';
import { collected, type Harness, harness, settled } from './harness.ts';
import { validPlan } from './valid-plan.ts';

const plan = validPlan({
  nodes: [
    { id: 'ask', use: 'human', in: { question: 'Go?' } },
    { id: 'other', use: 'human', in: { question: 'How?' } },
    { id: 'pay', use: 'step', needs: ['ask'] },
  ],
});

async function suspended() {
  const h = harness();
  const { runId } = await settled(h, h.engine.start(plan));
  return { h, runId };
}

async function writtenOnce({ journal }: Harness, runId: string): Promise<void> {
  const seqs = (await collected(journal.read(runId))).map(({ seq }) => seq);
  expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
}

const codesOf = (settled: readonly PromiseSettledResult<unknown>[]): unknown[] =>
  settled.map((one) => (one.status === 'fulfilled' ? 'ok' : one.reason.code));

/** Two entries at once, of which each would drive the run: which of them does, and what the other is told. */
const PAIRS: readonly (readonly [string, Entry, Entry, 'first' | 'second', string])[] = [
  ['resume and resume', 'resume', 'resume', 'first', 'store-busy'],
  ['start of a run that exists, and resume', 'start', 'resume', 'second', 'invalid-request'],
  ['resume, and start of a run that exists', 'resume', 'start', 'first', 'invalid-request'],
  ['fork to a run that exists, and resume', 'fork', 'resume', 'second', 'invalid-request'],
  ['resume, and fork to a run that exists', 'resume', 'fork', 'first', 'invalid-request'],
  ['start and start', 'startNew', 'startNew', 'first', 'invalid-request'],
  ['fork and fork', 'forkNew', 'forkNew', 'first', 'invalid-request'],
  ['start and fork', 'startNew', 'forkNew', 'first', 'invalid-request'],
  ['fork and start', 'forkNew', 'startNew', 'first', 'invalid-request'],
  ['start and resume', 'startNew', 'resumeNew', 'first', 'store-busy'],
];
type Entry = 'start' | 'resume' | 'fork' | 'startNew' | 'resumeNew' | 'forkNew';

/** The result of a run, or the code of the error that kept it from being driven here. */
async function driven({ engine }: Harness, base: string, entry: Entry): Promise<unknown> {
  const runId = entry.endsWith('New') ? 'new' : base;
  const kind = entry.replace('New', '');
  try {
    const handle =
      kind === 'start'
        ? engine.start(plan, { runId })
        : await (kind === 'fork' ? engine.fork(base, { from: 'pay', runId }) : engine.resume(runId));
    const { status, error } = await handle.result();
    return status === 'failed' ? error?.code : status;
  } catch (error) {
    return (error as PolyphonyError).code;
  }
}

describe('two entries at once', () => {
  it.each(PAIRS)('%s: one drives the run, and the other is refused', async (_, one, two, winner, code) => {
    const { h, runId } = await suspended();
    await h.engine.answer(runId, 'ask', true);
    await h.engine.answer(runId, 'other', true);
    const both = Promise.all([driven(h, runId, one), driven(h, runId, two)]);
    let outcomes: unknown;
    void both.then((value) => {
      outcomes = value;
    });
    for (let turn = 0; turn < 1000 && outcomes === undefined; turn += 1) await h.runtime.clock.runAll(1);
    // A run that begins anew waits for answers.
    const ends = (winner === 'first' ? one : two).endsWith('New') ? 'suspended' : 'done';
    expect(outcomes).toEqual(winner === 'first' ? [ends, code] : [code, ends]);
    for (const run of [runId, 'new']) await writtenOnce(h, run);
    expect(h.calls.length).toBeLessThan(2);
  });

  it('through two engines of one name over one journal: the lease belongs to a drive', async () => {
    const runtime = fakeRuntime();
    const { journal } = memoryStores({ clock: runtime.clock });
    const [one, two] = [harness({ runtime, journal, owner: 'me' }), harness({ runtime, journal, owner: 'me' })];
    const { runId } = await settled(one, one.engine.start(plan));
    await one.engine.answer(runId, 'ask', true);
    await one.engine.answer(runId, 'other', true);
    const both = await Promise.all([driven(one, runId, 'resume'), driven(two, runId, 'resume')]);
    expect(both.toSorted()).toEqual(['done', 'store-busy']);
    expect([...one.calls, ...two.calls]).toHaveLength(1);
  });
});

/** A store whose answers come in another order for each seed. */
function shuffled(journal: RunJournal, seed: number): RunJournal {
  const random = seededRandom(seed);
  const wait = async (): Promise<void> => {
    for (let tick = Math.floor(random() * 40); tick > 0; tick -= 1) await Promise.resolve();
  };
  const later =
    <Args extends unknown[], T>(call: (...args: Args) => Promise<T> | T) =>
    async (...args: Args): Promise<T> => {
      await wait();
      const result = await call(...args);
      await wait();
      return result;
    };
  return {
    ...journal,
    append: later((runId, events) => journal.append(runId, events)),
    claim: later((runId, owner, ms) => journal.claim(runId, owner, ms)),
    release: later((runId, owner) => journal.release(runId, owner)),
    read: (runId) => journal.read(runId),
  };
}

describe('two entries at once in two processes', () => {
  const SHARED = PAIRS.filter(([, ...entries]) => !entries.includes('resumeNew'));

  it.each(SHARED)('%s: one drives the run, in whatever order the store answers', async (_, one, two) => {
    for (let seed = 0; seed < 60; seed += 1) {
      const runtime = fakeRuntime();
      const journal = shuffled(memoryStores({ clock: runtime.clock }).journal, seed);
      const [first, second] = [harness({ runtime, journal }), harness({ runtime, journal, owner: 'other' })];
      const { runId } = await settled(first, first.engine.start(plan));
      for (const nodeId of ['ask', 'other']) await first.engine.answer(runId, nodeId, true);
      let outcomes: readonly unknown[] | undefined;
      void Promise.all([driven(first, runId, one), driven(second, runId, two)]).then((both) => {
        outcomes = both;
      });
      for (let turn = 0; turn < 1000 && outcomes === undefined; turn += 1) await runtime.clock.runAll(1);
      const drove = outcomes?.filter((outcome) => outcome === 'done' || outcome === 'suspended');
      expect(drove, `${outcomes} with seed ${seed}`).toHaveLength(1);
      for (const run of [runId, 'new']) await writtenOnce(first, run);
      expect([...first.calls, ...second.calls].length).toBeLessThan(2);
    }
  });
});

describe('one run and two callers at once', () => {
  it('is resumed by one of them', async () => {
    const { h, runId } = await suspended();
    await h.engine.answer(runId, 'ask', true);
    const both = await Promise.allSettled([h.engine.resume(runId), h.engine.resume(runId)]);
    expect(codesOf(both)).toEqual(['ok', 'store-busy']);
    for (const one of both) if (one.status === 'fulfilled') await settled(h, one.value as RunHandle);
    expect(h.calls.map(({ node }) => node.id)).toEqual(['pay']);
    await writtenOnce(h, runId);
  });

  it('takes one answer per question', async () => {
    const { h, runId } = await suspended();
    const answers = [h.engine.answer(runId, 'ask', 1), h.engine.answer(runId, 'ask', 2)];
    expect(codesOf(await Promise.allSettled(answers))).toEqual(['ok', 'not-found']);
    await writtenOnce(h, runId);
  });

  it('is answered while it is resumed', async () => {
    const { h, runId } = await suspended();
    await h.engine.answer(runId, 'ask', 1);
    const coming = h.engine.resume(runId);
    await h.engine.answer(runId, 'other', 2);
    expect((await settled(h, await coming)).status).toBe('done');
    await writtenOnce(h, runId);
  });

  it('is cancelled between two answers', async () => {
    const { h, runId } = await suspended();
    const all = [h.engine.answer(runId, 'ask', 1), h.engine.cancel(runId), h.engine.cancel(runId)];
    expect(await Promise.all(all)).toEqual([undefined, true, false]);
    await writtenOnce(h, runId);
  });

  it('is not begun by an engine that was closed meanwhile', async () => {
    const { h, runId } = await suspended();
    await h.engine.answer(runId, 'ask', 1);
    const coming = h.engine.resume(runId);
    await h.engine.close();
    await expect(coming).rejects.toMatchObject({ code: 'invalid-request' });
    expect(() => h.engine.start(plan)).toThrow('closed');
    expect(h.calls).toEqual([]);
  });

  it('takes one answer per question while it is driven, and says of the other that it is answered', async () => {
    const runtime = fakeRuntime();
    const step = (call: { readonly signal: AbortSignal }) => sleep(runtime.clock, 1000, call.signal);
    const slow = validPlan({
      nodes: [
        { id: 'slow', use: 'step' },
        { id: 'ask', use: 'human', in: { question: 'Go?' } },
      ],
      output: '{{ask.answer}}',
    });
    const h = harness({ runtime, step });
    const handle = h.engine.start(slow);
    await runtime.clock.advance(100);
    const answers = [h.engine.answer(handle.runId, 'ask', 'first'), h.engine.answer(handle.runId, 'ask', 'second')];
    const [one, two] = await Promise.allSettled(answers);
    expect(one?.status).toBe('fulfilled');
    expect(two).toMatchObject({ reason: { code: 'not-found', message: expect.stringContaining('already answered') } });
    expect(await settled(h, handle)).toMatchObject({ status: 'done', output: 'first' });
    await writtenOnce(h, handle.runId);
    await expect(h.engine.answer(handle.runId, 'ask', 'third')).rejects.toThrow('is done, so none');
  });

  it('takes no answer once it has ended, however it ended', async () => {
    const cancelled = await suspended();
    await cancelled.h.engine.cancel(cancelled.runId);
    await expect(cancelled.h.engine.answer(cancelled.runId, 'ask', 1)).rejects.toThrow('is cancelled, so none');
    const failing = validPlan({
      nodes: [
        { id: 'ask', use: 'human', in: { question: 'Go?' } },
        { id: 'pay', use: 'step' },
      ],
    });
    const step = async (): Promise<never> => {
      throw new Error('no money');
    };
    const h = harness({ step });
    const { runId, status } = await settled(h, h.engine.start(failing));
    expect(status).toBe('failed');
    await expect(h.engine.answer(runId, 'ask', 1)).rejects.toThrow('is failed, so none');
    await writtenOnce(h, runId);
  });

  it('changes a nested run only where its root is not driven elsewhere', async () => {
    const { h, runId } = await suspended();
    const parent = { runId: 'root', nodeId: 'n', kind: 'nested' as const };
    const [first, ...rest] = await collected(h.journal.read(runId));
    await h.journal.append('root.n', [{ ...first, runId: 'root.n', parent } as never]);
    await h.journal.append(
      'root.n',
      rest.map((event) => ({ ...event, runId: 'root.n' })),
    );
    await h.journal.append('root', [{ ...first, runId: 'root' } as never]);
    await h.journal.claim('root', 'another process', 1000);
    await expect(h.engine.answer('root.n', 'ask', 1)).rejects.toMatchObject({ code: 'store-busy' });
    await expect(h.engine.cancel('root.n')).rejects.toMatchObject({ code: 'store-busy' });
    await h.journal.release('root', 'another process');
    await h.engine.answer('root.n', 'ask', 1);
    expect(await h.engine.cancel('root.n')).toBe(true);
  });
});
