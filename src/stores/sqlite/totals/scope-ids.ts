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

/** The ids of scopes by `scopeKey`, in one transaction: a rollback revokes them. */
export type ScopeIds = Map<string, number>;
export const scopeKey = (kind: string, name: string): string => `${kind} ${name}`;

/** Undefined where the file does not know it. */
export function scopeIdIn(sql: Sql, kind: string, name: string): number | undefined {
  const found = sql.first(FIND_SCOPE, [kind, name])?.[0];
  return found === undefined ? undefined : Number(found);
}

/** Adds the ids of those scopes that the file knows. Those of a damaged row may be anything. */
export function learnScopes(sql: Sql, ids: ScopeIds, scopes: readonly NamedScope[]): void {
  const unknown = new Map<string, readonly [kind: string, name: string]>();
  for (const { kind, id } of scopes) {
    const key = scopeKey(kind, id);
    if (!ids.has(key)) unknown.set(key, [String(kind), String(id)]);
  }
  if (unknown.size <= FEW) return;
  for (const [id, kind, name] of sql.table(FIND_SCOPES, [JSON.stringify([...unknown.values()])]))
    ids.set(scopeKey(String(kind), String(name)), Number(id));
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
    const key = scopeKey(kind, name);
    const known = ids.get(key);
    if (known !== undefined) return known;
    const id = scopeIdIn(sql, kind, name);
    if (id === undefined) throw unknownScope();
    ids.set(key, id);
    return id;
  };
}

export const unknownScope = (): Error =>
  Object.assign(new Error('A row of the ledger has a scope that is not in the table of scopes.'), {
    code: 'SQLITE_CORRUPT',
  });
