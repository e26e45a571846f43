/** One model writes, another one scores by a rubric; the best version is kept, also when none is good enough. */
import { compute, gt, gte, llm, t, value, workflow } from 'polyphony';

const { choose, plus } = compute;

export default workflow({
  id: 'evaluator-loop',
  goal: 'Write until an evaluator gives eight points, and keep the best version',
  input: { task: 'string', rubric: 'string' },
})
  .repeat(
    'rounds',
    {
      start: (c) => ({
        task: c.input.task,
        rubric: c.input.rubric,
        advice: '',
        best: { text: '', score: 0 },
        rounds: 0,
      }),
      until: (state) => gte(state.best.score, 8),
      max: 4,
    },
    (round) =>
      round
        .node('candidate', llm, (c) => ({
          in: { prompt: t`Write: ${c.input.task}\n\nBest so far: ${c.input.best.text}\nAdvice: ${c.input.advice}` },
        }))
        .node('scored', llm, (c) => ({
          in: {
            system: t`You score from 0 to 10 by this rubric: ${c.input.rubric}`,
            prompt: t`Score this text: ${c.candidate.text}`,
          },
          out: { score: 'number', advice: 'string' },
          model: { tier: 'premium' },
        }))
        .node('better', value, (c) => ({
          in: {
            text: choose(gt(c.scored.score, c.input.best.score), c.candidate.text, c.input.best.text),
            score: choose(gt(c.scored.score, c.input.best.score), c.scored.score, c.input.best.score),
          },
        }))
        .output((c) => ({
          task: c.input.task,
          rubric: c.input.rubric,
          advice: c.scored.advice,
          best: { text: c.better.text, score: c.better.score },
          rounds: plus(c.input.rounds, 1),
        })),
  )
  .output((c) => ({ text: c.rounds.best.text, score: c.rounds.best.score, rounds: c.rounds.rounds }));
