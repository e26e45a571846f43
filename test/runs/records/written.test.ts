import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../src/core/run/engine.ts';
import { createLargeValues } from '../../../src/runs/records/large-values.ts';
import { createWritten, learnRecord, newWrittenBytes } from '../../../src/runs/records/written.ts';
import { asJson, eventWith } from './value-events.ts';

const written = (limit: number, runId = 'run') => {
  const bytes = newWrittenBytes(limit);
  return { bytes, ...createWritten(runId, bytes, createLargeValues(), 0) };
};
const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

describe('what a run has written', () => {
  it('is counted at no less than it is, also without a look at small records', () => {
    const runId = '世界"'.repeat(80);
    const started: RunEvent = {
      ...{ seq: 1, at: 1, runId, type: 'node-started', nodeId: 'n'.repeat(40) },
      idempotencyKey: `${runId}/${'n'.repeat(40)}~1/9999/r999`,
    };
    const delta: RunEvent = { seq: 3, at: 1, runId, type: 'plan-delta', nodes: [{ id: 'a', use: 'value' }] };
    for (const event of [started, { ...eventWith(0.123456789, 6), runId }, { ...eventWith('x', 6), runId }, delta]) {
      const { bytes, keep } = written(1_000_000, runId);
      keep(event);
      expect(bytes.total).toBeGreaterThanOrEqual(sizeOf(event));
      expect(learnRecord(createLargeValues(), asJson(event))).toBe(bytes.total);
    }
  });

  it('leaves room for the last records, which are cut short where there is none', () => {
    const { keep } = written(20_000);
    expect(keep(eventWith('x'.repeat(30_000), 6))).toBeUndefined();
    const error = { code: 'tool-failed', message: 'no '.repeat(20_000), retryable: false, details: {} } as const;
    const failed: RunEvent = { seq: 7, at: 1, runId: 'run', type: 'node-failed', nodeId: 'n', error, costNanoUsd: 5 };
    expect(keep(failed)).toBe(failed);
    expect(failed).toMatchObject({
      costNanoUsd: 5,
      error: { code: 'tool-failed', message: error.message.slice(0, 1000) },
    });
    const cancelled = { type: 'node-cancelled', nodeId: 'n', reason: 'so '.repeat(20_000), costNanoUsd: 0 } as const;
    expect(sizeOf(keep({ seq: 8, at: 1, runId: 'run', ...cancelled }))).toBeLessThan(1200);
  });

  it('is that of all runs that share it; one that goes on is not counted twice', () => {
    const bytes = newWrittenBytes(1_000_000);
    const open = (runId: string, before: number) => createWritten(runId, bytes, createLargeValues(), before);
    open('root', 0).keep(eventWith('x'.repeat(3000), 6));
    const { total } = bytes;
    open('root.n', 0).keep(eventWith('y'.repeat(3000), 6));
    expect(bytes.total).toBe(2 * total);
    open('root.n', total);
    expect(bytes.total).toBe(2 * total);
    open('root.m', 500);
    expect(bytes.total).toBe(2 * total + 500);
  });
});
