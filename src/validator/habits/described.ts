/**
 * Texts that describe the output of a node where a reference should stand: `output of step 2`, `<node_1>`, `$v0`,
 * `<output_of_Object_Detection>`, `the result of the previous step`. Nothing is guessed: a number says which node only where the plan
 * shows from what it counts, and a name only where one earlier node has it.
 */

import type { NodeAnalysis, PlanAnalysis } from '../analysis/plan-analysis.ts';
import { formatPath } from '../analysis/rename.ts';
import { isRecord } from '../document/document.ts';
import { onlyField } from '../references/foreign-forms.ts';

const LONGEST = 160;
const MAY_DESCRIBE = /[<$%#{([]|output|result|response|answer|step|node|task/i;

const OUTPUTS: ReadonlySet<string> = new Set([
  ...['output', 'outputs', 'result', 'results', 'response', 'answer', 'value'],
]);
const KINDS: ReadonlySet<string> = new Set([
  ...['step', 'steps', 'node', 'nodes', 'task', 'tasks', 'action', 'stage', 'tool', 'call', 'model'],
]);
/** Only behind a sign such as `$` or `<`. */
const SHORT_KINDS: ReadonlySet<string> = new Set(['v', 'e', 'n', 's', 't', 'o']);
const LINKS: ReadonlySet<string> = new Set(['of', 'from', 'by']);
const ORDINALS = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth'];
const BEFORE: ReadonlySet<string> = new Set(['previous', 'preceding', 'prior', 'last']);

/** Which node is meant: by its number as the plan counts, its place, or the words of its name. */
type Meant =
  | { readonly kind: 'number'; readonly number: number; readonly word: string }
  | { readonly kind: 'place'; readonly place: number }
  | { readonly kind: 'before' }
  | { readonly kind: 'name'; readonly name: string };

/** A part of a text that describes the output of a node. */
export interface Described {
  readonly start: number;
  readonly end: number;
  readonly written: string;
  /** The path of the reference that is meant. */
  readonly path: string;
}

const NOTHING_DESCRIBED: readonly Described[] = [];

/** What in the text describes the output of exactly one node: the text as a whole, or parts of it. */
export function describedIn(
  text: string,
  nodeAnalysis: NodeAnalysis | undefined,
  analysis: PlanAnalysis,
): readonly Described[] {
  const said = saidIn(text);
  if (said.length === 0) return NOTHING_DESCRIBED;
  return said.flatMap(({ start, end, meant }) => {
    const target = targetOf(meant, nodeAnalysis, analysis);
    if (target === undefined || target === nodeAnalysis || target.node.id === '') return [];
    const only = onlyField(target.output);
    const path = only === undefined ? target.node.id : formatPath(target.node.id, [only]);
    return [{ start, end, written: text.slice(start, end), path }];
  });
}

// ---------------------------------------------------------------------------------------------------- what is said

interface Said {
  readonly start: number;
  readonly end: number;
  readonly meant: Meant;
}

const NUMBERED = '(?:steps?|nodes?|tasks?|action|stage) ?#?[0-9]{1,3}';
const PLACED = `(?:${[...ORDINALS, ...BEFORE].join('|')}) (?:step|node|task|action|stage)`;
/** Parts that are nothing else in a text: a sign with a number, and "output of" with a number or a place. */
const PARTS = new RegExp(
  `\\$\\{?(?:v|step|node|task)[_-]?[0-9]{1,3}(?:[._-](?:output|result))?\\}?(?![\\p{L}\\p{N}_.])|` +
    `<(?:[a-z]{1,20}[ _-](?:of|from)[ _-](?:the[ _-])?)?(?:step|node|task)[ _-]?[0-9]{1,3}>|` +
    `(?:the )?(?:outputs?|results?|response|answer) (?:of|from) (?:the )?(?:${NUMBERED}|${PLACED})(?![\\p{L}\\p{N}_])`,
  'giu',
);

const NOTHING: readonly Said[] = [];

function saidIn(text: string): readonly Said[] {
  // In a text with references, the words for another output may be about one of them.
  if (text.includes('{{') || !MAY_DESCRIBE.test(text)) return NOTHING;
  const whole = meantBy(text);
  if (whole !== undefined) return [{ start: 0, end: text.length, meant: whole }];
  const parts: Said[] = [];
  for (const match of text.matchAll(PARTS)) {
    const meant = meantBy(match[0]);
    if (meant !== undefined) parts.push({ start: match.index, end: match.index + match[0].length, meant });
  }
  return parts;
}

const WRAPPED = /^(?:[<[({"'`#%$@]|[$%]?\{)+\s*(.*?)\s*(?:[>\])}"'`#%]|\}%)*$/s;

function meantBy(text: string): Meant | undefined {
  if (text.length > LONGEST || text.length < 2 || text.includes('{{') || !MAY_DESCRIBE.test(text)) return undefined;
  const inner = WRAPPED.exec(text.trim())?.[1];
  const isMarked = inner !== undefined;
  const words = (inner ?? text)
    .toLowerCase()
    .replaceAll(/([a-z])(?=\d)/g, '$1 ')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '' && word !== 'the');
  if (words.length > 12) return undefined;
  const link = words.findIndex((word) => LINKS.has(word));
  const saysOutput = link > 0 && words.slice(0, link).some((word) => OUTPUTS.has(word));
  if (link > 0 && (isMarked || (saysOutput && OUTPUTS.has(words[0] ?? ''))))
    return nodeIn(words.slice(link + 1), isMarked);
  if (link >= 0) return undefined;
  const [first, ...rest] = words;
  if (first !== undefined && OUTPUTS.has(first) && isMarked) return nodeIn(rest, isMarked);
  const ending = words.findLastIndex((word) => !OUTPUTS.has(word)) + 1;
  const hasOutput = ending < words.length;
  const node = nodeIn(words.slice(0, ending), isMarked);
  // A number or a name alone is a word, unless a sign or "output" says that it is more.
  return isMarked && (hasOutput || node?.kind === 'number')
    ? node
    : hasOutput && node?.kind === 'number'
      ? node
      : undefined;
}

function nodeIn(words: readonly string[], isMarked: boolean): Meant | undefined {
  const [first, second, third] = words;
  if (first === undefined) return undefined;
  if (BEFORE.has(first) && second !== undefined && KINDS.has(second) && third === undefined) return { kind: 'before' };
  const ordinal = ORDINALS.indexOf(first);
  if (ordinal >= 0 && second !== undefined && KINDS.has(second) && third === undefined)
    return { kind: 'place', place: ordinal };
  const kinds = words.findIndex((word) => !KINDS.has(word) && !(isMarked && SHORT_KINDS.has(word)));
  const number = words[kinds];
  if (
    kinds > 0 &&
    number !== undefined &&
    /^\d{1,3}$/.test(number) &&
    words.slice(kinds + 1).every((word) => OUTPUTS.has(word))
  )
    return { kind: 'number', number: Number(number), word: words[kinds - 1] ?? '' };
  const named = [...words];
  while (named.length > 1 && KINDS.has(named.at(-1) ?? '')) named.pop();
  return named.some((word) => /^\d+$/.test(word)) ? undefined : { kind: 'name', name: named.join('') };
}

// ---------------------------------------------------------------------------------------------------- which node

function targetOf(
  meant: Meant,
  nodeAnalysis: NodeAnalysis | undefined,
  analysis: PlanAnalysis,
): NodeAnalysis | undefined {
  const { nodes } = analysis;
  const here = nodeAnalysis?.position ?? nodes.length;
  const at = (position: number): NodeAnalysis | undefined => nodes.find((node) => node.position === position);
  if (meant.kind === 'before') return at(here - 1);
  if (meant.kind === 'place') return meant.place < here ? at(meant.place) : undefined;
  if (meant.kind === 'name') return onlyNamed(meant.name, here, nodes);
  const byId = analysis.nodes.find(({ node }) => plain(node.id) === `${meant.word}${meant.number}`);
  if (byId !== undefined) return byId;
  const base = countedFrom(analysis);
  return base === undefined ? undefined : nodes[meant.number - base];
}

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');

/** The only earlier node that has the name as its id or its step; initials of three words and more are a name too. */
function onlyNamed(name: string, here: number, nodes: readonly NodeAnalysis[]): NodeAnalysis | undefined {
  const named = nodes.filter(({ node, position }) => {
    const use = node.use.slice(node.use.indexOf(':') + 1);
    return (
      position < here &&
      (plain(node.id) === name || plain(use) === name || (name.length > 2 && initialsOf(use) === name))
    );
  });
  return named.length === 1 ? named[0] : undefined;
}

const initialsOf = (use: string): string =>
  use
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .map((word) => word.charAt(0))
    .join('');

/**
 * From what the plan counts its nodes: from 0 where it says 0, from 1 where most nodes would mean themselves otherwise. Undefined where
 * both are possible, or neither.
 */
function countedFrom({ nodes, plan }: PlanAnalysis): 0 | 1 | undefined {
  const counts = { zero: 0, own: 0, earlier: 0, later: 0 };
  nodes.forEach(({ node }, here) => {
    countNumbers(node.in, here, counts);
  });
  countNumbers(plan.output, nodes.length, counts);
  if (counts.zero > 0) return counts.own === 0 ? 0 : undefined;
  return counts.own > counts.earlier && counts.later === 0 ? 1 : undefined;
}

interface Counts {
  zero: number;
  own: number;
  earlier: number;
  later: number;
}

function countNumbers(value: unknown, here: number, counts: Counts): void {
  for (const text of textsIn(value)) {
    for (const { meant } of saidIn(text)) {
      if (meant.kind !== 'number') continue;
      const { number } = meant;
      counts[number === 0 ? 'zero' : number === here ? 'own' : number < here ? 'earlier' : 'later'] += 1;
    }
  }
}

function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (Array.isArray(value)) for (const item of value) yield* textsIn(item);
  else if (isRecord(value)) for (const key of Object.keys(value)) yield* textsIn(value[key]);
}
