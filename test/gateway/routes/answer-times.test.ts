/** The share of slow answers is the 95th percentile by nearest rank, within the window and the ring. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AnswerTimes } from '../../../src/gateway/routes/answer-times.ts';

const LIMIT_MS = 1000;
const took = fc.record({ ms: fc.integer({ min: 900, max: 1100 }), isAnswer: fc.boolean(), gapMs: fc.nat(20) });

it('says the same as a sorted list of the last 256 within the window', () => {
  fc.assert(
    fc.property(fc.array(took, { maxLength: 600, size: 'max' }), fc.nat(6000), (all, windowMs) => {
      const times = new AnswerTimes();
      const plain: { readonly ms: number; readonly isAnswer: boolean; readonly at: number }[] = [];
      let nowMs = 1_000_000;
      for (const { ms, isAnswer, gapMs } of all) {
        nowMs += gapMs;
        times.add(ms, isAnswer, nowMs);
        plain.push({ ms, isAnswer, at: nowMs });
      }
      const since = nowMs - windowMs;
      const counted = plain
        .slice(-256)
        .filter(({ ms, isAnswer, at }) => at > since && (isAnswer || ms > LIMIT_MS))
        .map(({ ms }) => ms)
        .sort((a, b) => a - b);
      const p95Ms = counted[Math.ceil(0.95 * counted.length) - 1] ?? null;
      const { answers, slow, share } = times.count(LIMIT_MS, since);
      expect([answers, slow]).toEqual([counted.length, counted.filter((ms) => ms > LIMIT_MS).length]);
      expect(times.p95(LIMIT_MS, since)).toBe(p95Ms);
      if (answers >= 20) expect(share > 1 / 20).toBe((p95Ms ?? 0) > LIMIT_MS);
      else expect(share > 1 / 20).toBe(slow >= 2);
    }),
    { numRuns: 300 },
  );
});
