/** The law of what a run writes: its journal, its threads and its indexes together stay below one bound, by the size of the file. */
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { searchTools } from '../../plugins/tools/files-search.ts';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import { createPolyphony } from '../../src/index.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeProvider } from '../../src/testing/fakes.ts';

const MEBIBYTE = 1_048_576;
const BOUND = 4 * MEBIBYTE;
/** An empty store, and what SQLite leaves free in its pages. */
const BESIDE = MEBIBYTE;
const folder = mkdtempSync(join(tmpdir(), 'polyphony-written-'));
const items = Array.from({ length: 100 }, (_, item) => item);
const text = Array.from({ length: 4000 }, (_, at) => `word${at * 7919}`).join(' ');
const given = { id: 'given', use: 'value', in: { items, text } } as const;

const GROWING: Readonly<Record<string, readonly PlanNode[]>> = {
  threads: [
    given,
    ...Array.from({ length: 4 }, (_, at) => ({
      id: `n${at}`,
      use: 'llm',
      each: '{{given.items}}',
      onError: 'skip' as const,
      thread: `t${at}-{{item}}`,
      in: { prompt: '{{given.text}} {{item}}' },
    })),
  ],
  indexes: [
    given,
    ...Array.from({ length: 200 }, (_, at) => ({
      id: `n${at}`,
      use: 'tool:index',
      onError: 'skip' as const,
      in: { index: `index ${at}`, documents: [{ id: 'a', text: '{{given.text}}' }] },
    })),
  ],
};

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('what a run writes', () => {
  for (const [name, nodes] of Object.entries(GROWING)) {
    it(`stays below the bound with its ${name}, as the file shows`, { timeout: 120_000 }, async () => {
      const path = join(folder, `${name}.db`);
      const polyphony = await createPolyphony({
        defaults: false,
        plugins: [searchTools()],
        providers: [fakeProvider({ script: () => 'yes' })],
        stores: sqliteStores({ path }),
        config: { limits: { values: { writtenBytes: BOUND } } },
      });
      const { status, error } = await (await polyphony.start({ version: 1, nodes: [...nodes] })).result();
      await polyphony.close();
      const files = [path, `${path}-wal`].filter((file) => existsSync(file));
      const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
      expect(bytes).toBeLessThanOrEqual(BOUND + BESIDE);
      // The bound is met, and no earlier one.
      expect(bytes).toBeGreaterThan(BOUND / 4);
      expect(status).toBe('failed');
      expect(error).toMatchObject({ code: 'limit-exceeded', details: { bound: 'limits.values.writtenBytes' } });
    });
  }
});
