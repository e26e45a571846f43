/** What the plans find: a tool that makes material of any size, a workflow that doubles, and a folder with ways out of it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { definePlugin, type Plugin, t, value, workflow } from '../../../src/index.ts';
import { TABLES } from './tables.ts';

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

const cycle = (): object => {
  const one: Record<string, unknown> = {};
  one.self = [one];
  return one;
};

/** What a tool must not return, and does. */
const GARBAGE: Readonly<Record<string, () => unknown>> = {
  cycle,
  prototype: () => JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}'),
  'getter-throws': () => ({
    get text(): never {
      throw cycle();
    },
  }),
  'getter-grows': () => {
    const grown = (): object => ({
      get more() {
        return grown();
      },
    });
    return grown();
  },
  proxy: () =>
    new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no keys');
        },
      },
    ),
  'half-pair': () => ({ '\ud800': 'a\udfffb' }),
  bytes: () => new Uint8Array([0xff, 0xfe, 0]),
  bigint: () => ({ text: 2n ** 2000n }),
  function: () => () => 1,
  symbol: () => Symbol('x'),
  nan: () => [Number.NaN, Number.POSITIVE_INFINITY, -0],
  map: () => new Map([[{}, 1]]),
  promise: () => ({ later: Promise.reject(new Error('later')) }),
  'long-keys': () => ({ ['k'.repeat(5_000_000)]: 1 }),
  deep: () => Array.from({ length: 50_000 }).reduce<unknown>((inner) => [inner], 1),
  'throws-nothing': () => {
    throw undefined;
  },
  'throws-cycle': () => {
    throw cycle();
  },
  'throws-at-length': () => {
    throw new Error('x'.repeat(20_000_000));
  },
  'to-json-loops': () => {
    const one = { toJSON: (): unknown => ({ again: one }) };
    return one;
  },
  sparse: () => {
    const list: unknown[] = [];
    list[50_000_000] = 1;
    return list;
  },
  nul: () => ({ text: '\u0000'.repeat(1000) }),
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
    {
      name: 'garbage',
      description: 'Returns garbage.',
      input: { type: 'object', properties: { kind: { enum: Object.keys(GARBAGE) } }, required: ['kind'] },
      sideEffects: true,
      run: async ({ kind }) => GARBAGE[String(kind)]?.(),
    },
  ],
});

export const double = workflow({ id: 'double', input: { text: 'string' } })
  .node('twice', value, (c) => ({ in: { text: t`${c.input.text}${c.input.text}` } }))
  .output((c) => ({ text: c.twice.text }));

/** Of the tables those that the plan names. @returns the folder that the tools may read, inside `root` */
export function layOut(root: string, plan: string): string {
  const folder = join(root, 'tools');
  const written = join(root, 'written');
  for (const made of [join(folder, 'x'), join(folder, 'tables'), written]) mkdirSync(made, { recursive: true });
  symlinkSync(root, join(written, 'up'));
  for (const [name, content] of Object.entries(TABLES)) {
    if (plan.includes(`tables/${name}`)) writeFileSync(join(folder, 'tables', name), content());
  }
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
