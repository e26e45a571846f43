import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { fakeClock } from 'polyphony/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { csvLine, csvRecords, DELIMITERS } from '../../../plugins/tools/files/csv.ts';
import { type FileToolsOptions, fileTools } from '../../../plugins/tools/files.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'polyphony-rows-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function rowsOf(
  content: string | Buffer,
  input: Record<string, unknown> = {},
  options: FileToolsOptions = {},
  name = 'table.csv',
) {
  await writeFile(join(folder, name), content);
  const tool = fileTools({ folder, ...options }).tools?.find((one) => one.name === 'read_rows');
  const context = {
    signal: new AbortController().signal,
    idempotencyKey: 'k',
    clock: fakeClock(),
    runId: 'run',
    nodeId: 'a',
  };
  return tool?.run({ path: name, ...input }, context);
}

describe('read_rows of CSV', () => {
  it('reads quotes, doubled quotes, line ends within cells, a byte order mark and CRLF', async () => {
    const text = '\ufeffname,note\r\n"Ann, B.","said ""no""\r\nand left"\r\nCem,\r\n';
    expect(await rowsOf(text)).toEqual({
      rows: [
        { name: 'Ann, B.', note: 'said "no"\r\nand left' },
        { name: 'Cem', note: '' },
      ],
      columns: ['name', 'note'],
      path: 'table.csv',
      more: false,
      delimiter: ',',
    });
  });

  it.each(DELIMITERS)('finds the delimiter %j by the first line, outside its quotes', async (delimiter) => {
    const text = `"a,;|\t,;|\tx"${delimiter}b\n1${delimiter}2\n`;
    expect(await rowsOf(text)).toMatchObject({ delimiter, rows: [{ 'a,;|\t,;|\tx': '1', b: '2' }] });
  });

  it('takes the delimiter that is said', async () => {
    expect(await rowsOf('a,b;c\n1,2;3\n', { delimiter: ';' })).toMatchObject({ rows: [{ 'a,b': '1,2', c: '3' }] });
  });

  it('makes numbers only of the columns that are named', async () => {
    const text = 'id;total;note\n007;-1,50;12\n008;;x\n';
    expect(await rowsOf(text, { numbers: ['total'], decimal: ',' })).toMatchObject({
      rows: [
        { id: '007', total: -1.5, note: '12' },
        { id: '008', total: null, note: 'x' },
      ],
    });
  });

  it.each(['0x10', '1,5', '1 000', 'Infinity', '1e999', '--1', 'n/a'])('refuses %j as a number', async (cell) => {
    const table = `total\n1\n"${cell}"\n`;
    await expect(rowsOf(table, { delimiter: ';', numbers: ['total'] })).rejects.toThrow(/Line 3 .*"total".*no number/s);
  });

  it('reads part of a table and says that there is more', async () => {
    const text = `n\n${Array.from({ length: 10 }, (_, index) => index).join('\n')}\n`;
    expect(await rowsOf(text, { offset: 8, limit: 1 })).toMatchObject({ rows: [{ n: '8' }], more: true });
    expect(await rowsOf(text, { offset: 8, limit: 2 })).toMatchObject({ rows: [{ n: '8' }, { n: '9' }], more: false });
    expect(await rowsOf(text, { offset: 99 })).toMatchObject({ rows: [], more: false });
  });

  it('does not read on after the rows that were asked for', async () => {
    const text = `n\n1\n${'2\n'.repeat(400_000)}`;
    expect(await rowsOf(text, { limit: 1 }, { maxTableBytes: 400_000 })).toMatchObject({
      rows: [{ n: '1' }],
      more: true,
    });
    await expect(rowsOf(text, {}, { maxTableBytes: 400_000, maxRows: 1_000_000 })).rejects.toThrow(/split the file/);
  });

  it('keeps the columns that are asked for, and names those that exist', async () => {
    expect(await rowsOf('a,b\n1,2\n', { columns: ['b'] })).toMatchObject({ rows: [{ b: '2' }], columns: ['b'] });
    await expect(rowsOf('a,b\n1,2\n', { columns: ['c'] })).rejects.toThrow(/no column "c".*a, b/);
  });

  it('names columns where a header is absent, empty or double', async () => {
    expect(await rowsOf('1,2\n', { header: false })).toMatchObject({ columns: ['column_1', 'column_2'] });
    const named = await rowsOf('1,2\n', { header: false, columns: ['a', 'b'] });
    expect(named).toMatchObject({ rows: [{ a: '1', b: '2' }] });
    expect(await rowsOf('a,,a,a_2\n1,2,3,4\n')).toMatchObject({ columns: ['a', 'column_2', 'a_2', 'a_2_2'] });
    const read = (await rowsOf('__proto__,constructor\n1,2\n')) as { rows: Record<string, unknown>[] };
    expect(Object.entries(read.rows[0] ?? {})).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
    ]);
  });

  it('has columns without rows, and neither in an empty file', async () => {
    expect(await rowsOf('a,b\n')).toMatchObject({ rows: [], columns: ['a', 'b'] });
    expect(await rowsOf('')).toMatchObject({ rows: [], columns: [] });
  });

  it('reads windows-1252 and utf-16le when it is told to, and does not guess', async () => {
    const latin = Buffer.from('name\ncaf\xe9\n', 'latin1');
    await expect(rowsOf(latin)).rejects.toThrow(/not utf-8 text: say its encoding/);
    expect(await rowsOf(latin, { encoding: 'windows-1252' })).toMatchObject({ rows: [{ name: 'café' }] });
    const wide = Buffer.from('\ufeffname\ncafé\n', 'utf16le');
    expect(await rowsOf(wide, { encoding: 'utf-16le' })).toMatchObject({ rows: [{ name: 'café' }] });
  });

  it.each([
    ['a,b\n1,2,3\n', {}, /Line 2 .*3 cells.*2 columns/],
    ['a,b\n1\n', {}, /Line 2 .*1 cell, .*2 columns/],
    ['a,b\n1,2\n', { numbers: ['b', 'c'] }, /no column "c": it has a, b\./],
    ['1,2\n', { numbers: ['c'], header: false }, /no column "c": it has column_1, column_2\./],
    ['a,b\n1,x"y\n', {}, /Line 2 .*no valid CSV/],
    ['a,b\n1,"x\n', {}, /no valid CSV/],
  ])('refuses %j with the line', async (text, input, message) => {
    await expect(rowsOf(text, input)).rejects.toMatchObject({
      code: 'tool-failed',
      message: expect.stringMatching(message),
    });
  });

  it('takes short rows when told to, long ones never', async () => {
    expect(await rowsOf('a,b\n1\n', { ragged: true })).toMatchObject({ rows: [{ a: '1', b: null }] });
    await expect(rowsOf('a,b\n1,2,3\n', { ragged: true })).rejects.toThrow(/3 cells/);
  });

  it('bounds rows, their bytes, columns and one row', async () => {
    await expect(rowsOf('a\n1\n2\n3\n', {}, { maxRows: 2 })).rejects.toThrow(/"limit" and "offset"/);
    await expect(rowsOf(`a\n${'x'.repeat(500)}\n`, {}, { maxRowsBytes: 400 })).rejects.toThrow(/400 bytes/);
    await expect(rowsOf(`${'a,'.repeat(2000)}\n`)).rejects.toThrow(/2001 columns/);
    await expect(rowsOf(`a\n"${'x'.repeat(3_000_000)}`)).rejects.toThrow(/row of more than 1048576 bytes/);
    await expect(rowsOf(','.repeat(20_000_000))).rejects.toThrow(/columns or more after 0 records, but at most 1000/);
    await expect(rowsOf(`a,b\n${','.repeat(20_000_000)}`)).rejects.toThrow(
      /columns or more after 1 records, but at most 1000/,
    );
    // Delimiters within quotes make no cells.
    const quoted = `a,b\n"${','.repeat(900_000)}",2\n`;
    expect(await rowsOf(quoted, {}, { maxRowsBytes: 2_000_000 })).toMatchObject({ rows: [{ b: '2' }] });
  });

  it('reads no further than some pieces of a row that has too many cells', async () => {
    let pieces = 0;
    async function* commas() {
      for (; pieces < 64; pieces += 1) yield ','.repeat(65_536);
    }
    const read = async () => {
      for await (const _ of csvRecords(commas(), ',', 'a.csv', () => false));
    };
    await expect(read()).rejects.toThrow(/^"a.csv" has a row of \d+ columns or more/);
    expect(pieces).toBeLessThanOrEqual(4);
  });
});

describe('read_rows of JSONL', () => {
  it('reads one object a line, with every field that a row has', async () => {
    const text = '\ufeff{"a":1}\r\n\n{"a":null,"b":[true]}';
    expect(await rowsOf(text, {}, {}, 'rows.jsonl')).toEqual({
      rows: [{ a: 1 }, { a: null, b: [true] }],
      columns: ['a', 'b'],
      path: 'rows.jsonl',
      more: false,
    });
    expect(await rowsOf('{"a":1}\n', { format: 'jsonl' }, {}, 'rows.txt')).toMatchObject({ rows: [{ a: 1 }] });
  });

  it.each(['[1]', '1', '{"a":', 'null'])('refuses the line %j', async (line) => {
    await expect(rowsOf(`{"a":1}\n${line}\n`, {}, {}, 'rows.jsonl')).rejects.toThrow(/Line 2 .*no JSON object/);
  });

  it('bounds a line', async () => {
    const text = `{"a":"${'x'.repeat(2_000_000)}"}`;
    await expect(rowsOf(text, {}, {}, 'rows.jsonl')).rejects.toThrow(/line of more than/);
  });
});

describe('a table that was written', () => {
  it('is read as it was, whatever is in its cells', async () => {
    const cell = fc.string({
      unit: fc.constantFrom('a', ' ', '"', ',', ';', '\t', '|', '\n', '\r', '=', '\ufeff', 'é', '😀'),
    });
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((width) =>
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 5 }),
      );
    await fc.assert(
      fc.asyncProperty(table, fc.constantFrom(...DELIMITERS), async (lines, delimiter) => {
        const columns = lines[0]?.map((_, index) => `c${index}`) ?? [];
        const text = lines.map((cells) => csvLine(cells, delimiter, false)).join('');
        const read = await rowsOf(text, { header: false, columns, delimiter });
        expect((read as { rows: object[] }).rows.map((row) => Object.values(row))).toEqual(lines);
      }),
      { numRuns: 150 },
    );
  });
});
