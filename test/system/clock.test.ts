/** The real clock, where Node's timers alone would do something else. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/system/clock.ts';

const DAY_MS = 86_400_000;

describe('the clock of the system', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('waits for longer than a timer of Node can, and no longer', () => {
    const called = vi.fn();
    systemClock.schedule(60 * DAY_MS, called);
    vi.advanceTimersByTime(60 * DAY_MS - 1);
    expect(called).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(called).toHaveBeenCalledTimes(1);
  });

  it('never calls what waits without an end, nor what was cancelled in whichever part of a long wait', () => {
    const called = vi.fn();
    systemClock.schedule(Number.POSITIVE_INFINITY, called);
    const cancel = systemClock.schedule(60 * DAY_MS, called);
    vi.advanceTimersByTime(30 * DAY_MS);
    cancel();
    vi.advanceTimersByTime(100 * DAY_MS);
    expect(called).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(1);
  });
});
