/** The plan inside a text that is not JSON as a whole: fenced, between prose, or almost JSON. */
import { extractJson } from '../kit/json-schema.ts';
import { isRecord } from './document.ts';
import type { Reading } from './read.ts';

/** Undefined when no object can be found. Never throws. */
export function mendText(text: string): Reading | undefined {
  const found = extractJson(text);
  if (found === undefined || !isRecord(found.value)) return undefined;
  const repair = found.repaired
    ? { code: 'text.mended', path: '', message: 'The text was almost JSON and was mended; check that nothing is lost.' }
    : { code: 'text.extracted', path: '', message: 'The JSON object was taken out of the text around it.' };
  return { document: found.value, repaired: [repair] };
}
