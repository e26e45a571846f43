/** Workflows over lists, as their authors write them. */
import { z } from 'zod';
import { coalesce, eq, gte, hasItems, llm, t, tool, value, workflow } from '../../../src/workflow/index.ts';

const readRows = tool<
  { readonly path: string },
  { readonly rows: readonly { readonly name: string; readonly size: number }[] }
>('read_rows');
const writeRows = tool<{ readonly path: string; readonly rows: readonly object[] }, { readonly written: number }>(
  'write_rows',
);
const listFiles = tool<{ readonly pattern: string }, { readonly files: readonly string[] }>('list_files');
const readFile = tool<{ readonly path: string }, { readonly text: string; readonly path: string }>('read_file');

// Each part is summarised, the summaries are joined.
export const mapReduce = workflow({ id: 'map-reduce', input: { pattern: 'string' } })
  .node('list', listFiles, (c) => ({ in: { pattern: c.input.pattern } }))
  .map(
    'map',
    readFile,
    (c) => c.list.files,
    (path) => ({ in: { path }, onError: 'skip', limits: { concurrency: 8 } }),
  )
  .map(
    'size',
    llm,
    (c) => c.map,
    (file) => ({ in: { prompt: t`Summarise ${file.path}:\n${file.text}` }, out: { text: 'string', words: 'integer' } }),
  )
  .node('filter', llm, (c) => ({ in: { prompt: t`Join: ${c.size}` } }))
  .output((c) => ({ text: c.filter.text, first: c.size[0]?.words }));

// Leads are scored; the good ones get a mail.
export const leadScoring = workflow({ id: 'leads', input: z.object({ path: z.string(), least: z.number() }) })
  .node('rows', readRows, (c) => ({ in: { path: c.input.path } }))
  .map(
    'scores',
    llm,
    (c) => c.rows.rows,
    (row) => ({
      in: { prompt: t`Score the lead ${row.name} of ${row.size} people.` },
      out: z.object({ score: z.number(), reason: z.string() }),
      onError: { value: { score: 0, reason: 'not scored' } },
    }),
  )
  .node('best', llm, (c) => ({ when: gte(c.scores[0]?.score ?? c.input.least, 1), in: { prompt: t`${c.scores}` } }))
  .node('out', writeRows, (c) => ({ in: { path: 'scores.csv', rows: c.scores } }))
  .output((c) => ({ written: c.out.written, best: c.best.text, scores: c.scores }));

// One line a day from several sources, any of which may be gone.
export const dailyDigest = workflow({ id: 'daily', input: { urls: 'string[]' } })
  .map(
    'pages',
    tool<{ readonly url: string }, { readonly text: string }>('http_get'),
    (c) => c.input.urls,
    (url) => ({ in: { url }, onError: { keep: true } }),
  )
  .node('digest', llm, (c) => ({ in: { prompt: t`Digest: ${c.pages}` }, out: { lines: 'string[]' } }))
  .node('gone', value, (c) => ({ when: hasItems(c.pages.meta.errors), in: { list: c.pages.meta.errors } }))
  .output((c) => ({ lines: c.digest.lines, gone: c.gone.list }));

// A book, chapter by chapter, each checked against a glossary.
const chapter = workflow({ id: 'chapter', input: { text: 'string', terms: 'string' } })
  .node('draft', llm, (c) => ({ in: { prompt: t`Translate with ${c.input.terms}:\n${c.input.text}` } }))
  .node('checked', llm, (c) => ({ in: { prompt: c.draft.text }, out: { text: 'string', wrong: 'string[]' } }))
  .output((c) => ({ text: c.checked.text, wrong: c.checked.wrong }));
export const bookTranslation = workflow({ id: 'book', input: { chapters: 'string[]' } })
  .node('terms', llm, (c) => ({ in: { prompt: t`List the terms of ${c.input.chapters}` } }))
  .map(
    'done',
    chapter,
    (c) => c.input.chapters,
    (text, c) => ({ in: { text, terms: c.terms.text } }),
  )
  .output((c) => ({ chapters: c.done, first: c.done[0]?.text }));

// Invoices become rows.
export const invoices = workflow({ id: 'invoices', input: { folder: 'string' } })
  .node('list', listFiles, (c) => ({ in: { pattern: t`${c.input.folder}/*.txt` } }))
  .map(
    'files',
    readFile,
    (c) => c.list.files,
    (path) => ({ in: { path } }),
  )
  .map(
    'rows',
    llm,
    (c) => c.files,
    (file) => ({
      in: { prompt: file.text },
      out: z.object({ number: z.string(), sum: z.number(), due: z.string().optional() }),
      sensitivity: 'personal',
    }),
  )
  .node('table', writeRows, (c) => ({ in: { path: 'invoices.csv', rows: c.rows } }))
  .output((c) => ({ written: c.table.written, due: c.rows[0]?.due }));

// A list is put into classes.
export const classification = workflow({ id: 'classes', input: { texts: 'string[]' } })
  .map(
    'classes',
    llm,
    (c) => c.input.texts,
    (text) => ({ in: { prompt: text }, out: { label: 'spam|ham', sure: 'boolean' }, model: { tier: 'fast' } }),
  )
  .output((c) => ({ first: c.classes[0]?.label, classes: c.classes }));

// An orchestrator hands out work and puts it together.
export const orchestrator = workflow({ id: 'orchestrator', input: { task: 'string' } })
  .node('parts', llm, (c) => ({
    in: { prompt: t`Split: ${c.input.task}` },
    out: z.object({ parts: z.array(z.object({ kind: z.enum(['code', 'text']), what: z.string() })) }),
  }))
  .map(
    'work',
    llm,
    (c) => c.parts.parts,
    (part) => ({
      in: { prompt: t`${part.kind}: ${part.what}` },
      escalate: { evaluator: 'validators', to: ['premium'] },
    }),
  )
  .node('whole', llm, (c) => ({ in: { prompt: t`Put together: ${c.work}` } }))
  .output((c) => c.whole.text);

// A chat that keeps a summary of what was said.
export const chat = workflow({
  id: 'chat',
  input: z.object({
    user: z.string(),
    message: z.string(),
    history: z.array(z.object({ role: z.string(), content: z.string() })),
    summary: z.string().optional(),
    kind: z.enum(['long', 'short']),
  }),
})
  .node('shorter', llm, (c) => ({
    when: eq(c.input.kind, 'long'),
    in: { system: 'Summarise.', messages: c.input.history },
  }))
  .node('answer', llm, (c) => ({
    in: { system: t`So far: ${coalesce(c.shorter.text, c.input.summary, 'nothing')}`, prompt: c.input.message },
    session: c.input.user,
  }))
  .output((c) => ({ text: c.answer.text, summary: coalesce(c.shorter.text, c.input.summary, '') }));
