/** The tools `read_file` and `list_files`: text files of one folder, read-only. */
import { definePlugin, type Plugin, PolyphonyError, type Tool } from 'polyphony/kit';
import { type FolderOptions, listFilesIn, readFileIn } from './files/folder.ts';

export interface FileToolsOptions {
  /** The folder that may be read; nothing outside it is. @default the current directory */
  readonly folder?: string;
  /** Limit per file, in bytes. @default 1048576 */
  readonly maxBytes?: number;
  /** Limit of listed files. @default 1000 */
  readonly maxFiles?: number;
  /** Also read hidden files, environment files and keys. @default false */
  readonly secrets?: boolean;
}

/** @throws invalid-config when a limit is not a positive whole number */
export function fileTools(options: FileToolsOptions = {}): Plugin {
  const { folder = process.cwd(), maxBytes = 1024 * 1024, maxFiles = 1000, secrets = false } = options;
  for (const [name, value] of Object.entries({ maxBytes, maxFiles })) {
    if (Number.isInteger(value) && value > 0) continue;
    throw new PolyphonyError('invalid-config', `fileTools: ${name} is ${value}; give a positive whole number.`);
  }
  const limits: FolderOptions = { folder, maxBytes, maxFiles, secrets };
  return definePlugin({ name: 'files', tools: [readFile(limits), listFiles(limits)] });
}

/** For configs that load the plugin by its path. */
export default (options?: FileToolsOptions) => fileTools(options);

const readFile = (limits: FolderOptions): Tool => ({
  name: 'read_file',
  sideEffects: false,
  description: 'Reads a text file. Paths are relative to the working folder; nothing outside it can be read.',
  input: {
    type: 'object',
    properties: { path: { type: 'string', maxLength: 4096, description: 'For example: docs/intro.md' } },
    required: ['path'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: { text: { type: 'string' }, path: { type: 'string' }, bytes: { type: 'integer' } },
    required: ['text', 'path', 'bytes'],
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
