/** An orchestrator decides which pieces of work there are; workers of different kinds do them side by side; one puts them together. */
import { compute, llm, t, value, workflow } from 'polyphony';
import { z } from 'zod';

export default workflow({
  id: 'orchestrator-and-workers',
  goal: 'Split a task into pieces of work, give each to a worker of its kind, and put the results together',
  input: { task: 'string' },
})
  .node('orchestrator', llm, (c) => ({
    in: { prompt: t`Split this task into pieces of work that do not depend on each other: ${c.input.task}` },
    out: z.object({
      pieces: z.array(z.object({ kind: z.enum(['facts', 'figures', 'text']), work: z.string() })).max(8),
    }),
    model: { tier: 'premium' },
  }))
  .each(
    'workers',
    (c) => c.orchestrator.pieces,
    { with: (c) => ({ task: c.input.task }), limits: { concurrency: 4 }, onError: { keep: true } },
    (piece, body) =>
      body
        .node('role', value, () => ({
          in: {
            system: compute.pick(piece.kind, {
              facts: 'You look facts up in files, and name each file.',
              figures: 'You work figures out with calculate.',
              text: 'You write short texts without figures.',
            }),
          },
        }))
        .node('work', llm, (c) => ({
          in: {
            system: c.role.system,
            prompt: t`Of the task "${c.input.task}" do only this: ${piece.work}`,
            tools: ['read_file', 'calculate'],
            rounds: 4,
          },
          model: { tier: compute.pick(piece.kind, { facts: 'fast', figures: 'balanced', text: 'balanced' }) },
        }))
        .output((c) => ({ kind: piece.kind, work: piece.work, result: c.work.text })),
  )
  .node('whole', llm, (c) => ({
    in: { prompt: t`Put the results together for the task "${c.input.task}".\n\n${c.workers}` },
    model: { tier: 'premium' },
  }))
  .output((c) => ({ text: c.whole.text, workers: c.workers, failed: c.workers.meta.errors }));
