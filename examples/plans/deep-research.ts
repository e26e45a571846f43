/** Research with a person in the loop: the reader chooses the questions, and sends the report back until it is right. */
import { coalesce, compute, hasItems, human, isTrue, llm, not, t, tool, value, workflow } from 'polyphony';

const search = tool<
  { readonly query: string; readonly pattern: string; readonly top?: number },
  { readonly hits: readonly object[]; readonly context: string; readonly cites: readonly string[] }
>('search');

export default workflow({
  id: 'deep-research',
  goal: 'Research the questions that a reader chooses, and write the report until the reader approves it',
  input: { topic: 'string', pattern: 'string' },
})
  .node('outline', llm, (c) => ({
    in: { prompt: t`Which questions does research on this topic have to answer? ${c.input.topic}` },
    out: { title: 'string', questions: 'string[]' },
    model: { tier: 'premium' },
  }))
  .node('scope', human, (c) => ({
    in: { question: t`Which questions belong to "${c.outline.title}"?`, data: c.outline.questions },
    out: { answer: 'string[]' },
  }))
  .each(
    'findings',
    (c) => c.scope.answer,
    { with: (c) => ({ pattern: c.input.pattern }), limits: { concurrency: 3 } },
    (question, body) =>
      body
        .node('first', search, (c) => ({ in: { query: question, pattern: c.input.pattern, top: 2 } }))
        .node('gap', llm, (c) => ({
          in: { prompt: t`Question: ${question}\n\nPassages:\n${c.first.context}\n\nWhat else has to be searched?` },
          out: { queries: 'string[]' },
          model: { tier: 'fast' },
        }))
        .map(
          'more',
          search,
          (c) => compute.first(c.gap.queries, 2),
          (query, c) => ({ in: { query, pattern: c.input.pattern, top: 1 } }),
        )
        .node('notes', llm, (c) => ({
          in: { prompt: t`Take notes on: ${question}\n\nPassages:\n${c.first.context}\n${c.more}` },
        }))
        .output((c) => ({ question, notes: c.notes.text, sources: c.first.cites, searched: c.gap.queries })),
  )
  .repeat(
    'report',
    {
      start: (c) => ({ title: c.outline.title, findings: c.findings, text: '', remark: '', approved: false }),
      until: (state) => isTrue(state.approved),
      max: 3,
    },
    (round) =>
      round
        .node('write', llm, (c) => ({
          in: {
            system: 'You write reports that cite their sources.',
            prompt: t`Report: ${c.input.title}\nFindings: ${c.input.findings}\nBefore: ${c.input.text}\nRemark: ${c.input.remark}`,
          },
          model: { tier: 'premium' },
        }))
        .node('review', human, (c) => ({
          in: { question: t`Is this report right?\n\n${c.write.text}` },
          out: { answer: 'string' },
        }))
        .output((c) => ({
          title: c.input.title,
          findings: c.input.findings,
          text: c.write.text,
          remark: c.review.answer,
          approved: c.review.approved,
        })),
  )
  .node('held', value, (c) => ({ when: not(isTrue(c.report.approved)), in: { remark: c.report.remark } }))
  .node('sources', value, (c) => ({
    when: hasItems(c.findings),
    in: { list: compute.unique(compute.flatten(compute.collect(c.findings, (one) => one.sources))) },
  }))
  .output((c) => ({
    title: c.report.title,
    text: c.report.text,
    questions: c.scope.answer,
    sources: c.sources.list,
    open: coalesce(c.held.remark, null),
  }));
