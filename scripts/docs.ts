/**
 * Runs the code of README.md and docs/, so that none of it can go stale:
 *
 *   ```ts            compiled, and run from the root of the project without any key
 *   ```ts compile    only compiled, because it needs a key or a server
 *   ```json          validated, where it is a plan
 *   ```yaml          checked against the schema of the config
 *   ```sh run        every line is run; `polyphony` is the command from source
 *
 * Other blocks (output, shell that installs) are ignored.
 *
 *   npm run docs                all pages
 *   npm run docs -- how-to      those whose path contains a word
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { ConfigSchema } from '../src/core/config/config-schema.ts';
import { createPolyphony, defaultPlugins, definePlugin } from '../src/index.ts';
import { fakeCard, fakeProvider } from '../src/testing/index.ts';
import { compiled, compiledText } from '../test/compiled.ts';
import { scriptWords } from './script-words.ts';
import { sideBySide } from './side-by-side.ts';

const { positionals: words } = scriptWords(import.meta.filename, { allowPositionals: true });
const root = resolve(import.meta.dirname, '..');
const folder = join(root, '.docs-check');
const TIMEOUT_MS = 120_000;

interface Block {
  readonly file: string;
  readonly line: number;
  readonly kind: string;
  readonly text: string;
}

function markdownFiles(): string[] {
  const entries = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' });
  const all = ['README.md', ...entries.filter((name) => name.endsWith('.md')).map((name) => join('docs', name))];
  const files = all.filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
  if (files.length > 0) return files;
  console.error(`There is no page whose path contains ${words.join(' or ')}.`);
  process.exit(2);
}

function blocksOf(file: string): Block[] {
  const blocks: Block[] = [];
  let open: { readonly line: number; readonly kind: string; readonly lines: string[] } | undefined;
  for (const [index, line] of readFileSync(join(root, file), 'utf8').split('\n').entries()) {
    if (open === undefined) {
      const fence = /^```([a-z]+(?: [a-z]+)?)\s*$/.exec(line);
      if (fence?.[1] !== undefined) open = { line: index + 1, kind: fence[1], lines: [] };
      else if (line.startsWith('```')) open = { line: index + 1, kind: '', lines: [] };
    } else if (line.startsWith('```')) {
      blocks.push({ file, line: open.line, kind: open.kind, text: open.lines.join('\n') });
      open = undefined;
    } else open.lines.push(line);
  }
  return blocks;
}

const failures: string[] = [];
let checked = 0;

function report(block: Block, problem: string | undefined): void {
  checked += 1;
  if (problem !== undefined) failures.push(`${block.file}:${block.line} (${block.kind})\n${problem.trim()}`);
}

function keyless(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/_(?:KEY|TOKEN|SECRET)$/.test(name)));
}

/** What went wrong. */
function run(command: string, given: readonly string[]): Promise<string | undefined> {
  const child = spawn(command, given, {
    cwd: root,
    env: { ...keyless(), CI: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  let told = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (told += text));
  return new Promise((settle, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => settle(code === 0 ? undefined : `${told}exit ${code ?? signal}`));
  });
}

const nameOf = ({ file, line }: Block): string => `${file.replace(/[^a-z0-9]+/gi, '-').toLowerCase()}-${line}.ts`;

/** Compiles all blocks together, because most of the compiler's time is its start. */
function compile(blocks: readonly Block[]): ReadonlyMap<string, string> {
  for (const block of blocks) writeFileSync(join(folder, nameOf(block)), `${block.text}\nexport {};\n`);
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../tsconfig.json', include: ['*.ts'] }));
  const child = spawnSync('npx', ['tsc', '--noEmit', '-p', folder], { cwd: root, encoding: 'utf8' });
  const problems = new Map<string, string>();
  for (const line of child.stdout.split('\n')) {
    const name = /([^/\\]+\.ts)\(\d+,\d+\): error/.exec(line)?.[1];
    if (name !== undefined) problems.set(name, `${problems.get(name) ?? ''}${line}\n`);
  }
  return problems;
}

async function checkTypeScript(blocks: readonly Block[]): Promise<void> {
  const problems = compile(blocks);
  const check = async (block: Block): Promise<void> => {
    const problem = problems.get(nameOf(block));
    if (problem !== undefined || block.kind === 'ts compile') report(block, problem);
    else report(block, await run(process.execPath, [compiledText(nameOf(block), block.text)]));
  };
  await sideBySide(blocks.map((block) => () => check(block)));
}

/** What the plans of the pages use besides what is there by default: a model that calls tools, and the tools of a shop. */
const SHOP = definePlugin({
  name: 'shop',
  providers: [
    fakeProvider({ models: [fakeCard({ id: 'clerk', capabilities: ['text', 'streaming', 'json-schema', 'tools'] })] }),
  ],
  tools: ['lookup', 'charge', 'refund', 'reserve', 'release', 'tracker/list_issues', 'tracker/close_issue'].map(
    (name) => ({
      name,
      description: `${name} of the shop`,
      input: { type: 'object' },
      output: { type: 'object' },
      run: async () => ({}),
    }),
  ),
});

/** Prompts that pages show as files, in the folder where the plans of the pages look for them. */
function promptFolder(texts: readonly Block[]): string {
  const prompts = join(folder, 'prompts');
  mkdirSync(prompts);
  const shown = texts.filter(({ text }) => /^---\nname:/.test(text));
  for (const [index, { text }] of shown.entries()) writeFileSync(join(prompts, `${index}.md`), text);
  return prompts;
}

async function checkPlans(blocks: readonly Block[], prompts: string): Promise<void> {
  const config = { tools: { http: true, write: { folder: 'out' } }, prompts: { folder: prompts } };
  const plugins = [...(await defaultPlugins(config)), SHOP];
  const polyphony = await createPolyphony({ config, plugins });
  for (const block of blocks) {
    if (!block.text.includes('"nodes"')) continue;
    const { issues } = await polyphony.validate(block.text, { repair: false });
    const errors = issues.filter(({ severity }) => severity === 'error');
    report(
      block,
      errors.length === 0 ? undefined : errors.map(({ path, message }) => `${path}: ${message}`).join('\n'),
    );
  }
  await polyphony.close();
}

function checkConfigs(blocks: readonly Block[]): void {
  for (const block of blocks) {
    const parsed = ConfigSchema.safeParse(parseYaml(block.text) ?? {});
    report(block, parsed.success ? undefined : z.prettifyError(parsed.error));
  }
}

async function checkShell(blocks: readonly Block[]): Promise<void> {
  const source = `node ${compiled('src/cli/main.ts')}`;
  const check = async (block: Block): Promise<void> => {
    const lines = block.text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const commands = lines.map((line) =>
      line.replace(/^(?:npx )?polyphony\b/, source).replace(/^npm start(?: --)?/, source),
    );
    report(block, await run('bash', ['-ec', commands.join('\n')]));
  };
  // A block may go on with what an earlier one of its page has left.
  const pages = [...new Set(blocks.map(({ file }) => file))];
  await sideBySide(
    pages.map((page) => async () => {
      for (const block of blocks) if (block.file === page) await check(block);
    }),
  );
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
try {
  const all = markdownFiles().flatMap(blocksOf);
  const of = (...kinds: readonly string[]): Block[] => all.filter(({ kind }) => kinds.includes(kind));
  await checkTypeScript(of('ts', 'ts compile'));
  await checkPlans(of('json'), promptFolder(of('text')));
  checkConfigs(of('yaml'));
  await checkShell(of('sh run'));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const failure of failures) console.log(`FAILED ${failure}\n`);
console.log(`${checked - failures.length} blocks of the docs passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 && checked > 0 ? 0 : 1;
