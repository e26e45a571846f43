/** JSON in the text of models: asking for it, and finding it. */
import type { JsonSchema } from '../../core/model/model.ts';
import { repairJson } from './json-repair.ts';
import { sendableJson } from './sendable-json.ts';

/** The most unclosed brackets that are skipped, so that the search stays linear. */
const MAX_RESTARTS = 16;

/** The instruction for a model whose provider cannot enforce a schema. */
export function schemaInstruction(schema: JsonSchema): string {
  return [
    'Answer with one JSON value and nothing else: no prose before or after it, no code fence.',
    'It must match this JSON Schema:',
    sendableJson(schema),
  ].join('\n');
}

export interface ExtractedJson {
  readonly value: unknown;
  /** The JSON that `value` was parsed from. */
  readonly text: string;
  /** The answer contained no valid JSON, and `value` is the result of a repair. */
  readonly repaired: boolean;
}

/**
 * Finds the JSON in an answer: the complete text, else the longest valid object or array (in a fence, between prose), else
 * the repair of the first invalid one. Text before a closing `</think>` is ignored. Linear, except for the repair, which
 * takes texts of up to 65,536 characters without too many faults.
 */
export function extractJson(text: string): ExtractedJson | undefined {
  const whole = parse(text);
  if (whole !== undefined) return { ...whole, text: text.trim(), repaired: false };
  const answer = text.slice(Math.max(0, text.lastIndexOf('</think>')));
  let best: ExtractedJson | undefined;
  for (const span of balancedSpans(answer)) {
    const candidate = answer.slice(span.start, span.end);
    if (best !== undefined && candidate.length < best.text.length) continue;
    const parsed = parse(candidate);
    if (parsed !== undefined) best = { ...parsed, text: candidate, repaired: false };
  }
  return best ?? repair(answer);
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Outermost balanced objects and arrays, in order. An opening that is never closed is skipped. */
export function balancedSpans(text: string): Span[] {
  const spans: Span[] = [];
  let from = nextOpening(text, 0);
  for (let restarts = 0; from !== -1 && restarts <= MAX_RESTARTS; ) {
    const end = closingOf(text, from);
    if (end === -1) restarts++;
    else spans.push({ start: from, end });
    from = nextOpening(text, end === -1 ? from + 1 : end);
  }
  return spans;
}

function nextOpening(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '{' || character === '[') return at;
  }
  return -1;
}

/** Where the bracket at `start` is closed; -1 if it is not. */
function closingOf(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      at = endOfString(text, at);
      if (at === -1) return -1;
    } else if (character === '{' || character === '[') depth++;
    else if ((character === '}' || character === ']') && --depth === 0) return at + 1;
  }
  return -1;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const character = text[at];
    if (character === '\\') at++;
    else if (character === '"') return at;
  }
  return -1;
}

function repair(answer: string): ExtractedJson | undefined {
  const start = nextOpening(answer, 0);
  if (start === -1) return undefined;
  const end = closingOf(answer, start);
  const lastClosing = Math.max(answer.lastIndexOf('}'), answer.lastIndexOf(']')) + 1;
  // A cut answer is repaired to its end; prose after an invalid one would become part of it.
  const broken =
    end !== -1 ? answer.slice(start, end) : answer.slice(start, lastClosing > start ? lastClosing : undefined);
  const repaired = repairJson(broken);
  return typeof repaired?.value === 'object' ? { ...repaired, repaired: true } : undefined;
}
