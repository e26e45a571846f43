/** An `embed` node needs a text or an index, and the compiler says so. */
import { embed, workflow } from '../../src/index.ts';

workflow({ id: 'embeds', input: { question: 'string' } })
  .node('texts', embed, (c) => ({ in: { input: [c.input.question] } }))
  .node('indexed', embed, () => ({ in: { index: 'notes' } }))
  .node('both', embed, (c) => ({ in: { index: 'notes', input: c.input.question } }))
  // @ts-expect-error: neither "input" nor "index"
  .node('none', embed, () => ({ in: {} }))
  .output((c) => ({ vectors: c.texts.vectors, model: c.both.model, embedded: c.indexed.embedded }));
