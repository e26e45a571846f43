/** Reads every file of a folder and makes one row of each: what a text does not say is empty, never guessed. */
import { coalesce, llm, t, tool, workflow } from 'polyphony';
import { z } from 'zod';

interface Page {
  readonly path: string;
  readonly text: string | null;
}

const listFiles = tool<{ readonly pattern: string }, { readonly files: readonly string[] }>('list_files');
const readFile = tool<{ readonly path: string }, Page>('read_file');

export default workflow({
  id: 'extract',
  goal: 'Turn a folder of letters and invoices into one table',
  input: z.object({ pattern: z.string() }),
  budget: { usd: 0.5, seconds: 600 },
})
  .node('files', listFiles, (c) => ({ in: { pattern: c.input.pattern } }))
  .each(
    'rows',
    (c) => c.files.files,
    (path, body) =>
      body
        .node('page', readFile, () => ({ in: { path } }))
        .node('fields', llm, (c) => ({
          in: {
            prompt: t`Extract the invoice number, the date, the customer and the total of this text. Leave out what it does not say.\n\n${c.page.text}`,
          },
          model: { tier: 'fast' },
          out: z.object({
            invoice_number: z.string().optional().describe('The invoice number.'),
            date: z.string().optional().describe('The date, as YYYY-MM-DD.'),
            customer: z.string().optional().describe('The customer.'),
            total: z.number().optional().describe('The total sum.'),
          }),
          escalate: { evaluator: 'validators', below: 0.5, to: ['premium'] },
        }))
        .output((c) => ({
          file: path,
          invoice_number: c.fields.invoice_number,
          date: c.fields.date,
          customer: c.fields.customer,
          total: c.fields.total,
        })),
    { limits: { concurrency: 8 }, onError: { keep: true } },
  )
  .output((c) => ({ rows: c.rows, failed: coalesce(c.rows.meta.errors, []) }));
