/** Writes, criticises what was written, and writes again until the critic has nothing left to say. */
import { compute, hasItems, llm, not, t, value, workflow } from 'polyphony';

export default workflow({
  id: 'reflection',
  goal: 'Write a text, criticise it, and write it again until the critic is content',
  input: { task: 'string' },
})
  .repeat(
    'rounds',
    {
      start: (c) => ({ task: c.input.task, text: '', remarks: [] as readonly string[], rounds: 0 }),
      until: (state) => not(hasItems(state.remarks)),
      max: 4,
    },
    (round) =>
      round
        .node('written', llm, (c) => ({
          in: {
            prompt: t`Write: ${c.input.task}\n\nLast version: ${c.input.text}\nRemarks to follow: ${c.input.remarks}`,
          },
        }))
        .node('criticised', llm, (c) => ({
          in: {
            system: 'You are a strict critic. Name what is wrong or missing, each in one sentence, or nothing.',
            prompt: t`Task: ${c.input.task}\n\nText: ${c.written.text}`,
          },
          out: { remarks: 'string[]' },
          model: { tier: 'premium' },
        }))
        .output((c) => ({
          task: c.input.task,
          text: c.written.text,
          remarks: c.criticised.remarks,
          rounds: compute.plus(c.input.rounds, 1),
        })),
  )
  .node('open', value, (c) => ({ when: hasItems(c.rounds.remarks), in: { remarks: c.rounds.remarks } }))
  .output((c) => ({ text: c.rounds.text, rounds: c.rounds.rounds, open: c.open.remarks }));
