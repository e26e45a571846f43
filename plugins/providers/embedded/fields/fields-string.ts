/** Strings of a schema: the kind of string follows from the field's format, name and description. */
import { answer } from '../answers.ts';
import { classify } from '../classification.ts';
import { NO_ANSWER, reply } from '../reply.ts';
import { summarise } from '../summary.ts';
import { keyTerms } from '../terms.ts';
import { toIsoDate } from '../text/dates.ts';
import { type Field, type Filled, type Source, spoken } from './fields.ts';
import { COMPANY_FIELD, company, ENTITY_FIELDS, nearest } from './fields-entity.ts';

const SUMMARY_FIELD =
  /\b(?:summary|gist|abstract|tl ?;?dr|overview|synopsis|description|zusammenfassung|résumé|resumen)\b/i;
const TITLE_FIELD = /\b(?:title|headline|subject|heading)\b/i;
const ANSWER_FIELD = /\banswer\b/i;
const EVIDENCE_FIELD =
  /\b(?:reason|reasoning|rationale|evidence|quote|quotation|justification|explanation|why|because|excerpt|snippet|citation)\b/i;
const TERM_FIELD = /\b(?:topic|theme|keyword|key term|term|tag|category|about)\b/i;
const WHOLE_FIELD = /^(?:text|output|result|response|content|reply|value|)$/i;

/** The string for the field, cut to its bounds; undefined where the text contains none. */
export function fillString(field: Field, source: Source): Filled | undefined {
  const format = typeof field.schema.format === 'string' ? field.schema.format : '';
  if (format !== '') return formatted(field, format, source);
  // A caller's pattern is not evaluated here, so no value could be guaranteed to match.
  if (typeof field.schema.pattern === 'string') return undefined;
  const found = candidate(field, source);
  return found === undefined ? undefined : bounded(found, field);
}

function formatted(field: Field, format: string, source: Source): Filled | undefined {
  if (format === 'email' || format === 'idn-email') return nearest(field, 'email', source);
  if (format === 'uri' || format === 'url' || format === 'uri-reference' || format === 'iri')
    return nearest(field, 'url', source);
  if (format !== 'date') return undefined;
  const found = nearest(field, 'date', source);
  const iso = typeof found?.value === 'string' ? toIsoDate(found.value) : undefined;
  return found === undefined || iso === undefined ? undefined : { value: iso, confidence: found.confidence };
}

function candidate(field: Field, source: Source): Filled | undefined {
  const name = spoken(field.name);
  const { reading, task, effort } = source;
  if (WHOLE_FIELD.test(name) && task.jobs.length > 0) {
    const { text, confidence } = reply(task, effort);
    return { value: text, confidence };
  }
  if (name === 'file' && task.documents.some((document) => document.name !== ''))
    return { value: task.documents.map((document) => document.name).join(', '), confidence: 0.9 };
  if (SUMMARY_FIELD.test(name)) {
    const { text, confidence } = summarise(reading, { effort, sentences: task.sentences ?? 2 });
    return text === '' ? undefined : { value: text, confidence };
  }
  if (TITLE_FIELD.test(name)) return title(source);
  if (ANSWER_FIELD.test(name)) return answered(source);
  if (EVIDENCE_FIELD.test(name)) return evidence(source);
  if (/\blanguage\b/i.test(name)) return { value: reading.language, confidence: 0.7 };
  const kind = ENTITY_FIELDS.find(([pattern]) => pattern.test(name))?.[1];
  if (COMPANY_FIELD.test(name)) return company(field, source);
  // Numbers of invoices and orders have no form of their own: what stands behind the label is one.
  const named = kind === 'identifier' ? labelled(name, source) : undefined;
  if (kind !== undefined) return named ?? nearest(field, kind, source);
  if (/\bsentiment|tone|mood\b/i.test(name)) {
    const { label, confidence } = classify(source.text, ['positive', 'negative', 'neutral']);
    return { value: label, confidence };
  }
  if (TERM_FIELD.test(name)) {
    const [first] = keyTerms(reading, 1);
    return first === undefined ? undefined : { value: first.term, confidence: 0.6 };
  }
  return sentenceAbout(field, source);
}

function title({ reading }: Source): Filled | undefined {
  const heading = reading.passages.find(({ kind }) => kind === 'heading')?.text;
  if (heading !== undefined) return { value: heading, confidence: 0.75 };
  const first = reading.passages[0]?.text;
  return first === undefined ? undefined : { value: shorten(first, 100), confidence: 0.4 };
}

function answered({ reading, task, effort }: Source): Filled {
  if (task.jobs.includes('figures')) {
    const { text, confidence } = reply(task, effort);
    return { value: text, confidence };
  }
  const found = answer(reading, task.question === '' ? task.instruction : task.question);
  return found.found
    ? { value: found.text, confidence: found.confidence }
    : { value: NO_ANSWER, confidence: found.confidence };
}

/** The sentence that supports the answer or the label; without either, the most representative one. */
function evidence({ text, reading, task }: Source): Filled | undefined {
  if (task.labels.length >= 2) {
    const found = classify(text, task.labels);
    if (found.evidence !== '') return { value: found.evidence, confidence: found.confidence };
  }
  if (task.jobs.includes('answer')) {
    const found = answer(reading, task.question, { sentences: 1 });
    if (found.found) return { value: found.text, confidence: found.confidence };
  }
  const summary = summarise(reading, { sentences: 1 });
  return summary.text === '' ? undefined : { value: summary.text, confidence: 0.4 };
}

/** `Field: value` on a line of its own. */
function labelled(name: string, { text }: Source): Filled | undefined {
  for (const line of text.slice(0, 100_000).split('\n')) {
    const [key = '', ...rest] = line.replace(/^[\s*>-]+|\*\*/g, '').split(/:\s+/);
    const value = rest.join(': ').trim();
    if (value !== '' && key.trim().toLowerCase() === name) return { value, confidence: 0.9 };
  }
  return undefined;
}

/** What stands behind its label, else the sentence that matches the field's words. */
function sentenceAbout(field: Field, source: Source): Filled | undefined {
  const { reading, task, effort } = source;
  const name = spoken(field.name);
  const named = labelled(name, source);
  if (named !== undefined) return named;
  const found = answer(reading, `${name} ${field.description}`, { sentences: 1 });
  if (found.found) return { value: found.text, confidence: Math.min(0.6, found.confidence) };
  if (!field.required || task.jobs.length === 0 || task.jobs.includes('fields')) return undefined;
  const asked = reply(task, effort);
  return { value: asked.text, confidence: Math.min(0.4, asked.confidence) };
}

function bounded({ value, confidence }: Filled, { schema }: Field): Filled | undefined {
  const most = typeof schema.maxLength === 'number' ? schema.maxLength : Number.POSITIVE_INFINITY;
  const text = shorten(String(value), most);
  return text.length < (typeof schema.minLength === 'number' ? schema.minLength : 0)
    ? undefined
    : { value: text, confidence };
}

/** At most `most` characters, cut between words where there are any. */
export function shorten(text: string, most: number): string {
  if (text.length <= most) return text;
  const cut = text.slice(0, Math.max(0, most));
  const space = cut.lastIndexOf(' ');
  return (space > most / 2 ? cut.slice(0, space) : cut).replace(/[\uD800-\uDBFF]$/, '');
}
