/** Summarises every file that matches a pattern in parallel, then all of them as one text. */
import { llm, t, tool, workflow } from 'polyphony';
import { z } from 'zod';

const listFiles = tool<{ readonly pattern: string }, { readonly files: readonly string[] }>('list_files');
const readFile = tool<{ readonly path: string }, { readonly text: string; readonly path: string }>('read_file');

export default workflow({
  id: 'digest',
  goal: 'Summarise every file of a folder, then the whole',
  input: z.object({ pattern: z.string() }),
})
  .node('files', listFiles, (c) => ({ in: { pattern: c.input.pattern } }))
  .map(
    'pages',
    readFile,
    (c) => c.files.files,
    (file) => ({ in: { path: file }, limits: { concurrency: 8 } }),
  )
  .map(
    'summaries',
    llm,
    (c) => c.pages,
    (page) => ({
      in: { prompt: t`Summarise the following text in two sentences.\n\n${page.text}` },
      model: { tier: 'fast' },
      limits: { concurrency: 8 },
    }),
  )
  .node('whole', llm, (c) => ({
    in: { prompt: t`Summarise the following texts in three sentences.\n\n${c.summaries}` },
    model: { tier: 'premium' },
  }))
  .output((c) => ({ digest: c.whole.text, files: c.files.files, summaries: c.summaries }));
