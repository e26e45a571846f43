/** Scopes that are looked up together have the ids that they have one by one. */
import fc from 'fast-check';
import Database from 'libsql';
import { afterAll, expect, it } from 'vitest';
import { sqlOf } from '../../../../src/stores/sqlite/database.ts';
import { learnScopes, type ScopeIds, scopeIdIn } from '../../../../src/stores/sqlite/totals/scope-ids.ts';

const sql = sqlOf(new Database(':memory:'));
sql.script('CREATE TABLE scopes (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (kind, name))');
afterAll(() => sql.close());

const word = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('1.5', 'null', '{}', '[1]', '"', 'a\0', '10', ''),
);
const scope = fc.record({ kind: fc.constantFrom('user', 'run'), id: word });

it('gives the same ids, and none to a scope that the file does not know', () => {
  fc.assert(
    fc.property(fc.array(scope, { maxLength: 12 }), fc.array(scope, { maxLength: 12 }), (known, others) => {
      sql.script('DELETE FROM scopes');
      for (const { kind, id } of known)
        sql.run('INSERT INTO scopes (kind, name) VALUES (?, ?) ON CONFLICT DO NOTHING', [kind, id]);
      const ids: ScopeIds = new Map();
      const asked = [...known, ...others];
      learnScopes(sql, ids, asked);
      for (const { kind, id } of asked) {
        const learned = ids.get(kind)?.get(id);
        if (learned !== undefined || new Set(asked.map((each) => JSON.stringify(each))).size > 3)
          expect(learned).toBe(scopeIdIn(sql, kind, id));
      }
    }),
    { numRuns: 300 },
  );
});
