/**
 * The law of ids: two scopes, sessions or runs whose ids differ never share a counter, a row of the ledger or a journal,
 * however alike the ids are, or the ids are refused before anything is done.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import { SCOPE_KINDS, type Scope } from '../../src/core/model/model.ts';
import type { Stores } from '../../src/core/stores.ts';
import { counterKey } from '../../src/gateway/money/reservation.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeProvider } from '../../src/testing/fakes.ts';

const folder = mkdtempSync(join(tmpdir(), 'polyphony-ids-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

const STORES: Readonly<Record<string, () => Stores>> = {
  memory: () => memoryStores(),
  SQLite: () => {
    files += 1;
    return sqliteStores({ path: join(folder, `${files}.db`) });
  },
};

/** Ids that differ in what stores, keys and files tend to lose. */
const piece = fc.constantFrom(
  'a',
  'A',
  ':',
  '/',
  '@',
  '%',
  '_',
  ' ',
  '\0',
  '\n',
  '\ud83d',
  '\udc4d',
  '\ufffd',
  'é',
  'e\u0301',
  '2026-11',
);
const id = fc.oneof(
  fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }),
);
const scope = fc.record({ kind: fc.constantFrom(...SCOPE_KINDS.filter((kind) => kind !== 'session')), id });
const nameOf = ({ kind, id: name }: Pick<Scope, 'kind' | 'id'>): string => JSON.stringify([kind, name]);

describe.each(Object.entries(STORES))('%s', (_name, open) => {
  it('keeps the money of two scopes apart', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(scope, { minLength: 2, maxLength: 6, selector: nameOf }), async (scopes) => {
        const stores = open();
        const polyphony = await createPolyphony({ plugins: [], providers: [fakeProvider({})], stores });
        const expected = new Map<string, number>();
        for (const [index, one] of scopes.entries()) {
          for (let call = 0; call <= index; call += 1) {
            const asked = polyphony.gateway.generate(
              { messages: [{ role: 'user', content: 'x' }] },
              { scopes: [{ ...one, capNanoUsd: 1e12 }] },
            );
            const answer = await asked.catch((error: unknown) => error);
            if (answer instanceof PolyphonyError) expect(answer.code).toBe('invalid-request');
            else expected.set(nameOf(one), (expected.get(nameOf(one)) ?? 0) + 1);
          }
        }
        await stores.ledger.flush();
        for (const one of scopes) {
          const attempts = expected.get(nameOf(one)) ?? 0;
          const [total] = (await stores.ledger.totals(`scope:${one.kind}`, { scope: one })).filter(
            ({ group }) => group === one.id,
          );
          expect(total?.attempts ?? 0).toBe(attempts);
          if (attempts > 0) expect(await stores.keyValue.get(counterKey(one))).toBe(total?.costNanoUsd);
        }
        await polyphony.close();
      }),
      { numRuns: 40 },
    );
  });

  it('keeps two runs apart', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(id, { minLength: 2, maxLength: 5 }), async (ids) => {
        const polyphony = await createPolyphony({ plugins: [], providers: [fakeProvider({})], stores: open() });
        const plan = (value: string) => ({
          version: 1 as const,
          nodes: [{ id: 'v', use: 'value', in: { value } }],
          output: '{{v}}',
        });
        const kept: string[] = [];
        for (const runId of ids) {
          const run = await polyphony.run(plan(runId), {}, { runId }).catch((error: unknown) => error);
          if (run instanceof PolyphonyError) expect(run.code).toBe('invalid-request');
          else kept.push(runId);
        }
        for (const runId of kept) expect((await polyphony.runs.show(runId)).output).toEqual({ value: runId });
        const listed = (await polyphony.runs.list()).map((run) => run.runId);
        expect(listed.sort()).toEqual([...kept].sort());
        await polyphony.close();
      }),
      { numRuns: 40 },
    );
  });
});
