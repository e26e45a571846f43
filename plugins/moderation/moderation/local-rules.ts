/**
 * Moderation by lists of words and phrases, without a call. A rule is data: whole words, any case, accents and
 * invisible characters ignored; `*` marks a word prefix (`hack*`); `except` names phrases inside which a term is
 * harmless. One pass over the words of a text along a trie of all rules, so that its time grows only with the text.
 */
import { PolyphonyError } from 'polyphony/kit';
import type { Classifier, Finding } from './classifier.ts';

export interface LocalRule {
  readonly category: string;
  /** Words or phrases. */
  readonly terms: readonly string[];
  /** Phrases in which a term is harmless. */
  readonly except?: readonly string[];
}

export interface LocalRulesOptions {
  readonly rules: readonly LocalRule[];
  /** @default 'local-rules' */
  readonly name?: string;
}

interface Node {
  readonly words: Map<string, Node>;
  /** Word prefixes. */
  readonly beginnings: Map<string, Node>;
  /** Categories of the rules that end here; the empty name marks an exception. */
  readonly ends: Set<string>;
}

interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const EXCUSE = '';
const INVISIBLE = '\\u00ad\\u200b-\\u200d\\u2060\\ufeff';
// Scripts without spaces: each character is a word, so that a phrase is found inside a sentence.
const SPACELESS =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}';
const WORD = new RegExp(`[${SPACELESS}]|(?:(?![${SPACELESS}])[\\p{L}\\p{N}\\p{M}${INVISIBLE}])+`, 'gu');
const MARKS = new RegExp(`[\\p{M}${INVISIBLE}]`, 'gu');
const MAX_WORDS = 20;

const emptyNode = (): Node => ({ words: new Map(), beginnings: new Map(), ends: new Set() });
const normal = (word: string): string => word.normalize('NFKD').replace(MARKS, '').toLowerCase();

function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  for (const match of text.matchAll(WORD)) {
    const form = normal(match[0]);
    if (form !== '') words.push({ text: form, start: match.index, end: match.index + match[0].length });
  }
  return words;
}

/** @throws invalid-config when a term has no word or more than 20, or a category is empty */
export function localRules({ rules, name = 'local-rules' }: LocalRulesOptions): Classifier {
  const root = emptyNode();
  const terms = rules.flatMap((rule) => [...rule.terms, ...(rule.except ?? [])]);
  const mayGrow = growing(terms);
  for (const { category, terms: wanted, except = [] } of rules) {
    if (category === EXCUSE)
      throw new PolyphonyError('invalid-config', 'A moderation rule has an empty category: give it a name.');
    for (const term of wanted) plant(root, term, category);
    for (const phrase of except) plant(root, phrase, EXCUSE);
  }
  return {
    name,
    classify: (text, { before }) => findings(root, wordsBehind(before, text)),
    pending: (text, { before }) => pendingLength(root, mayGrow, text, wordsBehind(before, text)),
  };
}

/** The words of a text, without a first word that began before the text. */
function wordsBehind(before: string, text: string): readonly Word[] {
  if (before === '') return wordsOf(text);
  const shift = before.length;
  return wordsOf(before + text).flatMap(({ start, end, text: form }) =>
    start < shift ? [] : [{ text: form, start: start - shift, end: end - shift }],
  );
}

function plant(root: Node, term: string, category: string): void {
  const words = wordsOf(term);
  if (words.length === 0 || words.length > MAX_WORDS) {
    throw new PolyphonyError(
      'invalid-config',
      `The moderation term "${term}" has ${words.length} words: give 1 to ${MAX_WORDS}.`,
    );
  }
  let node = root;
  for (const { text, end } of words) {
    const branch = term[end] === '*' ? node.beginnings : node.words;
    const known = branch.get(text) ?? emptyNode();
    branch.set(text, known);
    node = known;
  }
  node.ends.add(category);
}

/** Returns a test whether an unfinished word may still become part of a term. */
function growing(terms: readonly string[]): (word: string) => boolean {
  const words = terms.flatMap((term) => wordsOf(term).map(({ text, end }) => ({ text, open: term[end] === '*' })));
  const longest = Math.max(0, ...words.map(({ text }) => text.length));
  const beginnings = words.filter(({ open }) => open).map(({ text }) => text);
  return (word) => word.length <= longest || beginnings.some((beginning) => word.startsWith(beginning));
}

/** Every node that a word leads to. */
function* steps(node: Node, word: string): Generator<Node> {
  const whole = node.words.get(word);
  if (whole !== undefined) yield whole;
  for (const [beginning, next] of node.beginnings) if (word.startsWith(beginning)) yield next;
}

/** Reports every match that starts at `first`; true when a match could continue beyond the last of `words`. */
function walk(root: Node, words: readonly Word[], first: number, found: (node: Node, last: Word) => void): boolean {
  let nodes: readonly Node[] = [root];
  for (let index = first; nodes.length > 0; index += 1) {
    const word = words[index];
    if (word === undefined) return nodes.some((node) => node.words.size + node.beginnings.size > 0);
    nodes = nodes.flatMap((node) => [...steps(node, word.text)]);
    for (const node of nodes) if (node.ends.size > 0) found(node, word);
  }
  return false;
}

interface Span {
  readonly category: string;
  readonly start: number;
  readonly end: number;
}

function spans(root: Node, words: readonly Word[]): Span[] {
  const found: Span[] = [];
  for (const [index, { start }] of words.entries()) {
    walk(root, words, index, (node, last) => {
      for (const category of node.ends) found.push({ category, start, end: last.end });
    });
  }
  return found;
}

function findings(root: Node, words: readonly Word[]): Finding[] {
  const found = spans(root, words);
  const excuses = found.filter(({ category }) => category === EXCUSE);
  return found.filter(
    ({ category, start, end }) => category !== EXCUSE && !excuses.some((one) => one.start <= start && one.end >= end),
  );
}

/** Number of characters from the first word that may still become part of a term or an exception. */
function pendingLength(root: Node, mayGrow: (word: string) => boolean, text: string, words: readonly Word[]): number {
  const last = words.at(-1);
  const open = last !== undefined && last.end === text.length && mayGrow(last.text);
  const whole = open ? words.slice(0, -1) : words;
  const first = whole.findIndex(
    (_, index) => index >= whole.length - MAX_WORDS && walk(root, whole, index, () => undefined),
  );
  const held = whole[first] ?? (open ? last : undefined);
  return held === undefined ? 0 : text.length - uncut(spans(root, whole), held.start);
}

/** Moves an offset out of every phrase, because a term and its exception must be judged together. */
function uncut(found: readonly Span[], at: number): number {
  let from = at;
  for (let moved = true; moved; ) {
    const across = found.find(({ start, end }) => start < from && end > from);
    moved = across !== undefined;
    from = across?.start ?? from;
  }
  return from;
}
