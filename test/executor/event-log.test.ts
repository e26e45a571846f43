import { expect, it } from 'vitest';
import type { RunEvent } from '../../src/core/run/engine.ts';
import { eventLog } from '../../src/executor/event-log.ts';
import { collected } from './harness.ts';

const place = (seq: number) => ({ seq, at: 0, runId: 'run', nodeId: 'a' });
const delta = (seq: number): RunEvent => ({ ...place(seq), type: 'node-delta', text: 'x'.repeat(744) });
const other = (seq: number): RunEvent => ({ ...place(seq), type: 'node-ready' });

it('drops the oldest streamed text when all of it takes too much, and no other event', async () => {
  const log = eventLog(10_000);
  for (let seq = 0; seq < 100; seq += 1) log.push(seq % 10 === 0 ? other(seq) : delta(seq));
  log.close();
  const events = await collected(log.read());
  expect(events.filter(({ type }) => type === 'node-ready')).toHaveLength(10);
  const deltas = events.filter(({ type }) => type === 'node-delta');
  expect(deltas.map(({ seq }) => seq)).toEqual([89, 91, 92, 93, 94, 95, 96, 97, 98, 99]);
  expect(log.size()).toBe(100);
});

it('shows all of it to a reader that keeps up', async () => {
  const log = eventLog(1000);
  const read = collected(log.read());
  for (let seq = 0; seq < 100; seq += 1) {
    log.push(delta(seq));
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
  }
  log.close();
  expect(await read).toHaveLength(100);
});

it('drops the oldest events of nested runs in the same way, and none of its own', async () => {
  const log = eventLog(10_000);
  const nested = (seq: number): RunEvent => ({
    ...place(seq),
    type: 'node-ready',
    runId: 'run.a',
    parent: { runId: 'run', nodeId: 'a' },
  });
  for (let seq = 0; seq < 100; seq += 1) {
    log.push(other(seq));
    log.pushNested(nested(seq));
  }
  log.close();
  const events = await collected(log.read());
  expect(events.filter(({ runId }) => runId === 'run')).toHaveLength(100);
  expect(events.filter(({ runId }) => runId === 'run.a').map(({ seq }) => seq)).toEqual(
    Array.from({ length: 9 }, (_, index) => 91 + index),
  );
});
