/** One digest a day from several sources, any of which may be gone; a schedule of the config starts it. */
import { coalesce, compute, isPresent, llm, startedAt, t, tool, value, workflow } from 'polyphony';

const readFile = tool<{ readonly path: string }, { readonly path: string; readonly text: string }>('read_file');
const writeFile = tool<
  { readonly path: string; readonly text: string; readonly overwrite?: boolean },
  { readonly path: string; readonly bytes: number }
>('write_file');

export default workflow({
  id: 'daily-digest',
  goal: 'Write one digest of the sources that are there, and name those that are not',
  input: { sources: 'string[]' },
})
  .map(
    'pages',
    readFile,
    (c) => c.input.sources,
    (path) => ({ in: { path }, onError: { keep: true }, limits: { concurrency: 4 } }),
  )
  .node('there', value, (c) => ({ in: { pages: compute.filter(c.pages, (page) => isPresent(page)) } }))
  .map(
    'lines',
    llm,
    (c) => c.there.pages,
    (page) => ({
      in: { prompt: t`Write one line of a digest about ${page.path}.\n\n${page.text}` },
      out: { line: 'string' },
      model: { tier: 'fast' },
      limits: { concurrency: 4 },
    }),
  )
  .node('digest', llm, (c) => ({ in: { prompt: t`Write a digest with a heading from these lines: ${c.lines}` } }))
  .node('day', value, () => ({ in: { path: compute.text('digest-', compute.startOf(startedAt, 10), '.md') } }))
  .node('saved', writeFile, (c) => ({ in: { path: c.day.path, text: c.digest.text, overwrite: true } }))
  .output((c) => ({
    digest: c.digest.text,
    lines: compute.collect(c.lines, (one) => one.line),
    gone: compute.collect(coalesce(c.pages.meta.errors, []), (error) => error.item),
    bytes: c.saved.bytes,
  }));
