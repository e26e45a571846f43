/**
 * Packs the package, and checks the tarball as a user meets it: its rules and types, then an empty project that installs it,
 * compiles a program under both module resolutions, and runs that program and the command. Needs npm's registry, no key.
 *
 *   npm run package                          with the Node that runs this
 *   npm run package -- /path/to/bin/node …   with these as well
 */
import { createHash } from 'node:crypto';
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
import { basename, join, resolve } from 'node:path';
import { CHECKSUMS, releaseInto } from './package/release-files.ts';
import { runCommand } from './package/run-command.ts';
import { scriptWords } from './script-words.ts';

const root = resolve(import.meta.dirname, '..');
const bin = join(root, 'node_modules', '.bin');
const { positionals: paths } = scriptWords(import.meta.filename, { allowPositionals: true });
const nodes = [process.execPath, ...paths.map((path) => resolve(path))];

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

function checked(files: readonly string[]): void {
  const sums = files.find((file) => basename(file) === CHECKSUMS) ?? '';
  const lines = readFileSync(sums, 'utf8').trim().split('\n');
  for (const line of lines) {
    const [sum, name = ''] = line.split('  ');
    const found = createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
    if (found !== sum) throw new Error(`The checksum of ${name} is ${sum} in ${CHECKSUMS}, but ${found} of the file.`);
  }
  console.log(`the release has ${lines.length} files, each with its checksum`);
}

function installed(tarball: string): void {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
  const types = `@types/node@${devDependencies['@types/node']}`;
  runCommand(['npm', 'install', '--no-audit', '--no-fund', tarball, types], { cwd: project });
  const unwanted = ['@langchain', 'typescript'].filter((name) => existsSync(join(project, 'node_modules', name)));
  if (unwanted.length > 0)
    throw new Error(`The package installs dependencies that it must not: ${unwanted.join(', ')}`);
}

function compiled(): void {
  copyFileSync(join(root, 'scripts/package/program.ts'), join(project, 'program.ts'));
  for (const [name, options] of Object.entries(RESOLUTIONS)) {
    const config = `tsconfig.${name}.json`;
    writeFileSync(join(project, config), JSON.stringify({ compilerOptions: options, include: ['program.ts'] }));
    runCommand([join(bin, 'tsc'), '-p', config], { cwd: project });
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

/** What no page names cannot be imported from the installed package. */
const INTERNAL = `
  const codes = [];
  for (const name of ['src/index.js', 'dist/src/index.js', 'core/errors', 'plugins/defaults', 'plugins/providers/anthropic/decode'])
    codes.push(await import('polyphony/' + name).then(() => name, ({ code }) => code));
  console.log([...new Set(codes)].join());
`;

function runs(node: string): void {
  const place = { cwd: project, node };
  for (const file of readdirSync(project)) if (file.startsWith('runs.db')) rmSync(join(project, file));
  process.stdout.write(runCommand(['node', 'out/program.js'], place));
  const printed = runCommand(['node', '--input-type=module', '--eval', LANGCHAIN], place);
  expectText(printed, 'npm install @langchain/core', 'a call of LangChain without its package');
  const codes = runCommand(['node', '--input-type=module', '--eval', INTERNAL], place);
  if (codes.trim() !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw new Error(`The package shows what is internal: ${codes}`);
  expectText(runCommand(['npx', 'polyphony', '--help'], place), 'Usage: polyphony', 'polyphony --help');
  writeFileSync(join(project, 'sum.plan.json'), JSON.stringify(plan));
  expectText(runCommand(['npx', 'polyphony', 'run', 'sum.plan.json'], place), 'forty-two', 'polyphony run');
  expectText(runCommand(['npx', 'polyphony', 'estimate', 'workflow:ask'], place), 'the run', 'polyphony estimate');
  console.log(`the command ran on ${runCommand(['node', '--version'], place).trim()}`);
}

try {
  const { tarball, files } = releaseInto(folder);
  checked(files);
  process.stdout.write(runCommand([join(bin, 'publint'), 'run', '--strict', tarball], { cwd: root }));
  runCommand([join(bin, 'attw'), '--profile', 'esm-only', tarball], { cwd: root });
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
