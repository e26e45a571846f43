/** What the compiler must accept, and must refuse: every `@ts-expect-error` is a guarantee of the builder. */
import { z } from 'zod';
import { z as z3 } from 'zod3';
import type { Plan } from '../../src/core/plan/plan.ts';
import { defineTool } from '../../src/kit/index.ts';
import type { DoneRun, Polyphony, RunOutcome, SuspendedRun } from '../../src/polyphony.ts';
import {
  coalesce,
  defineStep,
  eq,
  gt,
  human,
  isTrue,
  llm,
  previous,
  t,
  tool,
  type Workflow,
  workflow,
} from '../../src/workflow/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => undefined;

const search = tool<{ readonly query: string }, { readonly hits: readonly string[] }>('search');

export const triage = workflow({
  id: 'triage',
  input: z.object({ ticket: z.string(), lang: z.enum(['en', 'de']) }),
  budget: { usd: 0.05 },
})
  .node('kind', llm, (c) => ({
    in: { prompt: t`Classify: ${c.input.ticket}` },
    model: { tier: 'fast' },
    out: z.object({ label: z.enum(['billing', 'tech']), confidence: z.number() }),
    escalate: { evaluator: 'validators', below: 0.7, to: ['premium'] },
  }))
  .node('docs', search, (c) => ({ in: { query: c.input.ticket } }))
  .map(
    'notes',
    llm,
    (c) => c.docs.hits,
    (hit, c) => ({ in: { prompt: t`Summarise ${hit} for ${c.kind.label}` }, limits: { concurrency: 4 } }),
  )
  .node('bill', llm, (c) => ({ when: eq(c.kind.label, 'billing'), in: { prompt: t`Refund: ${c.notes}` } }))
  .node('tech', llm, (c) => ({ when: eq(c.kind.label, 'tech'), in: { prompt: t`Fix: ${c.notes}` } }))
  .output((c) => ({
    answer: coalesce(c.bill.text, c.tech.text),
    maybe: c.bill.text,
    label: c.kind.label,
    first: c.notes[0]?.text,
    cost: c.kind.meta.costUsd,
  }));

type Output = NonNullable<(typeof triage)['__types']>['output'];
holds<Equal<Output['label'], 'billing' | 'tech'>>();
holds<Equal<Output['maybe'], string | null>>();
holds<Equal<Output['answer'], string | null>>();
holds<Equal<Output['cost'], number | null>>();

const base = workflow({
  id: 'base',
  input: z.object({ text: z.string(), count: z.number(), kind: z.enum(['p', 'q']) }),
});

// A fallback that cannot be null makes the whole not null.
const sure = base
  .node('a', llm, (c) => ({ when: eq(c.input.kind, 'p'), in: { prompt: c.input.text } }))
  .output((c) => ({ text: coalesce(c.a.text, c.input.text) }));
holds<Equal<NonNullable<(typeof sure)['__types']>['output']['text'], string>>();

// Shorthand and zod 3 give types too.
base
  .node('a', llm, (c) => ({ in: { prompt: c.input.text }, out: { label: 'x|y', score: 'number', tags: 'string[]' } }))
  .node('b', llm, (c) => ({
    when: eq(c.a.label, 'x'),
    in: { prompt: t`${c.a.tags}` },
    out: z3.object({ n: z3.number() }),
  }))
  .node('c', llm, (c) => ({ when: gt(c.b.n, 3), in: { prompt: 'go' } }));
base
  .node('a', llm, (c) => ({
    in: { prompt: c.input.text },
    out: { label: 'x|y' },
  }))
  // @ts-expect-error not a member of the shorthand's enum
  .node('b', llm, (c) => ({ when: eq(c.a.label, 'z'), in: { prompt: 'go' } }));

// A round sees its own output.
base.node(
  'a',
  llm,
  (c) => ({
    in: { prompt: t`${c.input.text} ${previous<{ score: number }>().score}` },
    out: z.object({ score: z.number() }),
  }),
  { repeat: (self) => ({ until: gt(self.score, 0.8), max: 3 }) },
);

/** Compiled, never called. */
export function refusedNodes(): void {
  // @ts-expect-error unknown field of the input
  base.node('n', llm, (c) => ({ in: { prompt: c.input.missing } }));
  // @ts-expect-error a number where a string is wanted
  base.node('n', llm, (c) => ({ in: { prompt: c.input.count } }));
  // @ts-expect-error a later or unknown node
  base.node('n', llm, (c) => ({ in: { prompt: c.later.text } }));
  // @ts-expect-error a missing input
  base.node('n', search, () => ({ in: {} }));
  // @ts-expect-error an llm node without prompt and messages
  base.node('n', llm, () => ({ in: { temperature: 0 } }));
  // @ts-expect-error an unknown input
  base.node('n', search, (c) => ({ in: { query: c.input.text, limit: 3 } }));
  // @ts-expect-error a literal outside the enum
  base.node('n', llm, (c) => ({ when: eq(c.input.kind, 'z'), in: { prompt: 'x' } }));
  // @ts-expect-error a tier that does not exist
  base.node('n', llm, () => ({ in: { prompt: 'x' }, model: { tier: 'cheap' } }));
  // @ts-expect-error an unknown field of a node
  base.node('n', llm, () => ({ in: { prompt: 'x' }, retry: 3 }));
  const optional = workflow({ id: 'x', input: { note: 'string?' } });
  // @ts-expect-error null where a required field is wanted
  optional.node('n', search, (c) => ({ in: { query: c.input.note } }));
  const one = base.node('one', llm, () => ({ in: { prompt: 'x' } }));
  // @ts-expect-error a duplicate id
  one.node('one', llm, () => ({ in: { prompt: 'y' } }));
  // @ts-expect-error a reserved id
  base.node('input', llm, () => ({ in: { prompt: 'x' } }));
  const over = (item: unknown) => ({ in: { prompt: t`${item}` } });
  // @ts-expect-error mapping over something that is no array
  base.map('n', llm, (c) => c.input.text, over);
  const searched = base.node('s', search, (c) => ({ in: { query: c.input.text } }));
  // @ts-expect-error a field that the output of a tool does not have
  searched.node('n', llm, (c) => ({ in: { prompt: c.s.results } }));
  const maybe = base.node('a', llm, (c) => ({ when: eq(c.input.kind, 'p'), in: { prompt: 'x' } }));
  // @ts-expect-error a value that may be skipped where a string is wanted
  maybe.node('b', llm, (c) => ({ in: { prompt: c.a.text } }));
  // @ts-expect-error an effort that does not exist
  one.node('b', llm, () => ({ in: { prompt: 'x', reasoning: 'extreme' } }));
}

// Steps of one's own, and workflows as steps.
const shout = defineStep({
  name: 'shout',
  input: z.object({ text: z.string() }),
  output: z.object({ loud: z.string() }),
  run: ({ text }) => ({ loud: text.toUpperCase() }),
});
const inner = base.node('s', shout, (c) => ({ in: { text: c.input.text } })).output((c) => ({ loud: c.s.loud }));
const outer = workflow({ id: 'outer', input: z.object({ a: z.string() }) });
outer.node('i', inner, (c) => ({ in: { text: c.input.a, count: 1, kind: 'p' } })).output((c) => ({ loud: c.i.loud }));
export function refusedSteps(): void {
  // @ts-expect-error an input of the inner workflow is missing
  outer.node('i', inner, (c) => ({ in: { text: c.input.a, count: 1 } }));
  const text = z.object({ a: z.string() });
  // @ts-expect-error the output of a step has the wrong type
  defineStep({ name: 'bad', input: text, output: text, run: () => ({ a: 1 }) });
}

// What may wait for an answer from outside is done or suspended, and has its output only when it is done.
type MaySuspend<W> = W extends Workflow<infer _I, infer _O, infer M> ? M : 'no workflow';
const asks = base.node('ok', human, (c) => ({ in: { question: c.input.text } })).output((c) => ({ ok: c.ok.approved }));
const asksLater = outer
  .node('first', llm, (c) => ({ in: { prompt: c.input.a } }))
  .node('inner', asks, (c) => ({ in: { text: c.first.text, count: 1, kind: 'p' } }))
  .node('last', llm, (c) => ({ when: isTrue(c.inner.ok), in: { prompt: 'go' } }))
  .output((c) => ({ text: c.last.text }));
const asksEach = outer
  .node('found', search, (c) => ({ in: { query: c.input.a } }))
  .map(
    'each',
    human,
    (c) => c.found.hits,
    (hit) => ({ in: { question: hit } }),
  )
  .output((c) => ({ answers: c.each }));
const asksByStep = outer
  .node(
    's',
    defineStep({
      name: 'asking',
      input: { text: 'string' },
      output: { loud: 'string' },
      suspends: true,
      run: ({ text }, { answer }) => ({ loud: `${text} ${String(answer?.value)}` }),
    }),
    (c) => ({ in: { text: c.input.a } }),
  )
  .output((c) => ({ loud: c.s.loud }));
const asksByTool = outer
  .node('t', tool<{ readonly q: string }, { readonly a: string }, true>('held'), (c) => ({ in: { q: c.input.a } }))
  .output((c) => ({ a: c.t.a }));
const asksByReplan = outer
  .node('r', llm, (c) => ({ in: { prompt: c.input.a }, onError: 'replan' }))
  .output((c) => ({ a: c.r.text }));
const neverAsks = outer
  .node('r', llm, (c) => ({ in: { prompt: c.input.a }, onError: 'skip' }))
  .node('i', inner, () => ({ in: { text: 'a', count: 1, kind: 'p' } }))
  .output((c) => ({ a: c.r.text }));
holds<Equal<MaySuspend<typeof triage>, false>>();
holds<Equal<MaySuspend<typeof inner>, false>>();
holds<Equal<MaySuspend<typeof neverAsks>, false>>();
holds<Equal<MaySuspend<typeof asks>, boolean>>();
holds<Equal<MaySuspend<typeof asksLater>, boolean>>();
holds<Equal<MaySuspend<typeof asksEach>, boolean>>();
holds<Equal<MaySuspend<typeof asksByStep>, boolean>>();
holds<Equal<MaySuspend<typeof asksByTool>, boolean>>();
holds<Equal<MaySuspend<typeof asksByReplan>, boolean>>();

export async function outcomes(polyphony: Polyphony, plan: Plan, any: Workflow<{ a: string }, string>): Promise<void> {
  const sureOutcome = await polyphony.run(triage, { ticket: 'x', lang: 'en' });
  holds<Equal<typeof sureOutcome, DoneRun<Output>>>();
  const { output, costNanoUsd } = await polyphony.run(triage, { ticket: 'x', lang: 'en' });
  holds<Equal<typeof output.label, 'billing' | 'tech'>>();
  holds<Equal<typeof costNanoUsd, number | null>>();

  const asked = await polyphony.run(asks, { text: 'x', count: 1, kind: 'p' });
  // @ts-expect-error what waits has no output
  void asked.output;
  // @ts-expect-error what is done waits for nothing
  void asked.waiting;
  if (asked.status === 'done') holds<Equal<typeof asked, DoneRun<{ readonly ok: boolean }>>>();
  else holds<Equal<typeof asked, SuspendedRun>>();

  const planned = await polyphony.run(plan);
  const requested = await polyphony.run('a request');
  const unknown = await polyphony.run(any, { a: 'x' });
  holds<Equal<typeof planned, RunOutcome>>();
  holds<Equal<typeof requested, RunOutcome>>();
  // @ts-expect-error a plan may ask
  void planned.output;
  // @ts-expect-error so may what a planner writes
  void requested.output;
  // @ts-expect-error and a workflow of which it is not known
  void unknown.output;
  if (unknown.status === 'done') holds<Equal<typeof unknown.output, string>>();
}

// A step sees what its schema gives, and returns what its schema takes; references have that as JSON.
const dated = defineStep({
  name: 'dated',
  input: z.object({ n: z.string().transform(Number), lang: z.string().default('en') }),
  output: z.object({ at: z.date(), size: z.string().transform((text) => text.length), note: z.string().optional() }),
  run: ({ n, lang }) => {
    holds<Equal<typeof n, number>>();
    holds<Equal<typeof lang, string>>();
    return { at: new Date(n), size: lang };
  },
});
const onDates = workflow({ id: 'on-dates', input: z.object({ since: z.date(), n: z.string().transform(Number) }) })
  .node('a', dated, () => ({ in: { n: '1' } }))
  .node('b', llm, (c) => ({
    in: { prompt: c.a.at },
    out: z.object({ when: z.date(), tags: z.array(z.coerce.number()) }),
  }))
  .output((c) => ({ at: c.a.at, size: c.a.size, note: c.a.note, n: c.input.n, since: c.input.since, when: c.b.when }));
type OnDates = NonNullable<(typeof onDates)['__types']>['output'];
holds<
  Equal<
    OnDates,
    {
      readonly at: string;
      readonly size: number;
      readonly note: string | null;
      readonly n: number;
      readonly since: string;
      readonly when: string;
    }
  >
>();
type Given<W> = W extends Workflow<infer I, infer _O, infer _M> ? I : 'no workflow';
holds<Equal<Given<typeof onDates>, { since: Date; n: string }>>();
outer.node('i', onDates, (c) => ({ in: { since: c.input.a, n: '1' } }));

interface Tree {
  readonly name: string;
  readonly children: readonly Tree[];
}
const Trees: z.ZodType<Tree> = z.object({ name: z.string(), children: z.array(z.lazy(() => Trees)) });
defineStep({ name: 'tree', input: Trees, output: Trees, run: (tree) => tree });
defineStep({ name: 'any', input: z.any(), output: z.unknown(), run: (given) => given });

/** Compiled, never called. */
export async function refusedSchemas(polyphony: Polyphony): Promise<void> {
  const input = z.object({ a: z.string() });
  const run = (): never => {
    throw new Error('never called');
  };
  // @ts-expect-error JSON has no Map
  defineStep({ name: 's', input, output: z.object({ m: z.map(z.string(), z.string()) }), run });
  // @ts-expect-error JSON has no Set, however deep
  defineStep({ name: 's', input, output: z.array(z.object({ s: z.set(z.string()).optional() })), run });
  // @ts-expect-error JSON has no bigint
  defineStep({ name: 's', input, output: z.object({ b: z.bigint() }), run });
  // @ts-expect-error what a transform gives counts too
  defineStep({ name: 's', input, output: z.object({ b: z.string().transform(BigInt) }), run });
  // @ts-expect-error JSON has no symbol
  defineStep({ name: 's', input, output: z.object({ b: z.symbol() }), run });
  // @ts-expect-error nothing in JSON is a Map
  defineStep({ name: 's', input: z.object({ m: z.map(z.string(), z.string()) }), output: input, run });
  // @ts-expect-error zod 3 too
  defineStep({ name: 's', input, output: z3.object({ b: z3.bigint() }), run });
  // @ts-expect-error the input of a workflow is kept as JSON
  workflow({ id: 'w', input: z.object({ b: z.bigint() }) });
  // @ts-expect-error so is the answer of a node
  base.node('n', llm, () => ({ in: { prompt: 'x' }, out: z.object({ s: z.set(z.string()) }) }));
  // A transform into what JSON has.
  defineStep({ name: 's', input, output: z.object({ b: z.bigint().transform(String) }), run });
  // @ts-expect-error a step returns what its schema takes, not what it gives
  defineStep({ name: 's', input, output: z.object({ n: z.string().transform(Number) }), run: () => ({ n: 1 }) });
  // @ts-expect-error a caller gives what the schema takes
  await polyphony.run(onDates, { since: 'yesterday', n: '1' });
  const { output } = await polyphony.run(onDates, { since: new Date(0), n: '1' });
  holds<Equal<typeof output, OnDates>>();
}

export const typedTools = [
  defineTool({
    name: 'a',
    description: 'A',
    input: z.object({ n: z.coerce.number() }),
    output: z.object({ at: z.date() }),
    run: ({ n }) => {
      holds<Equal<typeof n, number>>();
      return { at: new Date(n) };
    },
  }),
  defineTool({ name: 'b', description: 'B', input: { text: 'string' }, run: ({ text }) => text.length }),
  // @ts-expect-error JSON has no bigint
  defineTool({ name: 'c', description: 'C', input: {}, output: z.bigint(), run: () => 1n }),
];

export const conversations = [
  base.node('a', llm, (c) => ({ in: { prompt: 'Hi' }, thread: c.input.text })),
  base.node('a', llm, (c) => ({ in: { prompt: 'Hi' }, thread: { key: c.input.text, last: 4, summarise: true } })),
  // @ts-expect-error a number of messages is a number
  base.node('a', llm, () => ({ in: { prompt: 'Hi' }, thread: { key: 'a', last: 'many' } })),
  // @ts-expect-error a thread has a key
  base.node('a', llm, () => ({ in: { prompt: 'Hi' }, thread: { last: 4 } })),
];
