/** Schedules and triggers on a clock that the test moves: what is fired, once, and what a crash leaves behind. */
import { describe, expect, it, test } from 'vitest';
import type { ScheduleConfig, TriggerConfig } from '../../src/core/config.ts';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { FoundFile } from '../../src/schedules/folder.ts';
import { createSchedule } from '../../src/schedules/schedule.ts';
import { fakeClock } from '../../src/testing/fakes.ts';
import { type Given, HOUR, MINUTE, type Process, processIn, START, type World, world } from './world.ts';

const daily = { digest: { cron: '0 7 * * *', run: 'digest.plan.json', input: { at: '{{due}}', list: ['{{due}}!'] } } };
const inbox = {
  invoices: { folder: 'inbox', pattern: '*.pdf', run: 'invoice.plan.json', settleMs: 3000, pollMs: 1000 },
};
const file = (name: string, size = 10, modifiedMs = 5): FoundFile => ({ name, size, modifiedMs });
const idsOf = ({ started }: World): readonly string[] => started.map(({ runId }) => runId);

async function stopped(process: Process, running: Promise<void>, all: World): Promise<void> {
  process.control.abort();
  await running;
  expect(all.clock.pending()).toBe(0);
}

describe('a schedule', () => {
  it('fires at its times, with the time that was due as input', async () => {
    const all = world();
    const one = processIn(all, { schedules: daily });
    const running = one.scheduler.run(one.control.signal);
    await all.clock.advance(29 * MINUTE);
    expect(all.started).toEqual([]);
    await all.clock.advance(MINUTE + 24 * HOUR);
    expect(all.started).toMatchObject([
      { runId: 'schedule_digest_20260302T0700Z', input: { at: '2026-03-02T07:00:00.000Z' } },
      { runId: 'schedule_digest_20260303T0700Z', input: { list: ['2026-03-03T07:00:00.000Z!'] } },
    ]);
    expect(one.events.map(({ type }) => type)).toEqual(['begun', 'ended', 'begun', 'ended']);
    await stopped(one, running, all);
    expect(await all.store.keys('schedules/open/')).toEqual([]);
  });

  it('is fired once by any number of processes', async () => {
    const all = world();
    const many = [1, 2, 3].map(() => processIn(all, { schedules: daily }));
    const running = many.map(({ scheduler, control }) => scheduler.run(control.signal));
    await all.clock.advance(25 * HOUR);
    expect(idsOf(all)).toEqual(['schedule_digest_20260302T0700Z', 'schedule_digest_20260303T0700Z']);
    for (const [index, process] of many.entries()) {
      process.control.abort();
      await running[index];
    }
    expect(await all.store.keys('schedules/open/')).toEqual([]);
  });

  it.each([
    ['skip', []],
    ['once', ['schedule_digest_20260305T0700Z']],
  ] as const)('with missed: %s starts %j for times that nobody fired', async (missed, expected) => {
    const all = world();
    const schedules = { digest: { ...daily.digest, missed } };
    const first = processIn(all, { schedules });
    await first.scheduler.once(first.control.signal);
    await all.clock.advance(3 * 24 * HOUR + HOUR);
    const later = processIn(all, { schedules });
    await later.scheduler.once(later.control.signal);
    await later.scheduler.once(later.control.signal);
    expect(idsOf(all)).toEqual(expected);
  });

  it('fires a time that passed just now, whatever missed says', async () => {
    const all = world();
    const before = processIn(all, { schedules: daily });
    await before.scheduler.once(before.control.signal);
    await all.clock.advance(32 * MINUTE);
    const after = processIn(all, { schedules: daily });
    await after.scheduler.once(after.control.signal);
    expect(idsOf(all)).toEqual(['schedule_digest_20260302T0700Z']);
  });

  it('counts from now on when it is new, or its times were changed', async () => {
    const all = world();
    const once = async (cron: string) => {
      const process = processIn(all, { schedules: { digest: { ...daily.digest, cron, missed: 'once' } } });
      await process.scheduler.once(process.control.signal);
    };
    await once('0 6 * * *');
    await all.clock.advance(2 * HOUR);
    await once('0 7 * * *');
    await once('0 7 * * *');
    expect(all.started).toEqual([]);
  });

  it('does not overlap itself: times that pass during a run ask for one start', async () => {
    const all = world();
    all.hold = true;
    const one = processIn(all, { schedules: { often: { cron: '* * * * *', run: 'a.plan.json', missed: 'once' } } });
    const running = one.scheduler.run(one.control.signal);
    await all.clock.advance(10 * MINUTE);
    expect(idsOf(all)).toEqual(['schedule_often_20260302T0631Z']);
    all.held.get('schedule_often_20260302T0631Z')?.('done');
    await all.clock.advance(1);
    expect(idsOf(all)).toEqual(['schedule_often_20260302T0631Z', 'schedule_often_20260302T0640Z']);
    await stopped(one, running, all);
  });

  it('does not fire again when the clock on the wall is put back', async () => {
    const all = world(START + 31 * MINUTE);
    await all.store.set('schedules/until/digest', 'what another version wrote');
    const early = world(START + 31 * MINUTE);
    const store = early.store;
    const now = { ms: START };
    const clock = { ...early.clock, now: () => now.ms };
    const schedule = createSchedule('digest', daily.digest, store, clock);
    await schedule.due();
    now.ms = START + 31 * MINUTE;
    const due = await schedule.due();
    await due?.taken();
    expect(due?.start.runId).toBe('schedule_digest_20260302T0700Z');
    now.ms = START + 29 * MINUTE;
    expect(await schedule.due()).toBeUndefined();
    now.ms = START + 31 * MINUTE;
    expect(await schedule.due()).toBeUndefined();
    const other = createSchedule('digest', daily.digest, all.store, all.clock);
    expect(await other.due()).toBeUndefined();
  });

  it('goes on after the clock on the wall was years ahead', async () => {
    const all = world();
    const now = { ms: START + 10 * 365 * 24 * HOUR };
    const schedule = createSchedule('digest', daily.digest, all.store, { ...all.clock, now: () => now.ms });
    expect(await schedule.due()).toBeUndefined();
    now.ms += 24 * HOUR;
    await (await schedule.due())?.taken();
    now.ms = START;
    expect(await schedule.due()).toBeUndefined();
    now.ms = START + 31 * MINUTE;
    expect((await schedule.due())?.start.runId).toBe('schedule_digest_20260302T0700Z');
  });
});

describe('a trigger', () => {
  it('takes a file when it stands still, and takes it once', async () => {
    const all = world();
    const one = processIn(all, { triggers: inbox });
    const running = one.scheduler.run(one.control.signal);
    all.files = [file('a.pdf', 10, 5)];
    await all.clock.advance(2000);
    all.files = [file('a.pdf', 20, 6)];
    await all.clock.advance(3000);
    expect(all.started).toEqual([]);
    await all.clock.advance(2000);
    expect(all.started).toMatchObject([{ input: { path: '/watched/inbox/a.pdf' }, reason: 'a.pdf' }]);
    await all.clock.advance(HOUR);
    expect(all.started).toHaveLength(1);
    all.files = [file('a.pdf', 21, 7)];
    await all.clock.advance(10_000);
    expect(all.started).toHaveLength(2);
    expect(await all.store.keys('schedules/taken/')).toHaveLength(1);
    await stopped(one, running, all);
  });

  it('takes a file once in many processes, also when its run was removed from the store', async () => {
    const all = world();
    all.files = [file('a.pdf'), file('b.pdf')];
    for (const _process of [1, 2]) {
      const many = [processIn(all, { triggers: inbox }), processIn(all, { triggers: inbox })];
      const work = Promise.all(many.map(({ scheduler, control }) => scheduler.once(control.signal)));
      await all.clock.advance(10_000);
      await work;
      all.runs.clear();
    }
    expect(all.started.map(({ reason }) => reason)).toEqual(['a.pdf', 'b.pdf']);
  });

  it('runs no more at the same time than it may', async () => {
    const all = world();
    all.hold = true;
    all.files = Array.from({ length: 9 }, (_, index) => file(`${index}.pdf`));
    const one = processIn(all, { triggers: { invoices: { ...inbox.invoices, concurrency: 2 } } });
    const running = one.scheduler.run(one.control.signal);
    await all.clock.advance(30_000);
    expect(all.started).toHaveLength(2);
    all.held.get(all.started[0]?.runId ?? '')?.('done');
    await all.clock.advance(2000);
    expect(all.started).toHaveLength(3);
    await stopped(one, running, all);
  });

  it('gives the run what it asks for of the file, and forgets files that are gone', async () => {
    const all = world();
    const input = { text: '{{name}} has {{size}}', size: '{{size}}', since: '{{modified}}' };
    const one = processIn(all, { triggers: { invoices: { ...inbox.invoices, input } } });
    all.files = [file('a.pdf', 12, START)];
    const work = one.scheduler.once(one.control.signal);
    await all.clock.advance(5000);
    await work;
    expect(all.started[0]?.input).toEqual({ text: 'a.pdf has 12', size: 12, since: '2026-03-02T06:30:00.000Z' });
    all.files = [];
    const next = processIn(all, { triggers: inbox });
    const empty = next.scheduler.once(next.control.signal);
    await all.clock.advance(5000);
    await empty;
    expect(await all.store.keys('schedules/taken/')).toEqual([]);
  });

  it('tells once that its folder cannot be read, and goes on when it can', async () => {
    const all = world();
    let missing = true;
    const lookInto = async () => {
      if (missing) throw new PolyphonyError('not-found', 'there is no such folder');
      return { files: [file('a.pdf')], truncated: false };
    };
    const one = processIn(all, { triggers: inbox, lookInto });
    const running = one.scheduler.run(one.control.signal);
    await all.clock.advance(MINUTE);
    expect(one.problems).toEqual(['triggers.invoices: there is no such folder']);
    missing = false;
    await all.clock.advance(20_000);
    expect(all.started).toHaveLength(1);
    await stopped(one, running, all);
  });
});

describe('what a process leaves behind', () => {
  test.each(['interrupted', 'running', 'stopped'] as const)(
    'is continued by the next, when its run is %s',
    async (how) => {
      const all = world();
      all.hold = true;
      const one = processIn(all, { schedules: daily });
      const running = one.scheduler.run(one.control.signal);
      await all.clock.advance(31 * MINUTE);
      expect(idsOf(all)).toEqual(['schedule_digest_20260302T0700Z']);
      if (how === 'stopped') await stopped(one, running, all);
      else one.kill(how);
      all.hold = false;
      const next = processIn(all, { schedules: daily });
      await next.scheduler.once(next.control.signal);
      expect(all.resumed).toEqual(['schedule_digest_20260302T0700Z']);
      expect(all.started).toHaveLength(1);
      expect(await all.store.keys('schedules/open/')).toEqual([]);
    },
  );

  it('is taken over by another process that runs', async () => {
    const all = world();
    all.hold = true;
    const both = [processIn(all, { schedules: daily }), processIn(all, { schedules: daily })];
    const running = both.map(({ scheduler, control }) => scheduler.run(control.signal));
    await all.clock.advance(31 * MINUTE);
    const isDriver = ({ events }: Process): boolean => events.some(({ type }) => type === 'begun');
    expect(both.filter(isDriver)).toHaveLength(1);
    both.find(isDriver)?.kill();
    all.hold = false;
    await all.clock.advance(MINUTE);
    expect({ started: idsOf(all), resumed: all.resumed }).toEqual({
      started: ['schedule_digest_20260302T0700Z'],
      resumed: ['schedule_digest_20260302T0700Z'],
    });
    for (const process of both) process.control.abort();
    await Promise.race(running);
  });

  it('is followed while others are left behind, four at a time, each once, until the process stops', async () => {
    const all = world();
    all.hold = true;
    const leave = async (runId: string): Promise<void> => {
      const start = { runId, by: 'schedules.digest', run: 'digest.plan.json', input: {}, reason: 'then' };
      await all.store.set(`schedules/open/${runId}`, { start, interrupted: false });
      all.runs.set(runId, 'interrupted');
    };
    const one = processIn(all, {});
    const running = one.scheduler.run(one.control.signal);
    await leave('a');
    await all.clock.advance(15_000);
    expect(all.resumed).toEqual(['a']);
    await leave('b');
    await all.clock.advance(15_000);
    expect(all.resumed).toEqual(['a', 'b']);
    for (const runId of ['c', 'd', 'e', 'f']) await leave(runId);
    await all.clock.advance(MINUTE);
    expect(all.resumed).toEqual(['a', 'b', 'c', 'd']);
    all.held.get('b')?.('done');
    await all.clock.advance(1);
    expect(all.resumed).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(await all.store.get('schedules/open/b')).toBeUndefined();
    await stopped(one, running, all);
    expect(all.resumed).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(all.runs.get('f')).toBe('interrupted');
    expect(one.problems).toEqual([]);
  });

  it('is not continued when somebody cancelled the run', async () => {
    const all = world();
    all.hold = true;
    const one = processIn(all, { schedules: daily });
    const running = one.scheduler.run(one.control.signal);
    await all.clock.advance(31 * MINUTE);
    all.held.get('schedule_digest_20260302T0700Z')?.('cancelled');
    await all.clock.advance(MINUTE);
    await stopped(one, running, all);
    const next = processIn(all, { schedules: daily });
    await next.scheduler.once(next.control.signal);
    expect(all.resumed).toEqual([]);
  });

  /** Killed at each write to the store and each call of the engine in turn. */
  test('is never lost nor started twice, wherever a process dies', async () => {
    for (let step = 0; step < 40; step += 1) {
      const all = world();
      all.files = [file('a.pdf')];
      const given: Given = { schedules: { digest: { ...daily.digest, missed: 'once' } }, triggers: inbox };
      const seed = createSchedule('digest', given.schedules?.digest ?? daily.digest, all.store, all.clock);
      await seed.due();
      await all.clock.advance(HOUR);
      let left = step;
      const counting: World = { ...all, store: { ...all.store } };
      let victim: Process | undefined;
      const count = <T>(work: () => Promise<T>): Promise<T> => {
        left -= 1;
        if (left < 0) victim?.kill();
        return left < 0 ? new Promise<never>(() => {}) : work();
      };
      counting.store.get = (key) => count(() => all.store.get(key));
      counting.store.set = (key, value, options) => count(() => all.store.set(key, value, options));
      counting.store.delete = (key) => count(() => all.store.delete(key));
      victim = processIn(counting, given);
      void victim.scheduler.once(victim.control.signal);
      await all.clock.advance(10_000);
      victim.kill();
      const heir = processIn(all, given);
      const work = heir.scheduler.once(heir.control.signal);
      await all.clock.advance(10_000);
      await work;
      expect([...all.runs.values()], `step ${step}`).toEqual(['done', 'done']);
      expect(new Set(idsOf(all)).size, `step ${step}`).toBe(idsOf(all).length);
    }
  });
});

describe('a config that cannot be used', () => {
  const scheduled = (input: ScheduleConfig['input']) => () =>
    createSchedule(
      'digest',
      { ...daily.digest, ...(input === undefined ? {} : { input }) },
      world().store,
      fakeClock(),
    );
  const triggered = (given: Partial<TriggerConfig>) => () =>
    processIn(world(), { triggers: { invoices: { ...inbox.invoices, ...given } } });

  it.each([
    ['a field of a file in a schedule', scheduled({ a: '{{path}}' }), 'schedules.digest.input refers to {{path}}'],
    ['anything else', scheduled({ a: ['{{env.KEY}}'] }), 'use {{due}}'],
    ['a field of a field', scheduled({ a: '{{due.year}}' }), 'schedules.digest.input'],
    ['a due time of a file', triggered({ input: { a: '{{due}}' } }), 'triggers.invoices.input refers to {{due}}'],
    ['a pattern that leaves the folder', triggered({ pattern: '../*' }), 'triggers.invoices.pattern'],
    ['a pattern from the root', triggered({ pattern: '/etc/*' }), 'triggers.invoices.pattern'],
  ])('%s is refused with its field', (_, make, words) => {
    expect(make).toThrow(PolyphonyError);
    expect(make).toThrow(words);
  });
});
