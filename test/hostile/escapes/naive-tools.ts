/** The tools for files and addresses as somebody writes them who trusts every plan: the guards are taken away. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { definePlugin, defineTool, type Plugin } from '../../../src/index.ts';
import type { World } from './escape-case.ts';

const at = (folder: string, path: string): string => (isAbsolute(path) ? path : join(folder, path));
const text = (folder: string, path: string): string => readFileSync(at(folder, path), 'utf8');

export const naiveFiles = ({ folder, out }: World, sideEffects = true): Plugin =>
  definePlugin({
    name: 'naive-files',
    tools: [
      defineTool({
        name: 'read_file',
        description: 'Reads a file.',
        input: { path: 'string' },
        output: { text: 'string?', path: 'string' },
        sideEffects: false,
        run: ({ path }) => ({ path, text: text(folder, path) }),
      }),
      defineTool({
        name: 'read_rows',
        description: 'Reads a table.',
        input: { path: 'string' },
        output: { rows: 'any' },
        sideEffects: false,
        run: ({ path }) => ({ rows: text(folder, path).split('\n') }),
      }),
      defineTool({
        name: 'search',
        description: 'Searches files.',
        input: { query: 'string', pattern: 'string' },
        output: { hits: 'any' },
        sideEffects: false,
        run: ({ pattern }) => {
          const below = at(folder, pattern.replace(/\*.*$/, ''));
          return { hits: readdirSync(below).flatMap((name) => (name.endsWith('.txt') ? text(below, name) : [])) };
        },
      }),
      defineTool({
        name: 'write_file',
        description: 'Writes a file.',
        input: { path: 'string', text: 'string' },
        output: { path: 'string' },
        sideEffects,
        run: ({ path, text: given }) => {
          writeFileSync(at(out, path), given);
          return { path };
        },
      }),
    ],
  });

const INPUT = { url: 'string', method: 'string?', body: 'any?' } as const;

export const naiveHttp = (sideEffects = true): Plugin =>
  definePlugin({
    name: 'naive-http',
    tools: (['http_get', 'http_request'] as const).map((name) =>
      defineTool({
        name,
        description: 'Fetches.',
        input: INPUT,
        output: { status: 'integer', text: 'string' },
        sideEffects,
        run: async ({ url, method, body }) => {
          const init = body === undefined || body === null ? {} : { body: JSON.stringify(body) };
          const response = await fetch(url.replace('//user@', '//'), { method: method ?? 'GET', ...init });
          return { status: response.status, text: await response.text() };
        },
      }),
    ),
  });
