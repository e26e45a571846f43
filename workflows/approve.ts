/** Drafts a summary, waits for a person, and returns the approved text. The process may end while it waits. */
import { coalesce, human, isTrue, llm, t, tool, value, workflow } from 'polyphony';
import { z } from 'zod';

const readFile = tool<{ readonly path: string }, { readonly text: string; readonly path: string }>('read_file');

export default workflow({
  id: 'approve',
  goal: 'Summarise a file and let a person approve the summary',
  input: z.object({ path: z.string() }),
})
  .node('page', readFile, (c) => ({ in: { path: c.input.path } }))
  .node('draft', llm, (c) => ({
    in: { prompt: t`Summarise the following text in three sentences.\n\n${c.page.text}` },
  }))
  .node('review', human, (c) => ({
    in: { question: t`Publish this summary?\n\n${c.draft.text}`, choices: ['yes', 'no'] },
  }))
  .node('published', value, (c) => ({
    when: isTrue(c.review.approved),
    in: { text: c.draft.text },
    out: z.object({ text: z.string() }),
  }))
  .output((c) => ({ summary: coalesce(c.published.text), approved: c.review.approved }));
