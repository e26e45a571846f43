/** L: every ready-made step and tool declares its effects, and does nothing outside them. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PluginContext, PluginParts, Tool } from 'polyphony/kit';
import { fakeClock } from 'polyphony/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { calculate } from '../../plugins/tools/calculate.ts';
import { fileTools } from '../../plugins/tools/files.ts';
import { searchTools } from '../../plugins/tools/files-search.ts';
import { writeTools } from '../../plugins/tools/files-write.ts';
import { httpTool } from '../../plugins/tools/http.ts';
import { effectsProblem, sideEffectsOf } from '../../src/core/plan/effects.ts';
import { BUILT_IN_STEPS } from '../../src/core/plan/steps.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { memoryStores } from '../../src/stores/memory.ts';

let folder = '';
let server: Server;
let port = 0;
const methods: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'polyphony-effects-'));
  await mkdir(join(folder, 'docs'));
  await writeFile(join(folder, 'docs', 'a.md'), '# Tides\n\nThe harbour opens at eight.\n');
  await writeFile(join(folder, 'rows.csv'), 'name,size\nbarge,3\n');
  server = createServer((request, response) => {
    methods.push(request.method ?? '');
    response.setHeader('content-type', 'text/plain').end('page');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

/** Each path with what is in it. */
async function snapshot(): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(await Promise.all(files.map(async (path) => [path, await readFile(path, 'utf8')])));
}

const local = { resolve: async () => ['127.0.0.1'], isAllowed: () => true };
const PLUGINS: Readonly<Record<string, () => PluginParts>> = {
  calculate,
  files: () => fileTools({ folder }),
  'files-search': () => searchTools({ folder }),
  'files-write': () => writeTools({ folder }),
  http: () => httpTool({ ...local, hosts: ['*.test'], request: { hosts: ['api.test'] } }),
};
const INPUTS: Readonly<Record<string, () => Record<string, unknown>>> = {
  calculate: () => ({ expression: '1 + 2' }),
  read_file: () => ({ path: 'docs/a.md' }),
  list_files: () => ({ pattern: '**/*' }),
  read_rows: () => ({ path: 'rows.csv' }),
  split: () => ({ text: 'One.\n\nTwo.' }),
  index: () => ({ index: 'notes', pattern: 'docs/*.md' }),
  search: () => ({ query: 'harbour', pattern: 'docs/*.md' }),
  write_file: () => ({ path: 'new.txt', text: 'x' }),
  write_rows: () => ({ path: 'new.csv', rows: [{ a: 1 }] }),
  http_get: () => ({ url: `http://page.test:${port}/` }),
  http_request: () => ({ url: `http://api.test:${port}/`, method: 'POST', body: 'x' }),
};

/** Those of the plugin itself, and those that its `setup` returns. */
function toolsOf(name: string, { keyValue: store, passages } = memoryStores()): readonly Tool[] {
  const parts = PLUGINS[name]?.() as PluginParts & { setup?(context: PluginContext): PluginParts };
  return [...(parts.tools ?? []), ...(parts.setup?.({ store, passages } as PluginContext).tools ?? [])];
}

const context = () => ({
  signal: new AbortController().signal,
  idempotencyKey: 'key',
  clock: fakeClock(),
  runId: 'run',
  nodeId: 'a',
});

/** What it did: the files that changed, the keys that it kept, its connections and its requests. */
async function observed(tool: Tool, { keyValue: store, passages }: ReturnType<typeof memoryStores>) {
  const before = await snapshot();
  methods.length = 0;
  const cached = (await passages?.list())?.length ?? 0;
  const connect = vi.spyOn(Socket.prototype, 'connect');
  try {
    await tool.run(INPUTS[tool.name]?.() ?? {}, context());
    const after = await snapshot();
    return {
      files: JSON.stringify(after) !== JSON.stringify(before),
      store: (await store.keys('', 10)).length > 0,
      cache: ((await passages?.list())?.length ?? 0) > cached,
      connections: connect.mock.calls.length,
      changing: methods.filter((method) => method !== 'GET' && method !== 'HEAD').length > 0,
    };
  } finally {
    connect.mockRestore();
  }
}

describe('the effects of what is ready-made', () => {
  it('are declared by every step and tool of a polyphony', async () => {
    const polyphony = await createPolyphony({
      environment: false,
      plugins: Object.values(PLUGINS).map((make) => make()) as never,
    });
    for (const step of polyphony.catalogue().steps.values()) {
      if (step.use.startsWith('workflow:')) continue;
      expect(step.effects, step.use).toBeDefined();
      expect(effectsProblem({ effects: step.effects, sideEffects: step.sideEffects }), step.use).toBeUndefined();
      expect(step.sideEffects, step.use).toBe(sideEffectsOf({ effects: step.effects }));
    }
    await polyphony.close();
  });

  it('are known of every file of tools', async () => {
    const files = await readdir(new URL('../../plugins/tools', import.meta.url));
    expect(
      files
        .filter((file) => file.endsWith('.ts'))
        .map((file) => file.slice(0, -3))
        // Its tools are those of servers: what they do nobody knows, and they say so.
        .filter((name) => name !== 'mcp')
        .sort(),
    ).toEqual(Object.keys(PLUGINS).sort());
    const names = Object.keys(PLUGINS).flatMap((name) => toolsOf(name).map((tool) => tool.name));
    expect(names.sort()).toEqual(Object.keys(INPUTS).sort());
  });

  it.each(Object.keys(PLUGINS))('of the plugin %s hold when its tools run', async (name) => {
    const stores = memoryStores();
    for (const tool of toolsOf(name, stores)) {
      const { writes = [], reaches = [] } = tool.effects ?? {};
      const done = await observed(tool, stores);
      expect([tool.name, done.files]).toEqual([tool.name, writes.includes('files')]);
      expect([tool.name, done.store]).toEqual([tool.name, writes.includes('store')]);
      expect([tool.name, done.cache]).toEqual([tool.name, writes.includes('cache')]);
      expect([tool.name, done.changing]).toEqual([tool.name, writes.includes('web')]);
      expect([tool.name, done.connections > 0]).toEqual([tool.name, reaches.length > 0]);
    }
  });

  it('of a built-in step keep what was said of its side effects before', () => {
    const said = Object.fromEntries(BUILT_IN_STEPS.map(({ use, sideEffects }) => [use, sideEffects]));
    expect(said).toEqual({
      llm: false,
      image: false,
      embed: false,
      moderate: false,
      rerank: false,
      human: undefined,
      wait: false,
      plan: undefined,
      value: false,
    });
  });
});
