/** Checks of structured answers: JSON, schemas, code. */
import { extractJson, type JsonSchema, validateJson, withoutPatterns } from 'polyphony/kit';
import type { Check } from './checked-answer.ts';

/** The answer must be JSON where JSON was requested, and match the schema (allowed labels are enumerations). */
export const schemaValidity: Check = ({ request, response, text }) => {
  const { output } = request;
  if (output === undefined || response.finishReason === 'tool-calls') return undefined;
  const found = extractJson(text);
  if (found === undefined) return { penalty: 1, reason: 'the answer contains no JSON' };
  const issue = output.schema === undefined ? undefined : firstIssue(output.schema, found.value);
  if (issue !== undefined)
    return { penalty: output.strict === false ? 0.5 : 1, reason: `the JSON does not match its schema: ${issue}` };
  return found.repaired ? { penalty: 0.4, reason: 'the JSON had to be repaired' } : undefined;
};

/** A schema that cannot be checked (because it has patterns) causes no flaw. */
function firstIssue(schema: JsonSchema, value: unknown): string | undefined {
  try {
    const result = validateJson(withoutPatterns(schema), value);
    const [issue] = result.ok ? [] : result.issues;
    return issue === undefined ? undefined : `${issue.path === '' ? 'the value' : issue.path} ${issue.message}`;
  } catch {
    return undefined;
  }
}

/** An object with mostly empty fields. */
export const hollowOutput: Check = ({ request, text }) => {
  if (request.output === undefined) return undefined;
  const value = extractJson(text)?.value;
  if (typeof value !== 'object' || value === null) return undefined;
  const fields: unknown[] = Object.values(value);
  const hollow = fields.filter(
    (field) => field === null || field === '' || (Array.isArray(field) && field.length === 0),
  );
  if (fields.length === 0 || hollow.length / fields.length < 0.5) return undefined;
  return { penalty: 0.4, reason: `${hollow.length} of ${fields.length} fields are empty` };
};

const FENCE = /^[ \t]*(?:```|~~~)/gm;

export const openFence: Check = ({ text }) =>
  (text.match(FENCE)?.length ?? 0) % 2 === 1 ? { penalty: 0.5, reason: 'a code block is never closed' } : undefined;

interface CodeBlock {
  readonly language: string;
  readonly code: string;
}

/** The closed code blocks of a text, line by line: an expression over a whole text would try each blank again and again. */
function* codeBlocks(text: string): Generator<CodeBlock> {
  let open: { readonly language: string; readonly from: number } | undefined;
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    const next = end === -1 ? text.length : end + 1;
    const fence = fenceAt(text, start);
    if (fence !== -1) {
      if (open !== undefined) yield { language: open.language, code: text.slice(open.from, start) };
      const named = text.slice(fence, Math.min(next, fence + LONGEST_LANGUAGE)).trimStart();
      open = open === undefined && end !== -1 ? { language: LANGUAGE.exec(named)?.[0] ?? '', from: next } : undefined;
    }
    start = next;
  }
}

const LONGEST_LANGUAGE = 80;
const LANGUAGE = /^[\w+#-]*/;

/** Where the fence of backticks ends that the line begins with; -1 if it has none. */
function fenceAt(text: string, start: number): number {
  let at = start;
  while (text[at] === ' ' || text[at] === '\t') at += 1;
  return text.startsWith('```', at) ? at + 3 : -1;
}

/** Code with unmatched brackets cannot run. */
export const unbalancedCode: Check = ({ text }) => {
  for (const { language, code } of codeBlocks(text)) {
    if (/^(?:text|txt|console|shell|sh|bash|md|markdown|diff|regex|)$/i.test(language)) continue;
    if (/^json$/i.test(language) && !isJson(code)) return { penalty: 0.5, reason: 'a JSON block does not parse' };
    const bracket = unbalanced(code, /^(?:py|python|rb|ruby|yaml|yml|r)$/i.test(language) ? '#' : '//');
    if (bracket !== undefined) return { penalty: 0.5, reason: `a code block has an unmatched "${bracket}"` };
  }
  return undefined;
};

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const CLOSING: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** The first bracket without its partner. Strings and comments are skipped; a string in single quotes ends with its line. */
function unbalanced(code: string, comment: string): string | undefined {
  const open: string[] = [];
  const lastClosed = code.lastIndexOf('*/');
  for (let at = 0; at < code.length; at += 1) {
    const character = code.charAt(at);
    if (code.startsWith(comment, at)) at = endOfLine(code, at);
    else if (lastClosed >= at + 2 && code.startsWith('/*', at)) at = code.indexOf('*/', at + 2);
    else if (character === '"' || character === "'" || character === '`') at = endOfString(code, at, character);
    else if ('([{'.includes(character)) open.push(character);
    else if (CLOSING[character] !== undefined && open.pop() !== CLOSING[character]) return character;
  }
  return open.at(-1);
}

function endOfLine(code: string, from: number): number {
  const end = code.indexOf('\n', from);
  return end === -1 ? code.length : end;
}

function endOfString(code: string, start: number, quote: string): number {
  for (let at = start + 1; at < code.length; at += 1) {
    const character = code.charAt(at);
    if (character === '\\') at += 1;
    else if (character === quote) return at;
    else if (character === '\n' && quote === "'") return start;
  }
  return start;
}
