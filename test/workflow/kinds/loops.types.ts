/** Workflows with rounds, as their authors write them: they compile without a cast, and their plans are valid. */
import { z } from 'zod';
import {
  and,
  coalesce,
  eq,
  gte,
  hasItems,
  isTrue,
  llm,
  not,
  plan,
  previous,
  t,
  tool,
  workflow,
} from '../../../src/workflow/index.ts';

const search = tool<
  { readonly query: string; readonly count?: number },
  { readonly hits: readonly { readonly title: string; readonly url: string; readonly text: string }[] }
>('search');

// Retrieval that corrects itself: look up, grade what was found, ask otherwise where it is not enough, answer.
const lookUp = workflow({ id: 'look-up', input: z.object({ question: z.string(), hint: z.string().nullable() }) })
  .node('ask', llm, (c) => ({
    in: { prompt: t`Write a search query for: ${c.input.question}\nHint: ${c.input.hint}` },
    out: { query: 'string' },
    model: { tier: 'fast' },
  }))
  .node('found', search, (c) => ({ in: { query: c.ask.query, count: 5 } }))
  .map(
    'grades',
    llm,
    (c) => c.found.hits,
    (hit, c) => ({ in: { prompt: t`Does this answer "${c.input.question}"?\n${hit.text}` }, out: { fits: 'boolean' } }),
  )
  .node('judged', llm, (c) => ({
    in: { prompt: t`Question: ${c.input.question}\nHits: ${c.found.hits}\nGrades: ${c.grades}` },
    out: z.object({ enough: z.boolean(), hint: z.string(), texts: z.array(z.string()) }),
  }))
  .output((c) => ({ enough: c.judged.enough, hint: c.judged.hint, texts: c.judged.texts }));

export const correctiveRetrieval = workflow({ id: 'corrective-retrieval', input: { question: 'string' } })
  .node('looked', lookUp, (c) => ({ in: { question: c.input.question, hint: previous<{ hint: string }>().hint } }), {
    repeat: (self) => ({ until: isTrue(self.enough), max: 3 }),
  })
  .node('answer', llm, (c) => ({
    when: hasItems(c.looked.texts),
    in: { prompt: t`Answer "${c.input.question}" from:\n${c.looked.texts}` },
  }))
  .output((c) => ({ answer: coalesce(c.answer.text, 'Nothing was found.'), enough: c.looked.enough }));

// A draft that is criticised and written again.
export const reflection = workflow({ id: 'reflection', input: { topic: 'string' } })
  .node(
    'draft',
    llm,
    (c) => ({
      in: {
        prompt: t`Write about ${c.input.topic}. Draft so far: ${previous<{ text: string }>().text}. Name what is weak.`,
      },
      out: { text: 'string', weak: 'string[]' },
    }),
    { repeat: (self) => ({ until: not(hasItems(self.weak)), max: 4 }) },
  )
  .output((c) => ({ text: c.draft.text, left: c.draft.weak }));

// One writes, another one scores, until the score is good enough.
const round = workflow({ id: 'scored-round', input: { task: 'string', advice: 'string?' } })
  .node('written', llm, (c) => ({ in: { prompt: t`${c.input.task}\nAdvice: ${c.input.advice}` } }))
  .node('scored', llm, (c) => ({
    in: { prompt: t`Score from 0 to 10:\n${c.written.text}` },
    out: z.object({ score: z.number(), advice: z.string() }),
    model: { tier: 'premium' },
  }))
  .output((c) => ({ text: c.written.text, score: c.scored.score, advice: c.scored.advice }));

export const evaluatorLoop = workflow({ id: 'evaluator-loop', input: { task: 'string' } })
  .node('best', round, (c) => ({ in: { task: c.input.task, advice: previous<{ advice: string }>().advice } }), {
    repeat: (self) => ({ until: gte(self.score, 8), max: 5 }),
  })
  .output((c) => c.best.text);

// A plan first, then its steps.
export const planAndExecute = workflow({ id: 'plan-and-execute', input: { goal: 'string' } })
  .node('steps', llm, (c) => ({ in: { prompt: t`Break this down: ${c.input.goal}` }, out: { steps: 'string[]' } }))
  .map(
    'results',
    plan,
    (c) => c.steps.steps,
    (step, c, index) => ({ in: { goal: step, context: { of: c.input.goal, at: index } }, onError: { keep: true } }),
  )
  .node('whole', llm, (c) => ({ in: { prompt: t`Goal: ${c.input.goal}\nResults: ${c.results}` } }))
  .node('missing', llm, (c) => ({
    when: and(hasItems(c.results.meta.errors), eq(c.whole.meta.finishReason, 'stop')),
    in: { prompt: t`Say what could not be done: ${c.results.meta.errors}` },
  }))
  .output((c) => ({ text: c.whole.text, missing: c.missing.text }));
