/** The pages keep up with the code: every plugin, error, event and issue has its place, and every link leads somewhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { defaultPlugins } from '../../plugins/defaults.ts';
import { ERROR_CODES } from '../../src/core/errors.ts';
import type { Plugin } from '../../src/core/plugin.ts';
import { TRANSIENT_EVENTS } from '../../src/core/run/engine.ts';
import { ISSUE_CODES, REPAIR_CODES } from '../../src/validator/document/codes.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const filesBelow = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));

/** The cells of every row whose first cell holds code alone, by that code. */
function rowsOf(path: string): ReadonlyMap<string, readonly string[]> {
  return rowsIn(read(path));
}

function rowsIn(text: string): ReadonlyMap<string, readonly string[]> {
  const rows = text
    .split('\n')
    .filter((line) => /^\| `[^`]+` \|/.test(line))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));
  return new Map(rows.map(([first = '', ...rest]) => [first.slice(1, -1), rest]));
}

/** What a page promises: every model in code of its own, alone or behind the provider's name. */
const namesModel = (page: string, provider: string, id: string): boolean =>
  page.includes(`\`${id}\``) || page.includes(`\`${provider}/${id}\``);

/** The `type` literals of a union or an interface in a source file, from its declaration to its end. */
function eventTypes(path: string, declaration: string): readonly string[] {
  const source = read(path);
  const start = source.indexOf(declaration);
  expect(start, `${path} declares ${declaration}`).toBeGreaterThanOrEqual(0);
  const end = source.slice(start).search(declaration.includes('interface') ? /^\}$/m : /;\n\n/);
  return [...source.slice(start, start + end).matchAll(/readonly type: '([a-z-]+)'/g)].map(([, type = '']) => type);
}

describe('every plugin has its page', () => {
  const plugins = filesBelow('plugins').filter((path) => /^plugins\/[^/]+\/[^/]+\.ts$/.test(path));

  test.each(plugins)('%s', (path) => {
    const [, kind = '', file = ''] = path.split('/');
    const page = join('docs', kind === 'providers' ? 'providers' : 'plugins', file.replace(/\.ts$/, '.md'));
    expect(existsSync(join(root, page)), `${page} is missing`).toBe(true);
  });

  test('there are plugins', () => expect(plugins.length).toBeGreaterThan(10));
});

describe('the pages of providers', () => {
  const named = filesBelow('plugins/providers').flatMap(
    (path) => /^plugins\/providers\/([^/]+)\.ts$/.exec(path)?.[1] ?? [],
  );
  const files = named.filter((name) => name !== 'environment');
  /** Providers with the models of another one, whose page they lead to. */
  const shared: Readonly<Record<string, string>> = { 'google-vertex': 'google', 'openai-responses': 'openai' };

  test.each(files)('%s: name every model that it has', async (file) => {
    const { default: plugin }: { readonly default?: Plugin } = await import(`../../plugins/providers/${file}.ts`);
    const page = read(`docs/providers/${shared[file] ?? file}.md`);
    for (const { id: provider, models } of plugin?.providers ?? []) {
      expect(models.map(({ id }) => id).filter((id) => !namesModel(page, provider, id))).toEqual([]);
    }
  });

  test.each(files)('%s: stand in the list of providers', (file) => {
    expect(read('docs/providers/README.md')).toContain(`](${file}.md)`);
  });

  test('the environment: names every variable that registers one', () => {
    const variables = [...read('plugins/providers/environment.ts').matchAll(/'([A-Z]+(?:_[A-Z]+)+)'/g)];
    const page = read('docs/providers/environment.md');
    expect(variables.length).toBeGreaterThan(5);
    expect(variables.flatMap(([, name = '']) => (page.includes(`\`${name}\``) ? [] : name))).toEqual([]);
  });
});

test('the list of plugins says which are on by default', async () => {
  const names = (await defaultPlugins({})).map(({ name }) => name).filter((name) => name !== 'embedded');
  const rows = [...read('docs/plugins/README.md').matchAll(/^\| \[([a-z-]+)\]\([^)]+\) \|.*\| (yes|no)\b[^|]*\|$/gm)];
  const byDefault = rows.flatMap(([, name = '', said]) => (said === 'yes' ? name : []));
  expect(byDefault.sort()).toEqual([...names].sort());
});

describe('every relative link leads to a file, and every anchor to a heading', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', ...filesBelow('docs').filter((path) => path.endsWith('.md'))];
  /** As the places where these pages are read make them. */
  const anchorsOf = (path: string): readonly string[] =>
    [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replace(/ /g, '-'),
    );

  test.each(pages)('%s', (page) => {
    const text = read(page).replace(/^```[\s\S]*?^```/gm, '');
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    const broken = links.filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : relative(root, resolve(root, dirname(page), path));
      return !existsSync(join(root, target)) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
    });
    expect(broken).toEqual([]);
  });

  test('every page can be reached from the README', () => {
    const reached = new Set<string>();
    const queue = ['README.md'];
    for (let page = queue.shift(); page !== undefined; page = queue.shift()) {
      if (reached.has(page) || !existsSync(join(root, page))) continue;
      reached.add(page);
      for (const [, link = ''] of read(page).matchAll(/\]\(([^)\s#]+\.md)(?:#[^)]*)?\)/g)) {
        queue.push(relative(root, resolve(root, dirname(page), link)));
      }
    }
    expect(pages.filter((page) => !reached.has(page))).toEqual([]);
  });
});

test('the reference of errors has every code, and says of each whether it is retryable', () => {
  const rows = rowsOf('docs/reference/errors.md');
  expect([...rows.keys()]).toEqual(Object.keys(ERROR_CODES));
  for (const [code, retryable] of Object.entries(ERROR_CODES)) {
    const said = rows.get(code)?.[0];
    if (code === 'tool-failed' || code === 'plugin-failed') expect(said).toMatch(/^as the/);
    else expect(said, code).toBe(retryable ? 'yes' : 'no');
  }
});

test('the reference of events has every event, and says of each whether the journal keeps it', () => {
  const run = [
    ...eventTypes('src/core/run/run-events.ts', 'export type RunEvent'),
    ...eventTypes('src/core/run/node-call.ts', 'export type NodeProgress'),
  ];
  const model = [
    ...eventTypes('src/core/model/event.ts', 'export type ModelEvent'),
    ...eventTypes('src/core/model/event.ts', 'export interface FinishEvent'),
    ...eventTypes('src/core/model/generate.ts', 'export type ObjectEvent'),
  ];
  const [ofRuns = '', ofModels = '', ofGateway = ''] = read('docs/reference/events.md').split(
    /## Events of (?:a model|the gateway)/,
  );
  const rows = rowsIn(ofRuns);
  expect([...rows.keys()].sort()).toEqual(run.sort());
  expect([...rowsIn(ofModels).keys()].sort()).toEqual(model.sort());
  const told = ['gateway', 'lifecycle', 'health'].map((kind) => read(`src/core/gateway/${kind}-events.ts`)).join('\n');
  const gateway = told.matchAll(/readonly type: '([a-z-]+)'/g);
  expect([...rowsIn(ofGateway).keys()].sort()).toEqual([...gateway].map(([, type = '']) => type).sort());
  const transient: ReadonlySet<string> = TRANSIENT_EVENTS;
  for (const type of run) expect(rows.get(type)?.[0], type).toBe(transient.has(type) ? 'passing' : 'yes');
});

test('the reference of issues has every code of the validator, with its severity', () => {
  const rows = rowsOf('docs/reference/plan-issues.md');
  expect([...rows.keys()].sort()).toEqual([...Object.keys(ISSUE_CODES), ...Object.keys(REPAIR_CODES)].sort());
  for (const [code, severity] of Object.entries(ISSUE_CODES)) expect(rows.get(code)?.[0], code).toContain(severity);
});

test('the quirks of the chat-completions wire are all explained', () => {
  const source = read('src/kit/wires/chat-completions/quirks.ts').split('/** A server')[0] ?? '';
  const quirks = [...source.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = '']) => name);
  const page = read('docs/how-to/add-a-provider.md');
  expect(quirks.length).toBeGreaterThan(10);
  expect(quirks.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
