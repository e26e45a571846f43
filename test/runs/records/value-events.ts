/** Events that hold given values, and random values that repeat themselves, for tests of what a journal keeps. */
import fc from 'fast-check';
import type { RunEvent } from '../../../src/core/run/engine.ts';

const META = { costUsd: 0, ms: 1, warnings: [] };

/** The event with this number, of a type that holds a value. */
export function eventWith(value: unknown, seq: number): RunEvent {
  const base = { seq, at: 1000 + seq, runId: 'run' };
  const result = { output: value, meta: META, costNanoUsd: 0 };
  const nodeId = `n${seq}`;
  if (seq === 0) {
    return { ...base, type: 'run-started', plan: { version: 1, nodes: [] }, planHash: 'hash', input: value };
  }
  switch (seq % 7) {
    case 0:
      return { ...base, type: 'run-finished', output: value, usage: { input: 0, output: 0 }, costNanoUsd: 0, ms: 1 };
    case 1:
      return { ...base, type: 'answer', nodeId, answer: value };
    case 2:
      return { ...base, type: 'node-suspended', nodeId, question: { question: 'Well?', data: value } };
    case 3:
      return { ...base, type: 'item-finished', nodeId, item: seq, result };
    case 4:
      return { ...base, type: 'round-finished', nodeId, round: seq, result };
    case 5: {
      const error = { code: 'tool-failed', message: 'it broke', retryable: false } as const;
      return { ...base, type: 'node-failed', nodeId, error, handled: 'value', result, costNanoUsd: 0 };
    }
    default:
      return { ...base, type: 'node-finished', nodeId, result };
  }
}

const LONG = ['plain ', '"quoted" \\ ', '世界', '\ud800', '\u0001\n', '🎼é'].map((part) =>
  part.repeat(1200 / part.length + 1),
);
/** As long, and different only at their ends. */
const ALIKE = ['a', 'b', 'c'].map((end) => `${'-'.repeat(1500)}${end}`);

/** Values of few parts, so that long ones occur again and again; some look like references. */
export const repeatingValues: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(...LONG, ...ALIKE),
    fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
    fc.constantFrom('short', { $at: [0, 'input'] }, { $at: { $at: 1 } }, { $at: null }, [1, 2, 3]),
    fc.constantFrom(Array.from({ length: 300 }, (_, index) => ({ index }))),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('text', 'list', '$at', 'constructor', '7', 'a key'), tie('value'), { maxKeys: 4 }),
  ),
})).value;

export const asJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
