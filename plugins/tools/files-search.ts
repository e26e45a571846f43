/** The tools `split`, `index` and `search`: passages of texts, and those of them that answer a query, with the place of each. */
import {
  definePlugin,
  PASSAGE_NAME_LENGTH,
  type PassageStore,
  type Plugin,
  PolyphonyError,
  type Tool,
} from 'polyphony/kit';
import { failed } from './files/folder.ts';
import type { SearchInput } from './files-search/find.ts';
import type { FolderIndex, FolderIndexOptions } from './files-search/folder-index.ts';
import type { IndexInput } from './files-search/keep-index.ts';
import type { Piece, SplitOptions } from './files-search/split.ts';
import { type Document, textsOf } from './files-search/texts.ts';

export interface SearchToolsOptions {
  /** The folder whose files `search` finds by a pattern; nothing outside it is read. @default the current directory */
  readonly folder?: string;
  /** Limit per file, in bytes; larger ones are left out. @default 1048576 */
  readonly maxBytes?: number;
  /** Limit of files that one pattern may fit. @default 1000 */
  readonly maxFiles?: number;
  /** Limit of the texts that the index in memory holds, in bytes. @default 16777216 */
  readonly maxIndexBytes?: number;
  /** Limit of the pieces that one call makes or takes. @default 10000 */
  readonly maxPieces?: number;
}

const LIMITS = {
  maxBytes: 1024 * 1024,
  maxFiles: 1000,
  maxIndexBytes: 16 * 1024 * 1024,
  maxPieces: 10_000,
} as const;

/** @throws invalid-config when a limit is not a positive whole number */
export function searchTools(options: SearchToolsOptions = {}): Plugin {
  const limits: Record<keyof typeof LIMITS, number> = { ...LIMITS };
  for (const name of Object.keys(LIMITS) as (keyof typeof LIMITS)[]) {
    const value = options[name] ?? LIMITS[name];
    if (!Number.isInteger(value) || value <= 0) {
      throw new PolyphonyError('invalid-config', `searchTools: ${name} is ${value}; give a positive whole number.`);
    }
    limits[name] = value;
  }
  const { maxPieces, ...rest } = limits;
  // A picture is no text, so none is read whole.
  const folder = { ...rest, folder: options.folder ?? process.cwd(), maxMediaBytes: rest.maxBytes, secrets: false };
  return definePlugin({
    name: 'files-search',
    setup: ({ passages }) => ({
      tools: [split(maxPieces), indexTool(folder, passages), searchTool(folder, maxPieces, passages)],
    }),
  });
}

/** For configs that load the plugin by its path. */
export default (options?: SearchToolsOptions) => searchTools(options);

const text = { type: 'string' } as const;
const whole = { type: 'integer' } as const;
const PIECE = {
  text,
  source: text,
  start: whole,
  end: whole,
  line: whole,
  endLine: whole,
  heading: text,
} as const;
const DEFAULT_SIZE = 1200;

const HOW = {
  format: { type: 'string', enum: ['markdown', 'text'] },
  size: { type: 'integer', minimum: 100, maximum: 20_000, description: 'In characters; 1200 by default.' },
  overlap: { type: 'integer', minimum: 0, description: 'Characters; at most a quarter.' },
} as const;

interface SplitInput {
  readonly text?: string;
  readonly source?: string;
  readonly documents?: readonly unknown[];
  readonly format?: SplitOptions['format'];
  readonly size?: number;
  readonly overlap?: number;
  readonly texts?: boolean;
}

const split = (maxPieces: number): Tool => ({
  name: 'split',
  sideEffects: false,
  effects: {},
  description: 'Cuts a text, or documents ({ path, text }), into passages with their source, offsets and lines.',
  input: {
    type: 'object',
    properties: {
      text,
      source: { type: 'string', maxLength: 4096, description: 'What the text is called in citations.' },
      documents: { type: 'array', description: 'Instead of text: what read_file returns.' },
      ...HOW,
      texts: { type: 'boolean', description: 'Also return texts, for embed.' },
    },
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: {
      pieces: {
        type: 'array',
        items: {
          type: 'object',
          properties: PIECE,
          required: ['text', 'source', 'start', 'end', 'line', 'endLine'],
          additionalProperties: false,
        },
      },
      texts: { type: 'array', items: text },
    },
    required: ['pieces'],
    additionalProperties: false,
  },
  expectedMs: 10,
  async run(input, { signal }) {
    const { splitText, formatOf } = await import('./files-search/split.ts');
    const { size = DEFAULT_SIZE, overlap = 0, format, texts = false, ...given } = input as SplitInput;
    assertOverlap(size, overlap);
    const pieces: Piece[] = [];
    for (const { text, source } of documentsOf(given)) {
      signal.throwIfAborted();
      const options = { source, size, overlap, format: format ?? formatOf(source) };
      for (const piece of splitText(text, options, maxPieces - pieces.length)) pieces.push(piece);
      if (pieces.length <= maxPieces) continue;
      throw failed(`There are more than ${maxPieces} pieces: give a larger "size", or fewer texts.`);
    }
    return texts ? { pieces, texts: pieces.map((piece) => piece.text) } : { pieces };
  },
});

function assertOverlap(size: number, overlap: number): void {
  if (overlap > size / 4) throw failed(`The overlap ${overlap} is more than a quarter of the size ${size}: give less.`);
}

/** @throws tool-failed unless there is one of the two */
function documentsOf({ text, source, documents }: SplitInput): readonly Document[] {
  if ((text === undefined) === (documents === undefined))
    throw failed('Give either "text" or "documents", and not both.');
  return text === undefined ? textsOf(documents ?? []) : [{ text, source: source ?? 'text' }];
}

const indexName = {
  type: 'string',
  minLength: 1,
  maxLength: PASSAGE_NAME_LENGTH,
} as const;

const indexTool = (folder: FolderIndexOptions, passages: PassageStore | undefined): Tool => ({
  name: 'index',
  sideEffects: false,
  effects: { reads: ['files', 'cache'], writes: ['cache'] },
  description: 'Keeps the passages of files (docs/**/*.md) or documents in a named index, for search.',
  input: {
    type: 'object',
    properties: {
      index: indexName,
      pattern: { type: 'string', maxLength: 1000 },
      documents: { type: 'array', description: 'Instead of a pattern: what read_file returns.' },
      ...HOW,
    },
    required: ['index'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: { index: text, sources: whole, changed: whole, removed: whole },
    required: ['index', 'sources', 'changed', 'removed'],
    additionalProperties: false,
  },
  expectedMs: 200,
  async run(input, context) {
    const { size = DEFAULT_SIZE, overlap = 0 } = input as Partial<IndexInput>;
    assertOverlap(size, overlap);
    const { keepIndex } = await import('./files-search/keep-index.ts');
    return keepIndex({ ...(input as unknown as IndexInput), size, overlap }, storeOf(passages), folder, context);
  },
});

const numbers = { type: 'array', items: { type: 'number' }, maxItems: 16_384 } as const;

function searchTool(folder: FolderIndexOptions, maxPieces: number, passages: PassageStore | undefined): Tool {
  const known: FolderIndex = new Map();
  return {
    name: 'search',
    sideEffects: false,
    effects: { reads: ['files', 'cache'] },
    description:
      'Finds the passages that answer a query, in an index, among pieces of split or in the files of a pattern (docs/**/*.md).',
    input: {
      type: 'object',
      properties: {
        query: { type: 'string', maxLength: 10_000 },
        index: indexName,
        pattern: {
          type: 'string',
          maxLength: 1000,
        },
        pieces: {
          type: 'array',
          maxItems: maxPieces,
        },
        vectors: { type: 'array', items: numbers, description: 'Of the pieces, from embed; left out: by words alone.' },
        queryVector: { ...numbers, description: 'Of the query, from embed.' },
        model: { ...text, description: 'Of the vectors of the index, from embed.' },
        top: { type: 'integer', minimum: 1, maximum: 100, description: '5 by default.' },
      },
      required: ['query'],
      additionalProperties: false,
    },
    output: {
      type: 'object',
      properties: {
        hits: {
          type: 'array',
          items: {
            type: 'object',
            properties: { ...PIECE, cite: text, score: { type: 'number' }, index: whole },
            required: ['text', 'cite', 'score', 'index'],
          },
        },
        context: { type: 'string', description: 'The hits as text, numbered.' },
        cites: { type: 'array', items: text },
        ranking: { type: 'string', enum: ['hybrid', 'lexical'] },
      },
      required: ['hits', 'context', 'cites', 'ranking'],
      additionalProperties: false,
    },
    expectedMs: 100,
    async run(input, { signal }) {
      const { search, searchIndex } = await import('./files-search/find.ts');
      if (input.index !== undefined) return searchIndex(input as unknown as SearchInput, storeOf(passages));
      return search(input as unknown as SearchInput, known, folder, signal);
    },
  };
}

function storeOf(passages: PassageStore | undefined): PassageStore {
  if (passages !== undefined) return passages;
  const message =
    'These stores keep no index: give stores with "passages", such as those of sqliteStores, or search by "pieces" or "pattern".';
  throw new PolyphonyError('unsupported', message);
}
