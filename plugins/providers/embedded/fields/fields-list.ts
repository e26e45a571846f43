/** Lists of a schema: entities, terms, labels, sentences or list items, by the field's name; objects from each item. */
import type { JsonSchema, JsonValue } from 'polyphony/kit';
import { classify } from '../classification.ts';
import { summarise } from '../summary.ts';
import { keyTerms } from '../terms.ts';
import { type EntityKind, entities, numbers } from '../text/entities.ts';
import { read } from '../text/passages.ts';
import { type Field, type Filled, type Source, spoken } from './fields.ts';

const DEFAULT_MOST = 10;
const OBJECTS_MOST = 50;

const ENTITY_LISTS: readonly (readonly [RegExp, EntityKind])[] = [
  [/\be ?-?mails?(?: addresses)?\b/i, 'email'],
  [/\b(?:urls?|links?|websites?)\b/i, 'url'],
  [/\bphones?(?: numbers?)?\b/i, 'phone'],
  [/\b(?:dates?|deadlines?)\b/i, 'date'],
  [/\b(?:prices?|amounts?|costs?|fees?)\b/i, 'money'],
  [/\bversions?\b/i, 'version'],
  [/\b(?:ids|identifiers?|order numbers?|references)\b/i, 'identifier'],
  [
    /\b(?:names?|people|persons?|authors?|companies|organi[sz]ations?|places?|locations?|cities|countries|participants?|entities)\b/i,
    'name',
  ],
];
const TERM_LIST = /\b(?:terms?|keywords?|key ?phrases?|phrases|topics?|tags?|themes?|concepts?|subjects?|words)\b/i;
const SENTENCE_LIST =
  /\b(?:sentences?|quotes?|highlights?|points?|takeaways?|findings?|facts?|claims?|evidence|bullets?|summar\w+|insights?)\b/i;

export function fillArray(
  field: Field,
  source: Source,
  inner: (field: Field, source: Source) => Filled | undefined,
): Filled | undefined {
  const items = asSchema(field.schema.items);
  const least = typeof field.schema.minItems === 'number' ? field.schema.minItems : 0;
  const most = typeof field.schema.maxItems === 'number' ? field.schema.maxItems : undefined;
  const found = listItems(field, items, source, inner);
  const chosen = distinct(found.values).slice(
    0,
    most ?? (found.bounded ? OBJECTS_MOST : (source.task.terms ?? DEFAULT_MOST)),
  );
  if (chosen.length < least) return undefined;
  return { value: chosen, confidence: chosen.length === 0 ? 0.3 : found.confidence };
}

interface Items {
  readonly values: readonly JsonValue[];
  readonly confidence: number;
  /** True when the values are all that the text contains, not the top of a ranking. */
  readonly bounded?: boolean;
}

function listItems(
  field: Field,
  items: JsonSchema,
  source: Source,
  inner: (field: Field, source: Source) => Filled | undefined,
): Items {
  if (Array.isArray(items.enum)) {
    const labels = items.enum.map(String);
    const { supported, confidence } = classify(source.text, labels);
    return { values: items.enum.filter((value) => supported.includes(String(value))), confidence, bounded: true };
  }
  if (items.type === 'number' || items.type === 'integer') {
    const whole = items.type === 'integer';
    const values = numbers(source.text).map(({ value }) => value);
    return { values: values.filter((value) => !whole || Number.isSafeInteger(value)), confidence: 0.6, bounded: true };
  }
  if (items.type === 'object' || items.properties !== undefined || items.$ref !== undefined)
    return objects(field, items, source, inner);
  if (items.type === undefined || items.type === 'string') return strings(field, items, source);
  return { values: [], confidence: 0.3 };
}

function strings(field: Field, items: JsonSchema, { text, reading, task, effort }: Source): Items {
  const label = spoken(field.name);
  const format = typeof items.format === 'string' ? items.format : '';
  const kind =
    format === 'email'
      ? 'email'
      : format === 'uri'
        ? 'url'
        : ENTITY_LISTS.find(([pattern]) => pattern.test(label))?.[1];
  if (kind !== undefined) {
    const values = entities(text, kind).map((entity) => entity.text);
    return { values, confidence: kind === 'name' ? 0.5 : 0.85, bounded: true };
  }
  if (format !== '' || typeof items.pattern === 'string') return { values: [], confidence: 0.3 };
  const fits = (value: string) =>
    (typeof items.maxLength !== 'number' || value.length <= items.maxLength) &&
    (typeof items.minLength !== 'number' || value.length >= items.minLength);
  if (/\bquestions?\b/i.test(label)) {
    const values = reading.passages.map((passage) => passage.text).filter((sentence) => /[?？]$/.test(sentence));
    return { values: values.filter(fits), confidence: 0.8, bounded: true };
  }
  if (SENTENCE_LIST.test(label)) {
    const { sentences, confidence } = summarise(reading, { effort, sentences: task.sentences ?? 5 });
    return { values: sentences.filter(fits), confidence };
  }
  const listed = reading.passages
    .filter((passage) => passage.kind === 'item' && passage.place === 0)
    .map((passage) => passage.text);
  if (listed.length > 0 && !TERM_LIST.test(label))
    return { values: listed.filter(fits), confidence: 0.5, bounded: true };
  const terms = keyTerms(reading, task.terms ?? DEFAULT_MOST).map(({ term }) => term);
  return { values: terms.filter(fits), confidence: TERM_LIST.test(label) ? 0.7 : 0.4 };
}

/** One object per item, row or paragraph that fills it; empty objects are dropped. */
function objects(
  field: Field,
  items: JsonSchema,
  source: Source,
  inner: (field: Field, source: Source) => Filled | undefined,
): Items {
  const blocks = new Map<number, string>();
  const { passages } = source.reading;
  const listed = passages.some(({ kind }) => kind === 'item' || kind === 'row');
  for (const { block, kind, text } of passages) {
    if (listed ? kind !== 'item' && kind !== 'row' : kind !== 'paragraph') continue;
    if (blocks.size >= OBJECTS_MOST && !blocks.has(block)) break;
    blocks.set(block, `${blocks.get(block) ?? ''} ${text}`.trim());
  }
  const filled: Filled[] = [];
  for (const text of blocks.values()) {
    const child: Field = {
      name: field.name === '' ? 'item' : field.name,
      description: '',
      schema: items,
      required: true,
    };
    const found = inner(child, { ...source, text, reading: read(text) });
    if (found !== undefined) filled.push(found);
  }
  const confidence = filled.reduce((least, { confidence: own }) => Math.min(least, own), 0.6);
  return { values: filled.map(({ value }) => value), confidence, bounded: true };
}

function distinct(values: readonly JsonValue[]): JsonValue[] {
  const seen = new Map<string, JsonValue>();
  for (const value of values) {
    const key = JSON.stringify(value);
    if (!seen.has(key)) seen.set(key, value);
  }
  return [...seen.values()];
}

const asSchema = (value: unknown): JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : {};
