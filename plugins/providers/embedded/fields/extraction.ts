/** Reads the fields that an instruction names from a text. A field without a value in the text is named as missing. */
import { asRecord, type JsonSchema, type JsonValue } from 'polyphony/kit';
import { answer } from '../answers.ts';
import type { Effort } from '../summary.ts';
import type { Task } from '../task.ts';
import { asksAll, kindsIn } from '../text/asked-kinds.ts';
import { entities, numbers } from '../text/entities.ts';
import { contentStems } from '../text/language.ts';
import { read } from '../text/passages.ts';
import type { Field, Source } from './fields.ts';
import { mentions, nearness, spoken } from './fields.ts';
import { readEntity } from './fields-entity.ts';

export interface Extraction {
  /** Each asked name with what the text has for it; null where it has nothing. */
  readonly values: ReadonlyMap<string, string | null>;
  /** 0 to 1; that of the least certain value, low where nothing was found. */
  readonly confidence: number;
}

const LONGEST_VALUE = 300;
const NUMBER_FIELD =
  /\b(?:age|quantity|count|number of|how many|size|weight|height|length|width|duration|alter|anzahl|menge|âge|edad|cantidad)\b/iu;

export function extractFields(names: readonly string[], source: Source): Extraction {
  const lines = labelledValues(source.text, names);
  const values = new Map<string, string | null>();
  let confidence = 1;
  for (const name of names) {
    const found = lines.get(name) ?? guessed(name, source);
    values.set(name, found?.value ?? null);
    if (found !== undefined) confidence = Math.min(confidence, found.confidence);
  }
  const empty = [...values.values()].every((value) => value === null);
  return { values, confidence: empty ? 0.1 : confidence };
}

interface Value {
  readonly value: string;
  readonly confidence: number;
}

const fold = (text: string): string =>
  spoken(text)
    .normalize('NFKC')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

/** `Field: value`, on a line of its own or behind another one; a value ends where the next label begins. */
function labelledValues(text: string, names: readonly string[]): Map<string, Value> {
  const wanted = new Map(names.map((name) => [fold(name), name]));
  const found = new Map<string, Value>();
  for (const line of text.slice(0, 200_000).split('\n')) {
    const labels = [
      ...line
        .slice(0, 5000)
        .matchAll(
          /(?:^|[.;,|–—]\s+|\t)[\s*_>#-]*([\p{L}\p{N}][^:：.;,|\n]{0,58})(?:\*\*|__)?\s?[:：](?:\*\*|__)?\s*/gu,
        ),
    ];
    for (const [index, label] of labels.entries()) {
      const name = wanted.get(fold(label[1] ?? ''));
      const end = labels[index + 1]?.index ?? line.length;
      const value = line
        .slice(label.index + label[0].length, end)
        .replace(/[\s.;,|]+$/, '')
        .trim();
      if (name !== undefined && value !== '' && value.length <= LONGEST_VALUE && !found.has(name))
        found.set(name, { value, confidence: 0.9 });
    }
  }
  return found;
}

function guessed(name: string, source: Source): Value | undefined {
  if (asksAll(name)) {
    const all = [...new Set(kindsIn(name).flatMap((kind) => entities(source.text, kind).map(({ text }) => text)))];
    return all.length === 0 ? undefined : { value: all.join(', '), confidence: 0.6 };
  }
  const field: Field = { name, description: '', schema: {}, required: false };
  const entity = readEntity(field, source);
  if (entity !== undefined)
    return entity === 'none' ? undefined : { value: String(entity.value), confidence: entity.confidence };
  if (NUMBER_FIELD.test(name)) return besideNumber(name, source);
  const stems = [...new Set(contentStems(name, source.reading.language))];
  const found = answer(source.reading, name, { sentences: 1 });
  const held = found.found && stems.every((stem) => contentStems(found.text, source.reading.language).includes(stem));
  return held ? { value: found.text, confidence: Math.min(0.5, found.confidence) } : undefined;
}

function besideNumber(name: string, { text, reading }: Source): Value | undefined {
  const places = mentions(text, new Map(contentStems(name, reading.language).map((stem) => [stem, 1])), reading);
  const scored = numbers(text).map((number) => ({ number, near: nearness(text, number.at, places) }));
  const best = scored.reduce(
    (most, next) => (next.near > (most?.near ?? 0.4) ? next : most),
    undefined as (typeof scored)[number] | undefined,
  );
  return best === undefined ? undefined : { value: best.number.text, confidence: Math.min(0.8, 0.3 + 0.5 * best.near) };
}

/** A line for each field, also for those that the text lacks. */
export function describeFields({ values }: Extraction): string {
  return [...values].map(([name, value]) => `${name}: ${value ?? 'not found in the text'}`).join('\n');
}

/**
 * The value of a schema that lists what is `missing`: each other field has its text, or null. Undefined for other schemas,
 * and where the instruction names no fields.
 */
export function fieldsValue(
  schema: JsonSchema,
  task: Task,
  effort: Effort,
): { value: JsonValue; confidence: number } | undefined {
  const properties = asRecord(schema.properties);
  if (properties === undefined || asRecord(properties.missing)?.type !== 'array' || !task.jobs.includes('fields'))
    return undefined;
  const names = Object.keys(properties).filter((name) => name !== 'missing' && name !== 'file');
  const text = task.documents.map((document) => document.text).join('\n\n');
  const { values, confidence } = extractFields(names, { text, reading: read(text), task, effort });
  const missing = names.filter((name) => values.get(name) === null);
  const file =
    properties.file === undefined ? [] : [['file', task.documents.map(({ name }) => name).join(', ')] as const];
  return { value: Object.fromEntries([...file, ...values, ['missing', missing] as const]), confidence };
}
