import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../src/core/run/engine.ts';
import { eventReader, fullEvents } from '../../../src/core/run/full-events.ts';
import { eventWith } from '../../runs/records/value-events.ts';

const marked = (value: unknown, seq: number): RunEvent => ({ ...eventWith(value, seq), refers: true });

const readAll = (recorded: readonly RunEvent[]): RunEvent[] => {
  const read = eventReader();
  return recorded.map((event) => read(event));
};

const thrown = (recorded: readonly RunEvent[]): unknown => {
  try {
    readAll(recorded);
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('the full form of recorded events', () => {
  it('has the values that references name, shared and not copied', () => {
    const list = [{ a: 1 }, 'two'];
    const [, second, third] = readAll([
      eventWith({ list }, 0),
      marked({ again: { $at: [0, 'input', 'list'] } }, 6),
      marked([{ $at: [6, 'result', 'output', 'again', 0] }], 13),
    ]);
    expect(second).toEqual(eventWith({ again: list }, 6));
    expect(third).toEqual(eventWith([{ a: 1 }], 13));
    expect(second?.type === 'node-finished' && (second.result.output as { again: unknown }).again).toBe(list);
  });

  it('leaves events without the mark alone, whatever they hold', () => {
    const events = [eventWith({ $at: [5, 'nowhere'] }, 0), eventWith([{ $at: { $at: [0] } }], 6)];
    for (const [index, event] of readAll(events).entries()) expect(event).toBe(events[index]);
  });

  it('unwraps what only looks like a reference', () => {
    const wrapped = { $at: { $at: [0, 'input'] } };
    expect(readAll([eventWith('x', 0), marked([wrapped, { $at: 5 }, { $at: [0, 'input'], b: 1 }], 6)])[1]).toEqual(
      eventWith([{ $at: [0, 'input'] }, { $at: 5 }, { $at: [0, 'input'], b: 1 }], 6),
    );
  });

  it.each([
    ['a later event', [13, 'result', 'output']],
    ['itself', [6, 'result', 'output']],
    ['an event that is not there', [4, 'result', 'output']],
    ['what no event holds as a value', [0, 'plan', 'nodes']],
    ['an event as a whole', [0]],
    ['a field that is not there', [0, 'input', 'other']],
    ['a field that is inherited', [0, 'input', 'constructor']],
    ['a field of a list by its name', [0, 'input', 'list', 'length']],
    ['no number', ['0', 'input']],
    ['nothing', []],
  ])('refuses a reference to %s', (_what, at) => {
    const events = [eventWith({ list: ['x'] }, 0), marked({ deep: [{ $at: at }] }, 6), eventWith('later', 13)];
    expect(thrown(events)).toMatchObject({ code: 'store-corrupt', details: { runId: 'run', seq: 6 } });
    expect(String(thrown(events))).toMatch(/run run .*event 6/);
  });

  it('refuses references that stand for more than there can be, and counts without following them again', () => {
    const events = [eventWith({ text: 'long '.repeat(1000) }, 0)];
    let before = [0, 'input'];
    for (let seq = 6; seq < 700; seq += 7) {
      events.push(marked([{ $at: before }, { $at: before }], seq));
      before = [seq, 'result', 'output'] as unknown as typeof before;
    }
    expect(thrown(events)).toMatchObject({
      code: 'store-corrupt',
      message: expect.stringContaining('536870912 bytes'),
    });
    expect(readAll(events.slice(0, 15))).toHaveLength(15);
  });

  it('reads values of any depth', () => {
    let deep: unknown = 'core';
    for (let level = 0; level < 4000; level += 1) deep = [deep];
    const events = [eventWith('x'.repeat(2000), 0), marked([{ $at: [0, 'input'] }, deep], 6)];
    const [, second] = readAll(events);
    expect(second?.type === 'node-finished' && second.result.output).toHaveLength(2);
  });

  it('is read from a stream of events', async () => {
    async function* recorded(): AsyncGenerator<RunEvent> {
      yield eventWith({ text: 'x' }, 0);
      yield marked({ $at: [0, 'input', 'text'] }, 6);
    }
    const full: RunEvent[] = [];
    for await (const event of fullEvents(recorded())) full.push(event);
    expect(full).toEqual([eventWith({ text: 'x' }, 0), eventWith('x', 6)]);
  });
});
