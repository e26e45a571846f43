/** Reads two files in parallel and reports what they share and where they differ. */
import { llm, t, tool, workflow } from 'polyphony';
import { z } from 'zod';

const readFile = tool<{ readonly path: string }, { readonly text: string; readonly path: string }>('read_file');

export default workflow({
  id: 'compare',
  goal: 'Compare two documents',
  input: z.object({ first: z.string(), second: z.string() }),
})
  .node('a', readFile, (c) => ({ in: { path: c.input.first } }))
  .node('b', readFile, (c) => ({ in: { path: c.input.second } }))
  .node('a_terms', llm, (c) => ({
    in: { prompt: t`List the key terms of the following text.\n\n${c.a.text}` },
    model: { tier: 'fast' },
    out: z.object({ terms: z.array(z.string()) }),
  }))
  .node('b_terms', llm, (c) => ({
    in: { prompt: t`List the key terms of the following text.\n\n${c.b.text}` },
    model: { tier: 'fast' },
    out: z.object({ terms: z.array(z.string()) }),
  }))
  .node('difference', llm, (c) => ({
    in: { prompt: t`Compare the following two texts.\n\nText A:\n${c.a.text}\n\nText B:\n${c.b.text}` },
    model: { tier: 'premium' },
  }))
  .output((c) => ({ comparison: c.difference.text, first: c.a_terms.terms, second: c.b_terms.terms }));
