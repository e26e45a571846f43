/** Finds the plan in a text that is not JSON as a whole: fenced, between prose, inside another object, or almost JSON. */
import { repairJson } from '../../kit/json/json-repair.ts';
import { extractJson } from '../../kit/json/json-schema.ts';
import { isRecord, type Reading } from './document.ts';

/** The plan with the repair that was made; undefined when there is none, or only the beginning of one. Never throws. */
export function mendText(text: string): Reading | undefined {
  const found = extractJson(text);
  if (found !== undefined && !found.repaired && looksLikePlan(found.value)) return extracted(found.value);
  // Invalid JSON also contains valid objects (its nodes), so the outermost object is tried before any of them is accepted.
  const repaired = repairOuter(text);
  if (repaired !== undefined) return repaired;
  return found !== undefined && !found.repaired && isRecord(found.value) ? extracted(found.value) : undefined;
}

const looksLikePlan = (value: unknown): boolean => isRecord(value) && Array.isArray(value.nodes);

function extracted(value: unknown): Reading {
  const message = 'The JSON object was extracted from the text around it.';
  return { document: value, repaired: [{ code: 'text.extracted', path: '', message }] };
}

/** Repairs the text from the first brace to the last. A text that ends within a value was cut and is not repaired. */
function repairOuter(text: string): Reading | undefined {
  const start = text.indexOf('{');
  const end = Math.max(text.lastIndexOf('}'), text.lastIndexOf(']')) + 1;
  if (start === -1 || end <= start || isCut(text.slice(end))) return undefined;
  const value = repairJson(text.slice(start, end))?.value;
  if (!looksLikePlan(value)) return undefined;
  const message = 'The text was almost JSON and was repaired: check that nothing is lost.';
  return { document: value, repaired: [{ code: 'text.mended', path: '', message }] };
}

/** True when more JSON, not prose, starts after the last bracket. */
const isCut = (rest: string): boolean => /^\s*,\s*(?:["{[]|$)/.test(rest.slice(0, 200));
