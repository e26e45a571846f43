/** One node that runs once per file, four at a time, with the order kept. */
import { createPolyphony, llm, t, tool, workflow } from 'polyphony';
import { z } from 'zod';

const listFiles = tool<{ readonly pattern: string }, { readonly files: readonly string[] }>('list_files');
const readFile = tool<{ readonly path: string }, { readonly path: string; readonly text: string }>('read_file');

const labels = workflow({ id: 'labels', input: z.object({ pattern: z.string() }) })
  .node('files', listFiles, (c) => ({ in: { pattern: c.input.pattern } }))
  .map(
    'pages',
    readFile,
    (c) => c.files.files,
    (file) => ({ in: { path: file } }),
  )
  .map(
    'kinds',
    llm,
    (c) => c.pages,
    (page) => ({
      in: { prompt: t`Classify this support ticket as billing, technical or other.\n\n${page.text}` },
      out: { label: 'billing|technical|other' },
      limits: { concurrency: 4 },
    }),
  )
  .output((c) => ({ files: c.files.files, kinds: c.kinds }));

const polyphony = await createPolyphony();
const { output } = await polyphony.run(labels, { pattern: 'examples/material/tickets/*.txt' });
for (const [index, file] of output.files.entries()) console.log(`${file}  ${output.kinds[index]?.label}`);
await polyphony.close();
