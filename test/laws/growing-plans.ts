/** Plans whose values grow: by name, and generated from every construct that makes a value larger. */
import fc from 'fast-check';
import type { Plan, PlanNode } from '../../src/core/plan/plan.ts';

export interface GrowingPlan {
  readonly name: string;
  readonly plan: Plan;
}

/** Bytes of the largest plan that is tried. */
export const PLAN_BYTES = 65_536;

const times = (count: number, text: string): string => Array.from({ length: count }, () => text).join('');
const numbers = (length: number): number[] => Array.from({ length }, (_, index) => index % 10);
const planOf = (nodes: readonly PlanNode[], output?: Plan['output']): Plan =>
  ({ version: 1, nodes: [...nodes], ...(output === undefined ? {} : { output }) }) as Plan;

/** Nodes that make a text of `2 ** doublings` times 64 characters; the last one is `big<doublings>.t`. */
function doubled(doublings: number): PlanNode[] {
  const nodes: PlanNode[] = [{ id: 'big0', use: 'value', in: { t: times(64, 'x') } }];
  for (let index = 1; index <= doublings; index += 1) {
    const before = `{{big${index - 1}.t}}`;
    nodes.push({ id: `big${index}`, use: 'value', in: { t: `${before}${before}` } });
  }
  return nodes;
}

const MEGABYTE = 14;
const megabyte = doubled(MEGABYTE);
const text = `{{big${MEGABYTE}.t}}`;
const list = (length: number): PlanNode => ({ id: 'rows', use: 'value', in: { items: numbers(length) } });
const each = '{{rows.items}}';

function chain(count: number, first: PlanNode, next: (before: string, index: number) => PlanNode): PlanNode[] {
  const nodes = [first];
  for (let index = 1; index <= count; index += 1) nodes.push(next(`n${index - 1}`, index));
  return nodes;
}

const chained = (count: number, input: (before: string) => Record<string, unknown>, seed: Record<string, unknown>) =>
  chain(count, { id: 'n0', use: 'value', in: seed }, (before, index) => ({
    id: `n${index}`,
    use: 'value',
    in: input(before),
  }));

const wide = (count: number, node: (index: number) => Omit<PlanNode, 'id'>): PlanNode[] =>
  Array.from({ length: count }, (_, index) => ({ id: `w${index}`, ...node(index) }) as PlanNode);

function deep(levels: number, inner: unknown): unknown {
  let value = inner;
  for (let level = 0; level < levels; level += 1) value = { a: value };
  return value;
}

const named: Readonly<Record<string, readonly PlanNode[]>> = {
  'a chain of doubled texts': chained(100, (before) => ({ t: `{{${before}.t}}{{${before}.t}}` }), { t: 'seed' }),
  'a chain of doubled lists': chained(100, (before) => ({ l: [`{{${before}.l}}`, `{{${before}.l}}`] }), { l: [1] }),
  'a chain of doubled lists as text': [
    ...chained(40, (before) => ({ l: [`{{${before}.l}}`, `{{${before}.l}}`] }), { l: ['word'] }),
    { id: 'text', use: 'value', in: { t: 'All: {{n18.l}} {{n40.l}}' } },
  ],
  'items that carry a text': [...megabyte, list(600), { id: 'e', use: 'value', each, in: { t: `${text}{{item}}` } }],
  'items that carry a reference': [
    ...megabyte,
    list(600),
    { id: 'e', use: 'value', each, in: { t: text, i: '{{item}}' } },
  ],
  'items of a tool': [...doubled(2), list(600), { id: 'e', use: 'tool:file', each, in: { bytes: 1_000_000 } }],
  'items of a tool that are dropped': [
    list(600),
    ...wide(3, () => ({ use: 'tool:file', each, onError: 'skip', in: { bytes: 400_000 } })),
  ],
  'items of a model': [...megabyte, list(600), { id: 'e', use: 'llm', each, in: { prompt: text } }],
  'rounds that double': [
    ...doubled(4),
    { id: 'r', use: 'value', repeat: { until: 'false', max: 20 }, in: { t: '{{prev.t}}{{prev.t}}{{big4.t}}' } },
  ],
  'items with rounds that grow': [
    ...doubled(10),
    list(600),
    { id: 'r', use: 'value', each, repeat: { until: 'false', max: 20 }, in: { t: '{{prev.t}}{{big10.t}}' } },
  ],
  'rounds that nest': wide(40, (index) => ({
    use: 'value',
    repeat: { until: 'false', max: 20 },
    in: { v: deep(15, '{{prev}}'), before: index === 0 ? 1 : `{{w${index - 1}}}` },
  })),
  'a condition that joins lists': [
    list(10_000),
    { id: 'c', use: 'value', when: 'size(rows.items.map(i, rows.items + rows.items)) > 0', in: { a: 1 } },
  ],
  'a condition that joins texts': [
    ...megabyte,
    list(600),
    {
      id: 'c',
      use: 'value',
      when: `size(rows.items.map(i, [${times(20, `big${MEGABYTE}.t + `)}"x"])) > 0`,
      in: { a: 1 },
    },
  ],
  'many small objects': [
    list(600),
    ...wide(10, () => ({ use: 'value', each, in: { l: [...Array.from({ length: 900 }, () => ({})), '{{item}}'] } })),
  ],
  'many small objects that are made': [
    list(600),
    ...wide(10, () => ({ use: 'value', each, in: { l: Array.from({ length: 250 }, () => ['{{item}}']) } })),
  ],
  'many items of nothing': [list(9000), ...wide(40, () => ({ use: 'value', each, onError: 'skip', in: {} }))],
  'fallbacks of items': [
    list(900),
    ...wide(2, () => ({ use: 'tool:fail', each, onError: { value: times(25_000, 'x') }, in: {} })),
  ],
  'errors of items': [list(9000), ...wide(3, () => ({ use: 'tool:shout', each, onError: 'skip', in: {} }))],
  'errors of nodes': wide(256, () => ({ use: 'tool:shout', onError: 'skip', in: {} })),
  'errors of undone items': [
    list(5000),
    { id: 'u', use: 'tool:file', each, undo: 'tool:shout', in: { bytes: 1 } },
    ...chained(40, (before) => ({ t: `{{${before}.t}}{{${before}.t}}` }), { t: 'Text {{u}}' }),
  ],
  'nested runs that double': [
    ...doubled(8),
    list(600),
    { id: 'e', use: 'workflow:grow', each, onError: 'skip', in: { t: '{{big8.t}}' } },
  ],
  'an output of many parts': megabyte,
};

/** An output that is far larger than all that it refers to. */
const manyParts = { t: times(900, text) };

export const NAMED_PLANS: readonly GrowingPlan[] = Object.entries(named).map(([name, nodes]) => ({
  name,
  plan: planOf(nodes, name === 'an output of many parts' ? manyParts : undefined),
}));

// ---------------------------------------------------------------------------------------------------- generated

interface Draw {
  readonly kind: number;
  readonly back: number;
  readonly parts: number;
  readonly each: boolean;
  readonly rounds: number;
  readonly onError: number;
}

const draw: fc.Arbitrary<Draw> = fc.record({
  kind: fc.nat(7),
  back: fc.nat(3),
  parts: fc.integer({ min: 1, max: 20 }),
  each: fc.integer({ min: 0, max: 3 }).map((roll) => roll === 0),
  rounds: fc.integer({ min: 0, max: 9 }),
  onError: fc.nat(3),
});

const TESTS = ['size(V + V) > 0', 'L.exists(i, size(V + V) > 9)', 'size(L.map(i, L + L)) >= 0'];
const USES: Readonly<Record<number, string>> = { 4: 'tool:file', 5: 'llm', 6: 'workflow:grow' };
/** The field of its output that grows most. */
const FIELDS: Readonly<Record<number, string>> = { 4: '.result', 5: '.text', 6: '.t' };
/** A stand-in has the field that others read, or the plan is refused. */
const onErrorOf = ({ kind, onError }: Draw): PlanNode['onError'] =>
  onError === 1
    ? 'skip'
    : onError === 2
      ? { value: { [(FIELDS[kind] ?? '.t').slice(1)]: times(500, 'y') } }
      : undefined;

function inputOf({ kind, parts }: Draw, whole: string, field: string, item: string): Record<string, unknown> {
  const part = `{{${field}}}`;
  switch (kind) {
    case 0:
      return { t: times(parts, part) };
    case 1:
      return { t: `{{${whole}}}${item}`, l: Array.from({ length: parts }, () => part) };
    case 2:
      return { t: part, l: Array.from({ length: parts }, () => ({ v: `{{${whole}}}` })) };
    case 3:
      return { t: times(parts, `{{prev}}${part}`), l: ['{{prev}}', '{{prev}}'] };
    case 4:
      return { bytes: parts * 60_000 };
    case 5:
      return { prompt: `Say ${part}${item}` };
    case 6:
      return { t: `${times(parts, part)}${item}` };
    default:
      return { t: `${part}${item}`, l: deep(parts, `{{${whole}}}`) };
  }
}

function nodeOf(one: Draw, index: number, draws: readonly Draw[]): PlanNode {
  const { kind, back, rounds, parts } = one;
  const place = Math.max(0, index - 1 - back);
  const before = draws[place - 1];
  const whole = `n${place}`;
  const field = before?.each === true ? whole : `${whole}${FIELDS[before?.kind ?? 0] ?? '.t'}`;
  const onError = onErrorOf(one);
  const when = TESTS[parts]?.replaceAll('V', field).replaceAll('L', 'rows.items');
  return {
    id: `n${index}`,
    use: USES[kind] ?? 'value',
    in: inputOf(one, whole, field, one.each ? '{{item}}' : ''),
    ...(one.each ? { each } : {}),
    ...(kind === 3 || rounds > 7 ? { repeat: { until: 'false', max: 12 } } : {}),
    ...(onError === undefined ? {} : { onError }),
    ...(when === undefined ? {} : { when }),
  } as PlanNode;
}

export const growingPlans: fc.Arbitrary<Plan> = fc
  .record({ draws: fc.array(draw, { minLength: 4, maxLength: 40 }), items: fc.constantFrom(3, 50, 600, 5000) })
  .map(({ draws, items }) => {
    const seed: PlanNode = { id: 'n0', use: 'value', in: { t: times(400, 'x'), l: [1, 2, 3] } };
    return planOf([list(items), seed, ...draws.map((one, index) => nodeOf(one, index + 1, draws))]);
  })
  .filter((plan) => JSON.stringify(plan).length <= PLAN_BYTES);
