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
const VOWELS = 'aeiouy';

/** What may follow a word, and what the word then ends with: `ies` follows `quer`, of which `query` is the word. */
const ENDINGS: readonly (readonly [ending: string, instead: string])[] = (
  [
    [
      '',
      's es ed er ers or ors ing ings ly ment ments ness able ion ions ive al ally ful fully less ish ist est y ity en ation',
    ],
    ['y', 'ies ied ier iest ily iness'],
    ['e', 'ed er ers est en ing ings able ation ations ion ions or ors ity al ive'],
    ['ic', 'ical ically'],
  ] as const
).flatMap(([instead, endings]) => endings.split(' ').map((ending) => [ending, instead] as const));

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
    if (stem.length + instead.length < SHORTEST_STEM) return false;
    if (words().has(stem + instead)) return true;
    // `planned` is a form of `plan`.
    const isDoubled = stem.at(-1) === stem.at(-2) && !VOWELS.includes(stem.at(-1) ?? '');
    return isDoubled && instead === '' && VOWELS.includes(ending.charAt(0)) && words().has(stem.slice(0, -1));
  });
}
