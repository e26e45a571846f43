/** The ids of scopes in the file: each scope that a row of the ledger names has one. */
import type { Sql } from '../database.ts';

const FIND_SCOPE = 'SELECT id FROM scopes WHERE kind = ? AND name = ?';
const FIND_SCOPES = `SELECT s.id, s.kind, s.name FROM json_each(?) j
  CROSS JOIN scopes s ON s.kind = j.value ->> 0 AND s.name = j.value ->> 1`;
/** So many take as long one by one. */
const FEW = 3;

export interface NamedScope {
  readonly kind: string;
  readonly id: string;
}

/** The ids of scopes by kind and name, in one transaction: a rollback revokes them. */
export type ScopeIds = Map<string, Map<string, number>>;

export function keepScopeId(ids: ScopeIds, kind: string, name: string, id: number): void {
  const ofKind = ids.get(kind);
  if (ofKind === undefined) ids.set(kind, new Map([[name, id]]));
  else ofKind.set(name, id);
}

/** Undefined where the file does not know it. */
export function scopeIdIn(sql: Sql, kind: string, name: string): number | undefined {
  const found = sql.first(FIND_SCOPE, [kind, name])?.[0];
  return found === undefined ? undefined : Number(found);
}

/** Adds the ids of those scopes that the file knows. Those of a damaged row may be anything. */
export function learnScopes(sql: Sql, ids: ScopeIds, scopes: readonly NamedScope[]): void {
  const unknown: (readonly [kind: string, name: string])[] = [];
  const asked: ScopeIds = new Map();
  for (const { kind, id } of scopes) {
    if (ids.get(kind)?.has(id) || asked.get(kind)?.has(id)) continue;
    keepScopeId(asked, kind, id, unknown.length);
    unknown.push([String(kind), String(id)]);
  }
  if (unknown.length <= FEW) return;
  for (const [id, kind, name] of sql.table(FIND_SCOPES, [JSON.stringify(unknown)]))
    keepScopeId(ids, String(kind), String(name), Number(id));
}

/**
 * The ids of the scopes that rows name. Each of them was written with its row, so one that is missing was damaged in the row: without
 * this check, the row would silently be in no total of its user. Hold it during one transaction only.
 *
 * @param ids those that the transaction knows already
 * @throws SQLITE_CORRUPT
 */
export function scopesOfRows(sql: Sql, ids: ScopeIds = new Map()): (kind: string, name: string) => number {
  return (kind, name) => {
    const known = ids.get(kind)?.get(name);
    if (known !== undefined) return known;
    // Those of a damaged row may be anything, and the driver ends the process for a value that is true or false.
    const isNamed = typeof kind === 'string' && typeof name === 'string';
    const id = isNamed ? scopeIdIn(sql, kind, name) : undefined;
    if (id === undefined) throw unknownScope();
    keepScopeId(ids, kind, name, id);
    return id;
  };
}

export const unknownScope = (): Error =>
  corruptRow('A row of the ledger has a scope that is not in the table of scopes.');

export const corruptRow = (message: string): Error => Object.assign(new Error(message), { code: 'SQLITE_CORRUPT' });
