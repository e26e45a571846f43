/** Runs the jobs of a task and returns the answer as text. */
import { defined } from 'polyphony/kit';
import { answer } from './answers.ts';
import { classify } from './classification.ts';
import { compare, describeComparison } from './comparison.ts';
import type { JobType } from './intent.ts';
import { refusal } from './refusal.ts';
import { type Effort, summarise } from './summary.ts';
import type { Task } from './task.ts';
import { keyTerms } from './terms.ts';
import { type EntityKind, entities } from './text/entities.ts';
import { type Reading, read } from './text/passages.ts';

export interface Reply {
  readonly text: string;
  /** 0 to 1. */
  readonly confidence: number;
}

export const NO_ANSWER = 'The text does not answer this question.';

const TITLES: Readonly<Record<JobType, string>> = {
  summarise: 'Summary',
  'key-terms': 'Key terms',
  classify: 'Label',
  answer: 'Answer',
  compare: 'Comparison',
  entities: 'Found',
};

/** The texts of a task, parsed as one text for jobs that concern all of them. */
export function readAll(task: Task): Reading {
  return read(task.documents.map(({ text }) => text).join('\n\n'));
}

/** @throws unsupported for a classification without labels, or a comparison with only one text */
export function reply(task: Task, effort: Effort): Reply {
  const whole = readAll(task);
  const parts = task.jobs.map((job) => ({ job, ...perform(job, task, whole, effort) }));
  const confidence = parts.reduce((least, part) => Math.min(least, part.confidence), 1);
  const only = parts.length === 1 ? parts[0] : undefined;
  if (only !== undefined) return { text: only.text, confidence };
  return { text: parts.map(({ job, text }) => `${TITLES[job]}:\n${text}`).join('\n\n'), confidence };
}

function perform(job: JobType, task: Task, whole: Reading, effort: Effort): Reply {
  switch (job) {
    case 'summarise':
      return summary(task, whole, effort);
    case 'key-terms': {
      const terms = keyTerms(whole, Math.min(50, task.terms ?? 10));
      const text = terms.length === 0 ? 'The text has no key terms.' : terms.map(({ term }) => term).join(', ');
      return { text, confidence: terms.length === 0 ? 0.1 : 0.7 };
    }
    case 'classify': {
      if (task.labels.length < 2)
        throw refusal('A classification needs at least two labels, such as "classify as billing|tech".');
      const { label, confidence } = classify(textOf(task), task.labels);
      return { text: label, confidence };
    }
    case 'answer':
      return answered(task, whole);
    case 'compare':
      return comparison(task);
    case 'entities':
      return listed(task);
  }
}

const textOf = (task: Task): string => task.documents.map(({ text }) => text).join('\n\n');

/** Several named documents are summarised one at a time when the request asks for each, else as one text. */
function summary(task: Task, whole: Reading, effort: Effort): Reply {
  const options = {
    effort,
    ...defined({ sentences: task.sentences }),
    ...(task.words === undefined ? {} : { words: task.words, sentences: task.sentences ?? 20 }),
  };
  const bullets = /\bbullets?\b|\bbullet points?\b|\bkey points\b|\bmain points\b/i.test(task.instruction);
  const { text, sentences, confidence } = summarise(whole, options);
  if (sentences.length === 0) return { text: 'The text holds nothing to summarise.', confidence: 0.1 };
  return { text: bullets ? sentences.map((sentence) => `- ${sentence}`).join('\n') : text, confidence };
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

const ASKED_KINDS: readonly (readonly [RegExp, EntityKind])[] = [
  [/e-?mail/i, 'email'],
  [/\burls?\b|\blinks\b/i, 'url'],
  [/\bdates\b/i, 'date'],
  [/\bphone/i, 'phone'],
  [/\bamounts?\b|\bprices\b/i, 'money'],
  [/\bidentifiers\b/i, 'identifier'],
  [/\bnames\b|\bpeople\b|\bpersons\b/i, 'name'],
];

function listed(task: Task): Reply {
  const kinds = ASKED_KINDS.filter(([pattern]) => pattern.test(task.instruction)).map(([, kind]) => kind);
  const text = textOf(task);
  const found = [...new Set(kinds.flatMap((kind) => entities(text, kind).map((entity) => entity.text)))];
  if (found.length === 0) return { text: 'The text holds none.', confidence: 0.5 };
  return { text: found.map((entity) => `- ${entity}`).join('\n'), confidence: kinds.includes('name') ? 0.5 : 0.85 };
}
