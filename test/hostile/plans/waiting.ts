/** Plans that wait for what never comes, for what came long ago, or in thousands of places; and events that are none. */
import { each, type Family } from '../harness/report.ts';
import { document, material, type Node, nest, type PlanCase, times, value } from './plan-case.ts';

const wait = (fields: object, rest: object = {}): Node => ({ id: 'w', use: 'wait', in: fields, ...rest });

const MOMENTS: Readonly<Record<string, object>> = {
  'zero-seconds': { seconds: 0 },
  'negative-seconds': { seconds: -1 },
  'infinite-seconds': { seconds: 1e308 },
  'years-of-seconds': { seconds: 2 ** 31 },
  'tiny-seconds': { seconds: 5e-324 },
  'text-of-seconds': { seconds: '10' },
  'long-ago': { until: '1970-01-01T00:00:00Z' },
  'before-all': { until: '-271821-04-20T00:00:00Z' },
  'far-ahead': { until: '9999-12-31T23:59:59Z' },
  'after-all': { until: '+275760-09-13T00:00:01Z' },
  'no-zone': { until: '2026-01-01T00:00:00' },
  'leap-second': { until: '2016-12-31T23:59:60Z' },
  'no-such-day': { until: '2026-02-30T00:00:00Z' },
  'far-zone': { until: '2026-01-01T00:00:00+99:99' },
  'long-text': { until: '2'.repeat(100_000) },
  'no-text': { until: {} },
  all: { seconds: 1, until: '1970-01-01T00:00:00Z', event: 'x' },
  none: {},
  'empty-name': { event: '' },
  'long-name': { event: 'e'.repeat(10_000) },
  'half-pair': { event: '\ud800' },
  'prototype-name': { event: '__proto__' },
  'deep-match': { event: 'e', match: JSON.parse(nest(25, '{"a":', '1', '}')) },
  'match-of-prototypes': { event: 'e', match: JSON.parse('{"__proto__": {"a": 1}, "constructor": 1}') },
  'match-of-a-list': { event: 'e', match: [1] },
  'schema-of-patterns': {
    event: 'e',
    schema: { type: 'object', properties: { a: { type: 'string', pattern: '(a+)+b' } } },
  },
  'schema-of-itself': { event: 'e', schema: { $ref: '#' } },
  'schema-that-is-none': { event: 'e', schema: { a: 'no such type' } },
};

/** Sent to a run that waits for the event `e`. */
const PAYLOADS: Readonly<Record<string, () => unknown>> = {
  nothing: () => undefined,
  'a-megabyte': () => 'x'.repeat(2 ** 20),
  'many-megabytes': () => ({ x: 'x'.repeat(40 * 2 ** 20) }),
  wide: () => Object.fromEntries(times(300_000, (index) => [`field${index}`, index])),
  deep: () => JSON.parse(nest(5000, '[', '1', ']')),
  prototype: () => JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}'),
  cycle: () => {
    const one: Record<string, unknown> = {};
    one.self = one;
    return one;
  },
  bigint: () => ({ x: 1n }),
  getter: () => ({
    get x(): never {
      throw new Error('read');
    },
  }),
  nan: () => Number.NaN,
  'half-pair': () => ({ '\ud800': '\udfff' }),
  template: () => '{{input.secret}} {{= 1 + 1 }}',
};

const moments = each('waits', MOMENTS, (fields): PlanCase => ({ plan: () => document([wait(fields)]) }));

const payloads = each(
  'event',
  PAYLOADS,
  (payload): PlanCase => ({
    plan: () => document([wait({ event: 'e' }), value('n', { x: '{{w.payload}}', y: 'of {{w.payload}}' })]),
    event: () => ({ name: 'e', payload: payload() }),
  }),
);

const many: Family<PlanCase> = {
  'event-for-every-item': {
    plan: () => document([material('m', 'items', 10_000), wait({ event: 'e' }, { each: '{{m.items}}' })]),
    event: () => ({ name: 'e', payload: 1 }),
  },
  'event-for-every-node': {
    plan: () => document(times(250, (index) => ({ id: `w${index}`, use: 'wait', in: { event: 'e' } }))),
    event: () => ({ name: 'e', payload: 1 }),
    ends: 'done',
  },
  'event-for-another': {
    plan: () =>
      document([
        material('m', 'items', 5000),
        wait({ event: 'e', match: { id: '{{item}}' } }, { each: '{{m.items}}' }),
      ]),
    event: () => ({ name: 'e', payload: { id: 'item 4999' } }),
    ends: 'suspended',
  },
  'event-of-the-wrong-kind': {
    plan: () => document([wait({ event: 'e', schema: { a: 'number' } })]),
    event: () => ({ name: 'e', payload: { a: 'x'.repeat(1_000_000) } }),
  },
  'waits-for-every-item': {
    plan: () => document([material('m', 'items', 10_000), wait({ seconds: 1e6 }, { each: '{{m.items}}' })]),
    ends: 'suspended',
  },
  'waits-no-time-for-every-item': {
    plan: () => document([material('m', 'items', 10_000), wait({ seconds: 0 }, { each: '{{m.items}}' })]),
  },
  'waits-in-members-for-every-item': {
    plan: () =>
      document([material('m', 'items', 1000), { id: 'n', use: 'workflow:w', each: '{{m.items}}', in: {} }], {
        workflows: { w: { nodes: [wait({ seconds: 1e6 })] } },
      }),
  },
  'waits-with-a-deadline-behind': {
    plan: () => document([wait({ event: 'e' }, { limits: { seconds: 0.001 }, onError: { keep: true } })]),
  },
  'waits-with-a-deadline-far-ahead': {
    plan: () => document([wait({ event: 'e' }, { limits: { seconds: 1e15 } })]),
  },
  'asks-with-a-deadline-far-ahead': {
    plan: () => document([{ id: 'a', use: 'human', in: { question: 'x' }, limits: { seconds: 2 ** 40 } }]),
  },
  'rounds-that-wait': {
    plan: () => document([wait({ seconds: 0 }, { repeat: { until: 'false', max: 20 } })]),
  },
};

export const waiting: readonly Family<PlanCase>[] = [moments, payloads, many];
