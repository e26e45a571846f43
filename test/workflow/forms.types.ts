/** Values go where their form is wanted, and ids that cannot be used say why. */
import { z } from 'zod';
import type { FreshId } from '../../src/workflow/builder-types.ts';
import { defineStep, llm, t, tool, workflow } from '../../src/workflow/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => undefined;

const search = tool<{ readonly query: string }, { readonly hits: readonly string[] }>('search');

// Outputs go where their form is wanted: lists of a tool or a map, an optional input, a conversation.
const glue = defineStep({
  name: 'glue',
  input: z.object({
    parts: z.array(z.string()),
    note: z.string().optional(),
    tags: z.array(z.object({ name: z.string(), weight: z.number().optional() })).optional(),
  }),
  output: z.object({ text: z.string() }),
  run: ({ parts, note = '' }) => ({ text: parts.join(note) }),
});
workflow({
  id: 'forms',
  input: z.object({
    text: z.string(),
    note: z.string().optional(),
    tags: z.array(z.object({ name: z.string(), weight: z.number().optional() })),
    history: z.array(z.object({ role: z.string(), content: z.string() })),
  }),
})
  .node('found', search, (c) => ({ in: { query: c.input.text } }))
  .node('glued', glue, (c) => ({ in: { parts: c.found.hits, note: c.input.note, tags: c.input.tags } }))
  .map(
    'loud',
    llm,
    (c) => c.found.hits,
    (hit) => ({ in: { prompt: t`${hit}` }, out: z.string() }),
  )
  .node('again', glue, (c) => ({ in: { parts: c.loud } }))
  .node('chat', llm, (c) => ({ in: { messages: c.input.history } }))
  .node('said', llm, (c) => ({ in: { messages: [{ role: 'user', content: t`Go on: ${c.chat.text}` }] } }));

// Ids that cannot be used say why.
holds<Equal<FreshId<'fresh_1', { a: 1 }>, 'fresh_1'>>();
holds<Equal<FreshId<'a', { a: 1 }>, 'there is a node a already: choose another id'>>();
holds<Equal<FreshId<'list', { a: 1 }>, 'list'>>();
holds<Equal<FreshId<'loop', { a: 1 }>, "loop is a name of the plan's language: choose another id">>();
for (const id of ['myNode', '2nd', '_x', 'a-b', 'a b'] as const)
  holds<Equal<FreshId<typeof id, { a: 1 }>, `${typeof id} is no id: use a-z, 0-9 and _, and begin with a letter`>>();
