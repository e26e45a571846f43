/** Answers a question from several sources at once: each is searched and summed up, then they are held against each other. */
import { compute, llm, t, tool, workflow } from 'polyphony';
import { z } from 'zod';

const search = tool<
  { readonly query: string; readonly pattern: string; readonly top?: number },
  { readonly context: string; readonly cites: readonly string[] }
>('search');

export default workflow({
  id: 'research',
  goal: 'Answer a question from several sources, say where they disagree, and cite them',
  input: z.object({ question: z.string(), sources: z.array(z.string()).min(1).max(8) }),
  budget: { usd: 0.5, seconds: 600 },
})
  .each(
    'notes',
    (c) => c.input.sources,
    { with: (c) => ({ question: c.input.question }), limits: { concurrency: 4 } },
    (source, body) =>
      body
        .node('found', search, (c) => ({ in: { query: c.input.question, pattern: source, top: 4 } }))
        .node('summary', llm, (c) => ({
          in: {
            prompt: t`Question: ${c.input.question}\n\nSum up in three sentences what these passages say about it, and name each passage that you use. If they say nothing about it, say so.\n\nText:\n${c.found.context}`,
          },
          model: { tier: 'fast' },
          escalate: { evaluator: 'validators', below: 0.6, to: ['premium'] },
        }))
        .output((c) => ({ source, summary: c.summary.text, cites: c.found.cites })),
  )
  .node('check', llm, (c) => ({
    in: {
      prompt: t`Question: ${c.input.question}\n\nHold these summaries of several sources against each other. List what at least two of them say, and what they say differently. Give your confidence from 0 to 1 that they answer the question.\n\n${c.notes}`,
    },
    model: { tier: 'fast' },
    out: z.object({ agreed: z.array(z.string()), disputed: z.array(z.string()), confidence: z.number() }),
    escalate: { evaluator: 'validators', below: 0.7, to: ['premium'] },
  }))
  .node('report', llm, (c) => ({
    in: {
      prompt: t`Write a report that answers the question. Behind each statement name its source in brackets, as in the list. Say plainly what the sources dispute.\n\nQuestion: ${c.input.question}\n\nSources:\n${c.notes}\n\nAgreed: ${c.check.agreed}\nDisputed: ${c.check.disputed}`,
    },
    model: { tier: 'premium' },
  }))
  .output((c) => ({
    report: c.report.text,
    confidence: c.check.confidence,
    disputed: c.check.disputed,
    citations: compute.unique(compute.flatten(compute.collect(c.notes, (note) => note.cites))),
  }));
