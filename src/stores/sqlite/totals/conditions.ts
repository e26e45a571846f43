/** What a filter of the ledger is in SQL; `l` is the table of the rows. */
import type { LedgerFilter } from '../../../core/stores.ts';
import type { SqlValue } from '../database.ts';

interface Conditions {
  readonly texts: string[];
  readonly values: SqlValue[];
}

export function conditionsOf({ from, to, scope, provider, uncertain }: LedgerFilter): Conditions {
  const texts: string[] = [];
  const values: SqlValue[] = [];
  const add = (text: string, ...more: readonly SqlValue[]): void => {
    texts.push(text);
    values.push(...more);
  };
  if (from !== undefined) add('l.started_at >= ?', from);
  if (to !== undefined) add('l.started_at < ?', to);
  if (provider !== undefined) add('l.provider = ?', provider);
  if (uncertain === true) add('l.uncertain = 1');
  if (scope === undefined) return { texts, values };
  // The index of the scope contains the times too, so that a query for one month of one user reads only those rows.
  add('s.kind = ? AND s.name = ?', scope.kind, scope.id);
  const range = [from === undefined ? '' : ' AND x.started_at >= ?', to === undefined ? '' : ' AND x.started_at < ?'];
  const times = [from, to].filter((time) => time !== undefined);
  const inner = `SELECT x.ledger_id FROM scopes s JOIN ledger_scopes x ON x.scope_id = s.id WHERE ${texts.pop()}${range.join('')}`;
  texts.push(`l.id IN (${inner})`);
  return { texts, values: [...values, ...times] };
}

export const where = (texts: readonly string[]): string => (texts.length === 0 ? '' : `WHERE ${texts.join(' AND ')}`);
