/** A field of a schema, the source that it is filled from, and the evidence that its name and description give. */
import type { JsonSchema, JsonValue } from 'polyphony/kit';
import type { Effort } from '../summary.ts';
import type { Task } from '../task.ts';
import { contentStems } from '../text/language.ts';
import type { Reading } from '../text/passages.ts';

/** The source that fields are filled from. */
export interface Source {
  readonly text: string;
  readonly reading: Reading;
  readonly task: Task;
  readonly effort: Effort;
}

export interface Field {
  readonly name: string;
  readonly description: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
}

export interface Filled {
  readonly value: JsonValue;
  /** 0 to 1. */
  readonly confidence: number;
}

/** `orderNumber`, `order_number` and `order-number` as `order number`. */
export function spoken(name: string): string {
  return name
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
    .replace(/[_.-]+/g, ' ')
    .toLowerCase()
    .trim();
}

const EMPTY = new Set(
  'number value field string text json true false whether boolean list array item total count id name short optional null'.split(
    ' ',
  ),
);

/** The stems to look for as evidence for a field: those of its name, and at a lower weight those of its description. */
export function fieldStems(field: Field, reading: Reading): Map<string, number> {
  const weights = new Map<string, number>();
  for (const stem of contentStems(field.description, reading.language)) if (!EMPTY.has(stem)) weights.set(stem, 0.5);
  for (const stem of contentStems(spoken(field.name), reading.language)) weights.set(stem, EMPTY.has(stem) ? 0.3 : 1);
  return weights;
}

/** Offsets of the words of a text that share a stem with the field. */
export function mentions(
  text: string,
  weights: ReadonlyMap<string, number>,
  reading: Reading,
): { at: number; weight: number }[] {
  const found: { at: number; weight: number }[] = [];
  for (const match of text.slice(0, 200_000).matchAll(/[\p{L}\p{N}]+/gu)) {
    const [stem] = contentStems(match[0], reading.language);
    const weight = stem === undefined ? undefined : weights.get(stem);
    if (weight !== undefined) found.push({ at: match.index, weight });
    if (found.length >= 2000) break;
  }
  return found;
}

/** How near an offset is to a mention of the field: 1 next to it, falling to 0 over 120 characters or the end of the line. */
export function nearness(text: string, at: number, places: readonly { at: number; weight: number }[]): number {
  let best = 0;
  for (const { at: place, weight } of places) {
    const distance = Math.abs(place - at);
    if (distance > 120) continue;
    const between = text.slice(Math.min(place, at), Math.max(place, at));
    const apart = /\n/.test(between) ? 0.35 : /[.!?]\s/.test(between) ? 0.5 : 1;
    // A field's word most often precedes its value.
    const before = place < at ? 1 : 0.8;
    best = Math.max(best, weight * before * apart * (1 - distance / 121));
  }
  return best;
}
