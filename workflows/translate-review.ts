/** Translates a text and lets another model judge it, until it is good or three versions were made. */
import { gte, llm, t, workflow } from 'polyphony';
import { z } from 'zod';

export default workflow({
  id: 'translate-review',
  goal: 'Translate a text, and correct the translation until another model finds nothing wrong',
  input: z.object({ text: z.string(), language: z.string() }),
  budget: { usd: 0.5, seconds: 600 },
})
  .repeat(
    'rounds',
    {
      start: (c) => ({
        original: c.input.text,
        language: c.input.language,
        text: '',
        score: 0,
        remarks: [] as readonly string[],
      }),
      until: (state) => gte(state.score, 8),
      max: 3,
    },
    (round) =>
      round
        .node('version', llm, (c) => ({
          in: {
            system: 'You are a translator. Answer with the translation alone.',
            prompt: t`Translate into ${c.input.language}. Keep names, numbers and the form of the text.\n\nText:\n${c.input.original}\n\nYour version before (empty in the first round):\n${c.input.text}\n\nRemarks on it: ${c.input.remarks}`,
          },
          model: { tier: 'fast' },
        }))
        .node('review', llm, (c) => ({
          in: {
            system: 'You review translations of others. Judge only what is there.',
            prompt: t`Give the translation into ${c.input.language} a score from 0 to 10 for meaning, completeness and tone, and list what is wrong with it.\n\nOriginal:\n${c.input.original}\n\nTranslation:\n${c.version.text}`,
          },
          model: { tier: 'premium' },
          out: z.object({ score: z.number(), remarks: z.array(z.string()) }),
        }))
        .output((c) => ({
          original: c.input.original,
          language: c.input.language,
          text: c.version.text,
          score: c.review.score,
          remarks: c.review.remarks,
        })),
  )
  .output((c) => ({ text: c.rounds.text, score: c.rounds.score, remarks: c.rounds.remarks }));
