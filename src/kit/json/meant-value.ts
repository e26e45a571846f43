/** What an answer means that has the right content in almost the right form. */
import type { JsonSchema } from '../../core/model/model.ts';
import { isPlainObject } from '../../language/shorthand.ts';

/** Deeper values are kept as they are. */
const MOST_LEVELS = 200;
/** A text that is a number is no longer. */
const LONGEST_NUMBER = 40;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * The value in the form that the schema asks for, where only one is meant: fields that a closed object does not have are left
 * out, a choice may be written in another case, and a number or a boolean as text. Everything else stays as it is, so the result
 * has to be validated. Looks at `properties`, `items`, `type` and `enum` only. Linear; returns the value itself if it changes nothing.
 */
export const meantValue = (schema: JsonSchema, value: unknown): unknown => meant(schema, value, 0);

function meant(schema: JsonSchema, value: unknown, level: number): unknown {
  if (level > MOST_LEVELS) return value;
  if (Array.isArray(value)) return meantItems(schema, value, level);
  if (isPlainObject(value)) return meantObject(schema, value, level);
  return typeof value === 'string' ? meantText(schema, value) : value;
}

function meantItems({ items }: JsonSchema, value: readonly unknown[], level: number): unknown {
  if (!isPlainObject(items)) return value;
  const changed = value.map((item) => meant(items, item, level + 1));
  return changed.some((item, index) => item !== value[index]) ? changed : value;
}

function meantObject(schema: JsonSchema, value: Readonly<Record<string, unknown>>, level: number): unknown {
  const { properties, additionalProperties, patternProperties } = schema;
  if (!isPlainObject(properties)) return value;
  const isClosed = additionalProperties === false && patternProperties === undefined;
  let changed = false;
  const entries: [string, unknown][] = [];
  for (const [key, child] of Object.entries(value)) {
    const isKnown = Object.hasOwn(properties, key);
    if (!isKnown && isClosed) {
      changed = true;
      continue;
    }
    const property = isKnown ? properties[key] : undefined;
    const kept = isPlainObject(property) ? meant(property, child, level + 1) : child;
    changed ||= kept !== child;
    entries.push([key, kept]);
  }
  return changed ? Object.fromEntries(entries) : value;
}

function meantText(schema: JsonSchema, text: string): unknown {
  if (Array.isArray(schema.enum)) return choiceOf(schema, schema.enum, text);
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  if (types.includes('string')) return text;
  const word = text.trim();
  if (types.includes('boolean') && (word === 'true' || word === 'false')) return word === 'true';
  if (!types.includes('number') && !types.includes('integer')) return text;
  if (word.length > LONGEST_NUMBER || !NUMBER.test(word)) return text;
  const number = Number(word);
  if (!Number.isFinite(number)) return text;
  // A whole number beyond this would become another one.
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? text : number;
}

/** The choices by their form without case and outer blanks; undefined for a form that several have. */
const choices = new WeakMap<JsonSchema, Map<string, string | undefined>>();

function choiceOf(schema: JsonSchema, listed: readonly unknown[], text: string): unknown {
  let known = choices.get(schema);
  if (known === undefined) {
    known = new Map();
    for (const choice of listed) {
      if (typeof choice !== 'string') continue;
      const form = formOf(choice);
      known.set(form, known.has(form) ? undefined : choice);
    }
    choices.set(schema, known);
  }
  return known.get(formOf(text)) ?? text;
}

const formOf = (text: string): string => text.trim().toLowerCase();
