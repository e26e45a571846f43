/** Breaks a goal into steps, does the first one with tools, and plans the rest anew from what came out. */
import { coalesce, compute, hasItems, llm, not, t, value, workflow } from 'polyphony';

const { append, at } = compute;

const nothing: readonly { readonly step: string; readonly result: string }[] = [];

export default workflow({
  id: 'plan-and-execute',
  goal: 'Reach a goal step by step, and plan the rest anew after each step',
  input: { goal: 'string' },
})
  .node('planned', llm, (c) => ({
    in: { prompt: t`Break this goal into the fewest steps that reach it: ${c.input.goal}` },
    out: { steps: 'string[]' },
    model: { tier: 'premium' },
  }))
  .repeat(
    'rounds',
    {
      start: (c) => ({ goal: c.input.goal, left: c.planned.steps, done: nothing }),
      until: (state) => not(hasItems(state.left)),
      max: 6,
    },
    (round) =>
      round
        .node('current', value, (c) => ({ in: { step: coalesce(at(c.input.left, 0), 'nothing') } }))
        .node('execute', llm, (c) => ({
          in: {
            system: 'You do one step of a larger goal with your tools, and report its result in one sentence.',
            prompt: t`Step: ${c.current.step}\n\nDone before: ${c.input.done}`,
            tools: ['read_file', 'list_files', 'calculate'],
            rounds: 4,
          },
        }))
        .node('progress', value, (c) => ({
          in: { done: append(c.input.done, { step: c.current.step, result: c.execute.text }) },
        }))
        .node('revised', llm, (c) => ({
          in: {
            prompt: t`Goal: ${c.input.goal}\nDone: ${c.progress.done}\nWhich steps are left? None when it is reached.`,
          },
          out: { steps: 'string[]' },
          model: { tier: 'premium' },
        }))
        .output((c) => ({ goal: c.input.goal, left: c.revised.steps, done: c.progress.done })),
  )
  .node('report', llm, (c) => ({
    in: { prompt: t`Report on the goal "${c.input.goal}" from these results: ${c.rounds.done}` },
  }))
  .output((c) => ({ report: c.report.text, done: c.rounds.done, planned: c.planned.steps }));
