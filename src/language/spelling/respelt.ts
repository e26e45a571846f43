/** The one known name that a misspelt one is, by the rules of same-word.ts. */

import { slipOf } from '../suggest.ts';
import { type SameName, sameName, wordsOfName } from './same-word.ts';

/** Among more names, none is called the only one that is near. */
const MOST_LETTER_CANDIDATES = 1000;

export interface RespellingRules {
  /** `form`: only case and separators may differ. `letter`: also one letter inside a word. */
  readonly mayDiffer: SameName;
  /** Whether a word means something else already, so that it is no typing error. @default none does */
  readonly isInUse?: (word: string) => boolean;
}

/**
 * The only candidate that `given` is another spelling of; undefined when there is none, or when there are two. Each of the names
 * that is not returned is something else: suggest it, never take it.
 */
export function respelt(
  given: string,
  candidates: readonly string[],
  { mayDiffer, isInUse = () => false }: RespellingRules,
): string | undefined {
  let formed: string | undefined;
  let slipped: string | undefined;
  let slips = 0;
  for (const candidate of candidates) {
    const same = sameName(given, candidate, isInUse);
    if (same === 'form') {
      if (formed !== undefined && formed !== candidate) return undefined;
      formed = candidate;
    } else if (same === 'letter' && slipped !== candidate) {
      slipped = candidate;
      slips += 1;
    }
  }
  if (formed !== undefined || mayDiffer === 'form' || slipped === undefined) return formed;
  if (slips > 1 || candidates.length > MOST_LETTER_CANDIDATES || isPartOfAnother(given, slipped, candidates)) {
    return undefined;
  }
  // Another name may be as near in another way: `lable` may be `label` or `table`.
  return slipOf(given, candidates) === slipped ? slipped : undefined;
}

/** Whether another candidate has the word that differs, as it was given. */
function isPartOfAnother(given: string, target: string, candidates: readonly string[]): boolean {
  const expected = new Set(wordsOfName(target));
  const slip = wordsOfName(given).find((word) => !expected.has(word));
  return slip !== undefined && candidates.some((candidate) => wordsOfName(candidate).includes(slip));
}
