/** Splits a prompt into its instruction and its material. */
import { defined, tryParseJson } from 'polyphony/kit';
import { fieldsIn } from './fields/asked-fields.ts';
import { readIntent } from './intent.ts';

export interface Material {
  readonly name: string;
  readonly text: string;
}

export interface Prompt {
  readonly instruction: string;
  readonly question?: string;
  readonly documents: readonly Material[];
  /** The JSON that the documents were made of: it may be a table. */
  readonly json?: string;
}

const TAGS =
  'text|document|doc|article|content|context|material|email|ticket|review|message|input|data|passage|source|file|transcript|comment|notes?|body';
/** Opening tags that are examined. */
const MOST_TAGS = 400;
const OPEN = new RegExp(`<(${TAGS})(?:\\s+([^<>]{0,300}))?>`, 'giu');
const LABEL =
  /^[ \t]*(?:\*\*)?(question|q|frage|text(?: [ab12])?|context|documents?(?: \w{1,3})?|articles?|passage|material|input|e-?mail|ticket|review|message|comment|transcript|labels|categories|classes|options|instructions?|task|answer|output|summary|label|category)(?:\*\*)?[ \t]*:(?:\*\*)?[ \t]*(.*)$/iu;
const ASKING_LABELS = /^(?:instructions?|task|labels|categories|classes|options)$/i;
const PROMPT_LABELS = /^(?:question|q|frage|instructions?|task|labels|categories|classes|options)$/i;
const WHOLE_LABELS =
  /^(?:question|q|frage|text(?: [ab12])?|context|documents?(?: \w{1,3})?|articles?|passage|material|input|instructions?|task)$/i;
const EMPTY_LABELS = /^(?:answer|output|summary|label|category)$/i;

/** A system prompt that contains its context, in tags or after `Context:`; otherwise all of it is instruction. */
export function splitSystem(text: string): Prompt {
  const found = tagged(text) ?? labelled(text);
  const carries = found?.documents.some(
    ({ name }) => name === '' || /^(?:context|document|text|article|passage|material)/i.test(name),
  );
  return found !== undefined && carries ? found : { instruction: text, documents: [] };
}

/** The instruction, the question and the documents of one message. */
export function splitPrompt(text: string): Prompt {
  for (const reader of [tagged, fenced, labelled, embeddedJson, paragraphs, inline]) {
    const found = reader(text);
    if (found === undefined) continue;
    const json = found.documents.find(({ text: own }) => /^\s*[[{]/.test(own))?.text;
    return { ...found, documents: found.documents.flatMap(expandJson), ...defined({ json }) };
  }
  const documents = expandJson({ name: '', text });
  return isAsking(text) ? { instruction: text, documents: [] } : { instruction: '', documents };
}

const isAsking = (text: string): boolean => {
  const { jobs, beyond } = readIntent(text);
  return jobs.length > 0 || beyond !== undefined;
};

/** `<document name="a.md">…</document>`. A text may contain the closing tag: the last one before the next opening tag counts. */
function tagged(text: string): Prompt | undefined {
  const documents: Material[] = [];
  let instruction = '';
  let at = 0;
  const opens = [...text.matchAll(OPEN)].slice(0, MOST_TAGS);
  for (const [index, open] of opens.entries()) {
    if (open.index < at) continue;
    const closing = `</${open[1] ?? ''}>`;
    const next = opens
      .slice(index + 1)
      .find((other) => other[1] === open[1] && text.slice(0, other.index).trimEnd().endsWith(closing));
    const close = text.lastIndexOf(closing, next?.index ?? text.length);
    if (close < open.index) continue;
    instruction += `${text.slice(at, open.index)}\n`;
    const name = /(?:name|path|title|source|id)\s*=\s*["']([^"']{1,200})["']/i.exec(open[2] ?? '')?.[1];
    documents.push({ name: name ?? '', text: text.slice(open.index + open[0].length, close).trim() });
    at = close + closing.length;
  }
  if (documents.length === 0) return undefined;
  instruction = `${instruction}${text.slice(at)}`.trim();
  // Tags inside a longer text are part of its markup.
  return instruction === '' || (instruction.length < 4000 && isAsking(instruction))
    ? { instruction, documents }
    : undefined;
}

/** Blocks in triple quotes, or in code fences with little text around them. */
function fenced(text: string): Prompt | undefined {
  for (const mark of ['"""', "'''", '```', '~~~']) {
    const parts = text.split(mark);
    if (parts.length < 3 || parts.length % 2 === 0) continue;
    const outside = parts
      .filter((_, index) => index % 2 === 0)
      .join('\n')
      .trim();
    if (outside.length > 600 || !isAsking(outside)) continue;
    const documents = parts
      .filter((_, index) => index % 2 === 1)
      .map((part) => ({ name: '', text: part.replace(/^[a-z]{1,12}\n/, '').trim() }))
      .filter(({ text: content }) => content !== '');
    if (documents.length > 0) return { instruction: outside, documents };
  }
  return undefined;
}

interface Section {
  readonly label: string;
  readonly lines: string[];
}

/** Sections such as `Question: …` and `Text: …`, each up to the next label. */
function labelled(text: string): Prompt | undefined {
  const lead: string[] = [];
  const sections: Section[] = [];
  // Where fields are asked for, a line such as `e-mail: …` is one of the material's, asked for or not.
  const fields = fieldsIn(text.slice(0, 2000)).map((name) => name.toLowerCase());
  const inMaterial = (label: string) => fields.includes(label) || (fields.length > 0 && !WHOLE_LABELS.test(label));
  for (const line of text.split('\n')) {
    const match = LABEL.exec(line);
    const label = match?.[1]?.toLowerCase();
    if (label !== undefined && !inMaterial(label) && sections.length < 50 && startsSection(label, sections)) {
      sections.push({ label, lines: [match?.[2] ?? ''] });
    } else (sections.at(-1)?.lines ?? lead).push(line);
  }
  const head = sections[0];
  if (head === undefined || (lead.join('\n').length > 1500 && !PROMPT_LABELS.test(head.label))) return undefined;
  const whole = sections.map(({ label, lines }) => ({ label, text: lines.join('\n').trim() }));
  const question = whole.find(({ label }) => /^(?:question|q|frage)$/.test(label))?.text;
  const asking = whole
    .filter(({ label }) => ASKING_LABELS.test(label))
    .map(({ label, text: body }) => `${label}: ${body}`);
  const documents = whole
    .filter(
      ({ label, text: body }) =>
        body !== '' && !ASKING_LABELS.test(label) && !EMPTY_LABELS.test(label) && !/^(?:question|q|frage)$/.test(label),
    )
    .map(({ label, text: body }) => ({ name: label, text: body }));
  const before = lead.join('\n').trim();
  if (documents.length === 0 && question === undefined && asking.length === 0) return undefined;
  // Text before the first label contains the material, or is the material when it asks nothing.
  const inner =
    documents.length === 0 && isAsking(before)
      ? (embeddedJson(before) ?? paragraphs(before) ?? inline(before))
      : undefined;
  if (inner !== undefined) return { ...inner, ...defined({ question }) };
  const leading = before !== '' && !isAsking(before) ? [{ name: '', text: before }] : [];
  if (documents.length === 0 && leading.length === 0 && question === undefined) return undefined;
  const instruction = [leading.length > 0 && documents.length === 0 ? '' : before, ...asking].join('\n').trim();
  const used = documents.length > 0 ? documents : leading;
  return { instruction, documents: used, ...defined({ question }) };
}

/** Inside a text a line such as `Note: …` begins no section: only the prompt's own labels do, and they are all different. */
function startsSection(label: string, sections: readonly Section[]): boolean {
  if (sections.some((section) => section.label === label)) return false;
  const last = sections.at(-1);
  if (last === undefined || ASKING_LABELS.test(last.label) || /^(?:question|q|frage)$/.test(last.label)) return true;
  return /^(?:question|q|frage|labels|categories|classes|options|instructions?|task|answer|text [ab12]|document.*|context)$/.test(
    label,
  );
}

/** A JSON array or object inside the prompt: rendered `{{references}}`. */
function embeddedJson(text: string): Prompt | undefined {
  const start = text.search(/\[\s*[{"[]|\{\s*"/);
  if (start === -1) return undefined;
  const end = closingBracket(text, start);
  if (end === -1) return undefined;
  const json = text.slice(start, end);
  const instruction = `${text.slice(0, start)}\n${text.slice(end)}`.trim();
  if (tryParseJson(json) === undefined || json.length < 20 || !isAsking(instruction)) return undefined;
  return { instruction, documents: [{ name: '', text: json }] };
}

function closingBracket(text: string, start: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = start; at < text.length; at++) {
    const character = text.charAt(at);
    if (quoted) {
      if (character === '\\') at++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '[' || character === '{') depth++;
    else if ((character === ']' || character === '}') && --depth === 0) return at + 1;
  }
  return -1;
}

/** An instruction before or after a blank line. */
function paragraphs(text: string): Prompt | undefined {
  const trimmed = text.trim();
  const parts = trimmed.split(/\n\s*\n/);
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (parts.length < 2) return undefined;
  const colon = /^[^\n]{1,300}:[ \t]*$/m.test(first) || first.endsWith(':');
  if (first.length <= 1500 && (colon || isAsking(first))) return withTail(first, parts.slice(1));
  // An instruction with labels or rules may have several paragraphs.
  const second = parts[1] ?? '';
  if (parts.length > 2 && first.length + second.length <= 1500 && isAsking(second))
    return withTail(`${first}\n\n${second}`, parts.slice(2));
  if (last.length <= 600 && isAsking(last))
    return { instruction: last, documents: [{ name: '', text: parts.slice(0, -1).join('\n\n') }] };
  return undefined;
}

/** A short last paragraph that asks ("Answer with the label only.") belongs to the instruction. */
function withTail(instruction: string, rest: readonly string[]): Prompt {
  const last = rest.at(-1) ?? '';
  const tail =
    rest.length > 1 && last.length < 200 && /^(?:answer|reply|respond|return|output|give|use)\b/i.test(last)
      ? last
      : '';
  const body = (tail === '' ? rest : rest.slice(0, -1)).join('\n\n');
  return { instruction: `${instruction}\n${tail}`.trim(), documents: [{ name: '', text: body }] };
}

/** A greeting before a question is no text to answer it from. */
const isGreeting = (text: string): boolean =>
  text.length < 60 &&
  /^(?:hello|hi|hey|dear|good (?:morning|afternoon|evening|day)|greetings|thanks|thank you|guten (?:tag|morgen|abend)|hallo|bonjour|bonsoir|salut|hola|buenos días|buenas|ciao|buongiorno|olá|こんにちは|你好)(?!\p{L})/iu.test(
    text,
  );

/** `Summarise in one sentence: …`, or an instruction in the first sentence or line. */
function inline(text: string): Prompt | undefined {
  const trimmed = text.trim();
  for (const colon of trimmed.slice(0, 500).matchAll(/:\s+/g)) {
    const before = trimmed.slice(0, colon.index);
    const after = trimmed.slice(colon.index + colon[0].length);
    if (
      isAsking(before) &&
      after !== '' &&
      !/\b(?:labels|categories|classes|options|one of|into|as|following)$/i.test(before)
    ) {
      return { instruction: before, documents: [{ name: '', text: after }] };
    }
  }
  const line = trimmed.indexOf('\n');
  const stop = line === -1 ? /[.!?]\s+(?=\S)/.exec(trimmed) : undefined;
  const cut = line === -1 ? (stop === null || stop === undefined ? -1 : stop.index + 1) : line;
  if (cut === -1 || cut > 500) return undefined;
  const [before, after] = [trimmed.slice(0, cut), trimmed.slice(cut).trim()];
  if (isAsking(before) && after.length > (before.endsWith('?') ? 8 : 40))
    return { instruction: before, documents: [{ name: '', text: after }] };
  if (isAsking(after) && !isAsking(before) && after.length < 300 && !isGreeting(before))
    return { instruction: after, documents: [{ name: '', text: before }] };
  return undefined;
}

/** Rendered JSON as documents: one per item that contains a text, else lines of `key: value`. */
function expandJson(material: Material): Material[] {
  const trimmed = material.text.trim();
  if (!/^[[{]/.test(trimmed)) return [material];
  const value = tryParseJson(trimmed);
  if (value === undefined || value === null) return [material];
  const items = itemsOf(value);
  const documents = items
    .slice(0, 1000)
    .flatMap((item: unknown, index) => asDocument(item, index, material.name) ?? []);
  if (documents.length === 0) return [material];
  const long = documents.filter(({ text }) => text.length > 200).length;
  // Many short values are one list; long ones are separate documents.
  if (long === 0 && documents.length > 1 && documents.every(({ name }) => name === '')) {
    return [{ name: material.name, text: documents.map(({ text }) => `- ${text}`).join('\n') }];
  }
  return documents;
}

/** The items of an array, or of the only array in an object. */
function itemsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  const fields = Object.entries(Object(value));
  const lists = fields.filter(([, field]) => Array.isArray(field));
  const [list] = lists;
  const texts = fields.some(([field, inner]) => TEXT_FIELDS.includes(field) && typeof inner === 'string');
  return lists.length === 1 && !texts && Array.isArray(list?.[1]) ? list[1] : [value];
}

const TEXT_FIELDS = [
  'text',
  'content',
  'body',
  'page_content',
  'pageContent',
  'summary',
  'answer',
  'message',
  'description',
  'detail',
  'details',
];
const NAME_FIELDS = ['path', 'name', 'title', 'id', 'url', 'source'];

function asDocument(item: unknown, index: number, fallback: string): Material | undefined {
  if (typeof item === 'string') return { name: fallback === '' ? '' : `${fallback} ${index + 1}`, text: item };
  if (typeof item !== 'object' || item === null) return item === null ? undefined : { name: '', text: String(item) };
  const fields = new Map(Object.entries(item));
  const name = NAME_FIELDS.map((field) => fields.get(field)).find((value) => typeof value === 'string');
  const text = TEXT_FIELDS.map((field) => fields.get(field)).find((value) => typeof value === 'string');
  if (typeof text === 'string') return { name: typeof name === 'string' ? name : '', text };
  const lines = [...fields]
    .filter(([field]) => field !== 'meta')
    .map(([field, value]) => `${field}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return lines.length === 0 ? undefined : { name: typeof name === 'string' ? name : '', text: lines.join('\n') };
}
