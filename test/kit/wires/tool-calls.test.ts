import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ModelEvent, ToolCallPart } from '../../../src/core/model/model.ts';
import { type ToolCallPiece, toolCallAssembler } from '../../../src/kit/wires/tool-calls.ts';

function callsOf(pieces: readonly ToolCallPiece[]): {
  calls: ToolCallPart[];
  warnings: string[];
  deltas: ModelEvent[];
} {
  const assembler = toolCallAssembler(() => 'made');
  const deltas = pieces.map((piece) => assembler.push(piece)).filter((event) => event !== undefined);
  const events = assembler.finish();
  return {
    calls: events.flatMap((event) => (event.type === 'tool-call' ? [event.call] : [])),
    warnings: events.flatMap((event) => (event.type === 'warning' ? [event.warning.code] : [])),
    deltas,
  };
}

const call = (id: string, name: string, args: unknown): unknown => ({ type: 'tool-call', id, name, arguments: args });

const ARGUMENTS = fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.stringify(value));

describe('pieces become calls', () => {
  test('keyed by index, interleaved', () => {
    const { calls } = callsOf([
      { index: 0, id: 'a', name: 'one', arguments: '' },
      { index: 1, id: 'b', name: 'two', arguments: '' },
      { index: 0, arguments: '{"x":' },
      { index: 1, arguments: '{}' },
      { index: 0, arguments: '1}' },
    ]);
    expect(calls).toEqual([call('a', 'one', { x: 1 }), call('b', 'two', {})]);
  });

  test('with index 0 repeated and new ids: parallel calls are not merged', () => {
    const { calls } = callsOf([
      { index: 0, id: 'a', name: 'one', arguments: '{"x":1}' },
      { index: 0, id: 'b', name: 'one', arguments: '{"x":' },
      { index: 0, arguments: '2}' },
    ]);
    expect(calls).toEqual([call('a', 'one', { x: 1 }), call('b', 'one', { x: 2 })]);
  });

  test('with id and name repeated in every piece', () => {
    const { calls } = callsOf([
      { index: 0, id: 'a', name: 'one', arguments: '{"x":' },
      { index: 0, id: 'a', name: 'one', arguments: '1}' },
    ]);
    expect(calls).toEqual([call('a', 'one', { x: 1 })]);
  });

  test('with arguments as an object', () => {
    expect(callsOf([{ index: 0, id: 'a', name: 'one', arguments: { x: [1] } }]).calls).toEqual([
      call('a', 'one', { x: [1] }),
    ]);
  });

  test('without ids: each complete call of the same index stands alone, with an id of its own', () => {
    const { calls } = callsOf([
      { index: 0, name: 'one', arguments: '{"x":1}' },
      { index: 0, name: 'one', arguments: '{"x":2}' },
    ]);
    expect(calls).toEqual([call('made_0', 'one', { x: 1 }), call('made_1', 'one', { x: 2 })]);
  });

  test('with the id late', () => {
    const { calls } = callsOf([
      { index: 0, name: 'one', arguments: '{' },
      { index: 0, id: 'late', arguments: '}' },
    ]);
    expect(calls).toEqual([call('late', 'one', {})]);
  });

  test('with no arguments at all: an empty object, no warning', () => {
    expect(callsOf([{ index: 0, id: 'a', name: 'one' }])).toMatchObject({ calls: [{ arguments: {} }], warnings: [] });
  });

  test('with broken JSON: kept raw, warned of, never dropped', () => {
    const { calls, warnings } = callsOf([{ index: 0, id: 'a', name: 'one', arguments: '{"x":' }]);
    expect(calls).toEqual([{ type: 'tool-call', id: 'a', name: 'one', arguments: {}, raw: '{"x":' }]);
    expect(warnings).toEqual(['tool-arguments']);
  });

  test.each(['[1]', '3', '"words"'])('that are %s and no object: kept raw, warned of', (text) => {
    const { calls, warnings } = callsOf([{ index: 0, id: 'a', name: 'one', arguments: text }]);
    expect(calls).toEqual([{ type: 'tool-call', id: 'a', name: 'one', arguments: {}, raw: text }]);
    expect(warnings).toEqual(['tool-arguments']);
  });

  test.each(['', ' ', 'null', '""', '"{}"'])('that are %j: no arguments', (text) => {
    const { calls, warnings } = callsOf([{ index: 0, id: 'a', name: 'one', arguments: text }]);
    expect(calls).toEqual([call('a', 'one', {})]);
    expect(warnings).toEqual([]);
  });

  test('encoded twice are read', () => {
    const text = JSON.stringify(JSON.stringify({ x: 1 }));
    expect(callsOf([{ index: 0, id: 'a', name: 'one', arguments: text }]).calls).toEqual([call('a', 'one', { x: 1 })]);
  });

  test('whose deltas joined are the arguments, however they were cut', () => {
    fc.assert(
      fc.property(fc.array(ARGUMENTS, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(20)), (texts, cuts) => {
        const pieces = texts.flatMap((text, index) => {
          const parts: ToolCallPiece[] = [{ index, id: `id${index}`, name: `tool${index}` }];
          let rest = text;
          for (const cut of cuts) {
            parts.push({ index, arguments: rest.slice(0, cut) });
            rest = rest.slice(cut);
          }
          return [...parts, { index, arguments: rest }];
        });
        const { calls, deltas } = callsOf(pieces);
        expect(calls.map((made) => made.arguments)).toEqual(texts.map((text) => JSON.parse(text) as unknown));
        for (const [index, text] of texts.entries()) {
          const joined = deltas.flatMap((event) =>
            event.type === 'tool-call-delta' && event.index === index ? [event.delta] : [],
          );
          expect(joined.join('')).toBe(text);
        }
      }),
    );
  });
});
