/** What the compiler knows of the bodies of loops and lists; it is compiled and not run. */
import { z } from 'zod';
import { gt, human, llm, t, tool, workflow } from '../../src/workflow/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => undefined;

const search = tool<{ readonly query: string }, { readonly hits: readonly string[] }>('search');
const base = workflow({
  id: 'base',
  input: z.object({ text: z.string(), count: z.number(), kind: z.enum(['p', 'q']) }),
});

// A loop knows its state, and what its body gives is the next one.
const loop = base.repeat(
  'rounds',
  (r) =>
    r
      .node('a', llm, (c) => ({ in: { prompt: c.input.draft }, out: { score: 'number' } }))
      // @ts-expect-error the state has no such field
      .node('b', llm, (c) => ({ in: { prompt: c.input.missing } }))
      .output((c) => ({ draft: t`${c.input.draft}!`, score: c.a.score })),
  { start: { draft: '', score: 0 }, until: (s) => gt(s.score, 8), max: 3 },
);
const looped = loop.output((c) => ({ draft: c.rounds.draft, score: c.rounds.score }));
holds<Equal<NonNullable<(typeof looped)['__types']>['output']['draft'], string>>();
holds<Equal<NonNullable<(typeof looped)['__types']>['output']['score'], number>>();
// Where the start refers to nodes, it stands before the body.
base
  .node('first', llm, (c) => ({ in: { prompt: c.input.text } }))
  .repeat(
    'rounds',
    { start: (c) => ({ draft: c.first.text, n: c.input.count }), until: (s) => gt(s.n, 3), max: 3, limits: { usd: 1 } },
    (r) =>
      r.node('a', llm, (c) => ({ in: { prompt: c.input.draft } })).output((c) => ({ draft: c.a.text, n: c.input.n })),
  )
  .output((c) => ({ cost: c.rounds.meta.costUsd, n: c.rounds.n }));
// A body that gives less than the state is refused.
base.repeat(
  'rounds',
  // @ts-expect-error the next state lacks "n"
  (r) => r.node('a', llm, () => ({ in: { prompt: 'x' } })).output((c) => ({ draft: c.a.text })),
  { start: { draft: '', n: 0 }, until: (s) => gt(s.n, 3), max: 3 },
);

// A list knows its items, and what is passed in.
const rows = base
  .node('found', search, (c) => ({ in: { query: c.input.text } }))
  .each(
    'rows',
    (c) => c.found.hits,
    { with: (c) => ({ kind: c.input.kind }), onError: 'skip' },
    (hit, b, index) =>
      b
        .node('a', llm, (c) => ({ in: { prompt: t`${index} ${hit} ${c.input.kind}` } }))
        .node('ask', human, (c) => ({ in: { question: c.a.text } }))
        .output((c) => ({ hit, text: c.a.text })),
  )
  .output((c) => ({ rows: c.rows }));
holds<Equal<NonNullable<NonNullable<(typeof rows)['__types']>['output']['rows'][number]>['text'], string>>();
holds<Equal<NonNullable<(typeof rows)['__types']>['suspends'], boolean>>();
// A body sees nothing of the workflow around it.
base.each(
  'rows',
  () => base as never,
  // @ts-expect-error nothing is passed in
  (_item, b) => b.node('a', llm, (c) => ({ in: { prompt: c.input.text } })).output(() => null),
);
