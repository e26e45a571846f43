/**
 * Writes the program of the package: what users import, each at the path that `exports` of package.json names, and in `chunks` what
 * several of them share and what is loaded when it is needed. The modules of `src` are joined, because a process that makes one call
 * waits for each file that it loads (docs/decisions/few-files.md).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type OutputChunk, rolldown } from 'rolldown';

const ROOT = resolve(import.meta.dirname, '../..');

interface Manifest {
  readonly exports: Readonly<Record<string, string | null | { readonly 'polyphony-source': string }>>;
}

/** The TypeScript files of a folder, as paths from the root. */
export const sourcesIn = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name).replaceAll('\\', '/'));

/** What users import, and the command. */
export function publicSources(): readonly string[] {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
  const named = Object.values(exports).flatMap((target) =>
    target === null || typeof target === 'string' ? [] : [target['polyphony-source'].slice('./'.length)],
  );
  const patterns = [...named, 'src/cli/main.ts'].map((path) => {
    // A plugin lies in the folder of its kind; what lies deeper are its parts.
    const names = path.replace('plugins/*', 'plugins/*/*').replaceAll('.', '\\.').replaceAll('*', '[^/]+');
    return new RegExp(`^${names}$`);
  });
  return ['src', 'plugins', 'workflows']
    .flatMap(sourcesIn)
    .filter((file) => patterns.some((pattern) => pattern.test(file)));
}

/**
 * Small modules that nearly everybody imports, so they are one file. Not those with schemas, which bring zod, nor what an old Node has to
 * parse.
 */
const VOCABULARY = /[\\/]src[\\/](?:core|system)[\\/](?!.*(?:-schema|node-version)\.ts$)/;

/** @param sources each becomes a file at its own path below `folder` */
export async function writeProgram(folder: string, sources: readonly string[]): Promise<readonly OutputChunk[]> {
  const bundle = await rolldown({
    cwd: ROOT,
    input: Object.fromEntries(sources.map((file) => [file.replace(/\.ts$/, ''), `./${file}`])),
    platform: 'node',
    // Other packages are installed beside ours: the bill of materials names them, and each can be updated by itself.
    external: (name, _importer, isResolved) => !isResolved && !/^(?:\.|polyphony\/)/.test(name),
    resolve: { conditionNames: ['polyphony-source'] },
  });
  const { output } = await bundle.write({
    dir: folder,
    chunkFileNames: 'chunks/[name]-[hash].js',
    codeSplitting: { groups: [{ name: 'core', test: VOCABULARY, tags: ['$initial'] }] },
    comments: { legal: true, annotation: false, jsdoc: false },
    sourcemap: true,
    // The sources are in the package, where the maps find them.
    sourcemapExcludeSources: true,
  });
  await bundle.close();
  return output.filter((file) => file.type === 'chunk');
}
