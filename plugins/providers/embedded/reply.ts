/** Runs the jobs of a task and returns the answer as text. */
import { defined } from 'polyphony/kit';
import { answer } from './answers.ts';
import { bulletPoints } from './bullets.ts';
import { classify } from './classification.ts';
import { compare, describeComparison } from './comparison.ts';
import { describeFields, extractFields } from './fields/extraction.ts';
import { describeFigures } from './figures/figures.ts';
import { describeTables } from './figures/overview.ts';
import { figuresOfTask } from './figures/shape.ts';
import type { JobType } from './intent.ts';
import { refusal } from './refusal.ts';
import { type Effort, summarise } from './summary.ts';
import type { Task } from './task.ts';
import { keyTerms } from './terms.ts';
import { kindName, kindsIn } from './text/asked-kinds.ts';
import { entities } from './text/entities.ts';
import { FALLBACK_LABEL } from './text/lexicon.ts';
import { type Reading, read } from './text/passages.ts';

export interface Reply {
  readonly text: string;
  /** 0 to 1. */
  readonly confidence: number;
}

/** The confidence of every reply that says that the text has nothing of what was asked. */
const NOTHING = 0.1;
export const NO_ANSWER = 'The text does not answer this question.';

const TITLES: Readonly<Record<JobType, string>> = {
  summarise: 'Summary',
  'key-terms': 'Key terms',
  classify: 'Label',
  answer: 'Answer',
  compare: 'Comparison',
  entities: 'Found',
  fields: 'Fields',
  figures: 'Figures',
};
/** Jobs that give a result for each document where the request asks for that. */
const SEPARATE: ReadonlySet<JobType> = new Set(['summarise', 'key-terms', 'classify', 'answer', 'entities', 'fields']);

/** The texts of a task, parsed as one text for jobs that concern all of them. */
export function readAll(task: Task): Reading {
  return read(task.documents.map(({ text }) => text).join('\n\n'));
}

/** @throws unsupported for a classification without labels, or a comparison with only one text */
export function reply(task: Task, effort: Effort): Reply {
  const whole = readAll(task);
  const apart = (job: JobType) => task.each && task.documents.length > 1 && SEPARATE.has(job);
  const parts = task.jobs.map((job) => ({
    job,
    ...(apart(job) ? separately(job, task, effort) : perform(job, task, whole, effort)),
  }));
  const confidence = parts.reduce((least, part) => Math.min(least, part.confidence), 1);
  const only = parts.length === 1 ? parts[0] : undefined;
  if (only !== undefined) return { text: only.text, confidence };
  return { text: parts.map(({ job, text }) => `${TITLES[job]}:\n${text}`).join('\n\n'), confidence };
}

function separately(job: JobType, task: Task, effort: Effort): Reply {
  const parts = task.documents.map((document, index) => {
    const single: Task = { ...task, documents: [document] };
    const { text, confidence } = perform(job, single, read(document.text), effort);
    const name = document.name === '' ? `text ${index + 1}` : document.name;
    return { text: `${name}:${text.includes('\n') ? '\n' : ' '}${text}`, confidence };
  });
  return {
    text: parts.map(({ text }) => text).join('\n'),
    confidence: parts.reduce((least, part) => Math.min(least, part.confidence), 1),
  };
}

function perform(job: JobType, task: Task, whole: Reading, effort: Effort): Reply {
  switch (job) {
    case 'summarise':
      return summary(task, whole, effort);
    case 'key-terms': {
      const terms = keyTerms(whole, Math.min(50, task.terms ?? 10));
      const text = terms.length === 0 ? 'The text has no key terms.' : terms.map(({ term }) => term).join(', ');
      return { text, confidence: terms.length === 0 ? NOTHING : 0.7 };
    }
    case 'classify': {
      if (task.labels.length < 2)
        throw refusal('A classification needs at least two labels, such as "classify as billing|tech".');
      const { label, confidence, supported } = classify(textOf(task), task.labels);
      if (supported.length > 0 || FALLBACK_LABEL.test(label)) return { text: label, confidence };
      const names = task.labels.map(({ name }) => name).join(', ');
      return { text: `The text has no evidence for any of these labels: ${names}.`, confidence: NOTHING };
    }
    case 'answer':
      return answered(task, whole);
    case 'compare':
      return comparison(task);
    case 'entities':
      return listed(task);
    case 'fields': {
      const found = extractFields(task.fields, { text: textOf(task), reading: whole, task, effort });
      const json = /\bjson\b/i.test(task.instruction);
      return {
        text: json ? JSON.stringify(Object.fromEntries(found.values)) : describeFields(found),
        confidence: found.confidence,
      };
    }
    case 'figures':
      return figures(task);
  }
}

const textOf = (task: Task): string => task.documents.map(({ text }) => text).join('\n\n');

function summary(task: Task, whole: Reading, effort: Effort): Reply {
  const options = {
    effort,
    ...defined({ sentences: task.sentences }),
    ...(task.words === undefined ? {} : { words: task.words, sentences: task.sentences ?? 20 }),
  };
  const tables = task.documents.length > 0 && !task.bullets ? describeTables(task.documents) : undefined;
  if (tables !== undefined) return { text: tables, confidence: 0.6 };
  const { text, sentences, confidence } = task.bullets
    ? bulletPoints(whole, Math.min(50, Math.max(1, task.sentences ?? 3)), effort)
    : summarise(whole, options);
  if (sentences.length === 0) return { text: 'The text holds nothing to summarise.', confidence: NOTHING };
  return { text, confidence };
}

/** @throws unsupported where the text has neither a table nor numbers to work on */
function figures(task: Task): Reply {
  const found = figuresOfTask(task);
  return { text: describeFigures(found), confidence: found.figures.length === 0 ? NOTHING : 0.85 };
}

function answered(task: Task, whole: Reading): Reply {
  const found = answer(whole, task.question, task.sentences === undefined ? {} : { sentences: task.sentences });
  return found.found
    ? { text: found.text, confidence: found.confidence }
    : { text: NO_ANSWER, confidence: found.confidence };
}

function comparison(task: Task): Reply {
  const halves = task.documents.length === 1 ? inHalves(task.documents[0]?.text ?? '') : task.documents;
  if (halves.length < 2) throw refusal('A comparison needs at least two texts, but the request contains only one.');
  const named = halves
    .slice(0, 20)
    .map(({ name, text }, index) => ({ name: name === '' ? `text ${index + 1}` : name, reading: read(text) }));
  const found = compare(named);
  return { text: describeComparison(found), confidence: found.confidence };
}

/** Two texts in one, separated by a ruler. */
function inHalves(text: string): { name: string; text: string }[] {
  return text
    .split(/\n\s*(?:-{3,}|={3,}|\*{3,})\s*\n/)
    .map((part) => ({ name: '', text: part }))
    .filter((part) => part.text.trim() !== '');
}

/** @throws unsupported where the instruction names no kind that the patterns know */
function listed(task: Task): Reply {
  const kinds = kindsIn(task.instruction);
  if (kinds.length === 0) throw refusal('The request asks for a list of things that no pattern describes.');
  const text = textOf(task);
  const byKind = kinds.map((kind) => ({ kind, found: entities(text, kind).map((entity) => entity.text) }));
  const without = byKind.filter(({ found }) => found.length === 0).map(({ kind }) => `no ${kindName(kind)}`);
  const found = [...new Set(byKind.flatMap((one) => one.found))];
  if (found.length === 0)
    return { text: `The text holds none: ${without.join(' and ')} was found.`, confidence: NOTHING };
  const lines = found.map((entity) => `- ${entity}`);
  if (without.length > 0) lines.push('', `(There is ${without.join(' and ')} in the text.)`);
  return { text: lines.join('\n'), confidence: kinds.includes('name') ? 0.5 : 0.85 };
}
