import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { PluginContext, Tool } from 'polyphony/kit';
import { fakeClock } from 'polyphony/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Piece, splitText } from '../../../plugins/tools/files-search/split.ts';
import { type SearchToolsOptions, searchTools } from '../../../plugins/tools/files-search.ts';
import { rankByWords, wordIndex } from '../../../src/kit/index.ts';
import { memoryStores } from '../../../src/stores/memory.ts';

let base = '';
let folder = '';
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'polyphony-search-'));
  folder = join(base, 'docs');
  await mkdir(join(folder, 'deep'), { recursive: true });
  await writeFile(
    join(folder, 'boats.md'),
    '# Boats\n\nThe ferry leaves at noon.\n\n## Fares\n\nA ticket costs four coins.\n',
  );
  await writeFile(join(folder, 'deep', 'trains.txt'), 'Trains leave every hour.\n\nThe night train is slow.\n');
  await writeFile(join(folder, 'picture.txt'), Buffer.from('89504e470d0a1a0a00', 'hex'));
  await writeFile(join(folder, '.env'), 'ferry=secret');
  await writeFile(join(base, 'outside.txt'), 'ferry outside');
  await symlink(join(base, 'outside.txt'), join(folder, 'link.txt'));
});
afterAll(() => rm(base, { recursive: true }));

function toolsOf(options: SearchToolsOptions = {}, given: Partial<PluginContext> = {}): readonly Tool[] {
  const parts = searchTools({ folder, ...options }).setup?.(given as PluginContext) as
    | { tools: readonly Tool[] }
    | undefined;
  return parts?.tools ?? [];
}
const context = () => ({
  signal: new AbortController().signal,
  idempotencyKey: 'k',
  clock: fakeClock(),
  runId: 'run',
  nodeId: 'a',
});
function call<Output>(name: string, input: Record<string, unknown>, tools = toolsOf()): Promise<Output> {
  return tools.find((tool) => tool.name === name)?.run(input, context()) as Promise<Output>;
}
interface Found {
  readonly hits: readonly (Piece & { readonly score: number; readonly cite: string; readonly index: number })[];
  readonly cites: readonly string[];
  readonly context: string;
  readonly ranking: string;
}

describe('split', () => {
  it('keeps sections apart and says under which headings a piece stands', async () => {
    const text = '# Guide\n\nHello.\n\n## Install\n\nRun it.\n\n```sh\n# no heading\n\nnpm start\n```\n\n# End\nBye.';
    const { pieces } = await call<{ pieces: Piece[] }>('split', { text, source: 'guide.md' });
    expect(pieces.map(({ heading, line, endLine }) => ({ heading, line, endLine }))).toEqual([
      { heading: 'Guide', line: 1, endLine: 3 },
      { heading: 'Guide > Install', line: 5, endLine: 13 },
      { heading: 'End', line: 15, endLine: 16 },
    ]);
  });

  it('takes what read_file returns, leaves out what has no text, and gives texts for embed', async () => {
    const documents = [
      { path: 'a.txt', text: 'one' },
      null,
      { path: 'b.png', image: {} },
      'two',
      { source: 's', text: 'three' },
    ];
    const result = await call('split', { documents, texts: true });
    expect(result).toMatchObject({
      pieces: [{ source: 'a.txt' }, { source: 'document 4' }, { source: 's' }],
      texts: ['one', 'two', 'three'],
    });
  });

  it('refuses both or neither, a large overlap and too many pieces', async () => {
    await expect(call('split', {})).rejects.toThrow(/either/);
    await expect(call('split', { text: 'x', documents: [] })).rejects.toThrow(/either/);
    await expect(call('split', { text: 'x', size: 100, overlap: 26 })).rejects.toThrow(/quarter/);
    const text = Array.from({ length: 300 }, () => 'word').join(' ');
    await expect(call('split', { text, size: 100 }, toolsOf({ maxPieces: 3 }))).rejects.toThrow(/more than 3 pieces/);
  });

  const character = fc.constantFrom(
    'a',
    'b',
    ' ',
    '.',
    '\n',
    '\n\n',
    '# ',
    '## ',
    '```\n',
    '😀',
    '字',
    '\t',
    '. ',
    '\r\n',
  );
  const anyText = fc.array(character, { maxLength: 900 }).map((parts) => parts.join(''));

  it('gives slices of the source with their lines, not longer than the size, and leaves out nothing but space', () => {
    fc.assert(
      fc.property(
        anyText,
        fc.integer({ min: 100, max: 300 }),
        fc.nat(25),
        fc.boolean(),
        (text, size, overlap, isText) => {
          const format = isText ? 'text' : 'markdown';
          const pieces = splitText(text, { source: 's', format, size, overlap }, 10_000);
          const covered = new Uint8Array(text.length);
          let last = -1;
          for (const piece of pieces) {
            expect(piece.text).toBe(text.slice(piece.start, piece.end));
            expect(piece.text.length).toBeGreaterThan(0);
            expect(piece.text.length).toBeLessThanOrEqual(size);
            expect(piece.line).toBe(text.slice(0, piece.start).split('\n').length);
            expect(piece.endLine).toBe(text.slice(0, piece.end - 1).split('\n').length);
            expect(piece.start).toBeGreaterThan(last);
            expect(piece.text.isWellFormed()).toBe(true);
            last = piece.start;
            covered.fill(1, piece.start, piece.end);
          }
          const missing = [...covered].flatMap((is, at) => (is === 1 ? [] : [text.charAt(at)])).join('');
          expect(missing.trim()).toBe('');
        },
      ),
      { numRuns: 400 },
    );
  });

  it.each([
    ['one word', 'x'.repeat(2_000_000)],
    ['headings', '# x\n'.repeat(400_000)],
    ['one heading', `# ${'x'.repeat(1_000_000)}\n\n${'a\n\n'.repeat(200_000)}`],
    ['an open code block', `\`\`\`\n${'a\n\n'.repeat(400_000)}`],
    ['spaces', ' '.repeat(2_000_000)],
    ['empty lines', '\n'.repeat(2_000_000)],
  ])('takes linear time for %s', (_name, text) => {
    const options = { source: 's', format: 'markdown', size: 100, overlap: 25 } as const;
    const before = performance.now();
    splitText(text, options, 1_000_000);
    expect(performance.now() - before).toBeLessThan(15_000);
  });
});

describe('search among pieces', () => {
  const pieces = [
    'the ferry leaves at noon',
    'the train leaves at night',
    'a ferry is a boat; the ferry is slow',
    'nothing',
  ];

  it('ranks by words, rare ones more, and cites the place', async () => {
    const found = await call<Found>('search', { query: 'Ferry at NOON?', pieces });
    expect(found.hits.map(({ index }) => index)).toEqual([0, 2, 1]);
    expect(found.ranking).toBe('lexical');
    expect(found.cites[0]).toBe('piece 1');
    const piece: Piece = { text: 'Ferry.', source: 'a.md', start: 5, end: 11, line: 3, endLine: 4, heading: 'Boats' };
    const cited = await call<Found>('search', { query: 'boats', pieces: [piece] });
    expect(cited.hits).toMatchObject([{ ...piece, cite: 'a.md:3-4', index: 0 }]);
    expect(cited.context).toBe('[1] a.md:3-4\nFerry.');
  });

  it('compares words without case and marks, and scripts without spaces', () => {
    const indexes = [wordIndex(['Café CRÈME', '今日は東京タワーに行く', 'Straße'])];
    expect(rankByWords(indexes, 'cafe creme')[0]?.index).toBe(0);
    expect(rankByWords(indexes, '東京')[0]?.index).toBe(1);
    expect(rankByWords(indexes, '??')).toEqual([]);
  });

  it('joins words and vectors by rank', async () => {
    const vectors = [
      [0, 1],
      [0.9, 0.1],
      [0, -1],
      [1, 0],
    ];
    const found = await call<Found>('search', { query: 'train', pieces, vectors, queryVector: [1, 0], top: 2 });
    expect(found.ranking).toBe('hybrid');
    expect(found.hits.map(({ index }) => index)).toEqual([1, 3]);
  });

  it('searches by words alone where vectors are missing', async () => {
    for (const more of [{}, { vectors: [[1], [1], [1], [1]] }, { queryVector: [1] }]) {
      expect(await call('search', { query: 'train', pieces, ...more })).toMatchObject({
        ranking: 'lexical',
        cites: ['piece 2'],
      });
    }
  });

  it('refuses vectors of another number or another model, and what is no piece', async () => {
    await expect(call('search', { query: 'x', pieces, vectors: [[1]], queryVector: [1] })).rejects.toThrow(
      /4 pieces and 1 vectors/,
    );
    const vectors = [[1, 2], [1, 2], [1], [1, 2]];
    await expect(call('search', { query: 'x', pieces, vectors, queryVector: [1, 2] })).rejects.toThrow(
      /Vector 2 has 1 numbers/,
    );
    await expect(call('search', { query: 'x', pieces: [7] })).rejects.toThrow(/Piece 0/);
    await expect(call('search', { query: 'x' })).rejects.toThrow(/either/);
    await expect(call('search', { query: 'x', pieces, pattern: '*' })).rejects.toThrow(/either/);
  });

  it('scores as the formula says, over several indexes as over one', () => {
    const texts = fc.array(
      fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 6 }).map((words) => words.join(' ')),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(texts, texts, fc.constantFrom('a', 'a b', 'c d a'), (first, second, query) => {
        const apart = rankByWords([wordIndex(first), wordIndex(second)], query);
        expect(apart).toEqual(rankByWords([wordIndex([...first, ...second])], query));
      }),
    );
    const [hit] = rankByWords([wordIndex(['a a b', 'b'])], 'a');
    const idf = Math.log(1 + (2 - 1 + 0.5) / (1 + 0.5));
    expect(hit?.score).toBeCloseTo((idf * 2 * 2.2) / (2 + 1.2 * (1 - 0.75 + (0.75 * 3) / 2)), 10);
  });
});

describe('search in the folder', () => {
  it('finds passages of text files, and neither secrets nor what lies outside', async () => {
    const found = await call<Found>('search', { query: 'when does the ferry leave', pattern: '**' });
    expect(found.hits[0]).toMatchObject({ cite: 'boats.md:1-3', heading: 'Boats' });
    expect(found.hits.map(({ source }) => source)).not.toContain('.env');
    expect(JSON.stringify(found)).not.toContain('outside');
    const fares = await call<Found>('search', { query: 'ticket', pattern: '*.md' });
    expect(fares.cites).toEqual(['boats.md:5-7']);
    await expect(call('search', { query: 'x', pattern: '../*' })).rejects.toThrow(/leaves the folder/);
    await expect(call('search', { query: 'x', pattern: '*', vectors: [] })).rejects.toThrow(/belong to "pieces"/);
  });

  it('reads a file again when it has changed, or is gone', async () => {
    const tools = toolsOf();
    const path = join(folder, 'changing.txt');
    const found = async () => (await call<Found>('search', { query: 'walrus', pattern: '**/*.txt' }, tools)).cites;
    expect(await found()).toEqual([]);
    await writeFile(path, 'A walrus.');
    expect(await found()).toEqual(['changing.txt:1']);
    await writeFile(path, 'Only a seal here.');
    expect(await found()).toEqual([]);
    await writeFile(path, 'Two lines.\nA walrus again.');
    expect(await found()).toEqual(['changing.txt:1-2']);
    await rm(path);
    expect(await found()).toEqual([]);
  });

  it('bounds files and bytes', async () => {
    await expect(call('search', { query: 'x', pattern: '**' }, toolsOf({ maxFiles: 1 }))).rejects.toThrow(
      /more than 1 files/,
    );
    await expect(call('search', { query: 'x', pattern: '**' }, toolsOf({ maxIndexBytes: 50 }))).rejects.toThrow(
      /more than 50 bytes/,
    );
    const left = await call<Found>('search', { query: 'ferry', pattern: '**' }, toolsOf({ maxBytes: 40 }));
    expect(left.hits).toEqual([]);
  });
});

describe('index', () => {
  const make = () => {
    const { passages } = memoryStores();
    const tools = toolsOf({}, { passages });
    return { on: <Output>(name: string, input: Record<string, unknown>) => call<Output>(name, input, tools) };
  };

  it('keeps an index equal to the files of a pattern, and writes only what has changed', async () => {
    const { on } = make();
    const path = join(folder, 'kept.md');
    const keep = () => on('index', { index: 'all', pattern: '**' });
    await writeFile(path, '# Birds\n\nAn owl.');
    expect(await keep()).toEqual({ index: 'all', sources: 3, changed: 3, removed: 0 });
    expect(await keep()).toMatchObject({ changed: 0, removed: 0 });
    const found = await on<Found>('search', { index: 'all', query: 'birds' });
    expect(found.cites).toEqual(['kept.md:1-3']);
    expect(found.hits[0]).toEqual(
      expect.objectContaining({ source: 'kept.md', heading: 'Birds', start: 0, index: 0, text: '# Birds\n\nAn owl.' }),
    );
    await writeFile(path, '# Birds\n\nA gull.');
    expect(await keep()).toMatchObject({ changed: 1 });
    expect((await on<Found>('search', { index: 'all', query: 'owl' })).hits).toEqual([]);
    await rm(path);
    expect(await keep()).toEqual({ index: 'all', sources: 2, changed: 0, removed: 1 });
    expect(await on('index', { index: 'all', pattern: '**', size: 100 })).toMatchObject({ changed: 2 });
  });

  it('says what is wrong with its input, and what to do', async () => {
    const { on } = make();
    const documents = [{ source: 'a', text: 'one' }];
    await expect(on('index', { index: 'x' })).rejects.toThrow(/either "pattern" or "documents"/);
    await expect(on('index', { index: 'x', pattern: '*.pdf' })).rejects.toThrow(/No file matches "\*.pdf"/);
    await expect(on('index', { index: 'x', documents: [null] })).rejects.toThrow(/no text to keep in the index "x"/);
    await expect(on('index', { index: 'x', documents: [...documents, ...documents] })).rejects.toThrow(/source "a"/);
    await expect(on('search', { index: 'y', query: 'one' })).rejects.toThrow(/no index "y".*tool "index"/);
    await on('index', { index: 'x', documents });
    await expect(on('search', { index: 'x', query: 'one', pieces: [] })).rejects.toThrow(/leave out "pieces"/);
    await expect(on('search', { index: 'x', query: 'one', queryVector: [1] })).rejects.toThrow(/needs "model"/);
    await expect(call('index', { index: 'x', documents })).rejects.toMatchObject({ code: 'unsupported' });
  });
});
