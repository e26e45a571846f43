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
const importStatement = /^(?:import|export)\b[^;='"`]*\bfrom\s*['"]/m;

/** Runs dependency-cruiser on the project at `root` in plain Node: under tsx it loses its parser. */
function cruise(root: string, present: readonly string[]): z.infer<typeof CruiseSchema> {
  const command = [cruiser, '--config', rules, '--output-type', 'json', ...present];
  const { stdout, stderr } = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (stdout === '') throw new Error(`dependency-cruiser printed nothing: ${stderr}`);
  return CruiseSchema.parse(JSON.parse(stdout));
}

/** The laws that this file checks itself, beside the rules of .dependency-cruiser.mjs. */
export const importLawNames: readonly string[] = [
  'every-file-is-read',
  'imports-by-package-name',
  'no-cycles',
  'rooms-one-way',
];

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
    ...roomCycles(ours),
  ];
  return { laws: [...comments.keys(), ...importLawNames], breaches };
}

/** An incomplete import graph has no violations: every file on disk must be in the graph, with its imports. */
export function unreadFiles(root: string, files: string[], modules: readonly Module[]): Breach[] {
  const read = new Map(modules.map((module) => [module.source, module.dependencies.length]));
  return files.flatMap((file) => {
    const imports = read.get(file);
    if (imports === undefined)
      return [{ law: 'every-file-is-read', file, message: 'is missing from the import graph' }];
    if (imports > 0 || !importStatement.test(readFileSync(join(root, file), 'utf8'))) return [];
    return [
      { law: 'every-file-is-read', file, message: 'has imports, but the import graph shows none (does it parse?)' },
    ];
  });
}

/** Plugins, workflows and examples must name the package, because a relative path into src breaks once they are moved out. */
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

type Graph = ReadonlyMap<string, readonly string[]>;

/** One breach per ring of modules, type-only and dynamic imports included. */
function cycles(modules: Module[]): Breach[] {
  const graph = new Map(
    modules.map(({ source, dependencies }) => [source, dependencies.map(({ resolved }) => resolved)]),
  );
  return rings(graph).map((ring) => breachOf('no-cycles', ring, `imports itself: ${ring.join(' → ')}`));
}

/**
 * Within a folder of src, its sub-folders and files import each other one way. A ring of rooms can exist where no ring of
 * files does, so it is looked for folder by folder. The order of the folders of src itself is in .dependency-cruiser.mjs.
 */
function roomCycles(modules: Module[]): Breach[] {
  const folders = new Map<string, Map<string, string[]>>();
  const importer = new Map<string, string>();
  for (const { source, dependencies } of modules) {
    for (const { resolved } of source.startsWith('src/') ? dependencies : []) {
      const { folder, from, to } = fork(source, resolved);
      if (folder === '' || folder === 'src' || from === to) continue;
      const graph = folders.get(folder) ?? new Map<string, string[]>();
      folders.set(folder, graph.set(from, [...(graph.get(from) ?? []), to]));
      importer.set(`${from} ${to}`, source);
    }
  }
  return [...folders].flatMap(([folder, graph]) =>
    rings(graph)
      .filter((ring) => ring.some((room) => !room.endsWith('.ts')))
      .map((ring) => {
        const edges = ring.slice(1).map((to, index) => importer.get(`${ring[index]} ${to}`) ?? to);
        return breachOf('rooms-one-way', edges, `the rooms of ${folder} import in a ring: ${ring.join(' → ')}`);
      }),
  );
}

/** The last folder that two paths share, and the entry in it that leads to each of them. */
function fork(source: string, target: string): { folder: string; from: string; to: string } {
  const [a, b] = [source.split('/'), target.split('/')];
  let depth = 0;
  while (depth < Math.min(a.length, b.length) - 1 && a[depth] === b[depth]) depth += 1;
  const upTo = (path: string[]): string => path.slice(0, depth + 1).join('/');
  return { folder: a.slice(0, depth).join('/'), from: upTo(a), to: upTo(b) };
}

function breachOf(law: string, files: readonly string[], message: string): Breach {
  const [file = ''] = files.toSorted();
  return { law, file, message };
}

/** Every ring that a depth-first search closes, as the nodes along it. */
function rings(graph: Graph): string[][] {
  const state = new Map<string, 'open' | 'closed'>();
  const found: string[][] = [];
  function visit(node: string, path: string[]): void {
    if (state.get(node) === 'closed') return;
    if (state.get(node) === 'open') {
      found.push([...path.slice(path.indexOf(node)), node]);
      return;
    }
    state.set(node, 'open');
    for (const next of graph.get(node) ?? []) visit(next, [...path, node]);
    state.set(node, 'closed');
  }
  for (const node of graph.keys()) visit(node, []);
  return found;
}
