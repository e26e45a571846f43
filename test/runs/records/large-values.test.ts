/**
 * Laws of what a journal keeps of large values, for any sequence of values.
 *
 * 1. What is kept, read back in order, is what happened.
 * 2. A long text is written once; after that, a reference.
 * 3. A process that reads the journal first goes on in the same way.
 * 4. The count of what is written is never too low.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../src/core/run/engine.ts';
import { eventReader } from '../../../src/core/run/full-events.ts';
import { createLargeValues, type LargeValues } from '../../../src/runs/records/large-values.ts';
import { asJson, eventWith, repeatingValues } from './value-events.ts';

const sequences = fc.array(repeatingValues, { minLength: 1, maxLength: 12 });
const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

const keepAll = (values: LargeValues, events: readonly RunEvent[]): RunEvent[] =>
  events.map((event) => values.keep(event).event);

const readAll = (recorded: readonly RunEvent[]): RunEvent[] => {
  const read = eventReader();
  return recorded.map((event) => read(event));
};

/** Bytes that may be written for a value: its small parts, a reference or the text for each long text. */
function allowance(value: unknown, seen: ReadonlySet<string>, found: Set<string>): number {
  if (typeof value === 'string' && value.length >= 1024) {
    found.add(value);
    return seen.has(value) ? 200 : sizeOf(value);
  }
  if (typeof value !== 'object' || value === null) return sizeOf(value);
  const parts = Object.entries(value).map(([key, child]) => sizeOf(key) + 12 + allowance(child, seen, found));
  return parts.reduce((sum, bytes) => sum + bytes, 12);
}

describe('the large values of a run', () => {
  it('come back as they were, from text and from memory', () => {
    fc.assert(
      fc.property(sequences, (values) => {
        const events = values.map(eventWith);
        const kept = keepAll(createLargeValues(), events);
        expect(readAll(kept)).toEqual(events);
        expect(readAll(asJson(kept))).toEqual(asJson(events));
      }),
      { numRuns: 150 },
    );
  });

  it('are written once each', () => {
    fc.assert(
      fc.property(sequences, (values) => {
        const kept = keepAll(createLargeValues(), values.map(eventWith));
        const seen = new Set<string>();
        let allowed = 0;
        for (const value of values) {
          const found = new Set<string>();
          allowed += 400 + allowance(value, seen, found);
          for (const text of found) seen.add(text);
        }
        expect(kept.reduce((sum, event) => sum + sizeOf(event), 0)).toBeLessThanOrEqual(allowed);
      }),
      { numRuns: 150 },
    );
  });

  it('are known to a process that reads the journal first', () => {
    fc.assert(
      fc.property(sequences, fc.nat(), (values, cut) => {
        const events = values.map(eventWith);
        const length = cut % (events.length + 1);
        const before = asJson(keepAll(createLargeValues(), events.slice(0, length)));
        const next = createLargeValues();
        for (const event of before) next.learn(event);
        const after = asJson(keepAll(next, events.slice(length)));
        expect(readAll([...before, ...after])).toEqual(asJson(events));
        const whole = keepAll(createLargeValues(), events);
        expect(sizeOf([...before, ...after])).toBeLessThanOrEqual(sizeOf(whole) + 1);
      }),
      { numRuns: 150 },
    );
  });

  it('are counted at no less than they take, by those who write and by those who read', () => {
    fc.assert(
      fc.property(sequences, (values) => {
        const [writer, reader] = [createLargeValues(), createLargeValues()];
        for (const [seq, value] of values.entries()) {
          const { event, bytes } = writer.keep(eventWith(value, seq));
          const [without, mark] = [eventWith(null, seq), ',"refers":true'];
          const taken = sizeOf(event) - sizeOf(without) + 4 - (event.refers === true ? mark.length : 0);
          expect(bytes).toBeGreaterThanOrEqual(taken);
          expect(reader.learn(asJson(event))).toBeGreaterThanOrEqual(taken);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('are lists and objects too, also where they were read from text again', () => {
    const list = Array.from({ length: 1000 }, (_, index) => ({ index }));
    const document = { title: 'a', text: 'long '.repeat(1000), list };
    const kept = keepAll(createLargeValues(), [
      eventWith(list, 0),
      eventWith(document, 6),
      eventWith(asJson(document), 13),
      eventWith({ copy: asJson(document), more: asJson(list) }, 20),
    ]);
    expect(kept[1]).toMatchObject({ refers: true, result: { output: { list: { $at: [0, 'input'] } } } });
    expect(kept[2]).toMatchObject({ result: { output: { $at: [6, 'result', 'output'] } } });
    const output = { copy: { $at: [6, 'result', 'output'] }, more: { $at: [0, 'input'] } };
    expect(kept[3]).toMatchObject({ result: { output } });
  });

  it('are compared as they are now: a step may have changed the object that it was given', () => {
    const shared = { text: 'long '.repeat(1000), state: 'before' };
    const values = createLargeValues();
    const first = asJson(values.keep(eventWith(shared, 6)).event);
    shared.state = 'after';
    const second = asJson(values.keep(eventWith(shared, 13)).event);
    expect(readAll([first, second]).at(-1)).toEqual(eventWith(shared, 13));
  });

  it('are forgotten where their event was not recorded', () => {
    const values = createLargeValues();
    const text = 'long '.repeat(1000);
    values.forget(values.keep(eventWith({ text }, 6)));
    expect(values.keep(eventWith({ text }, 13)).event).toEqual(eventWith({ text }, 13));
  });

  it('leave alone what repeats nothing, what is no JSON and what is nested too deeply', () => {
    const values = createLargeValues();
    const text = 'long '.repeat(1000);
    let deep: unknown = { text };
    for (let level = 0; level < 400; level += 1) deep = { deep };
    const circular: unknown[] = [text];
    circular.push(circular);
    for (const [index, value] of [text, deep, deep, circular, [text, 1n], { text, at: new Date(0) }].entries()) {
      const event = eventWith(value, 6 + 7 * index);
      expect(values.keep(event).event).toBe(event);
    }
  });

  it('take work for each list and object that there is, not for each place at which it occurs', () => {
    let value: unknown = { text: 'long '.repeat(1000) };
    for (let level = 0; level < 15; level += 1) value = [value, value];
    let reads = 0;
    const counted = (target: object): object =>
      new Proxy(target, {
        get(of, key) {
          if (key === '0' || key === '1') reads += 1;
          const child: unknown = Reflect.get(of, key);
          return child;
        },
      });
    let tree: unknown = { text: 'long '.repeat(1000) };
    for (let level = 0; level < 15; level += 1) tree = counted([tree, tree]);
    const values = createLargeValues();
    values.keep(eventWith(tree, 6));
    expect(reads).toBeLessThan(15 * 30);
    expect(values.keep(eventWith(value, 13)).event).toMatchObject({
      result: { output: { $at: [6, 'result', 'output'] } },
    });
  });
});
