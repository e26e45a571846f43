/** What the plans find: a tool that makes material of any size, a workflow that doubles, and a folder with ways out of it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { definePlugin, type Plugin, t, value, workflow } from '../../../src/index.ts';

/** Stands where no plan may read: beside the folder of the tools, and in the environment. */
export const SECRET = 'planted-outside-7f3a';

type Make = (size: number, signal: AbortSignal) => unknown;

const MAKERS: Readonly<Record<string, Make>> = {
  text: (size) => ({ text: 'a'.repeat(size) }),
  items: (size) => ({ items: Array.from({ length: size }, (_, index) => `item ${index}`) }),
  numbers: (size) => ({ value: Array.from({ length: size }, (_, index) => index / 7) }),
  wide: (size) => ({ value: Object.fromEntries(Array.from({ length: size }, (_, index) => [`field${index}`, index])) }),
  deep: (size) => ({ value: Array.from({ length: size }).reduce<unknown>((inner) => [inner], 1) }),
  error: (size) => {
    throw new Error(`This tool always fails. ${'x'.repeat(size)}`);
  },
  hang: (_size, signal) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
    }),
};

export const materialPlugin: Plugin = definePlugin({
  name: 'material',
  tools: [
    {
      name: 'material',
      description: 'Makes material.',
      input: {
        type: 'object',
        properties: { kind: { enum: Object.keys(MAKERS) }, size: { type: 'integer' } },
        required: ['kind', 'size'],
      },
      output: {
        type: 'object',
        properties: { text: { type: 'string' }, items: { type: 'array', items: { type: 'string' } }, value: {} },
      },
      sideEffects: true,
      run: async ({ kind, size }, { signal }) => MAKERS[String(kind)]?.(Number(size), signal),
    },
  ],
});

export const double = workflow({ id: 'double', input: { text: 'string' } })
  .node('twice', value, (c) => ({ in: { text: t`${c.input.text}${c.input.text}` } }))
  .output((c) => ({ text: c.twice.text }));

/** @returns the folder that the tools may read, inside `root` */
export function layOut(root: string): string {
  const folder = join(root, 'tools');
  mkdirSync(join(folder, 'x'), { recursive: true });
  writeFileSync(join(root, 'secret.txt'), SECRET);
  writeFileSync(join(folder, '.env'), SECRET);
  writeFileSync(join(folder, 'megabyte.txt'), 'a'.repeat(2 ** 20));
  for (let index = 0; index < 200; index += 1) writeFileSync(join(folder, 'x', `item ${index}.txt`), String(index));
  symlinkSync(join(root, 'secret.txt'), join(folder, 'link.txt'));
  symlinkSync(root, join(folder, 'up'));
  symlinkSync(join(folder, 'circle'), join(folder, 'circle'));
  // Where there are no pipes with names, the case finds no file.
  spawnSync('mkfifo', [join(folder, 'pipe')]);
  return folder;
}
