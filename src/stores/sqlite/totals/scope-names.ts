/** The names of scopes by their ids, a million of them at a time. */
import type { Sql, SqlRow } from '../database.ts';
import { unknownScope } from './scope-ids.ts';
import { createSlots, KEY_HEAD } from './slots.ts';

/** Names of a page are one text of some megabytes: the driver takes seven times as long for as many rows. */
const PAGE = 65_536;
const NAMES = `SELECT json_group_array(name), json_group_array(id), max(name)
  FROM (SELECT id, name FROM scopes WHERE kind = ? AND name >= ? ORDER BY name LIMIT ${PAGE})`;
const NEXT_NAMES = NAMES.replace('name >= ?', 'name > ?');
const NAME = 'SELECT name FROM scopes WHERE id = ?';
const NEWEST = 'SELECT max(id) FROM scopes';
/** A name that is looked up takes as long as so many that are read in their order. */
const LOOK_UP = 16;
const BATCH = 1024;

/** Names in ascending order, and where in them the names of ids stand. */
export interface PlacedNames {
  readonly names: readonly string[];
  readonly places: Int32Array;
}

/** @throws SQLITE_CORRUPT where the file has no name for an id */
export function namesOfScopes(sql: Sql, kind: string, ids: Int32Array): PlacedNames {
  const different = new Set<number>();
  const most = Number(sql.first(NEWEST)?.[0] ?? 0) / LOOK_UP;
  for (let index = 0; index < ids.length && different.size <= most; index += 1) different.add(ids[index] ?? 0);
  const found = different.size <= most ? lookUp(sql, different) : readAll(sql, kind);
  return { names: found.names, places: placesOf(found, ids) };
}

interface Found {
  readonly names: readonly string[];
  /** In the order of the names. */
  readonly ids: readonly number[];
}

function lookUp(sql: Sql, ids: ReadonlySet<number>): Found {
  const names = Array.from(ids, (id) => {
    const row = sql.first(NAME, [id]);
    if (row === undefined) throw unknownScope();
    return String(row[0]);
  });
  return inOrder(names, [...ids]);
}

function readAll(sql: Sql, kind: string): Found {
  const names: string[] = [];
  const ids: number[] = [];
  const take = (row: SqlRow | undefined): SqlRow | undefined => {
    const [page, pageIds] = [textsOf(row?.[0]), textsOf(row?.[1])];
    for (let index = 0; index < page.length; index += 1) {
      names.push(String(page[index]));
      ids.push(Number(pageIds[index]));
    }
    return page.length === PAGE ? row : undefined;
  };
  for (let last = take(sql.first(NAMES, [kind, ''])); last !== undefined; )
    last = take(sql.first(NEXT_NAMES, [kind, String(last[2])]));
  return inOrder(names, ids);
}

const textsOf = (value: unknown): readonly unknown[] =>
  typeof value === 'string' ? (JSON.parse(value) as unknown[]) : [];

/** SQLite compares names by their bytes, which is nearly always the order of their characters. */
function inOrder(names: readonly string[], ids: readonly number[]): Found {
  let isInOrder = true;
  for (let index = 1; index < names.length && isInOrder; index += 1)
    isInOrder = (names[index - 1] ?? '') < (names[index] ?? '');
  if (isInOrder) return { names, ids };
  const order = names.map((_, index) => index).sort((a, b) => ((names[a] ?? '') < (names[b] ?? '') ? -1 : 1));
  return { names: order.map((index) => names[index] ?? ''), ids: order.map((index) => ids[index] ?? 0) };
}

/** Each id gets a slot in the order of the names. */
function placesOf({ names, ids }: Found, of: Int32Array): Int32Array {
  const slots = createSlots(1);
  const find = (wanted: ArrayLike<number>): Int32Array => {
    const found = new Int32Array(wanted.length);
    const keys = new Int32Array(BATCH * (KEY_HEAD + 1));
    for (let from = 0; from < wanted.length; from += BATCH) {
      const count = Math.min(BATCH, wanted.length - from);
      for (let index = 0; index < count; index += 1)
        keys[index * (KEY_HEAD + 1) + KEY_HEAD] = wanted[from + index] ?? 0;
      slots.find(keys, count, found.subarray(from, from + count));
    }
    return found;
  };
  find(ids);
  const places = find(of);
  if (slots.count() > names.length) throw unknownScope();
  return places;
}
