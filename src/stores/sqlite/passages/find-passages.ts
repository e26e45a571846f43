/** Ranks the passages of an index: by their words (BM25 of SQLite), by the cosine of vectors, both joined by their ranks. */
import type { FoundPassage, PassageStore, PassagesFound } from '../../../core/stores/passages.ts';
import { joinedRankings, type Ranked } from '../../../kit/retrieval/rank.ts';
import { MAX_RANKED, otherLength } from '../../passages.ts';
import type { Sql, SqlRow } from '../database.ts';
import { matchText } from './words.ts';

const BY_WORDS = `SELECT p.id FROM passage_words JOIN passages p ON p.id = passage_words.rowid
  WHERE passage_words MATCH ? AND p.name = ? ORDER BY bm25(passage_words), p.source, p.number LIMIT ${MAX_RANKED}`;
const BY_VECTORS = `SELECT p.id FROM passages p JOIN passage_vectors v ON v.key = p.key AND v.model = ?
  WHERE p.name = ? AND v.length = ? AND length(v.vector) = v.length * 4
  ORDER BY ifnull(vector_distance_cos(v.vector, ?), 1), p.source, p.number LIMIT ${MAX_RANKED}`;
const OTHER_LENGTH = `SELECT v.length FROM passages p JOIN passage_vectors v ON v.key = p.key AND v.model = ?
  WHERE p.name = ? LIMIT 1`;
const PASSAGE = `SELECT key, text, source, start_at, end_at, line, end_line, heading FROM passages WHERE id = ?`;

export const floatsOf = (vector: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(vector).buffer);

export function findPassages(sql: Sql, options: Parameters<PassageStore['find']>[0]): PassagesFound {
  const { index, query, most, near } = options;
  const match = matchText(query);
  const byWords = match === undefined ? [] : ranking(sql.all(BY_WORDS, [match, index]));
  const byVectors = near === undefined ? [] : nearest(sql, index, near);
  const isHybrid = byVectors.length > 0;
  const ranked = isHybrid ? joinedRankings([byWords, byVectors]) : byWords;
  const passages = ranked.slice(0, most).flatMap(({ index: id, score }) => {
    const row = sql.first(PASSAGE, [id]);
    return row === undefined ? [] : [passageOf(row, score)];
  });
  return { passages, ranking: isHybrid ? 'hybrid' : 'lexical' };
}

/** By the rank, because that is what is joined: the scores of words and of vectors cannot be compared. */
const ranking = (rows: readonly SqlRow[]): readonly Ranked[] =>
  rows.map(([id], rank) => ({ index: Number(id), score: 1 / (rank + 1) }));

function nearest(
  sql: Sql,
  index: string,
  { model, vector }: NonNullable<Parameters<PassageStore['find']>[0]['near']>,
): readonly Ranked[] {
  const rows = sql.all(BY_VECTORS, [model, index, vector.length, floatsOf(vector)]);
  if (rows.length > 0) return ranking(rows);
  const other = sql.first(OTHER_LENGTH, [model, index])?.[0];
  if (other !== undefined && Number(other) !== vector.length)
    throw otherLength(index, model, vector.length, Number(other));
  return [];
}

function passageOf(row: SqlRow, score: number): FoundPassage {
  const [key, text, source, start, end, line, endLine, heading] = row;
  const passage = {
    key: String(key),
    text: String(text),
    source: String(source),
    start: Number(start),
    end: Number(end),
    line: Number(line),
    endLine: Number(endLine),
    score,
  };
  return heading === null ? passage : { ...passage, heading: String(heading) };
}
