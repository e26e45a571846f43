/** The tools `read_file`, `list_files` and `read_rows`: files of one folder, read-only. */
import { definePlugin, type Plugin, PolyphonyError, type Tool } from 'polyphony/kit';
import { type FolderOptions, listFilesIn, readFileIn } from './files/folder.ts';
import type { RowLimits, RowsInput } from './files/rows.ts';

export interface FileToolsOptions {
  /** The folder that may be read; nothing outside it is. @default the current directory */
  readonly folder?: string;
  /** Limit per text file, in bytes. @default 1048576 */
  readonly maxBytes?: number;
  /** Limit per picture, sound or PDF, in bytes. @default 4194304 */
  readonly maxMediaBytes?: number;
  /** Limit of listed files. @default 1000 */
  readonly maxFiles?: number;
  /** Limit of the rows that one `read_rows` returns. @default 10000 */
  readonly maxRows?: number;
  /** Limit of those rows in bytes, as JSON. @default 4194304 */
  readonly maxRowsBytes?: number;
  /** Limit of what one `read_rows` reads of a file, in bytes. @default 67108864 */
  readonly maxTableBytes?: number;
  /** Limit of the cells that one `read_rows` passes on its way to `offset`; a line of JSONL counts as one too. @default 1000000 */
  readonly maxTableCells?: number;
  /** Also read hidden files, environment files and keys. @default false */
  readonly secrets?: boolean;
}

const LIMITS = {
  maxBytes: 1024 * 1024,
  maxMediaBytes: 4 * 1024 * 1024,
  maxFiles: 1000,
  maxRows: 10_000,
  maxRowsBytes: 4 * 1024 * 1024,
  maxTableBytes: 64 * 1024 * 1024,
  maxTableCells: 1_000_000,
} as const;

/** @throws invalid-config when a limit is not a positive whole number */
export function fileTools(options: FileToolsOptions = {}): Plugin {
  const { folder = process.cwd(), secrets = false } = options;
  const limits: Record<keyof typeof LIMITS, number> = { ...LIMITS };
  for (const name of Object.keys(LIMITS) as (keyof typeof LIMITS)[]) {
    const value = options[name] ?? LIMITS[name];
    if (!Number.isInteger(value) || value <= 0) {
      throw new PolyphonyError('invalid-config', `fileTools: ${name} is ${value}; give a positive whole number.`);
    }
    limits[name] = value;
  }
  const within = { folder, secrets, ...limits };
  return definePlugin({ name: 'files', tools: [readFile(within), listFiles(within), readRows(within)] });
}

/** For configs that load the plugin by its path. */
export default (options?: FileToolsOptions) => fileTools(options);

const path = { type: 'string', maxLength: 4096, description: 'For example: docs/intro.md' } as const;
const media = {
  type: 'object',
  properties: { type: { type: 'string', const: 'base64' }, data: { type: 'string' }, mediaType: { type: 'string' } },
  required: ['type', 'data', 'mediaType'],
  additionalProperties: false,
} as const;

const readFile = (limits: FolderOptions): Tool => ({
  name: 'read_file',
  sideEffects: false,
  effects: { reads: ['files'] },
  description:
    'Reads a file: text, a picture (image), sound (audio) or a PDF (file). Paths are relative to the working folder; nothing outside it can be read.',
  input: { type: 'object', properties: { path }, required: ['path'], additionalProperties: false },
  output: {
    type: 'object',
    properties: {
      text: { type: 'string', description: 'Of a text file.' },
      image: { ...media, description: 'A picture, for images of llm.' },
      audio: { ...media, description: 'Sound, for audio of llm.' },
      file: { ...media, description: 'A PDF, for files of llm.' },
      path: { type: 'string' },
      bytes: { type: 'integer' },
    },
    required: ['path', 'bytes'],
    additionalProperties: false,
  },
  expectedMs: 5,
  run: ({ path }, { signal }) => {
    signal.throwIfAborted();
    return readFileIn(limits, String(path));
  },
});

const listFiles = (limits: FolderOptions): Tool => ({
  name: 'list_files',
  sideEffects: false,
  effects: { reads: ['files'] },
  description:
    'Lists the files of the working folder that match a pattern: * within a name, ? one character, ** any folders.',
  input: {
    type: 'object',
    properties: { pattern: { type: 'string', maxLength: 1000, description: 'For example: src/**/*.ts' } },
    required: ['pattern'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: {
      files: { type: 'array', items: { type: 'string' } },
      truncated: { type: 'boolean', description: 'There are more.' },
    },
    required: ['files', 'truncated'],
    additionalProperties: false,
  },
  expectedMs: 20,
  run: ({ pattern }, { signal }) => listFilesIn(limits, String(pattern), signal),
});

const names = { type: 'array', items: { type: 'string', maxLength: 1000 }, maxItems: 1000 } as const;

const readRows = (limits: RowLimits): Tool => ({
  name: 'read_rows',
  sideEffects: false,
  effects: { reads: ['files'] },
  description: 'Reads the rows of a CSV or JSONL file as objects. Cells are texts, but for the columns in numbers.',
  input: {
    type: 'object',
    properties: {
      path,
      format: { type: 'string', enum: ['csv', 'jsonl'], description: 'By the name of the file where it is left out.' },
      delimiter: {
        type: 'string',
        enum: ['auto', ',', ';', '\t', '|'],
        description: 'auto, the default, takes the most frequent one of the first line.',
      },
      header: { type: 'boolean', description: 'Whether the first row names the columns; true by default.' },
      columns: { ...names, description: 'The columns to keep; their names where there is no header.' },
      numbers: { ...names, description: 'Columns that become numbers.' },
      decimal: { type: 'string', enum: ['.', ','] },
      offset: { type: 'integer', minimum: 0, description: 'Rows to leave out first.' },
      limit: { type: 'integer', minimum: 1, description: 'The most rows to return.' },
      ragged: { type: 'boolean', description: 'Rows may be short; what they lack is null.' },
      encoding: { type: 'string', enum: ['utf-8', 'windows-1252', 'utf-16le'] },
    },
    required: ['path'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: {
      rows: { type: 'array', items: { type: 'object' } },
      columns: { type: 'array', items: { type: 'string' } },
      path: { type: 'string' },
      more: { type: 'boolean', description: 'There are rows after the limit.' },
      delimiter: { type: 'string', description: 'Of a CSV.' },
    },
    required: ['rows', 'columns', 'path', 'more'],
    additionalProperties: false,
  },
  expectedMs: 20,
  async run(input, { signal }) {
    // The parser is loaded by those who read tables.
    const { readRowsIn } = await import('./files/rows.ts');
    return readRowsIn(limits, input as unknown as RowsInput, signal);
  },
});
