/** Sums up a folder of texts of any length: pieces first, then each file, then the whole. */
import { compute, llm, t, tool, workflow } from 'polyphony';

const listFiles = tool<{ readonly pattern: string }, { readonly files: readonly string[] }>('list_files');
const readFile = tool<{ readonly path: string }, { readonly path: string; readonly text: string }>('read_file');
const split = tool<
  { readonly text: string; readonly source: string; readonly size?: number },
  { readonly pieces: readonly { readonly text: string; readonly heading: string | null }[] }
>('split');

export default workflow({
  id: 'map-reduce',
  goal: 'Sum up every piece of every file, then every file, then the whole',
  input: { pattern: 'string' },
})
  .node('list', listFiles, (c) => ({ in: { pattern: c.input.pattern } }))
  .each(
    'files',
    (c) => c.list.files,
    (path, body) =>
      body
        .node('page', readFile, () => ({ in: { path } }))
        .node('cut', split, (c) => ({ in: { text: c.page.text, source: path, size: 600 } }))
        .map(
          'pieces',
          llm,
          (c) => c.cut.pieces,
          (piece) => ({
            in: { prompt: t`Sum up this piece in one sentence.\n\n${piece.text}` },
            model: { tier: 'fast' },
            limits: { concurrency: 4 },
          }),
        )
        .node('summary', llm, (c) => ({
          in: { prompt: t`Join these summaries of one file into one sentence.\n\n${c.pieces}` },
        }))
        .output((c) => ({ path, summary: c.summary.text, pieces: compute.count(c.cut.pieces) })),
    { limits: { concurrency: 2 } },
  )
  .node('whole', llm, (c) => ({
    in: { prompt: t`Write one paragraph from these summaries of files.\n\n${c.files}` },
    model: { tier: 'premium' },
  }))
  .output((c) => ({ whole: c.whole.text, files: c.files }));
