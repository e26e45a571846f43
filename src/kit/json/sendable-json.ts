/** JSON that every server can read: without halves of surrogate pairs, which many refuse together with the whole request. */

/** JSON escapes: a whole pair, or any other one. Read in order, so that an escaped backslash is never taken for a beginning. */
const ESCAPES = /\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\(?:u[0-9a-fA-F]{4}|[^u])/g;
const HALF = /^\\u[dD][89a-fA-F]/;
const PAIR_LENGTH = 12;

/** The JSON text with U+FFFD for every half of a surrogate pair. Linear; returns the text itself if there is none. */
export function wellFormedJson(json: string): string {
  if (!json.includes('\\ud') && !json.includes('\\uD')) return json;
  return json.replace(ESCAPES, (found) => (found.length < PAIR_LENGTH && HALF.test(found) ? '\\ufffd' : found));
}

/** The value as JSON without halves of surrogate pairs, also for JSON that becomes a text inside other JSON. */
export const sendableJson = (value: unknown): string => wellFormedJson(JSON.stringify(value));
