/** Labels a support ticket, escalates to a stronger model when the label is doubtful, and answers by label. */
import { coalesce, eq, llm, t, workflow } from 'polyphony';
import { z } from 'zod';

export default workflow({
  id: 'triage',
  goal: 'Label a support ticket and say what it is about',
  input: z.object({ ticket: z.string() }),
  budget: { usd: 0.05, seconds: 120 },
})
  .node('kind', llm, (c) => ({
    in: { prompt: t`Classify this support ticket as billing, technical or other.\n\n${c.input.ticket}` },
    model: { tier: 'fast' },
    out: z.object({ label: z.enum(['billing', 'technical', 'other']), confidence: z.number() }),
    escalate: { evaluator: 'validators', below: 0.7, to: ['premium'] },
  }))
  .node('urgent', llm, (c) => ({
    in: { prompt: t`Classify the urgency of this support ticket as high or normal.\n\n${c.input.ticket}` },
    model: { tier: 'fast' },
    out: z.object({ label: z.enum(['high', 'normal']) }),
  }))
  .node('money', llm, (c) => ({
    when: eq(c.kind.label, 'billing'),
    in: { prompt: t`Question: which charge or invoice is this about?\n\nText:\n${c.input.ticket}` },
  }))
  .node('fault', llm, (c) => ({
    when: eq(c.kind.label, 'technical'),
    in: { prompt: t`Question: what does not work?\n\nText:\n${c.input.ticket}` },
  }))
  .output((c) => ({
    label: c.kind.label,
    urgency: c.urgent.label,
    confidence: c.kind.confidence,
    about: coalesce(c.money.text, c.fault.text),
  }));
