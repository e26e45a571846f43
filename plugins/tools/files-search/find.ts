/** What `search` returns: passages with the place that each is from. */
import {
  joinedRankings,
  type PassageStore,
  type Ranked,
  rankByVectors,
  rankByWords,
  searchableText,
  wordIndex,
} from 'polyphony/kit';
import { failed } from '../files/folder.ts';
import { type FolderIndex, type FolderIndexOptions, indexedFiles } from './folder-index.ts';
import type { Piece } from './split.ts';

export interface SearchInput {
  readonly query: string;
  readonly pieces?: readonly unknown[];
  readonly pattern?: string;
  readonly index?: string;
  /** Of the vectors of the index. */
  readonly model?: string;
  /** One of each piece. */
  readonly vectors?: readonly (readonly number[])[];
  readonly queryVector?: readonly number[];
  readonly top?: number;
}

export interface Hit extends Partial<Piece> {
  readonly text: string;
  /** The place, such as `docs/rules.md:12-15`. */
  readonly cite: string;
  readonly score: number;
  /** Of the piece. */
  readonly index: number;
}

export interface Found {
  readonly hits: readonly Hit[];
  /** The hits as one text for a prompt, each under its number and its place. */
  readonly context: string;
  readonly cites: readonly string[];
  readonly ranking: 'hybrid' | 'lexical';
}

type Passage = Partial<Piece> & Pick<Piece, 'text'>;

/** @throws tool-failed */
export async function search(
  input: SearchInput,
  known: FolderIndex,
  options: FolderIndexOptions,
  signal: AbortSignal,
): Promise<Found> {
  const { query, pieces, pattern, vectors, top = 5 } = input;
  if ((pieces === undefined) === (pattern === undefined))
    throw failed('Give either "index", "pieces" or "pattern", and only one of them.');
  if (pattern !== undefined) {
    if (vectors !== undefined) throw failed('"vectors" belong to "pieces": leave them out with a "pattern".');
    const files = await indexedFiles(known, options, pattern, signal);
    const ranked = rankByWords(
      files.map(({ index }) => index),
      query,
    ).slice(0, top);
    return foundOf(
      ranked,
      files.flatMap((file) => file.pieces),
      'lexical',
    );
  }
  const passages = (pieces ?? []).map(passageOf);
  const byWords = rankByWords([wordIndex(passages.map(searchableText))], query);
  const byVectors = vectorRanking(input, passages.length);
  const ranked = byVectors === undefined ? byWords : joinedRankings([byWords, byVectors]);
  return foundOf(ranked.slice(0, top), passages, byVectors === undefined ? 'lexical' : 'hybrid');
}

/** @throws tool-failed, and invalid-request for an index that is not there */
export async function searchIndex(input: SearchInput, store: PassageStore): Promise<Found> {
  const { index = '', query, pieces, pattern, vectors, queryVector, model, top = 5 } = input;
  if (pieces !== undefined || pattern !== undefined || vectors !== undefined)
    throw failed('An "index" has its own passages and vectors: leave out "pieces", "pattern" and "vectors".');
  if (queryVector !== undefined && model === undefined)
    throw failed('"queryVector" needs "model", the model of the vectors: give that of the embed node with this index.');
  const near = queryVector === undefined || model === undefined ? undefined : { model, vector: queryVector };
  const found = await store.find({ index, query, most: top, ...(near === undefined ? {} : { near }) });
  const ranked = found.passages.map(({ score }, at) => ({ index: at, score }));
  const passages = found.passages.map(({ key, score, ...piece }) => piece);
  return foundOf(ranked, passages, found.ranking);
}

/** Undefined where there are no vectors, such as where no provider embeds. */
function vectorRanking({ vectors, queryVector }: SearchInput, count: number): readonly Ranked[] | undefined {
  if (vectors === undefined || queryVector === undefined) return undefined;
  if (vectors.length !== count) {
    throw failed(
      `There are ${count} pieces and ${vectors.length} vectors: give the vector of each piece, in their order.`,
    );
  }
  const other = vectors.findIndex((vector) => vector.length !== queryVector.length);
  if (other !== -1) {
    throw failed(
      `Vector ${other} has ${vectors[other]?.length} numbers and that of the query ${queryVector.length}: make both with one model.`,
    );
  }
  return rankByVectors(vectors, queryVector);
}

function passageOf(piece: unknown, index: number): Passage {
  if (typeof piece === 'string') return { text: piece };
  if (typeof piece === 'object' && piece !== null && typeof (piece as Passage).text === 'string')
    return piece as Passage;
  throw failed(`Piece ${index} is no text and has no "text": give what split returns, or texts.`);
}

function foundOf(ranked: readonly Ranked[], passages: readonly Passage[], ranking: Found['ranking']): Found {
  const hits = ranked.flatMap(({ index, score }): Hit[] => {
    const passage = passages[index];
    return passage === undefined ? [] : [{ ...passage, cite: citeOf(passage, index), score: rounded(score), index }];
  });
  const context = hits.map(({ text, cite }, at) => `[${at + 1}] ${cite}\n${text}`).join('\n\n');
  return { hits, context, cites: hits.map(({ cite }) => cite), ranking };
}

const rounded = (score: number): number => Math.round(score * 1e6) / 1e6;

function citeOf({ source, line, endLine }: Passage, index: number): string {
  const place = typeof source === 'string' && source !== '' ? source : `piece ${index + 1}`;
  if (typeof line !== 'number') return place;
  return typeof endLine === 'number' && endLine !== line ? `${place}:${line}-${endLine}` : `${place}:${line}`;
}
