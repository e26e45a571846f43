/**
 * The tools `write_file` and `write_rows`: new files below one folder. Registering this plugin enables them; without it plans
 * and models write nothing.
 */
import { definePlugin, type KeyValueStore, type Plugin, PolyphonyError, type Tool } from 'polyphony/kit';
import { failed } from './files/folder.ts';
import type { TableInput } from './files/table-text.ts';
import { type WriteLimits, writeIn } from './files/write.ts';

export interface WriteToolsOptions {
  /** The folder below which files are written; it is made where it is missing. */
  readonly folder: string;
  /** Limit per file, in bytes. @default 8388608 */
  readonly maxBytes?: number;
  /** Mark texts that a spreadsheet would run as a formula, unless a call says otherwise. @default false */
  readonly escapeFormulas?: boolean;
}

/** @throws invalid-config without a folder, and when the limit is not a positive whole number */
export function writeTools(options: WriteToolsOptions): Plugin {
  const { folder, maxBytes = 8 * 1024 * 1024, escapeFormulas = false } = options ?? {};
  if (typeof folder !== 'string' || folder === '') {
    throw new PolyphonyError(
      'invalid-config',
      'writeTools: no folder is given; give the one below which files are written.',
    );
  }
  if (!Number.isInteger(maxBytes) || maxBytes <= 0) {
    throw new PolyphonyError('invalid-config', `writeTools: maxBytes is ${maxBytes}; give a positive whole number.`);
  }
  const limits: WriteLimits = { folder, maxBytes };
  return definePlugin({
    name: 'files-write',
    setup: ({ store }) => ({ tools: [writeFile(limits, store), writeRows(limits, store, escapeFormulas)] }),
  });
}

/** For configs that load the plugin by its path. */
export default (options: WriteToolsOptions) => writeTools(options);

const path = { type: 'string', maxLength: 4096, description: 'For example: reports/march.csv' } as const;
const overwrite = { type: 'boolean', description: 'Replace a file that exists; false by default.' } as const;
const written = {
  path: { type: 'string' },
  bytes: { type: 'integer' },
} as const;

const writeFile = (limits: WriteLimits, store: KeyValueStore): Tool => ({
  name: 'write_file',
  // Of the files that exist it learns only that they do; the store says what it has written.
  sideEffects: true,
  effects: { reads: ['files', 'store'], writes: ['files', 'store'] },
  trusted: true,
  description: 'Writes a new file below the opened folder: a text, or a picture or file as media.',
  input: {
    type: 'object',
    properties: {
      path,
      text: { type: 'string' },
      media: {
        type: 'object',
        properties: {
          type: { type: 'string', enum: ['base64'] },
          data: { type: 'string' },
          mediaType: { type: 'string' },
        },
        required: ['type', 'data'],
        description: 'Instead of text: a picture or file as a step gives it.',
      },
      overwrite,
    },
    required: ['path'],
    additionalProperties: false,
  },
  output: { type: 'object', properties: written, required: ['path', 'bytes'], additionalProperties: false },
  expectedMs: 10,
  run(input, { signal, idempotencyKey }) {
    signal.throwIfAborted();
    const bytes = bytesOf(input);
    return writeIn(limits, store, {
      path: String(input.path),
      bytes,
      overwrite: input.overwrite === true,
      idempotencyKey,
    });
  },
});

function bytesOf({ text, media }: Readonly<Record<string, unknown>>): Buffer {
  if ((text === undefined) === (media === undefined)) throw failed('Give either "text" or "media", and not both.');
  if (typeof text === 'string') return Buffer.from(text);
  const { data } = media as { readonly data: string };
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(data))
    throw failed('The data of "media" is no base64: give media as a step gives it.');
  return Buffer.from(data, 'base64');
}

const writeRows = (limits: WriteLimits, store: KeyValueStore, escapeFormulas: boolean): Tool => ({
  name: 'write_rows',
  // Of the files that exist it learns only that they do; the store says what it has written.
  sideEffects: true,
  effects: { reads: ['files', 'store'], writes: ['files', 'store'] },
  trusted: true,
  description: 'Writes rows (objects) as a new CSV or JSONL file below the opened folder.',
  input: {
    type: 'object',
    properties: {
      path,
      rows: { type: 'array', description: 'Objects; null ones are left out.' },
      beside: { type: 'array', description: 'A list as long as rows, whose fields are added to them.' },
      format: { type: 'string', enum: ['csv', 'jsonl'], description: 'By the name of the file where it is left out.' },
      columns: { type: 'array', items: { type: 'string', maxLength: 1000 }, maxItems: 1000 },
      delimiter: { type: 'string', enum: [',', ';', '\t', '|'] },
      header: { type: 'boolean' },
      escapeFormulas: { type: 'boolean', description: 'Mark texts that a spreadsheet would run, such as =A1.' },
      overwrite,
    },
    required: ['path', 'rows'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: { ...written, rows: { type: 'integer' } },
    required: ['path', 'bytes', 'rows'],
    additionalProperties: false,
  },
  expectedMs: 10,
  async run(input, { signal, idempotencyKey }) {
    const [{ tableText }, { formatOf }] = await Promise.all([
      import('./files/table-text.ts'),
      import('./files/rows.ts'),
    ]);
    signal.throwIfAborted();
    const given = input as unknown as Partial<TableInput> & Pick<TableInput, 'path' | 'rows'>;
    const table = { escapeFormulas, format: formatOf(given.path), ...given };
    const { text, rows } = tableText(table, limits.maxBytes);
    const writing = {
      path: given.path,
      bytes: Buffer.from(text),
      overwrite: input.overwrite === true,
      idempotencyKey,
    };
    return { ...(await writeIn(limits, store, writing)), rows };
  },
});
