/** The plan inside a text that is not JSON as a whole: fenced, between prose, inside another object, or almost JSON. */
import { createRequire } from 'node:module';
import { extractJson } from '../../kit/json/json-schema.ts';
import { isRecord, type Reading } from './document.ts';

/** Longer texts are not mended: it takes seconds on 160 kB of stray quotes. */
const LONGEST_MENDED = 65_536;

const load = createRequire(import.meta.url);

/** Undefined when no plan can be found, or only the beginning of one. Never throws. */
export function mendText(text: string): Reading | undefined {
  const found = extractJson(text);
  if (found !== undefined && !found.repaired && looksLikePlan(found.value)) return extracted(found.value);
  // Broken JSON holds whole objects too (its nodes), so the outermost one is tried before any of them is believed.
  const mended = mendOuter(text);
  if (mended !== undefined) return mended;
  return found !== undefined && !found.repaired && isRecord(found.value) ? extracted(found.value) : undefined;
}

const looksLikePlan = (value: unknown): boolean => isRecord(value) && Array.isArray(value.nodes);

function extracted(value: unknown): Reading {
  const message = 'The JSON object was extracted from the text around it.';
  return { document: value, repaired: [{ code: 'text.extracted', path: '', message }] };
}

/** From the first brace to the last; a text that ends within a value was cut, and nobody knows what it lacks. */
function mendOuter(text: string): Reading | undefined {
  const start = text.indexOf('{');
  const end = Math.max(text.lastIndexOf('}'), text.lastIndexOf(']')) + 1;
  if (start === -1 || end <= start || end - start > LONGEST_MENDED || isCut(text.slice(end))) return undefined;
  try {
    const { jsonrepair }: typeof import('jsonrepair') = load('jsonrepair');
    const value: unknown = JSON.parse(jsonrepair(text.slice(start, end)));
    if (!looksLikePlan(value)) return undefined;
    const message = 'The text was almost JSON and was repaired: check that nothing is lost.';
    return { document: value, repaired: [{ code: 'text.mended', path: '', message }] };
  } catch {
    return undefined;
  }
}

/** Behind the last bracket more JSON had begun, not prose. */
const isCut = (rest: string): boolean => /^\s*,\s*(?:["{[]|$)/.test(rest.slice(0, 200));
