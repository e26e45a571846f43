import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createControllers } from '../../../../src/gateway/attempt-ring/timeouts/abort-controller-pool.ts';
import {
  createDeadlines,
  type Deadline,
  newDeadline,
} from '../../../../src/gateway/attempt-ring/timeouts/deadline-timer.ts';
import { fakeClock } from '../../../../src/testing/index.ts';

/** What is done to one of five deadlines, and how far the clock goes on. */
type Step = { readonly who: number; readonly set: number | 'remove' } | { readonly wait: number };

const steps = fc.array(
  fc.oneof(
    fc.record({ who: fc.nat(4), set: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.constant('remove' as const)) }),
    fc.record({ wait: fc.integer({ min: 1, max: 30 }) }),
  ),
  { maxLength: 60 },
);

/** Plays the steps on the deadlines and on a list of what should come when. */
async function play(given: readonly Step[]): Promise<{ readonly came: string[]; readonly expected: string[] }> {
  const clock = fakeClock();
  const deadlines = createDeadlines(clock);
  const all: readonly Deadline[] = Array.from({ length: 5 }, newDeadline);
  const wanted = new Map<number, number>();
  const came: string[] = [];
  const expected: string[] = [];
  const onDue = (who: number) => (): void => {
    came.push(`${who} at ${clock.monotonic()}`);
    deadlines.remove(all[who] as Deadline);
  };
  for (const step of [...given, { wait: 100 }]) {
    if ('wait' in step) {
      const until = clock.monotonic() + step.wait;
      const due = [...wanted].filter(([, at]) => at <= until);
      for (const [who, at] of due) {
        expected.push(`${who} at ${at}`);
        wanted.delete(who);
      }
      await clock.advance(step.wait);
    } else if (step.set === 'remove') {
      deadlines.remove(all[step.who] as Deadline);
      wanted.delete(step.who);
    } else {
      const at = clock.monotonic() + 1 + step.set;
      deadlines.set(all[step.who] as Deadline, at, onDue(step.who));
      wanted.set(step.who, at);
    }
  }
  expect(clock.pending()).toBe(0);
  return { came: came.sort(), expected: expected.sort() };
}

describe('deadlines', () => {
  it('come once each at their time, however they are moved and removed, and leave no timer', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        const { came, expected } = await play(given);
        expect(came).toEqual(expected);
      }),
    );
  });

  it('share one timer', () => {
    const clock = fakeClock();
    const deadlines = createDeadlines(clock);
    for (let count = 0; count < 64; count += 1) deadlines.set(newDeadline(), 1000 + count, () => {});
    expect(clock.pending()).toBe(1);
  });
});

describe('controllers', () => {
  it('serve again unless they were aborted, and not for ever', () => {
    const controllers = createControllers();
    const first = controllers.take();
    controllers.giveBack(first);
    expect(controllers.take()).toBe(first);
    first.controller.abort();
    controllers.giveBack(first);
    expect(controllers.take()).not.toBe(first);

    const seen = new Set<AbortController>();
    for (let attempt = 0; attempt < 250; attempt += 1) {
      const lent = controllers.take();
      seen.add(lent.controller);
      controllers.giveBack(lent);
    }
    expect(seen.size).toBe(3);
  });
});
