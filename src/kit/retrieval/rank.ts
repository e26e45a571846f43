/** Ranks texts for a query: by their words (BM25), and by vectors where there are some, both joined by their ranks. */
import { wordsOf } from './words.ts';

/** Of any number of texts, which are known by their index. */
export interface WordIndex {
  /** Per word: index and count, one after the other. */
  readonly postings: ReadonlyMap<string, readonly number[]>;
  /** Words of each text. */
  readonly lengths: readonly number[];
  readonly total: number;
}

export interface Ranked {
  readonly index: number;
  readonly score: number;
}

const SATURATION = 1.2;
const LENGTH_WEIGHT = 0.75;
/** The usual constant of reciprocal rank fusion. */
const RANK_OFFSET = 60;
const MAX_QUERY_WORDS = 64;
/** How far down a ranking counts for the join. */
const MAX_RANKED = 1000;

export function wordIndex(texts: readonly string[]): WordIndex {
  const postings = new Map<string, number[]>();
  const lengths: number[] = [];
  let total = 0;
  for (const [index, text] of texts.entries()) {
    let length = 0;
    for (const word of wordsOf(text)) {
      length += 1;
      const list = postings.get(word);
      if (list === undefined) postings.set(word, [index, 1]);
      else if (list.at(-2) === index) list[list.length - 1] = (list.at(-1) ?? 0) + 1;
      else list.push(index, 1);
    }
    lengths.push(length);
    total += length;
  }
  return { postings, lengths, total };
}

/** The words that a query is compared by: each once, the first ones of a long query. */
export function queryWords(query: string): ReadonlySet<string> {
  const words = new Set<string>();
  for (const word of wordsOf(query)) {
    if (words.size >= MAX_QUERY_WORDS) break;
    words.add(word);
  }
  return words;
}

/** Over several indexes as if they were one, the texts of the first one first. Only texts with a word of the query, best first. */
export function rankByWords(indexes: readonly WordIndex[], query: string): readonly Ranked[] {
  const words = queryWords(query);
  const count = indexes.reduce((sum, { lengths }) => sum + lengths.length, 0);
  const average = Math.max(1, indexes.reduce((sum, { total }) => sum + total, 0) / Math.max(1, count));
  const scores = new Map<number, number>();
  for (const word of words) {
    const found = indexes.reduce((sum, { postings }) => sum + (postings.get(word)?.length ?? 0) / 2, 0);
    const weight = Math.log(1 + (count - found + 0.5) / (found + 0.5));
    let first = 0;
    for (const { postings, lengths } of indexes) {
      const list = postings.get(word) ?? [];
      for (let at = 0; at < list.length; at += 2) {
        const [index = 0, times = 0] = [list[at], list[at + 1]];
        const norm = SATURATION * (1 - LENGTH_WEIGHT + (LENGTH_WEIGHT * (lengths[index] ?? 0)) / average);
        const score = (weight * times * (SATURATION + 1)) / (times + norm);
        scores.set(first + index, (scores.get(first + index) ?? 0) + score);
      }
      first += lengths.length;
    }
  }
  return sorted([...scores].map(([index, score]) => ({ index, score })));
}

/** By the cosine, best first. */
export function rankByVectors(vectors: readonly ArrayLike<number>[], query: ArrayLike<number>): readonly Ranked[] {
  const length = Math.sqrt(productOf(query, query));
  return sorted(
    vectors.map((vector, index) => {
      const norm = Math.sqrt(productOf(vector, vector)) * length;
      return { index, score: norm > 0 ? productOf(vector, query) / norm : 0 };
    }),
  );
}

function productOf(vector: ArrayLike<number>, other: ArrayLike<number>): number {
  let product = 0;
  for (let at = 0; at < vector.length; at += 1) product += (vector[at] ?? 0) * (other[at] ?? 0);
  return product;
}

/** What stands high in either ranking, and highest what does in both. */
export function joinedRankings(rankings: readonly (readonly Ranked[])[]): readonly Ranked[] {
  const scores = new Map<number, number>();
  for (const ranking of rankings) {
    for (const [rank, { index }] of ranking.slice(0, MAX_RANKED).entries()) {
      scores.set(index, (scores.get(index) ?? 0) + 1 / (RANK_OFFSET + rank + 1));
    }
  }
  return sorted([...scores].map(([index, score]) => ({ index, score })));
}

/** Equal scores in the order of the texts, so that a search always says the same. */
const sorted = (ranked: Ranked[]): readonly Ranked[] => ranked.sort((a, b) => b.score - a.score || a.index - b.index);
