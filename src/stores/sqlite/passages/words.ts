/** Words as the index of SQLite keeps them: ASCII alone, so that they mean the same in whichever version of Unicode it knows. */
import { queryWords } from '../../../kit/retrieval/rank.ts';
import { wordsOf } from '../../../kit/retrieval/words.ts';

const PLAIN = /^[a-z0-9]+$/;

// No plain word has the mark of the others in it.
const token = (word: string): string => (PLAIN.test(word) ? word : `x_${Buffer.from(word).toString('hex')}`);

export function indexText(text: string): string {
  const tokens: string[] = [];
  for (const word of wordsOf(text)) tokens.push(token(word));
  return tokens.join(' ');
}

/** What matches any word of the query; undefined where it has none. */
export function matchText(query: string): string | undefined {
  const tokens = [...queryWords(query)].map((word) => `"${token(word)}"`);
  return tokens.length === 0 ? undefined : tokens.join(' OR ');
}
