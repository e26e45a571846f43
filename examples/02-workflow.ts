/** A workflow of three steps in TypeScript. The compiler checks the type of every reference and of the output. */
import { createPolyphony, defineStep, llm, t, tool, workflow } from 'polyphony';
import { z } from 'zod';

const readFile = tool<{ readonly path: string }, { readonly text: string }>('read_file');
const countWords = defineStep({
  name: 'count-words',
  input: z.object({ text: z.string() }),
  output: z.object({ words: z.number() }),
  run: ({ text }) => ({ words: text.split(/\s+/).length }),
});

const shorten = workflow({ id: 'shorten', input: z.object({ path: z.string() }) })
  .node('page', readFile, (c) => ({ in: { path: c.input.path } }))
  .node('summary', llm, (c) => ({
    in: { prompt: t`Summarise the following text in two sentences.\n\n${c.page.text}` },
  }))
  .node('counted', countWords, (c) => ({ in: { text: c.summary.text } }))
  .output((c) => ({ summary: c.summary.text, words: c.counted.words }));

const polyphony = await createPolyphony();
const { output } = await polyphony.run(shorten, { path: 'examples/material/valley.md' });
console.log(output.summary);
console.log(`${output.words} words`);
await polyphony.close();
