/** Finds the plan in a text that is not JSON as a whole: fenced, between prose, inside another object, or almost JSON. */
import { repairJson } from '../../kit/json/json-repair.ts';
import { extractJson } from '../../kit/json/json-schema.ts';
import { balancedSpans } from '../../kit/json/json-text.ts';
import { isRecord, type Reading } from './document.ts';

/**
 * The plan with the repair that was made; undefined when there is none, or only the beginning of one. Never throws. Of several plans the
 * last one counts: those before it are drafts or examples.
 */
export function mendText(text: string): Reading | undefined {
  const last = lastPlanIn(text.slice(Math.max(0, text.lastIndexOf('</think>'))));
  if (last === 'broken') return undefined;
  if (last !== undefined) return extracted(last);
  // Invalid JSON also contains valid objects (its nodes), so the outermost object is tried before any of them is accepted.
  const repaired = repairOuter(text);
  if (repaired !== undefined) return repaired;
  const found = extractJson(text);
  return found !== undefined && !found.repaired && isRecord(found.value) ? extracted(found.value) : undefined;
}

const NAMES_NODES = /["'\u201c]?nodes["'\u201d]?\s*:/;

/** `broken`: a valid plan stands in the text, and behind it one that is cut or no JSON, so that neither may be taken. */
function lastPlanIn(text: string): unknown {
  const spans = balancedSpans(text);
  for (const { start, end } of spans.toReversed()) {
    const value = parsed(text.slice(start, end));
    if (!isPlausible(value)) continue;
    return NAMES_NODES.test(text.slice(end)) ? 'broken' : value;
  }
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A plan with at least one node, also inside the one object around it. */
function isPlausible(value: unknown): boolean {
  if (!isRecord(value)) return false;
  if (looksLikePlan(value)) return Array.isArray(value.nodes) && value.nodes.length > 0;
  return Object.values(value).some((inner) => looksLikePlan(inner) && isPlausible(inner));
}

const looksLikePlan = (value: unknown): boolean => isRecord(value) && Array.isArray(value.nodes);

function extracted(value: unknown): Reading {
  const message = 'The JSON object was extracted from the text around it.';
  return { document: value, repaired: [{ code: 'text.extracted', path: '', message }] };
}

/** Repairs the text from the first brace to the last. A text that ends within a value, or within its nodes, was cut and is not repaired. */
function repairOuter(text: string): Reading | undefined {
  const start = text.indexOf('{');
  const end = Math.max(text.lastIndexOf('}'), text.lastIndexOf(']')) + 1;
  if (start === -1 || end <= start || isCut(text.slice(start, end), text.slice(end))) return undefined;
  const value = repairJson(text.slice(start, end))?.value;
  if (!looksLikePlan(value)) return undefined;
  const message = 'The text was almost JSON and was repaired: check that nothing is lost.';
  return { document: value, repaired: [{ code: 'text.mended', path: '', message }] };
}

/**
 * Many models forget the last brackets: those of the nodes and of the plan. More are missing where the answer was cut, and so are
 * two where prose takes their place: nobody knows which nodes, or which conditions of the last one, would have followed.
 */
function isCut(text: string, rest: string): boolean {
  const behind = rest.slice(0, 200);
  // A comma behind the last bracket says that something follows, whatever stands there instead.
  if (/^\s*,/.test(behind)) return true;
  const forgotten = /^[\s`]*$/.test(behind) ? 2 : 1;
  // Almost JSON may have quotes that do not pair, so both readings have to agree.
  return unclosed(text, true) > forgotten && unclosed(text, false) > forgotten;
}

function unclosed(text: string, skipsStrings: boolean): number {
  let open = 0;
  let isString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH && isString) at += 1;
    else if (code === QUOTE && skipsStrings) isString = !isString;
    else if (isString) continue;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) open += 1;
    else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && open > 0) open -= 1;
  }
  return open;
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];
