/** Agents that hand a conversation over to one another: each has a prompt, tools and a model of its own. */
import { llm, t, workflow } from 'polyphony';

export default workflow({
  id: 'agent-handoff',
  goal: 'Let the desk, the technician and the accountant answer one letter together',
  input: { letter: 'string' },
})
  .node('desk', llm, (c) => ({
    in: {
      system: 'You are the desk. You read letters and hand each question to the one who can answer it.',
      prompt: t`Letter: ${c.input.letter}`,
      rounds: 8,
      transcript: true,
      agents: {
        technician: {
          about: 'faults of the app',
          system: 'You are the technician. You look faults up in the tickets, then hand over.',
          tools: ['list_files', 'read_file'],
          model: { tier: 'premium' },
        },
        accountant: {
          about: 'sums of money',
          system: 'You are the accountant. You work sums out with calculate, then write the answer.',
          tools: ['calculate'],
          model: { tier: 'balanced' },
        },
      },
    },
    out: { reply: 'string', answered_by: 'desk|technician|accountant' },
    model: { tier: 'fast' },
  }))
  .output((c) => ({ reply: c.desk.reply, by: c.desk.answered_by }));
