/** What the compiler knows of the answers of people. */
import { z } from 'zod';
import { eq, human, llm, type Ref, tool, workflow } from '../../src/workflow/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => undefined;
const search = tool<{ readonly query: string }, { readonly hits: readonly string[] }>('search');
const base = workflow({ id: 'base', input: z.object({ text: z.string() }) });

const chosen = base
  .node('found', search, (c) => ({ in: { query: c.input.text } }))
  .node('pick', human, () => ({ in: { question: 'Which?', choices: ['red', 'blue'] } }))
  .node('any', human, () => ({ in: { question: 'Anything?' } }))
  .node('few', human, (c) => ({ in: { question: 'Which one?', choices: [c.input.text, 'none'] } }))
  .node('many', human, () => ({ in: { question: 'How many?' }, out: z.object({ answer: z.number() }) }))
  .map(
    'parts',
    human,
    (c) => c.found.hits,
    (item) => ({ in: { question: item, choices: ['keep', 'drop'], approve: 'keep' } }),
  )
  .node('go', llm, (c) => ({ when: eq(c.pick.answer, 'red'), in: { prompt: c.few.answer } }));
export const chosenAnswers = chosen.output((c) => {
  holds<Equal<typeof c.pick.answer, Ref<'red' | 'blue'>>>();
  holds<Equal<typeof c.pick.approved, Ref<boolean>>>();
  holds<Equal<typeof c.any.answer, Ref<unknown>>>();
  holds<Equal<typeof c.few.answer, Ref<string>>>();
  holds<Equal<typeof c.many.answer, Ref<number>>>();
  holds<Equal<typeof c.many.approved, Ref<boolean>>>();
  holds<Equal<(typeof c.parts)[0]['answer'], Ref<'keep' | 'drop'>>>();
  return { text: c.go.text };
});
export function refusedChoice(): void {
  // @ts-expect-error no answer is another choice
  chosen.node('b', llm, (c) => ({ when: eq(c.pick.answer, 'green'), in: { prompt: 'x' } }));
}
