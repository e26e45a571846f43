/** Computed values of the builder: what they compile to, and that it validates and runs as their types say. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createPolyphony, type Polyphony } from '../../src/polyphony.ts';
import { coalesce, compute, eq, gt, isPresent, llm, previous, t, value, workflow } from '../../src/workflow/index.ts';

const { append, at, choose, collect, concat, count, filter, first, join, last, pick, sortBy, sum } = compute;
const { average, fixed, flatten, fromJson, minus, plus, round, startOf, text, times, unique, zip } = compute;

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => undefined;

const input = z.object({
  rows: z.array(z.object({ name: z.string(), score: z.number(), tags: z.array(z.string()) })),
  lang: z.enum(['en', 'de']),
  place: z.number(),
  more: z.array(z.string()).optional(),
});

const flow = workflow({ id: 'computed', input })
  .node('texts', value, () => ({ in: { none: null, json: '{"a":7}' } }))
  .map(
    'cards',
    value,
    (c) =>
      sortBy(
        filter(c.input.rows, (row) => gt(row.score, 1)),
        'score',
        'desc',
      ),
    (row, c) => ({
      in: { name: row.name, of: count(c.input.rows) },
      out: z.object({ name: z.string(), of: z.number() }),
    }),
  )
  .output((c) => ({
    names: collect(c.cards, (card) => card.name),
    pairs: collect(c.input.rows, (row) => ({ is: row.name, tags: join(row.tags, '+') })),
    inner: filter(c.input.rows, (row) => gt(count(filter(row.tags, (tag) => eq(tag, row.name))), 0)),
    appended: append(c.input.more, 'x', c.input.lang),
    all: concat(
      collect(c.input.rows, (row) => row.name),
      coalesce(c.input.more, append(c.input.more, 'none')),
    ),
    one: at(c.input.rows, c.input.place),
    name: at(c.input.rows, 0).name,
    parts: [first(c.input.rows, 1), last(c.input.rows, 1)],
    hello: pick(c.input.lang, { en: 'Hello', de: 'Hallo' }),
    some: pick(c.input.lang, { en: 1 }),
    either: choose(eq(c.input.lang, 'de'), 'ja', 0),
    total: sum(collect(c.input.rows, (row) => row.score)),
    long: compute.holds(gt(count(c.input.rows), 1)),
    worked: round(times(minus(plus(c.input.place, 1.26, 2), 1), 10), 0),
    mean: average(collect(c.input.rows, (row) => row.score)),
    meanText: fixed(average(collect(c.input.rows, (row) => row.score)), 2),
    said: text('In ', c.input.lang, ': ', c.input.place, '.'),
    start: startOf(c.input.lang, 1),
    words: unique(flatten(collect(c.input.rows, (row) => row.tags))),
    zipped: zip({ row: collect(c.input.rows, (row) => row.name), place: coalesce(c.input.more, ['x', 'y']) }),
    parsed: fromJson<{ readonly a: number }>(c.texts.json).a,
  }));

type Output = NonNullable<(typeof flow)['__types']>['output'];
holds<Equal<Output['names'], readonly string[]>>();
holds<Equal<Output['pairs'], readonly { readonly is: string; readonly tags: string }[]>>();
holds<Equal<Output['appended'], readonly string[]>>();
holds<Equal<Output['name'], string | null>>();
holds<Equal<Output['hello'], 'Hello' | 'Hallo'>>();
holds<Equal<Output['some'], 1 | null>>();
holds<Equal<Output['either'], 'ja' | 0>>();
holds<Equal<Output['long'], boolean>>();
holds<Equal<Output['mean'], number | null>>();
holds<Equal<Output['words'], readonly string[]>>();
holds<Equal<Output['zipped'], readonly { readonly row: string; readonly place: string }[]>>();
holds<Equal<Output['parsed'], number>>();
holds<Equal<Output['total'], number>>();

const ROWS = [
  { name: 'a', score: 2, tags: ['a', 'b'] },
  { name: 'b', score: 1, tags: [] },
  { name: 'c', score: 3, tags: ['x'] },
];

let polyphony: Polyphony;
beforeAll(async () => {
  polyphony = await createPolyphony({ defaults: false });
});
afterAll(() => polyphony.close());

describe('computed values', () => {
  it('run as they are typed', async () => {
    const { issues } = await polyphony.validate(flow.plan, { repair: false });
    expect(issues.filter(({ code }) => code !== 'node.unused')).toEqual([]);
    expect(await polyphony.run(flow, { rows: ROWS, lang: 'de', place: 1 })).toMatchObject({
      status: 'done',
      output: {
        names: ['c', 'a'],
        pairs: [
          { is: 'a', tags: 'a+b' },
          { is: 'b', tags: '' },
          { is: 'c', tags: 'x' },
        ],
        inner: [{ name: 'a' }],
        appended: ['x', 'de'],
        all: ['a', 'b', 'c', 'none'],
        one: { name: 'b' },
        name: 'a',
        parts: [[{ name: 'a' }], [{ name: 'c' }]],
        hello: 'Hallo',
        some: null,
        either: 'ja',
        total: 6,
        long: true,
        worked: 33,
        mean: 2,
        meanText: '2.00',
        said: 'In de: 1.',
        start: 'd',
        words: ['a', 'b', 'x'],
        zipped: [
          { row: 'a', place: 'x' },
          { row: 'b', place: 'y' },
        ],
        parsed: 7,
      },
    });
  });

  it('compile to expressions of the plan', () => {
    expect(flow.plan.nodes[1]?.each).toBe('{{= input.rows.filter(Item1, Item1.score > 1).sortBy("score", "desc")}}');
    expect(flow.plan.output).toMatchObject({
      hello: '{{= {"en": "Hello", "de": "Hallo"}[input.lang]}}',
      appended: '{{= (input.more + ["x", input.lang])}}',
    });
  });

  it('decide the model and the round', () => {
    const built = workflow({ id: 'by-data', input })
      .node(
        'draft',
        llm,
        (c) => ({
          model: { tier: choose(eq(c.input.lang, 'de'), 'premium', 'fast') },
          in: { prompt: choose(isPresent(previous<{ readonly text: string }>()), 'Go on.', 'Begin.') },
        }),
        { repeat: (self) => ({ until: eq(self.text, 'done'), max: 3 }) },
      )
      .output((c) => c.draft.text);
    expect(built.plan.nodes[0]).toMatchObject({
      model: { tier: '{{= (input.lang == "de" ? "premium" : "fast")}}' },
      in: { prompt: '{{= (prev != null ? "Go on." : "Begin.")}}' },
    });
  });

  it('stand alone, and hold no text with references', () => {
    const build = (make: (c: { readonly input: never }) => unknown) => () =>
      workflow({ id: 'wrong', input }).output(make as never);
    expect(build((c: { input: { rows: never } }) => t`${count(c.input.rows)} rows`)).toThrow(/inside a text/);
    expect(build((c: { input: { more: never } }) => append(c.input.more, t`${c.input.more}` as never))).toThrow(/t`…`/);
    expect(build((c: { input: { more: never } }) => append(c.input.more, Number.NaN as never))).toThrow(/NaN/);
  });
});
