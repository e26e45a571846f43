/**
 * Packs the package, and checks the tarball as a user meets it: its rules and types, then an empty project that installs it,
 * compiles a program under both module resolutions, and runs that program and the command. Needs npm's registry, no key.
 *
 *   npm run package                          with the Node that runs this
 *   npm run package -- /path/to/bin/node …   with these as well
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const bin = join(root, 'node_modules', '.bin');
const nodes = [process.execPath, ...process.argv.slice(2).map((path) => resolve(path))];

interface Place {
  readonly cwd: string;
  /** The Node that the command finds first. @default the one that runs this */
  readonly node?: string;
}

/** @throws with everything that the command printed */
function run(command: readonly string[], { cwd, node = process.execPath }: Place): string {
  const [file = '', ...given] = command;
  const keyless = Object.entries(process.env).filter(([name]) => !/_(?:API_KEY|TOKEN|SECRET)$|^npm_/.test(name));
  const PATH = [dirname(node), process.env.PATH].join(delimiter);
  const child = spawnSync(file, given, { cwd, env: { ...Object.fromEntries(keyless), PATH }, encoding: 'utf8' });
  if (child.status === 0) return child.stdout;
  const printed = `${child.stdout ?? ''}${child.stderr ?? ''}${child.error?.message ?? ''}`;
  throw new Error(`${command.join(' ')} ended with ${child.status ?? child.signal}\n${printed}`);
}

function expectText(text: string, part: string, what: string): void {
  if (!text.includes(part)) throw new Error(`${what} should print "${part}"; it prints\n${text}`);
}

const folder = mkdtempSync(join(tmpdir(), 'polyphony-package-'));
const project = join(folder, 'project');
const compilerOptions = {
  target: 'es2023',
  lib: ['es2023', 'esnext.disposable'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  resolveJsonModule: true,
};
const RESOLUTIONS = {
  bundler: { ...compilerOptions, module: 'esnext', moduleResolution: 'bundler', noEmit: true },
  nodenext: { ...compilerOptions, module: 'nodenext', moduleResolution: 'nodenext', outDir: 'out' },
};
const plan = {
  version: 1,
  goal: 'Add up',
  nodes: [{ id: 'sum', use: 'value', in: { text: 'forty-two' } }],
  output: '{{sum.text}}',
};

function packed(): string {
  // As the pages say it, with the settings of the repository and without those of this machine, which may switch prepack off.
  const pack = ['npm', 'pack', '--userconfig', join(folder, 'npmrc'), '--json', '--pack-destination', folder];
  const [{ filename, size, unpackedSize }] = JSON.parse(run(pack, { cwd: root }));
  console.log(`${filename}: ${(size / 1e6).toFixed(1)} MB, ${(unpackedSize / 1e6).toFixed(1)} MB unpacked`);
  return join(folder, filename);
}

function installed(tarball: string): void {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
  const types = `@types/node@${devDependencies['@types/node']}`;
  run(['npm', 'install', '--no-audit', '--no-fund', tarball, types], { cwd: project });
  const unwanted = ['@langchain', 'typescript'].filter((name) => existsSync(join(project, 'node_modules', name)));
  if (unwanted.length > 0)
    throw new Error(`The package installs dependencies that it must not: ${unwanted.join(', ')}`);
}

function compiled(): void {
  copyFileSync(join(root, 'scripts/package/program.ts'), join(project, 'program.ts'));
  for (const [name, options] of Object.entries(RESOLUTIONS)) {
    const config = `tsconfig.${name}.json`;
    writeFileSync(join(project, config), JSON.stringify({ compilerOptions: options, include: ['program.ts'] }));
    run([join(bin, 'tsc'), '-p', config], { cwd: project });
    console.log(`the program compiles under ${name}`);
  }
}

/** A use of LangChain without its package has to report which one to install. */
const LANGCHAIN = `
  import { createPolyphony } from 'polyphony';
  import { langchain } from 'polyphony/plugins/providers/langchain';
  const model = { stream() {}, invoke() {}, _llmType: () => 'homemade' };
  const polyphony = await createPolyphony({ providers: [langchain(model)] });
  await polyphony.gateway.generate({ messages: [{ role: 'user', content: 'Hi' }] }).catch(({ message }) => console.log(message));
  await polyphony.close();
`;

function runs(node: string): void {
  const place = { cwd: project, node };
  for (const file of readdirSync(project)) if (file.startsWith('runs.db')) rmSync(join(project, file));
  process.stdout.write(run(['node', 'out/program.js'], place));
  const printed = run(['node', '--input-type=module', '--eval', LANGCHAIN], place);
  expectText(printed, 'npm install @langchain/core', 'a call of LangChain without its package');
  expectText(run(['npx', 'polyphony', '--help'], place), 'Usage: polyphony', 'polyphony --help');
  writeFileSync(join(project, 'sum.plan.json'), JSON.stringify(plan));
  expectText(run(['npx', 'polyphony', 'run', 'sum.plan.json'], place), 'forty-two', 'polyphony run');
  expectText(run(['npx', 'polyphony', 'estimate', 'workflow:ask'], place), 'the run', 'polyphony estimate');
  console.log(`the command ran on ${run(['node', '--version'], place).trim()}`);
}

try {
  const tarball = packed();
  process.stdout.write(run([join(bin, 'publint'), 'run', '--strict', tarball], { cwd: root }));
  run([join(bin, 'attw'), '--profile', 'esm-only', tarball], { cwd: root });
  console.log('its types resolve');
  installed(tarball);
  compiled();
  for (const node of nodes) runs(node);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
