/** Answers a question from each of many files, and returns the file with the best answer. */
import { llm, t, tool, workflow } from 'polyphony';
import { z } from 'zod';

const listFiles = tool<{ readonly pattern: string }, { readonly files: readonly string[] }>('list_files');
const readFile = tool<{ readonly path: string }, { readonly text: string; readonly path: string }>('read_file');

export default workflow({
  id: 'ask',
  goal: 'Answer a question from local files',
  input: z.object({ question: z.string(), pattern: z.string() }),
})
  .node('files', listFiles, (c) => ({ in: { pattern: c.input.pattern } }))
  .map(
    'pages',
    readFile,
    (c) => c.files.files,
    (file) => ({ in: { path: file } }),
  )
  .node('answer', llm, (c) => ({
    in: { prompt: t`Question: ${c.input.question}\n\nText:\n${c.pages}` },
    model: { tier: 'premium' },
    escalate: { evaluator: 'validators', below: 0.5, to: ['premium'] },
  }))
  .output((c) => ({ answer: c.answer.text, confidence: c.answer.meta.confidence, files: c.files.files }));
