/** Runs in the store that wait for a moment: continued at it, once, by whatever process lives then. */
import { describe, expect, it, test } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import { createWaits } from '../../src/schedules/waits.ts';
import { HOUR, MINUTE, type Process, processIn, START, type World, world } from './world.ts';

function suspend(all: World, runId: string, dueMs: number | undefined): void {
  all.runs.set(runId, 'suspended');
  if (dueMs !== undefined) all.moments.set(runId, dueMs);
}

async function stop(process: Process, running: Promise<void>): Promise<void> {
  process.control.abort();
  await running;
}

describe('a run that waits', () => {
  it('goes on at its moment and not before, and one that waits for a person does not', async () => {
    const all = world();
    suspend(all, 'tea', START + HOUR);
    suspend(all, 'person', undefined);
    const one = processIn(all, {});
    const running = one.scheduler.run(one.control.signal);
    await all.clock.advance(HOUR - 1);
    expect(all.resumed).toEqual([]);
    await all.clock.advance(1);
    expect(all.resumed).toEqual(['tea']);
    expect(one.events).toMatchObject([
      { type: 'begun', resumed: true, start: { by: 'wait', reason: '2026-03-02T07:30:00.000Z' } },
      { type: 'ended', ending: { status: 'done' } },
    ]);
    await stop(one, running);
    expect(all.clock.pending()).toBe(0);
    expect(await all.store.keys('schedules/open/')).toEqual([]);
  });

  it('is continued once by any number of processes, and found when it begins to wait later', async () => {
    const all = world();
    const many = [1, 2, 3].map(() => processIn(all, {}));
    const running = many.map(({ scheduler, control }) => scheduler.run(control.signal));
    await all.clock.advance(10 * MINUTE);
    const runs = Array.from({ length: 9 }, (_, index) => `run${index}`);
    for (const [index, runId] of runs.entries()) suspend(all, runId, START + (30 + index) * MINUTE);
    await all.clock.advance(HOUR);
    expect(all.resumed).toEqual(runs);
    for (const [index, process] of many.entries()) await stop(process, running[index] as Promise<void>);
    expect(await all.store.keys('schedules/open/')).toEqual([]);
  });

  it('is continued by --once where its moment has come, and left where it has not', async () => {
    const all = world();
    suspend(all, 'late', START - HOUR);
    suspend(all, 'soon', START + 1);
    const one = processIn(all, {});
    await one.scheduler.once(one.control.signal);
    expect(all.resumed).toEqual(['late']);
    expect(await all.store.keys('schedules/open/')).toEqual([]);
  });

  it('goes on again at its next moment', async () => {
    const all = world();
    all.hold = true;
    suspend(all, 'twice', START + HOUR);
    const one = processIn(all, {});
    const running = one.scheduler.run(one.control.signal);
    await all.clock.advance(HOUR);
    all.moments.set('twice', START + 3 * HOUR);
    all.held.get('twice')?.('suspended');
    all.held.delete('twice');
    await all.clock.advance(HOUR + 59 * MINUTE);
    expect(all.resumed).toEqual(['twice']);
    await all.clock.advance(MINUTE);
    expect(all.resumed).toEqual(['twice', 'twice']);
    all.held.get('twice')?.('done');
    await stop(one, running);
  });

  test.each(['interrupted', 'stopped', 'running'] as const)(
    'is continued by the next process where the one that woke it was ended: %s',
    async (how) => {
      const all = world();
      all.hold = true;
      suspend(all, 'tea', START + HOUR);
      const one = processIn(all, {});
      const running = one.scheduler.run(one.control.signal);
      await all.clock.advance(HOUR);
      expect(all.resumed).toEqual(['tea']);
      if (how === 'stopped') await stop(one, running);
      else one.kill(how);
      all.hold = false;
      const next = processIn(all, {});
      await next.scheduler.once(next.control.signal);
      expect(all.resumed).toEqual(['tea', 'tea']);
      expect(all.runs.get('tea')).toBe('done');
      expect(await all.store.keys('schedules/open/')).toEqual([]);
    },
  );

  it('is taken over where another program woke it, and died', async () => {
    const all = world();
    suspend(all, 'tea', START + HOUR);
    const one = processIn(all, {});
    const running = one.scheduler.run(one.control.signal);
    await all.clock.advance(HOUR - 1000);
    all.runs.set('tea', 'running');
    all.held.set('tea', () => {});
    await all.clock.advance(MINUTE);
    expect(all.resumed).toEqual([]);
    all.held.delete('tea');
    all.runs.set('tea', 'interrupted');
    await all.clock.advance(MINUTE);
    expect(all.resumed).toEqual(['tea']);
    await stop(one, running);
    expect(await all.store.keys('schedules/open/')).toEqual([]);
  });

  it('is told once and left as it is where this process lacks what it needs', async () => {
    const all = world();
    suspend(all, 'foreign', START + MINUTE);
    suspend(all, 'own', START + 2 * MINUTE);
    const refuse = async (runId: string) => {
      if (runId === 'foreign') throw new PolyphonyError('invalid-plan', 'There is no step paint.');
    };
    const one = processIn(all, { beforeResume: refuse });
    const running = one.scheduler.run(one.control.signal);
    await all.clock.advance(HOUR);
    expect(one.events.filter(({ type }) => type === 'left')).toMatchObject([{ error: { code: 'invalid-plan' } }]);
    expect(all.runs.get('foreign')).toBe('suspended');
    expect(all.resumed).toEqual(['own']);
    await stop(one, running);
    expect(await all.store.keys('schedules/open/')).toEqual([]);
  });

  /** Killed at each write to the store in turn. */
  test('is never lost nor continued twice, wherever a process dies', async () => {
    for (let step = 0; step < 12; step += 1) {
      const all = world();
      suspend(all, 'tea', START - 1);
      let left = step;
      let victim: Process | undefined;
      const mortal = <A extends readonly unknown[], R>(work: (...given: A) => Promise<R>) =>
        async function live(...given: A): Promise<R> {
          left -= 1;
          if (left >= 0) return work(...given);
          victim?.kill();
          return new Promise<never>(() => {});
        };
      const store = { ...all.store, set: mortal(all.store.set), delete: mortal(all.store.delete) };
      victim = processIn({ ...all, store }, {});
      void victim.scheduler.once(victim.control.signal);
      await all.clock.advance(1000);
      victim.kill();
      const heir = processIn(all, {});
      await heir.scheduler.once(heir.control.signal);
      expect(all.runs.get('tea'), `step ${step}`).toBe('done');
      expect(all.resumed, `step ${step}`).toEqual(['tea']);
      expect(await all.store.keys('schedules/open/'), `step ${step}`).toEqual([]);
    }
  });

  it('is read again only when something has happened to it', async () => {
    const read: string[] = [];
    const now = { ms: 0 };
    const waits = createWaits({
      clock: { now: () => now.ms },
      suspended: async () => Array.from({ length: 500 }, (_, index) => ({ runId: `run${index}`, updatedAt: 1 })),
      moment: async (runId) => {
        read.push(runId);
        return 1000;
      },
    });
    for (let turn = 0; turn < 20; turn += 1) expect(await waits.look(10)).toEqual([]);
    expect(read).toHaveLength(500);
  });
});
