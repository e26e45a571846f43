/**
 * What `read_rows` does on the way to the rows that are asked for is bounded, and changes none of them.
 *
 * W1. The pages of a table are together the table, wherever they begin.
 * W2. No more cells are passed than the bound allows, and the error says which bound it is and what to do.
 * W3. A call that is stopped reads no further piece.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { fakeClock } from 'polyphony/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FileToolsOptions, fileTools } from '../../plugins/tools/files.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'polyphony-way-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Read {
  readonly rows: readonly unknown[];
  readonly more: boolean;
}

async function read(
  path: string,
  input: Record<string, unknown>,
  options: FileToolsOptions = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<Read> {
  const tool = fileTools({ folder, ...options }).tools?.find((one) => one.name === 'read_rows');
  const context = { signal, idempotencyKey: 'k', clock: fakeClock(), runId: 'run', nodeId: 'a' };
  return (await tool?.run({ path, ...input }, context)) as Read;
}

const FORMATS = ['csv', 'jsonl'] as const;
type Format = (typeof FORMATS)[number];

const textOf = (format: Format, rows: readonly (readonly string[])[]): string =>
  format === 'csv'
    ? `a,b\n${rows.map((cells) => cells.join(',')).join('\n')}\n`
    : rows.map(([a, b]) => `${JSON.stringify({ a, b })}\n`).join('');

const cell = fc.string({ unit: fc.constantFrom('x', '1', 'é', ' y'), minLength: 1, maxLength: 5 });
const table = fc.record({
  format: fc.constantFrom(...FORMATS),
  rows: fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 30 }),
  page: fc.integer({ min: 1, max: 12 }),
});

it('W1: pages are together the table', async () => {
  await fc.assert(
    fc.asyncProperty(table, async ({ format, rows, page }) => {
      const path = `pages.${format}`;
      await writeFile(join(folder, path), textOf(format, rows));
      const pages: unknown[] = [];
      for (let offset = 0; ; offset += page) {
        const { rows: found, more } = await read(path, { offset, limit: page });
        pages.push(...found);
        expect(more).toBe(offset + page < rows.length);
        if (!more) break;
      }
      expect(pages).toEqual((await read(path, {})).rows);
      expect(pages).toHaveLength(rows.length);
    }),
    { numRuns: 40 },
  );
});

it.each(FORMATS)('W2: no more cells of %s are passed than are allowed', async (format) => {
  const path = `passed.${format}`;
  const rows = Array.from({ length: 50 }, (_, index) => [`${index}`, 'x']);
  await writeFile(join(folder, path), textOf(format, rows));
  // A row has two cells, and a line of JSONL is one more, also those of the row that is asked for and of the one behind it.
  const cells = format === 'csv' ? 2 * 20 : 3 * 20 + 2;
  const at = { offset: 20, limit: 1 };
  expect(await read(path, at, { maxTableCells: cells })).toMatchObject({ rows: [{ a: '20' }] });
  await expect(read(path, { ...at, offset: 21 }, { maxTableCells: cells })).rejects.toMatchObject({
    code: 'tool-failed',
    message: expect.stringMatching(/cells of "passed.*smaller "offset", split the file, or raise maxTableCells/),
  });
});

it('W2: empty lines are passed too', async () => {
  await writeFile(join(folder, 'empty.jsonl'), `${'\n'.repeat(1000)}{}\n`);
  await expect(read('empty.jsonl', {}, { maxTableCells: 500 })).rejects.toThrow(/maxTableCells/);
});

it.each(FORMATS)('W3: a call that is stopped reads no further piece of %s', async (format) => {
  const path = `stopped.${format}`;
  await writeFile(join(folder, path), textOf(format, Array(60_000).fill(['1', '2'])));
  const stop = new AbortController();
  const reading = read(path, { offset: 1_000_000 }, {}, stop.signal);
  // The first piece is read by now, and the others need a turn each.
  setImmediate(() => stop.abort(new Error('enough')));
  await expect(reading).rejects.toThrow('enough');
});
