/** What a node may say, and what its output is: every `@ts-expect-error` is a guarantee of the builder. */
import { z } from 'zod';
import {
  coalesce,
  defineStep,
  eq,
  gt,
  hasItems,
  human,
  isPresent,
  isTrue,
  llm,
  plan,
  previous,
  t,
  tool,
  undoBy,
  value,
  type Workflow,
  workflow,
} from '../../src/workflow/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => undefined;
type OutputOf<W> = W extends Workflow<infer _I, infer O, infer _M> ? O : 'no workflow';

const fetch = tool<{ readonly url: string }, { readonly text: string; readonly status: number }>('http_get');
const refund = tool<{ readonly charge: string }, unknown>('refund');
const charge = tool<{ readonly sum: number }, { readonly charge: string }>('charge');
const base = workflow({
  id: 'base',
  input: z.object({
    text: z.string(),
    list: z.array(z.string()),
    lang: z.enum(['en', 'de']),
    user: z.string().optional(),
  }),
});

// A value has the type of its inputs.
export const shaped = base
  .node('page', fetch, (c) => ({ in: { url: c.input.text } }))
  .node('both', value, (c) => ({ in: { title: t`${c.page.text}!`, code: c.page.status, tags: [c.input.text, 'x'] } }))
  .node('use', llm, (c) => ({ when: gt(c.both.code, 200), in: { prompt: c.both.title } }))
  .output((c) => ({ code: c.both.code, title: c.both.title, first: c.both.tags[0] }));
holds<Equal<OutputOf<typeof shaped>['code'], number>>();
holds<Equal<OutputOf<typeof shaped>['title'], string>>();

// An answer is one of the choices, or what `out` declares.
export const asked = base
  .node('review', human, () => ({ in: { question: 'Well?', choices: ['send', 'keep'], approve: 'send' } }))
  .node('count', human, () => ({ in: { question: 'How many?' }, out: z.object({ answer: z.number() }) }))
  .node('pick', human, (c) => ({ in: { question: 'Which?', choices: c.input.list } }))
  .node('free', human, () => ({ in: { question: 'Why?' } }))
  .node('send', llm, (c) => ({ when: eq(c.review.answer, 'send'), in: { prompt: t`${c.count.answer}` } }))
  .output((c) => ({ a: c.review.answer, n: c.count.answer, p: c.pick.answer, f: c.free.answer, ok: c.count.approved }));
holds<
  Equal<
    OutputOf<typeof asked>,
    { readonly a: 'send' | 'keep'; readonly n: number; readonly p: string; readonly f: unknown; readonly ok: boolean }
  >
>();

// The error of a node that lets the run go on, also by item.
export const kept = base
  .node('page', fetch, (c) => ({ in: { url: c.input.text }, onError: { keep: true } }))
  .node('why', llm, (c) => ({
    when: eq(c.page.meta.error.code, 'timeout'),
    in: { prompt: t`${c.page.meta.error.message}` },
  }))
  .map(
    'pages',
    fetch,
    (c) => c.input.list,
    (url) => ({ in: { url }, onError: { keep: true } }),
  )
  .map(
    'again',
    value,
    (c) => coalesce(c.pages.meta.errors, []),
    (error) => ({ in: { item: error.item, code: error.code } }),
  )
  .node('some', llm, (c) => ({ when: hasItems(c.pages.meta.errors), in: { prompt: 'Say which.' } }))
  .output((c) => ({ page: c.page.text, pages: c.pages, code: c.page.meta.error.code, ms: c.pages.meta.ms }));
holds<Equal<OutputOf<typeof kept>['page'], string | null>>();
holds<Equal<OutputOf<typeof kept>['ms'], number>>();
holds<null extends OutputOf<typeof kept>['pages'][number] ? true : false>();

// Literals behind references, sessions, rounds of a map, a plan as a step, what undoes, and an early end.
export const rest = base
  .node('seen', fetch, (c) => ({ in: { url: c.input.text }, when: isPresent(c.input.user) }))
  .node('early', value, (c) => ({
    when: eq(c.input.lang, 'de'),
    in: { text: 'Nur auf Englisch.' },
    finish: true,
    needs: ['seen'],
  }))
  .node('said', llm, (c) => ({
    in: { prompt: coalesce(c.seen.text, c.input.user, 'nothing') },
    session: t`user-${c.input.user}`,
  }))
  .map(
    'better',
    llm,
    (c) => c.input.list,
    (item) => ({
      in: { prompt: t`${item} ${previous<{ score: number }>().score}` },
      out: z.object({ score: z.number() }),
      session: item,
    }),
    { repeat: (self) => ({ until: gt(self.score, 0.5), max: 3 }) },
  )
  .node('planned', plan, (c) => ({ in: { goal: 'Go on.', context: c.better } }))
  .node('pay', charge, () => ({ in: { sum: 3 } }), { undo: (self) => undoBy(refund, { charge: self.charge }) })
  .node('map', llm, () => ({
    in: { prompt: 'x' },
    needs: ['seen', 'pay'],
    out: { label: 'a|b', notes: 'string[]' },
    onError: { value: { label: 'a', notes: [] } },
  }))
  .node('size', llm, (c) => ({ when: eq(c.map.label, 'b'), in: { prompt: t`${c.map.notes}` } }))
  .output((c) => ({ said: c.said.text, scores: c.better, done: c.planned.output }));
holds<
  Equal<
    OutputOf<typeof rest> extends infer O ? (O extends { readonly said: string } ? 'whole' : 'early') : never,
    'whole' | 'early'
  >
>();
workflow({ id: 'late', failFast: false }).node('a', llm, () => ({ in: { prompt: 'x' } }));

// A step of one's own may undo.
const release = defineStep({ name: 'release', input: { seat: 'string' }, output: {}, run: () => ({}) });
base.node('pay', charge, () => ({ in: { sum: 3 } }), { undo: (self) => undoBy(release, { seat: t`${self.charge}` }) });

/** Compiled, never called. */
export function refused(): void {
  const one = base.node('page', fetch, (c) => ({ in: { url: c.input.text } }));
  // @ts-expect-error there is no earlier node of that name
  one.node('b', llm, () => ({ in: { prompt: 'x' }, needs: ['pages'] }));
  // @ts-expect-error a stand-in without a field of the output
  one.node('b', fetch, () => ({ in: { url: 'x' }, onError: { value: { text: 'none' } } }));
  // @ts-expect-error a stand-in with another type
  one.node('b', llm, () => ({ in: { prompt: 'x' }, out: { n: 'number' }, onError: { value: { n: 'none' } } }));
  // @ts-expect-error the error of a node that stops the run when it fails
  one.node('b', llm, (c) => ({ in: { prompt: t`${c.page.meta.error.code}` } }));
  const review = base.node('review', human, () => ({ in: { question: 'Well?', choices: ['send', 'keep'] } }));
  // @ts-expect-error none of the choices
  review.node('b', llm, (c) => ({ when: eq(c.review.answer, 'sent'), in: { prompt: 'x' } }));
  const said = base.node('both', value, (c) => ({ in: { title: c.input.text } }));
  // @ts-expect-error a field that the value does not have
  said.node('b', llm, (c) => ({ in: { prompt: c.both.heading } }));
  // @ts-expect-error what undoes takes a text
  base.node('pay', charge, () => ({ in: { sum: 3 } }), { undo: (self) => undoBy(refund, { charge: self.sum }) });
  // @ts-expect-error a keyword of conditions
  base.node('loop', llm, () => ({ in: { prompt: 'x' } }));
  // @ts-expect-error finish is true or false
  base.node('b', llm, () => ({ in: { prompt: 'x' }, finish: 'yes' }));
  // @ts-expect-error a literal stands last
  coalesce('nothing', one);
  void isTrue;
}
