/** The labels that an instruction gives for a classification. */
import type { Label } from './classification.ts';

const MOST = 100;
/** Words before a list of labels in prose: the most specific come first. */
const LEADS: readonly RegExp[] = [
  /\b(?:one of|labels?|categor(?:y|ies)|classes|options|departments?|choices|following)\b[^:\n]{0,40}?:\s*/giu,
  /\b(?:into|as|either|whether it is|whether|among|between|one of|choose from|als|ob|entweder|comme|parmi|como|come|fra|tra)\s+/giu,
  /\b(?:is|in|to|from|with)\s+/giu,
];
const TRAILER =
  /^(?:the following|following|about|these|one of|labels?|categories|classes|options|either|exactly one of|one|a|an|(?:this|that|the|it)(?:\s+(?:text|review|message|comment|ticket|e-?mail|tweet|sentence|sentiment|tone))?|more|rather|mostly)\s*:?\s+/iu;
/** Words that show that a passage is not a list of labels. */
const NO_LABEL =
  /\b(?:into|as|the|text|texts|file|files|document|documents|classify|summar\w+|compare|list|it|them|this|that)\b/iu;

/** The labels in an instruction, strongest notation first: bars, described bullets, brackets, a list in prose. */
export function readLabels(instruction: string): Label[] {
  const text = instruction.slice(0, 20_000);
  for (const reader of [barred, bulleted, bracketed, quoted, spoken]) {
    const labels = distinct(reader(text));
    if (labels.length >= 2) return labels.slice(0, MOST);
  }
  return /\bsentiment\b/i.test(text) ? ['positive', 'negative', 'neutral'].map((name) => ({ name })) : [];
}

function distinct(names: readonly Label[]): Label[] {
  const seen = new Map<string, Label>();
  for (const label of names) {
    const name = label.name.replace(/^[\s"'“”`*(]+|[\s"'“”`*).:;]+$/g, '');
    if (name !== '' && name.length <= 60 && !seen.has(name.toLowerCase()))
      seen.set(name.toLowerCase(), { ...label, name });
  }
  return [...seen.values()];
}

/** `billing|tech|other` */
function barred(text: string): Label[] {
  const found =
    /(?<![\p{L}\p{N}_-])[\p{L}\p{N}_-]{1,60}(?: [\p{L}\p{N}_-]{1,60})?\s?(?:\|\s?[\p{L}\p{N}_-]{1,60}(?: [\p{L}\p{N}_-]{1,60})?\s?)+/u.exec(
      text,
    )?.[0];
  if (found === undefined) return [];
  const names = found.split('|').map((name) => name.trim());
  // In "classify as a|b" and "a|b: text" only the word next to the bar is the label.
  const first = names[0]?.split(' ').at(-1) ?? '';
  const last = names.at(-1)?.split(' ')[0] ?? '';
  const multiple = names.slice(1, -1).some((name) => name.includes(' '));
  return names.map((name, index) => ({
    name: multiple ? name : index === 0 ? first : index === names.length - 1 ? last : name,
  }));
}

/** Lines such as `- billing: invoices and payments`. */
function bulleted(text: string): Label[] {
  const found: Label[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*(?:[-*•]|\d{1,2}[.)])\s+([^:–—]{1,60}?)(?:\s*(?::|–|—|\s-\s)\s*(.{1,500}))?$/u.exec(line);
    if (match?.[1] === undefined) continue;
    found.push(match[2] === undefined ? { name: match[1] } : { name: match[1], description: match[2] });
  }
  return found;
}

/** `[billing, tech]`, `(billing, tech)`, `{billing, tech}` */
function bracketed(text: string): Label[] {
  for (const match of text.matchAll(/[[({]([^[\](){}\n]{3,500})[\])}]/g)) {
    const names = split(match[1] ?? '');
    if (names.length >= 2 && names.every((name) => name.length <= 40)) return names.map((name) => ({ name }));
  }
  return [];
}

/** `"billing", "tech" or "other"` */
function quoted(text: string): Label[] {
  return [...text.matchAll(/["“'`]([\p{L}\p{N}][^"“”'`\n]{0,40})["”'`](?=\s*(?:,|or\b|and\b|\/|$|[.:;)\]]))/gu)].map(
    (match) => ({ name: match[1] ?? '' }),
  );
}

/** `as billing, tech or other`, `into the categories billing and tech`, `is it positive or negative?` */
function spoken(text: string): Label[] {
  for (const lead of LEADS.flatMap((pattern) => [...text.matchAll(pattern)])) {
    let rest = text.slice(lead.index + lead[0].length);
    for (let before = ''; before !== rest; ) {
      before = rest;
      rest = rest.replace(TRAILER, '');
    }
    const names = split(/^[^.?!:;\n]{1,500}/.exec(rest)?.[0] ?? '');
    while (names.length > 2 && NO_LABEL.test(names.at(-1) ?? '')) names.pop();
    const short = names.every((name) => name.split(' ').length <= 3 && !NO_LABEL.test(name));
    if (names.length >= 2 && short) return names.map((name) => ({ name }));
  }
  return [];
}

function split(list: string): string[] {
  return list
    .split(/\s*,\s*(?:or|and)\s+|\s*[,/|]\s*|\s+(?:or|and|oder|ou|und|et|o|y|e|of|en)\s+/u)
    .map((name) => name.trim().replace(/^["'“`]|["'”`]$/g, ''))
    .filter((name) => name !== '');
}
