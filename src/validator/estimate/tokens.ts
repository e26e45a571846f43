/** Rough, fast and deterministic token counts of texts and of answers that do not exist yet. */
import { isRecord } from '../document/document.ts';

/** A quarter of the bytes of UTF-8, as the gateway counts: what it learns of a model is a ratio to this count. */
export function roughTokens(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    // Each half of a pair is two of its four bytes.
    bytes += code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 1 : 2;
  }
  return Math.ceil(bytes / 4);
}

const SCALAR_TOKENS: Readonly<Record<string, number>> = { string: 40, number: 4, integer: 3, boolean: 2, null: 1 };
const LIST_LENGTH = 5;
const UNKNOWN_TOKENS = 100;

/** Typical tokens of a JSON answer that matches the schema. */
export function answerTokens(schema: unknown, depth = 0): number {
  if (!isRecord(schema) || depth > 6) return UNKNOWN_TOKENS;
  if (Array.isArray(schema.enum)) return 4;
  const { type } = schema;
  if (type === 'array') return 2 + LIST_LENGTH * answerTokens(schema.items, depth + 1);
  if (isRecord(schema.properties)) return fieldTokens(schema.properties, depth);
  return typeof type === 'string' ? (SCALAR_TOKENS[type] ?? UNKNOWN_TOKENS) : UNKNOWN_TOKENS;
}

function fieldTokens(properties: Readonly<Record<string, unknown>>, depth: number): number {
  let tokens = 2;
  for (const [name, schema] of Object.entries(properties)) {
    tokens += 3 + Math.ceil(name.length / 4) + answerTokens(schema, depth + 1);
  }
  return tokens;
}
