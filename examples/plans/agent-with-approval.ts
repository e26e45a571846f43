/** An agent whose tool is another agent, and whose one tool with effects waits for a person inside the loop. */
import { llm, t, tool, workflow } from 'polyphony';

const readFile = tool<{ readonly path: string }, { readonly text: string }>('read_file');
const listFiles = tool<{ readonly pattern: string }, { readonly files: readonly string[] }>('list_files');
const writeFile = tool<{ readonly path: string; readonly text: string }, { readonly path: string }>('write_file');

const librarian = workflow({
  id: 'librarian',
  goal: 'Find out what the house rules say about a question',
  input: { question: 'string' },
})
  .node('look', llm, (c) => ({
    in: {
      system: 'You are the librarian. Answer from the files below examples/material/handbook, and name the file.',
      prompt: c.input.question,
      tools: [listFiles, readFile],
      rounds: 4,
      toolLimits: { read_file: { calls: 3 } },
    },
    out: { answer: 'string', file: 'string' },
    model: { tier: 'fast' },
  }))
  .output((c) => ({ answer: c.look.answer, file: c.look.file }));

export default workflow({
  id: 'agent-with-approval',
  goal: 'Write a notice for the reading room; each file that the agent writes is approved by a person first',
  input: { task: 'string' },
})
  .node('work', llm.agent, (c) => ({
    in: {
      system: 'You write notices. Ask the librarian for facts. Write the notice to a file, and report what you did.',
      prompt: t`Task: ${c.input.task}`,
      tools: [librarian, writeFile],
      approve: ['write_file'],
      rounds: 6,
      toolLimits: { write_file: { calls: 2 } },
      transcript: true,
    },
    out: { file: 'string', report: 'string' },
    limits: { usd: 0.5 },
  }))
  .node('written', readFile, (c) => ({ in: { path: t`out/${c.work.file}` } }))
  .output((c) => ({ notice: c.written.text, report: c.work.report }));
