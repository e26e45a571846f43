/** The faults that every wire has to stand, on each of four wires. */
import { before, errorAfter, good, part, slowly, status } from '../plays.ts';
import type { Expected, Scenario } from '../scenario.ts';
import type { Play } from '../servers.ts';
import { TEXT, WIRE_NAMES } from '../wires.ts';

interface Fault {
  readonly name: string;
  readonly shows: string;
  readonly first?: Play;
  readonly rules?: Scenario['rules'];
  readonly expect: Expected;
  readonly streamed?: boolean;
  readonly request?: Scenario['request'];
}

const FAULTS: readonly Fault[] = [
  {
    name: 'good',
    shows: 'nothing is wrong, so that the laws are seen to hold there too',
    first: good(),
    expect: { ending: 'answer', attempts: 1, withinMs: 0 },
  },
  {
    name: '503-twice',
    shows: 'a server that is down is tried again, then left',
    first: status(503),
    expect: { ending: 'failover', attempts: 3 },
  },
  {
    name: 'overloaded-529',
    shows: 'status 529 is an overload like any other',
    first: status(529),
    expect: { ending: 'failover', attempts: 3 },
  },
  {
    name: 'reset-before-headers',
    shows: 'a connection that is lost before the answer leads to the next target',
    first: before('reset'),
    expect: { ending: 'failover', attempts: 3 },
  },
  {
    name: 'reset-in-stream',
    shows: 'a stream that spoke and is reset fails; it is not replayed',
    first: part(1, 'reset'),
    expect: { ending: 'network', attempts: 1 },
  },
  {
    name: 'cut-in-stream',
    shows: 'a stream that ends without its end is no answer',
    first: part(2, 'end'),
    expect: { ending: 'truncated', attempts: 1 },
  },
  {
    name: 'cut-before-text',
    shows: 'a stream that ends before its first word leads to the next target',
    first: part(0, 'end'),
    expect: { ending: 'failover', attempts: 3 },
  },
  {
    name: 'stall-before-headers',
    shows: 'a server that says nothing is left after the first-token timeout',
    first: before('stall'),
    expect: { ending: 'failover', afterMs: 5000, withinMs: 12_000 },
  },
  {
    name: 'stall-in-stream',
    shows: 'a stream that falls silent fails after the idle timeout',
    first: part(2, 'stall'),
    expect: { ending: 'timeout', attempts: 1, afterMs: 3000, withinMs: 3500 },
  },
  {
    name: 'error-in-200',
    shows: 'an error under status 200 before the first word leads to the next target',
    first: errorAfter(0),
    expect: { ending: 'failover' },
  },
  {
    name: 'cut-whole',
    shows: 'a document that is cut in the middle is no answer',
    streamed: false,
    first: part(3, 'end'),
    expect: { ending: 'failover' },
  },
  {
    name: 'restart',
    shows: 'a stream that asks for it starts again at the next target, and says so',
    first: part(2, 'reset'),
    request: { onStreamFailure: 'restart' },
    expect: { ending: 'failover', text: TEXT },
  },
  {
    name: 'slow-events',
    shows: 'an answer whose every event takes a second is waited for',
    first: slowly(1000),
    expect: { ending: 'answer', attempts: 1, afterMs: 3000, withinMs: 15_000 },
  },
  {
    name: 'drip',
    shows: 'an answer that drips by seven bytes arrives whole',
    rules: [{ provider: 'first', fault: { type: 'drip', bytes: 7, everyMs: 10 } }],
    expect: { ending: 'answer', attempts: 1, afterMs: 200 },
  },
  {
    name: 'wrong-types',
    shows: 'a first event with the wrong types in it kills nothing but, at most, the attempt',
    rules: [{ provider: 'first', fault: { type: 'wrong-types' } }],
    expect: {},
  },
];

export const EVERY_WIRE: readonly Scenario[] = WIRE_NAMES.flatMap((wire) =>
  FAULTS.map(({ name, ...fault }): Scenario => ({ ...fault, name: `${wire}-${name}`, wire })),
);
