/**
 * The laws of leases, by clocks that are driven by hand: a wall clock that jumps by hours neither holds a lease for ever nor takes one
 * from a process that lives. See src/stores/leases.ts for C1 to C3.
 */

import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import type { RunJournal } from '../../src/core/stores.ts';
import { LIVING_MS, MOST_SKEW_MS } from '../../src/stores/leases.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { temporaryFolder } from '../stores/folder.ts';

const folder = temporaryFolder();
const LEASE_MS = 10_000;
const HOUR_MS = 3_600_000;
let files = 0;

/** Real time, and what the wall clock shows beside it. */
function drivenClock(origin: string | undefined): Clock & { time: number; wall: number } {
  const clock = {
    time: 1_000_000,
    wall: 1_700_000_000_000,
    now: () => clock.wall + clock.time,
    monotonic: () => clock.time,
    schedule: () => () => {},
    origin: () => origin,
  };
  return clock;
}

interface Case {
  readonly one: RunJournal;
  readonly two: RunJournal;
  close(): Promise<void>;
}

function sqlite(clocks: readonly [Clock, Clock], isAlive: boolean | undefined): Case {
  const path = join(folder, `${++files}.db`);
  const processes = { self: () => 'process:x:1:1', isAlive: () => isAlive };
  const [one, two] = clocks.map((clock) => sqliteStores({ path, clock, processes }));
  if (one === undefined || two === undefined) throw new Error('no stores');
  const close = async (): Promise<void> => void (await Promise.all([one.close(), two.close()]));
  return { one: one.journal, two: two.journal, close };
}

const memory = (clock: Clock): Case => {
  const { journal, close } = memoryStores({ clock });
  return { one: journal, two: journal, close };
};

const jumps = fc.array(fc.integer({ min: -48 * HOUR_MS, max: 48 * HOUR_MS }), { maxLength: 4 });

/** One renews every three seconds and the wall jumps between; two never gets the run, until one is silent for the lease. */
async function expectKept(
  { one, two, close }: Case,
  clock: ReturnType<typeof drivenClock>,
  walls: readonly number[],
  moreMs = 0,
) {
  try {
    expect(await one.claim('run', 'one', LEASE_MS)).toBe(true);
    for (const jump of walls) {
      clock.wall += jump;
      clock.time += LEASE_MS / 3;
      expect(await two.claim('run', 'two', LEASE_MS)).toBe(false);
      expect(await one.claim('run', 'one', LEASE_MS)).toBe(true);
    }
    clock.wall += walls[0] ?? HOUR_MS;
    clock.time += LEASE_MS + moreMs - 1;
    expect(await two.claim('run', 'two', LEASE_MS)).toBe(false);
    clock.wall -= 2 * (walls[0] ?? HOUR_MS);
    clock.time += 1;
    expect(await two.claim('run', 'two', LEASE_MS)).toBe(true);
  } finally {
    await close();
  }
}

describe('a lease', () => {
  it('is kept and ends by the monotonic clock where processes share one, however the wall clock jumps', async () => {
    await fc.assert(
      fc.asyncProperty(jumps, async (walls) => {
        for (const isAlive of [true, undefined]) {
          const clock = drivenClock('one boot');
          await expectKept(sqlite([clock, clock], isAlive), clock, walls, isAlive === true ? LIVING_MS : 0);
        }
      }),
      { numRuns: 10 },
    );
  }, 60_000);

  it('is so in memory', async () => {
    await fc.assert(
      fc.asyncProperty(jumps, async (walls) => {
        const clock = drivenClock(undefined);
        await expectKept(memory(clock), clock, walls);
      }),
    );
  });

  it('of the process that asks ends in time, because it does not stand still', async () => {
    const clock = drivenClock('one boot');
    const { one, two, close } = sqlite([clock, clock], true);
    await one.claim('run', 'process:x:1:1#one', LEASE_MS);
    clock.time += LEASE_MS - 1;
    expect(await two.claim('run', 'process:x:1:1#two', LEASE_MS)).toBe(false);
    clock.time += 1;
    expect(await two.claim('run', 'process:x:1:1#two', LEASE_MS)).toBe(true);
    await close();
  });

  it('has ended when its process is dead', async () => {
    const clock = drivenClock('one boot');
    const { one, two, close } = sqlite([clock, clock], false);
    await one.claim('run', 'one', LEASE_MS);
    expect(await two.claim('run', 'two', LEASE_MS)).toBe(true);
    await close();
  });

  it('ends on the wall between processes that share no clock, and at once if its end is further ahead than can be', async () => {
    const skews = fc.integer({ min: -3 * HOUR_MS, max: 3 * HOUR_MS });
    await fc.assert(
      fc.asyncProperty(skews, async (skewMs) => {
        const [here, there] = [drivenClock('here'), drivenClock('there')];
        there.wall += skewMs;
        const { one, two, close } = sqlite([here, there], undefined);
        await one.claim('run', 'one', LEASE_MS);
        const leftMs = LEASE_MS - skewMs;
        const isHeld = leftMs > 0 && leftMs <= LEASE_MS + MOST_SKEW_MS;
        expect(await two.claim('run', 'two', LEASE_MS)).toBe(!isHeld);
        if (isHeld) {
          there.time += leftMs;
          expect(await two.claim('run', 'two', LEASE_MS)).toBe(true);
        }
        await close();
      }),
      { numRuns: 30 },
    );
  }, 60_000);
});
