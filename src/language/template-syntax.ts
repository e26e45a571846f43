/**
 * The reference language of plans: `{{a.b[0].c ?? d.e ?? "literal"}}`.
 *
 * A reference is one or more alternatives joined by `??`. An alternative is a head (`kind`, `input`) followed by field
 * names, `[int]` indexes and `["any key"]`. The last one, if it follows a path, may be a JSON literal instead: a string in single or double
 * quotes, a number, true, false, null, a list (`[]`) or an object (`{}`). There are no calls, and nothing is evaluated: rendering reads only own properties
 * of JSON values, so `__proto__` and `constructor` reach nothing outside the data.
 *
 * A string that is one expression as a whole (`{{= … }}`) is left to expression.ts: here it is only found.
 *
 * Text: `{{{{` renders `{{`. A reference ends at the first `}}`, so a literal writes `}}` as `\u007d}`; only where it ends with
 * an object, all braces that follow each other belong to it. The first of
 * three opening braces is text. An invalid reference is reported as an issue and stays text.
 */
import { keptFor } from './kept.ts';
import { parseReference, type Reference, TEMPLATE_BOUNDS } from './reference-syntax.ts';

export { type Alternative, type Literal, type Reference, TEMPLATE_BOUNDS, writtenStep } from './reference-syntax.ts';

export type Segment =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reference'; readonly reference: Reference; readonly start: number; readonly end: number }
  /** The only segment of its string. */
  | { readonly type: 'expression'; readonly source: string; readonly start: number; readonly end: number };

export interface TemplateIssue {
  readonly code: 'template.syntax' | 'template.unterminated' | 'template.size';
  readonly message: string;
  /** Offset into the text, in UTF-16 units. */
  readonly at: number;
}

export interface ParsedTemplate {
  readonly segments: readonly Segment[];
  readonly issues: readonly TemplateIssue[];
}

/** Splits a string into text and references. Never throws; linear in the length. */
export function parseTemplate(text: string): ParsedTemplate {
  if (!text.includes('{{')) return { segments: text === '' ? [] : [{ type: 'text', text }], issues: [] };
  return parsed(text);
}

/** What is kept is shared by all that read the text: nobody changes it. */
const parsed = keptFor((text): ParsedTemplate => {
  if (text.length > TEMPLATE_BOUNDS.length) {
    const message = `The template has ${text.length} characters, but at most ${TEMPLATE_BOUNDS.length} are allowed: shorten it.`;
    return { segments: [{ type: 'text', text }], issues: [{ code: 'template.size', message, at: 0 }] };
  }
  const source = expressionIn(text);
  if (source === undefined) return scan(text);
  return { segments: [{ type: 'expression', source, start: 0, end: text.length }], issues: [] };
});

const EXPRESSION_START = '{{=';
const EXPRESSION_END = '}}';

/** What stands between `{{=` and `}}`, where that is the whole string. */
export function expressionIn(text: string): string | undefined {
  const isWhole =
    text.startsWith(EXPRESSION_START) &&
    text.endsWith(EXPRESSION_END) &&
    text.length >= EXPRESSION_START.length + EXPRESSION_END.length;
  return isWhole ? text.slice(EXPRESSION_START.length, -EXPRESSION_END.length) : undefined;
}

interface Scan {
  readonly text: string;
  readonly segments: Segment[];
  readonly issues: TemplateIssue[];
  /** Text before `at` that is not in a segment yet. */
  pending: string;
  references: number;
  at: number;
}

function scan(text: string): ParsedTemplate {
  const state: Scan = { text, segments: [], issues: [], pending: '', references: 0, at: 0 };
  for (let open = text.indexOf('{{'); open !== -1; open = text.indexOf('{{', state.at)) {
    const braces = openingBraces(text, open);
    const odd = braces % 4;
    state.pending += text.slice(state.at, open);
    if (braces >= 4) state.pending += '{{'.repeat((braces - odd) / 4);
    state.at = open + braces - odd;
    if (odd < 2) continue;
    if (odd === 3) state.pending += text.charAt(state.at++);
    if (!scanReference(state)) break;
  }
  state.pending += text.slice(state.at);
  flushText(state);
  return { segments: state.segments, issues: state.issues };
}

/** Reads the reference that starts at `at`; false if the rest can only be text. */
function scanReference(state: Scan): boolean {
  const { text, at, issues } = state;
  const close = text.indexOf('}}', at);
  if (close === -1) {
    const message = 'A reference starts with {{ but has no closing }}: add }}, or write {{{{ for two literal braces.';
    issues.push({ code: 'template.unterminated', message, at });
    return false;
  }
  let end = close + 2;
  let reference = parseReference(text.slice(at + 2, close));
  if (typeof reference === 'string' && text.charCodeAt(end) === CLOSING) {
    // The first two braces of several may close a literal.
    const last = closingBraces(text, close);
    const longer = parseReference(text.slice(at + 2, last - 2));
    if (typeof longer !== 'string') [reference, end] = [longer, last];
  }
  if (typeof reference === 'string') {
    const shown = JSON.stringify(text.slice(at, Math.min(end, at + 60)));
    const message = `${shown} is not a valid reference: ${reference}. Write {{node.field}}, or {{{{ for two literal braces.`;
    issues.push({ code: 'template.syntax', message, at });
    state.pending += text.slice(at, end);
  } else if (++state.references > TEMPLATE_BOUNDS.references) {
    const message = `A template can have at most ${TEMPLATE_BOUNDS.references} references: split it.`;
    issues.push({ code: 'template.size', message, at });
    return false;
  } else {
    flushText(state);
    state.segments.push({ type: 'reference', reference, start: at, end });
  }
  state.at = end;
  return true;
}

function flushText(state: Scan): void {
  if (state.pending !== '') state.segments.push({ type: 'text', text: state.pending });
  state.pending = '';
}

function openingBraces(text: string, start: number): number {
  let end = start;
  while (text.charCodeAt(end) === 0x7b) end++;
  return end - start;
}

const CLOSING = 0x7d;

function closingBraces(text: string, start: number): number {
  let end = start;
  while (text.charCodeAt(end) === CLOSING) end++;
  return end;
}

/** Returns text that renders as `text`, whatever braces it contains. */
export function escapeTemplate(text: string): string {
  return text.replaceAll('{{', '{{{{');
}
