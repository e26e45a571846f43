/**
 * Whether a word is one of common English, or of what programs call things. A name that is a word of its own is not a typing
 * error for another one, however near that is: `form` is not `from`, `county` not `country`, `sign` not `sing`.
 *
 * The list has base forms, and what letters can turn into each other; endings and beginnings are taken off before looking it up.
 */
import { PAIRED_WORDS, PLAIN_WORDS } from './word-lists.ts';

let list: ReadonlySet<string> | undefined;

/** The list is split when it is first needed, which is only when a name is misspelt. */
const words = (): ReadonlySet<string> => {
  list ??= new Set(`${PLAIN_WORDS} ${PAIRED_WORDS}`.split(/\s+/));
  return list;
};

const SHORTEST_STEM = 3;
const LONGEST_WORD = 40;

/** What may follow a word, and what the word then ends with: `ies` follows `quer`, of which `query` is the word. */
const ENDINGS: readonly (readonly [ending: string, instead: string])[] = [
  ...[
    's',
    'es',
    'd',
    'ed',
    'r',
    'er',
    'ers',
    'rs',
    'or',
    'ors',
    'ing',
    'ings',
    'ly',
    'ment',
    'ments',
    'ness',
    'able',
  ].map((ending) => [ending, ''] as const),
  ...['ies', 'ied', 'ier', 'iest', 'ily', 'iness'].map((ending) => [ending, 'y'] as const),
  ...['ing', 'ings', 'able', 'ation', 'ations', 'ion', 'ions', 'or', 'ors', 'ity', 'al', 'ive'].map(
    (ending) => [ending, 'e'] as const,
  ),
  ...[
    'ion',
    'ions',
    'ive',
    'al',
    'ally',
    'ful',
    'fully',
    'less',
    'ish',
    'ist',
    'est',
    'st',
    'y',
    'ity',
    'en',
    'n',
    'ation',
  ].map((ending) => [ending, ''] as const),
  ['ical', 'ic'],
  ['ically', 'ic'],
];

const BEGINNINGS: readonly string[] =
  'un re de dis in im non pre mis over under up down out off sub super inter co auto multi semi anti en em fore post self side cross'.split(
    ' ',
  );

export function isCommonWord(word: string): boolean {
  if (word.length > LONGEST_WORD) return false;
  if (isListed(word)) return true;
  return BEGINNINGS.some((beginning) => {
    const rest = word.slice(beginning.length);
    return rest.length >= SHORTEST_STEM && word.startsWith(beginning) && isListed(rest);
  });
}

/** The word, or the word that it is a form of. */
function isListed(word: string): boolean {
  if (words().has(word)) return true;
  return ENDINGS.some(([ending, instead]) => {
    if (!word.endsWith(ending)) return false;
    const stem = word.slice(0, -ending.length);
    if (stem.length < SHORTEST_STEM) return false;
    if (words().has(stem + instead)) return true;
    // `planned` is a form of `plan`.
    return instead === '' && stem.at(-1) === stem.at(-2) && words().has(stem.slice(0, -1));
  });
}
