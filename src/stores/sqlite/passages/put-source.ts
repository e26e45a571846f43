/**
 * Writes the passages of one source.
 *
 * S1. A long source is written in parts, with a turn of the event loop before each: the words of a few megabytes take half a second.
 * S2. Until its last part it has a mark instead of its digest, so what a process left half written is written again.
 * S3. Of two that write one source at the same time, the one that began later goes on. A part of the other finds another mark.
 */
import type { Clock } from '../../../core/clock.ts';
import { type PassageBounds, type PassageStore, searchableText } from '../../../core/stores/passages.ts';
import type { Connection } from '../connection.ts';
import type { Sql } from '../database.ts';
import { makeRoom, removeSource, sizeOf } from './room.ts';
import { indexText } from './words.ts';

type Put = Parameters<PassageStore['put']>[0];

const ADD_INDEX = `INSERT INTO passage_indexes (name, used_at, passages, bytes) VALUES (?, ?, ?, ?)
  ON CONFLICT (name) DO UPDATE SET used_at = excluded.used_at, passages = excluded.passages, bytes = excluded.bytes`;
const ADD_SOURCE = 'INSERT INTO passage_sources (name, source, digest, passages, bytes) VALUES (?, ?, ?, ?, ?)';
const ADD = `INSERT INTO passages (name, source, number, key, text, start_at, end_at, line, end_line, heading)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const ADD_WORDS = 'INSERT INTO passage_words (rowid, words) VALUES (?, ?)';
const DIGEST = 'SELECT digest FROM passage_sources WHERE name = ? AND source = ?';
const END = 'UPDATE passage_sources SET digest = ? WHERE name = ? AND source = ?';

/** Characters of the texts of a part: about ten milliseconds of work. */
const PART_CHARACTERS = 65_536;
const MARK = 'unfinished ';

/** @throws limit-exceeded when the index would not fit; nothing is changed then */
export async function putSource(connection: Connection, put: Put, bounds: PassageBounds, clock: Clock): Promise<void> {
  let mark = '';
  let next = await connection.write((sql) => {
    mark = beginSource(sql, put, bounds, clock.now());
    return addPart(sql, put, 0);
  });
  while (next < put.passages.length) {
    const from = next;
    next = await connection.write((sql) =>
      digestOf(sql, put) === mark ? addPart(sql, put, from) : Number.POSITIVE_INFINITY,
    );
  }
}

const digestOf = (sql: Sql, { index, source }: Put): unknown => sql.first(DIGEST, [index, source])?.[0];

/** Makes room for all of it, in place of what the source was. Returns the mark. */
function beginSource(sql: Sql, put: Put, bounds: PassageBounds, now: number): string {
  const { index, source, passages } = put;
  const bytes = passages.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  const before = sizeOf(sql, index);
  const own = sizeOf(sql, index, source);
  const size = {
    passages: before.passages - own.passages + passages.length,
    bytes: before.bytes - own.bytes + bytes,
  };
  // What is there may have the mark of the same millisecond.
  const other = digestOf(sql, put);
  const mark = other === `${MARK}${now}` ? `${other}.` : `${MARK}${now}`;
  makeRoom(sql, index, size, bounds);
  removeSource(sql, index, source);
  sql.run(ADD_INDEX, [index, now, size.passages, size.bytes]);
  sql.run(ADD_SOURCE, [index, source, mark, passages.length, bytes]);
  return mark;
}

/** Returns the number of the passage with which the next part begins. The last part ends the source. */
function addPart(sql: Sql, put: Put, from: number): number {
  const { index, source, digest, passages } = put;
  let left = PART_CHARACTERS;
  let number = from;
  for (; number < passages.length && left > 0; number += 1) {
    const passage = passages[number];
    if (passage === undefined) break;
    const { key, text, start, end, line, endLine, heading } = passage;
    const place = [start, end, line, endLine, heading?.toWellFormed() ?? null];
    const { id } = sql.run(ADD, [index, source, number, key, text.toWellFormed(), ...place]);
    sql.run(ADD_WORDS, [id, indexText(searchableText(passage))]);
    left -= text.length;
  }
  if (number === passages.length) sql.run(END, [digest, index, source]);
  return number;
}
