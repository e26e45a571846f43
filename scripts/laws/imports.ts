/** The laws about who imports whom, on the graph that dependency-cruiser reads. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { type Breach, folders, sourceFiles } from './tree.ts';

const ModuleSchema = z.object({
  source: z.string(),
  dependencies: z.array(z.object({ module: z.string(), resolved: z.string(), dynamic: z.boolean() })),
});
const CruiseSchema = z.object({
  modules: z.array(ModuleSchema),
  summary: z.object({
    violations: z.array(z.object({ from: z.string(), to: z.string(), rule: z.object({ name: z.string() }) })),
    ruleSetUsed: z.object({ forbidden: z.array(z.object({ name: z.string(), comment: z.string() })) }),
  }),
});
type Module = z.infer<typeof ModuleSchema>;

const repository = resolve(import.meta.dirname, '../..');
const rules = join(repository, '.dependency-cruiser.mjs');
const cruiser = join(repository, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const lazyPlugins = new Set(['plugins/defaults.ts', 'plugins/providers/environment.ts']);
const importStatement = /^(?:import|export)\b[^;='"`]*\bfrom\s*['"]/m;

/** Cruises the project at `root` in a bare Node: under tsx the cruiser loses its parser. */
function cruise(root: string, present: readonly string[]): z.infer<typeof CruiseSchema> {
  const command = [cruiser, '--config', rules, '--output-type', 'json', ...present];
  const { stdout, stderr } = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (stdout === '') throw new Error(`dependency-cruiser said nothing: ${stderr}`);
  return CruiseSchema.parse(JSON.parse(stdout));
}

const graphLaws = ['every-file-is-read', 'imports-by-package-name', 'no-cycles'];

/** Reads the import graph below `root` and returns the names of the import laws and every breach of one. */
export function checkImports(root: string): { laws: string[]; breaches: Breach[] } {
  const files = sourceFiles(root);
  const { modules, summary } = cruise(
    root,
    folders.filter((folder) => files.some((file) => file.startsWith(`${folder}/`))),
  );
  const ours = modules.filter((module) => files.includes(module.source));
  const comments = new Map(summary.ruleSetUsed.forbidden.map(({ name, comment }) => [name, comment]));
  const breaches = [
    ...unreadFiles(root, files, ours),
    ...summary.violations.map(({ rule, from, to }) => ({
      law: rule.name,
      file: from,
      message: `imports ${to}: ${comments.get(rule.name)}`,
    })),
    ...foreignSpecifiers(ours),
    ...cycles(ours),
  ];
  return { laws: [...comments.keys(), ...graphLaws], breaches };
}

/** A cruise that reads too little finds no violations: every file on disk must be in the graph, with its imports. */
export function unreadFiles(root: string, files: string[], modules: readonly Module[]): Breach[] {
  const read = new Map(modules.map((module) => [module.source, module.dependencies.length]));
  return files.flatMap((file) => {
    const imports = read.get(file);
    if (imports === undefined) return [{ law: 'every-file-is-read', file, message: 'was not cruised' }];
    if (imports > 0 || !importStatement.test(readFileSync(join(root, file), 'utf8'))) return [];
    return [{ law: 'every-file-is-read', file, message: 'has imports, but the cruise saw none (does it parse?)' }];
  });
}

/** Plugins, workflows and examples must name the package, for a relative path into src breaks once they are moved out. */
function foreignSpecifiers(modules: Module[]): Breach[] {
  return modules.flatMap((module) => {
    const [folder = ''] = module.source.split('/');
    if (!['plugins', 'workflows', 'examples'].includes(folder)) return [];
    const foreign = ['src/', 'plugins/', 'workflows/'].filter((other) => other !== `${folder}/`);
    return module.dependencies
      .filter(({ module: specifier }) => specifier.startsWith('.'))
      .filter(({ resolved }) => foreign.some((other) => resolved.startsWith(other)))
      .map(({ module: specifier }) => ({
        law: 'imports-by-package-name',
        file: module.source,
        message: `imports ${specifier} by path; write 'polyphony' or one of its subpaths`,
      }));
  });
}

/** One breach for each ring of modules, type-only imports included; polyphony.ts may load the default plugins lazily. */
function cycles(modules: Module[]): Breach[] {
  const edges = new Map(modules.map((module) => [module.source, successors(module)]));
  const state = new Map<string, 'open' | 'closed'>();
  const found: Breach[] = [];
  function visit(file: string, path: string[]): void {
    if (state.get(file) === 'closed') return;
    if (state.get(file) === 'open') {
      const ring = [...path.slice(path.indexOf(file)), file];
      const [first = file] = ring.toSorted();
      found.push({ law: 'no-cycles', file: first, message: `imports itself: ${ring.join(' → ')}` });
      return;
    }
    state.set(file, 'open');
    for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
    state.set(file, 'closed');
  }
  for (const file of edges.keys()) visit(file, []);
  return found;
}

function successors({ source, dependencies }: Module): string[] {
  return dependencies
    .filter(({ resolved, dynamic }) => !(source === 'src/polyphony.ts' && dynamic && lazyPlugins.has(resolved)))
    .map(({ resolved }) => resolved);
}
