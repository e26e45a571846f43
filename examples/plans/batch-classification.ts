/** Labels every row of a table, side by side, and writes the table with its labels. */
import { coalesce, llm, t, tool, workflow } from 'polyphony';

const readRows = tool<{ readonly path: string }, { readonly rows: readonly { readonly text: string }[] }>('read_rows');
const writeRows = tool<
  {
    readonly path: string;
    readonly rows: readonly object[];
    readonly beside?: readonly object[];
    readonly delimiter?: ',' | ';';
    readonly escapeFormulas?: boolean;
    readonly overwrite?: boolean;
  },
  { readonly path: string; readonly rows: number }
>('write_rows');

export default workflow({
  id: 'batch-classification',
  goal: 'Label every row of a table, side by side, and write the table with its labels',
  input: { path: 'string?', table: 'string?' },
})
  .node('messages', readRows, (c) => ({ in: { path: coalesce(c.input.path, 'examples/material/messages.csv') } }))
  .map(
    'kinds',
    llm,
    (c) => c.messages.rows,
    (row) => ({
      in: { prompt: t`Classify this message as billing, technical or other.\n\n${row.text}` },
      out: { label: 'billing|technical|other', confidence: 'number' },
      model: { tier: 'fast' },
      limits: { concurrency: 8 },
    }),
  )
  .node('table', writeRows, (c) => ({
    in: {
      path: coalesce(c.input.table, 'labelled.csv'),
      rows: c.messages.rows,
      beside: c.kinds,
      delimiter: ';',
      escapeFormulas: true,
      overwrite: true,
    },
  }))
  .output((c) => ({ table: c.table.path, rows: c.table.rows }));
