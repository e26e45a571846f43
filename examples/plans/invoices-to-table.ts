/** Turns a folder of invoices, whatever their form, into the rows of one table. */
import { coalesce, llm, t, tool, workflow } from 'polyphony';

interface Page {
  readonly path: string;
  readonly text: string | null;
  readonly image: string | null;
  readonly file: string | null;
}

const listFiles = tool<{ readonly pattern: string }, { readonly files: readonly string[] }>('list_files');
const readFile = tool<{ readonly path: string }, Page>('read_file');
const writeRows = tool<
  {
    readonly path: string;
    readonly rows: readonly object[];
    readonly beside?: readonly object[];
    readonly columns?: readonly string[];
    readonly escapeFormulas?: boolean;
    readonly overwrite?: boolean;
  },
  { readonly path: string; readonly rows: number }
>('write_rows');

export default workflow({
  id: 'invoices-to-table',
  goal: 'Turn a folder of invoices (texts, pictures and PDFs) into one table',
  input: { pattern: 'string?', table: 'string?' },
})
  .node('files', listFiles, (c) => ({
    in: { pattern: coalesce(c.input.pattern, 'examples/material/invoices/*') },
  }))
  .map(
    'pages',
    readFile,
    (c) => c.files.files,
    (path) => ({ in: { path }, limits: { concurrency: 4 } }),
  )
  .map(
    'invoices',
    llm,
    (c) => c.pages,
    (page) => ({
      in: {
        prompt: t`Extract the fields of this invoice.\n\n${page.text}`,
        images: [page.image],
        files: [page.file],
      },
      out: { number: 'string', date: 'string', total: 'number' },
      model: { tier: 'fast' },
      limits: { concurrency: 4 },
    }),
  )
  .node('table', writeRows, (c) => ({
    in: {
      path: coalesce(c.input.table, 'invoices.csv'),
      rows: c.pages,
      beside: c.invoices,
      columns: ['path', 'number', 'date', 'total'],
      escapeFormulas: true,
      overwrite: true,
    },
  }))
  .output((c) => ({ table: c.table.path, rows: c.table.rows }));
