/** The first lines that a user of an unsuitable machine sees: a sentence, not a stack. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Called, folderWith, start } from './call.ts';

const root = resolve(import.meta.dirname, '../..');

/** The command on a machine that these lines of a program change before it starts. */
const on = (machine: string, ...given: readonly string[]): Promise<Called> => {
  const folder = folderWith({
    'machine.cjs': machine,
    'a.plan.json': { version: 1, nodes: [{ id: 'a', use: 'value', in: { x: 1 } }], output: '{{a.x}}' },
  });
  return start(given, { folder, environment: { NODE_OPTIONS: `--require ${join(folder, 'machine.cjs')}` } }).ended;
};

const WITHOUT_BINARY = `
  const Module = require('node:module');
  const load = Module._load;
  Module._load = (name, ...rest) => {
    if (!name.startsWith('@libsql/')) return load(name, ...rest);
    throw Object.assign(new Error("Cannot find module '" + name + "'\\nRequire stack:\\n- somewhere"), { code: 'MODULE_NOT_FOUND' });
  };
`;

describe('the command on a Node that is too old', () => {
  it.each(['v14.21.3', 'v18.20.8', 'v20.18.0', 'v22.12.0'])('%s: names the versions that it needs', async (version) => {
    const machine = `Object.defineProperty(process, 'version', { value: '${version}' });`;
    const { code, out, err } = await on(machine, 'run', 'a.plan.json');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^polyphony needs Node 20\.19 or later, or 22\.13 or later, and this is v[\d.]+: .*\n$/);
    expect(err).toContain(version);
  });

  it('starts with files that an old Node parses: compiled for it they are the same', () => {
    const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
    const compiled = (target: string): readonly string[] => {
      const folder = folderWith();
      const flags = `--ignoreConfig --noCheck --module nodenext --noResolve --rewriteRelativeImportExtensions --target ${target}`;
      const files = ['src/cli/main.ts', 'src/cli/compile-cache.ts', 'src/system/node-version.ts'];
      const given = [compiler, ...flags.split(' '), '--rootDir', root, '--outDir', folder, ...files];
      execFileSync(process.execPath, given, { cwd: root });
      return files.map((file) => readFileSync(join(folder, file.replace(/\.ts$/, '.js')), 'utf8'));
    };
    expect(compiled('es2023')).toEqual(compiled('es2018'));
  });
});

describe('the command where SQLite has no driver', () => {
  it('says so, for which machine, and what to do', async () => {
    const { code, out, err } = await on(WITHOUT_BINARY, 'run', 'a.plan.json');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(`unsupported: The SQLite driver cannot be loaded on ${process.platform} ${process.arch}`);
    expect(err).toContain('memoryStores()');
    expect(err).not.toMatch(/^\s+at |Require stack/m);
  });

  it('tells it in the report of doctor as well', async () => {
    const { code, out } = await on(WITHOUT_BINARY, 'doctor');
    expect(code).toBe(1);
    expect(out).toContain('The SQLite driver cannot be loaded');
  });

  it('still validates a plan, which needs no store', async () => {
    const { code } = await on(WITHOUT_BINARY, 'validate', 'a.plan.json');
    expect(code).toBe(0);
  });
});
