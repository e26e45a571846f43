/** Answers a letter from the house's own texts; a doubtful answer escalates, and a person decides on refunds. */
import { coalesce, eq, human, llm, ne, t, tool, workflow } from 'polyphony';
import { z } from 'zod';

const search = tool<
  { readonly query: string; readonly pattern: string; readonly top?: number },
  { readonly context: string; readonly cites: readonly string[] }
>('search');

export default workflow({
  id: 'support',
  goal: 'Answer a letter from our texts, and let a person decide on refunds',
  input: z.object({ letter: z.string(), pattern: z.string() }),
  budget: { usd: 0.05, seconds: 86_400 },
})
  .node('kind', llm, (c) => ({
    in: {
      prompt: t`Classify this letter as refund (asks for money back), question (asks how something works) or other.\n\n${c.input.letter}`,
    },
    model: { tier: 'fast' },
    out: z.object({ label: z.enum(['refund', 'question', 'other']), confidence: z.number() }),
    escalate: { evaluator: 'validators', below: 0.7, to: ['premium'] },
  }))
  .node('found', search, (c) => ({ in: { query: c.input.letter, pattern: c.input.pattern, top: 3 } }))
  .node('reply', llm, (c) => ({
    when: ne(c.kind.label, 'refund'),
    in: { prompt: t`Question: ${c.input.letter}\n\nText:\n${c.found.context}` },
    model: { tier: 'fast' },
    escalate: { evaluator: 'validators', below: 0.7, to: ['premium'] },
  }))
  .node('review', human, (c) => ({
    when: eq(c.kind.label, 'refund'),
    in: {
      question: t`Pay back what this letter asks for?\n\n${c.input.letter}`,
      choices: ['refund', 'refuse'],
      approve: 'refund',
      data: { rules: c.found.cites },
    },
  }))
  .output((c) => ({
    kind: c.kind.label,
    confidence: c.kind.confidence,
    reply: c.reply.text,
    refund: coalesce(c.review.answer, 'not asked'),
    sources: c.found.cites,
  }));
