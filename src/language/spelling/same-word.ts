/**
 * Whether two names are one name, written differently. A name says what happens, so nothing here may turn it into another one:
 * `mount_disk` is never `unmount_disk`, `delete_user` never `delete_users`, `min_price` never `max_price`.
 *
 * N1. `form`: the same words and numbers in the same order, in other cases or with other separators.
 * N2. `letter`: besides that, one word has one letter doubled, missing or swapped with its neighbour. Its first letter stays, and
 *     a letter is neither added nor dropped at its end. The word that was given is nobody's: neither of English nor among those that the
 *     caller says are in use.
 * N3. No word, prefix, ending or number is added, dropped or exchanged.
 */
import { isCommonWord } from './common-words.ts';

export type SameName = 'form' | 'letter';

const LONGEST_NAME = 80;
/** Shorter words are codes: units, languages, abbreviations. Any change makes another one of them. */
const SHORTEST_WORD = 4;
const NUMBER = /^\p{N}+$/u;
const ROMAN_NUMBER = /^[ivxlcdm]+$/;
/** Words without a vowel are abbreviations, and other scripts have words of one letter. */
const SPELT_WORD = /^(?=.*[aeiou])[a-z]+$/;

const MOST_KEPT = 5000;
const known = new Map<string, readonly string[]>();

/** The words of a name in lower case; every number is a word of its own. */
export function wordsOfName(name: string): readonly string[] {
  const before = known.get(name);
  if (before !== undefined) return before;
  const words = splitName(name);
  // The names of a catalogue are compared many times; long ones are not names.
  if (known.size >= MOST_KEPT) known.clear();
  if (name.length <= LONGEST_NAME) known.set(name, words);
  return words;
}

function splitName(name: string): readonly string[] {
  const apart = name
    .normalize('NFC')
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2');
  return apart.toLowerCase().match(/\p{N}+|[\p{L}\p{M}]+|[^\p{L}\p{M}\p{N}\s_\-./:]+/gu) ?? [];
}

/**
 * How `given` is another spelling of `candidate`; undefined when it is another name.
 *
 * @param isInUse whether somebody means another thing by a word of `given`; asked only where a letter differs
 */
export function sameName(
  given: string,
  candidate: string,
  isInUse: (word: string) => boolean = () => false,
): SameName | undefined {
  if (given.length > LONGEST_NAME || candidate.length > LONGEST_NAME) return undefined;
  const mine = wordsOfName(given);
  const theirs = wordsOfName(candidate);
  if (mine.length === 0 || theirs.length === 0) return undefined;
  if (mine.length !== theirs.length) return isJoined(mine, theirs) ? 'form' : undefined;
  let slip: string | undefined;
  for (const [index, word] of mine.entries()) {
    const other = theirs[index] ?? '';
    if (word === other) continue;
    if (slip !== undefined || !isSlip(word, other)) return undefined;
    slip = word;
  }
  if (slip === undefined) return 'form';
  return isInUse(slip) || isCommonWord(slip) ? undefined : 'letter';
}

/** What changes the word that it stands before: `in_active` and `inactive` are opposites. */
const PARTICLES: ReadonlySet<string> = new Set(
  'a an un in im il ir dis de re non no not mis anti pre post over under up down out off on sub co en em be'.split(' '),
);

/**
 * Whether the names differ only in separators that one of them lacks: `websearch` and `web_search`. Not where the word that
 * both parts make is one of its own, as `nowhere` is.
 */
function isJoined(mine: readonly string[], theirs: readonly string[]): boolean {
  const [few, many] = mine.length < theirs.length ? [mine, theirs] : [theirs, mine];
  let at = 0;
  for (const word of few) {
    const first = at;
    let joined = many[at] ?? '';
    at += 1;
    while (joined.length < word.length && at < many.length) {
      joined += many[at] ?? '';
      at += 1;
    }
    if (joined !== word) return false;
    const parts = many.slice(first, at);
    if (parts.length > 1 && (isCommonWord(word) || parts.some(isUnsafePart))) return false;
  }
  return at === many.length;
}

const isUnsafePart = (part: string): boolean => part.length < 2 || NUMBER.test(part) || PARTICLES.has(part);

/** One letter doubled, missing or swapped inside the word. */
function isSlip(word: string, other: string): boolean {
  if (word.length < SHORTEST_WORD || other.length < SHORTEST_WORD || word[0] !== other[0]) return false;
  if (!SPELT_WORD.test(word) || !SPELT_WORD.test(other)) return false;
  if (ROMAN_NUMBER.test(word) || ROMAN_NUMBER.test(other)) return false;
  const at = firstDifference(word, other);
  if (word.length === other.length) {
    return word[at] === other[at + 1] && word[at + 1] === other[at] && word.slice(at + 2) === other.slice(at + 2);
  }
  const [short, long] = word.length < other.length ? [word, other] : [other, word];
  if (long.length !== short.length + 1 || at >= short.length) return false;
  if (long.slice(at + 1) !== short.slice(at)) return false;
  // A letter that is too many in the given word must be a doubled one.
  return long === other || long[at] === long[at - 1];
}

function firstDifference(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at += 1;
  return at;
}
