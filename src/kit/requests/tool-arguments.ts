/** Arguments of tool calls as the object that they have to be, whatever a model or a history made of them. */
import { asRecord, type JsonRecord, tryParseJson } from '../json/json-shape.ts';

/** JSON in JSON in JSON is read; what is encoded more often is not meant. */
const MOST_ENCODINGS = 4;

/**
 * The object: itself, or what a text contains, also where it was encoded several times. Empty texts and null are no
 * arguments: `{}`. Undefined for all else.
 */
export function argumentsObject(given: unknown): JsonRecord | undefined {
  let value = given;
  for (let level = 0; typeof value === 'string'; level += 1) {
    if (value.trim() === '') return {};
    if (level === MOST_ENCODINGS) return undefined;
    value = tryParseJson(value);
    if (value === undefined) return undefined;
  }
  return value === null || value === undefined ? {} : asRecord(value);
}
