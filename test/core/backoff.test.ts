import { describe, expect, it } from 'vitest';
import { backOffMs, ceilingMs } from '../../src/core/backoff.ts';

const rule = { baseMs: 500, maxMs: 30_000 };

describe('back-off', () => {
  it('doubles its ceiling from the base to the maximum', () => {
    const ceilings = [0, 1, 2, 3, 7, 8, 100].map((failures) => ceilingMs(failures, rule.baseMs, rule.maxMs));
    expect(ceilings).toEqual([500, 500, 1000, 2000, 30_000, 30_000, 30_000]);
  });

  it('waits uniformly below the ceiling, and never less than it was asked to', () => {
    expect(backOffMs({ ...rule, failures: 2, random: () => 0.25 })).toBe(250);
    expect(backOffMs({ ...rule, failures: 2, random: () => 0.25, atLeastMs: 9000 })).toBe(9000);
    expect(backOffMs({ ...rule, failures: 2, random: () => 0 })).toBe(0);
  });
});
