/** Parallel branches, a condition and a join, with the events as they come. */
import { coalesce, createPolyphony, eq, llm, t, workflow } from 'polyphony';
import { z } from 'zod';

const answer = workflow({ id: 'answer', input: z.object({ ticket: z.string() }) })
  .node('kind', llm, (c) => ({
    in: { prompt: t`Classify this support ticket as billing or technical.\n\n${c.input.ticket}` },
    out: z.object({ label: z.enum(['billing', 'technical']) }),
  }))
  .node('terms', llm, (c) => ({
    in: { prompt: t`List the key terms of the following text.\n\n${c.input.ticket}` },
    out: { terms: 'string[]' },
  }))
  .node('money', llm, (c) => ({
    when: eq(c.kind.label, 'billing'),
    in: { prompt: t`Question: which invoice is this about?\n\nText:\n${c.input.ticket}` },
  }))
  .node('fault', llm, (c) => ({
    when: eq(c.kind.label, 'technical'),
    in: { prompt: t`Question: what does not work?\n\nText:\n${c.input.ticket}` },
  }))
  .output((c) => ({ label: c.kind.label, about: coalesce(c.money.text, c.fault.text), terms: c.terms.terms }));

const polyphony = await createPolyphony();
const handle = await polyphony.start(answer, {
  ticket: 'Since the update the app crashes when I open a report. The error says "cannot read layout".',
});
for await (const event of handle.events()) {
  if (event.type === 'node-started' || event.type === 'node-finished' || event.type === 'node-skipped') {
    console.log(`${event.type.padEnd(14)} ${event.nodeId}`);
  }
}
console.log((await handle.result()).output);
await polyphony.close();
