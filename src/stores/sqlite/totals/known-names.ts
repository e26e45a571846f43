/** The numbers that stand for the names of a row in the sums: its label, the set of those who paid, and its scopes with many ids. */
import { SUMMED_SCOPES } from '../../ledger-totals.ts';
import { isObject, parsedText } from '../../stored-records.ts';
import type { Sql } from '../database.ts';
import { corruptRow, learnScopes, type NamedScope, type ScopeIds, scopesOfRows } from './scope-ids.ts';

const FIND_PAYERS = 'SELECT id FROM ledger_payers WHERE scopes = ?';
const INSERT_PAYERS = 'INSERT INTO ledger_payers (scopes) VALUES (?)';
const INSERT_PAYER = 'INSERT INTO ledger_payer_scopes (payers_id, kind, name) VALUES (?, ?, ?)';
const FIND_LABEL = 'SELECT id FROM ledger_labels WHERE provider = ? AND model = ? AND purpose = ? AND outcome = ?';
const INSERT_LABEL = 'INSERT INTO ledger_labels (provider, model, purpose, outcome) VALUES (?, ?, ?, ?)';

/** The kinds of scopes with many ids. Their place is in the file: add new ones behind them. */
const OWN_SCOPES: readonly string[] = ['request', 'node', 'run', 'session'];
/** A power of two. */
export const KINDS = 4;

/** Undefined for a kind that is in the sets of payers. */
export function ownKindOf(kind: string): number | undefined {
  const index = OWN_SCOPES.indexOf(kind);
  return index === -1 ? undefined : index;
}

/** A scope in the rows of a part: its kind and its id in the table of scopes. */
export const ownNumber = (kind: number, id: number): number => id * KINDS + kind;
export const kindOfNumber = (number: number): number => number & (KINDS - 1);
export const idOfNumber = (number: number): number => Math.floor(number / KINDS);

/** Rows come with the same names again and again: each is looked up once. Hold it during one transaction only. */
export interface KnownNames {
  label(label: readonly string[]): number;
  /** Looks the scopes of many rows up at once, which takes an eighth of the time. */
  learn(texts: readonly unknown[]): void;
  /** @param text the JSON of all scopes of a row */
  scopes(text: unknown): RowScopes;
}

interface RowScopes {
  /** The id of the set; the empty set is one too. */
  readonly payers: number;
  readonly own: readonly number[];
}

/** @throws SQLITE_CORRUPT when it is asked for a scope that the file does not know */
export function knownNames(sql: Sql, ids: ScopeIds = new Map()): KnownNames {
  const labels = new Map<string, number>();
  const payers = new Map<string, number>();
  /** By the scopes of a row as they stand there: rows of one payer have the same. */
  const ofTexts = new Map<unknown, RowScopes>();
  const scopeIdOf = scopesOfRows(sql, ids);
  const rowScopes = (scopes: readonly NamedScope[]): RowScopes => {
    const paying: NamedScope[] = [];
    const own: number[] = [];
    // Scopes come in the same order again and again: the form in which the file has them is made once for each.
    let key = '';
    for (const scope of scopes) {
      const id = scopeIdOf(scope.kind, scope.id);
      const kind = ownKindOf(scope.kind);
      if (kind !== undefined) own.push(ownNumber(kind, id));
      if (!SUMMED_SCOPES.has(scope.kind)) continue;
      paying.push(scope);
      key += `${scope.kind} ${scope.id.length} ${scope.id}`;
    }
    const id = payers.get(key) ?? payersIn(sql, paying);
    payers.set(key, id);
    return { payers: id, own: own.length > 1 ? [...new Set(own)] : own };
  };
  return {
    label(label) {
      // With lengths, because names may have any character.
      let key = '';
      for (const word of label) key += `${word.length} ${word}`;
      const id = labels.get(key) ?? labelIn(sql, label);
      labels.set(key, id);
      return id;
    },
    learn(texts) {
      const lists = new Map<unknown, readonly NamedScope[]>();
      for (const text of texts) if (!ofTexts.has(text) && !lists.has(text)) lists.set(text, scopesIn(text));
      learnScopes(sql, ids, [...lists.values()].flat());
      for (const [text, scopes] of lists) ofTexts.set(text, rowScopes(scopes));
    },
    scopes: (text) => ofTexts.get(text) ?? rowScopes(scopesIn(text)),
  };
}

/** Every row was written with a list, if an empty one. */
function scopesIn(text: unknown): readonly NamedScope[] {
  const found: unknown = typeof text === 'string' ? parsedText(text) : undefined;
  if (!Array.isArray(found) || found.some((scope) => !isObject(scope)))
    throw corruptRow('A row of the ledger has no list of scopes.');
  return found;
}

function labelIn(sql: Sql, label: readonly string[]): number {
  const found = sql.first(FIND_LABEL, label)?.[0];
  return found === undefined ? sql.run(INSERT_LABEL, label).id : Number(found);
}

function payersIn(sql: Sql, payers: readonly NamedScope[]): number {
  const names = new Map(payers.map(({ kind, id }) => [`${kind} ${id}`, [kind, id] as const]));
  const text = JSON.stringify([...names.keys()].sort().map((name) => names.get(name)));
  const found = sql.first(FIND_PAYERS, [text])?.[0];
  if (found !== undefined) return Number(found);
  const { id } = sql.run(INSERT_PAYERS, [text]);
  for (const [kind, name] of names.values()) sql.run(INSERT_PAYER, [id, kind, name]);
  return id;
}
