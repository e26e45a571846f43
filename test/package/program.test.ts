/** The program as it is published: a file for each name that users import, and what those share. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type OutputChunk, rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { publicSources, writeProgram } from '../../scripts/package/write-program.ts';

const root = resolve(import.meta.dirname, '../..');
const cache = join(root, 'node_modules/.cache');
mkdirSync(cache, { recursive: true });
// Below node_modules, so that it finds the packages that are installed.
const folder = mkdtempSync(join(cache, 'polyphony-program-'));
const dist = join(folder, 'dist');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sources = publicSources();
let chunks: readonly OutputChunk[] = [];
beforeAll(async () => {
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
  chunks = await writeProgram(dist, sources);
}, 120_000);

function printed(...given: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, given, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

const LISTING = `data:text/javascript,${encodeURIComponent(`
import { register } from 'node:module';
register('data:text/javascript,' + encodeURIComponent(\`
import { writeSync } from 'node:fs';
export async function load(url, context, next) {
  writeSync(1, url + '\\\\n');
  return next(url, context);
}\`));`)}`;

const ANSWER = `
import { createPolyphony } from 'polyphony';
import embedded from 'polyphony/plugins/providers/embedded';
const polyphony = await createPolyphony({ plugins: [embedded], defaults: false });
await polyphony.gateway.generate({ prompt: 'Summarise in one sentence.\\n\\nA process begins. It answers.' });
await polyphony.close();
`;

const REQUEST = `
import { createServer } from 'node:http';
import { createPolyphony } from 'polyphony';
import { openaiCompatible } from 'polyphony/plugins/providers/openai-compatible';
const answer = { model: 'm', choices: [{ message: { role: 'assistant', content: 'Here.' }, finish_reason: 'stop' }] };
const server = createServer((_, response) => response.setHeader('content-type', 'application/json').end(JSON.stringify(answer)));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const baseURL = 'http://127.0.0.1:' + server.address().port;
const provider = openaiCompatible({ id: 'own', baseURL, apiKey: 'none', models: ['m'] });
const polyphony = await createPolyphony({ providers: [provider], plugins: [], defaults: false });
console.log((await polyphony.gateway.generate({ prompt: 'Where?' })).text);
await polyphony.close();
server.close();
`;

/** A CommonJS file has no `await` at its top. */
const REQUEST_LATER = REQUEST.replace(/^const answer/m, 'async function main() {\nconst answer').concat('}\nmain();\n');

/** As `bundledAlone`, as one file of CommonJS. */
async function bundledAsCommonJs(meta: Readonly<Record<string, string>>): Promise<string> {
  const alone = mkdtempSync(join(tmpdir(), 'polyphony-alone-'));
  const entry = join(folder, 'later.mjs');
  writeFileSync(entry, REQUEST_LATER);
  const bundle = await rolldown({ input: entry, platform: 'node', logLevel: 'silent', transform: { define: meta } });
  await bundle.write({ dir: alone, format: 'cjs', codeSplitting: false, entryFileNames: '[name].cjs' });
  await bundle.close();
  return alone;
}

/** Bundles a program with every package that it needs, into a folder that has none beside it. */
async function bundledAlone(code: string, codeSplitting: boolean): Promise<string> {
  const alone = mkdtempSync(join(tmpdir(), 'polyphony-alone-'));
  const entry = join(folder, 'request.mjs');
  writeFileSync(entry, code);
  const bundle = await rolldown({ input: entry, platform: 'node', logLevel: 'silent' });
  await bundle.write({ dir: alone, codeSplitting, entryFileNames: '[name].mjs' });
  await bundle.close();
  return alone;
}

/** A version whose parts lie where ours do, and take other handlers. */
function placeOtherUndici(beside: string): void {
  const files = ['core/connect', 'dispatcher/agent', 'dispatcher/client', 'dispatcher/pool'];
  for (const file of files) {
    const path = join(beside, 'node_modules/undici/lib', `${file}.js`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `module.exports = function () { throw new Error('another version') };`);
  }
  writeFileSync(join(beside, 'node_modules/undici/package.json'), '{ "name": "undici", "version": "6.21.0" }');
}

describe('the published program', () => {
  test('has a file for each source that users import, which exports what the source does', async () => {
    const written = chunks.filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName);
    expect(written.toSorted()).toEqual(sources.map((file) => file.replace(/\.ts$/, '.js')).toSorted());
    const index = chunks.find(({ fileName }) => fileName === 'src/index.js');
    expect(index?.exports.toSorted()).toEqual(Object.keys(await import('../../src/index.ts')).toSorted());
  });

  test('holds no code of another package, which the bill of materials would not name', () => {
    const modules = chunks.flatMap(({ moduleIds }) => moduleIds);
    expect(modules.length).toBeGreaterThan(800);
    const foreign = modules.filter(
      (id) => !id.startsWith('\0') && !/^(?:src|plugins|workflows)\//.test(id.slice(root.length + 1)),
    );
    expect(foreign).toEqual([]);
  });

  test('has no files that import each other in a circle, in whatever order they are loaded', () => {
    const importsOf = new Map(chunks.map(({ fileName, imports }) => [fileName, imports]));
    const free = new Set<string>();
    const circle = (file: string, above: readonly string[]): readonly string[] => {
      if (above.includes(file)) return [...above, file];
      if (free.has(file)) return [];
      const found = (importsOf.get(file) ?? [])
        .map((name) => circle(name, [...above, file]))
        .find((path) => path.length > 0);
      free.add(file);
      return found ?? [];
    };
    expect(chunks.map(({ fileName }) => circle(fileName, [])).filter((path) => path.length > 0)).toEqual([]);
  });

  test('loads every file', () => {
    const files = JSON.stringify(
      sources.filter((file) => !file.includes('/cli/')).map((file) => file.replace(/\.ts$/, '.js')),
    );
    const code = `for (const file of ${files}) console.log(Object.keys(await import('${pathToFileURL(dist).href}/' + file)).length > 0);`;
    expect(new Set(printed('--input-type=module', '--eval', code).split('\n'))).toEqual(new Set(['true']));
  });

  test('answers as the command', () => {
    expect(printed(join(dist, 'src/cli/main.js'), '--version')).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test('loads no package by an address that a bundle of CommonJS does not have', () => {
    const bound = /createRequire\(import\.meta\.url\)/;
    expect(chunks.filter(({ code }) => bound.test(code)).map(({ fileName }) => fileName)).toEqual([]);
  });

  test('starts the command with files that an old Node parses', () => {
    const start = chunks.find(({ fileName }) => fileName === 'src/cli/main.js');
    const loaded = [start, ...chunks.filter(({ fileName }) => start?.imports.includes(fileName))];
    const modules = loaded.flatMap((chunk) => chunk?.moduleIds ?? []).map((id) => id.slice(root.length + 1));
    expect(modules.toSorted()).toEqual(['src/cli/compile-cache.ts', 'src/cli/main.ts', 'src/system/node-version.ts']);
    expect(loaded.slice(1).flatMap((chunk) => chunk?.imports ?? [])).toEqual([]);
  });

  test('answers a call with few files, and with no large package', () => {
    const loaded = printed('--import', LISTING, '--input-type=module', '--eval', ANSWER).split('\n');
    const own = loaded.filter((url) => url.startsWith(pathToFileURL(dist).href));
    expect(own.length).toBeGreaterThan(5);
    expect(own.length).toBeLessThan(50);
    expect(
      loaded.filter((url) => /\/node_modules\/(?:undici|pino|zod|libsql|commander|@marcbachmann)\//.test(url)),
    ).toEqual([]);
  });

  test.each([true, false])(
    'asks a server when it is bundled with its packages, in pieces: %j',
    async (inPieces) => {
      const alone = await bundledAlone(REQUEST, inPieces);
      try {
        expect(printed(join(alone, 'request.mjs'))).toBe('Here.');
        placeOtherUndici(alone);
        expect(printed(join(alone, 'request.mjs'))).toBe('Here.');
      } finally {
        rmSync(alone, { recursive: true, force: true });
      }
    },
    120_000,
  );

  test.each([
    ['that gives it the address of its file', {}],
    ['that leaves "import.meta" empty, as esbuild does', { 'import.meta.url': 'undefined' }],
  ])(
    'asks a server when it is bundled as CommonJS by a bundler %s',
    async (_, meta) => {
      const alone = await bundledAsCommonJs(meta);
      try {
        expect(printed(join(alone, 'later.cjs'))).toBe('Here.');
      } finally {
        rmSync(alone, { recursive: true, force: true });
      }
    },
    120_000,
  );
});
