/** A config in a file: where its faults stand, what it is made of, and how a change of it is taken over. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { followConfig, loadConfig } from '../../../src/composition/config/follow-config.ts';
import type { Config } from '../../../src/core/config.ts';
import { fakeClock } from '../../../src/testing/fakes.ts';

const root = mkdtempSync(join(tmpdir(), 'polyphony-config-'));
afterAll(() => rmSync(root, { recursive: true }));
let made = 0;

function folderWith(files: Readonly<Record<string, string>>): string {
  made += 1;
  const folder = join(root, String(made));
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const load = (name: string, text: string): Promise<Config> => loadConfig(join(folderWith({ [name]: text }), name));

describe('an issue names its place', () => {
  test.each([
    ['c.yaml', 'retry: { retries: 2 }\ntimeouts:\n  answr: 5\n', 'line 3, column 3: "timeouts.answr" is not a field'],
    ['c.yaml', 'budgets:\n  - usd: 1\n    scope: tenat\n', 'line 3, column 5: budgets[0].scope is "tenat"'],
    ['c.yaml', 'budgets:\n  - { scope: run, usd: 1, alerts: [50] }\n', 'line 2, column 36: budgets[0].alerts[0] is 50'],
    ['c.yaml', 'aliases:\n  x: acme/x\n  a: b\n  b: a\n', 'line 3, column 3: aliases.a: leads in a circle'],
    [
      'c.yaml',
      'candidates:\n  a: { of: x, model: y }\n  b: { of: x, model: z }\n',
      'line 3, column 8: candidates.b.of',
    ],
    ['c.yaml', 'budgets:\n  - usd: 1\n', 'line 2, column 5: budgets[0].scope is missing'],
    ['c.json', '{\n "retry": {\n  "retries": "two" } }', 'line 3, column 3: retry.retries is "two": give a number'],
    ['c.json', '{\n "retry": {\n  "retries": } }', 'cannot be read as JSON'],
    ['c.yaml', 'retry: {\n  retries: [ }', 'at line 2'],
    ['c.yaml', '- a list', 'the config is a list'],
    ['c.mjs', 'export default { retri: {} };', '- "retri" is not a field: did you mean retry?'],
    ['c.mjs', 'throw new Error("no");', 'cannot be run (no)'],
  ])('%s %j', async (name, text, message) => {
    await expect(load(name, text)).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining(message),
    });
  });
});

test('issues are listed as they stand in the file', async () => {
  const text = 'timeouts:\n  answr: 3\nbudgets:\n  - scope: tenat\n    usd: x\n';
  const { message } = (await load('c.yaml', text).catch((error: unknown) => error)) as Error;
  expect(message.match(/line \d+/g)).toEqual(['line 2', 'line 4', 'line 5']);
});

test('a module may return its config', async () => {
  expect(await load('d.mjs', 'export default async () => ({ optimise: "cost" });')).toEqual({ optimise: 'cost' });
});

test('files of prices and models are a part of it, and what it says itself comes first', async () => {
  const price = (input: number): string => `{ input: ${input}, output: 9 }`;
  const folder = folderWith({
    'c.yaml': `pricesFile: p.yaml\nmodelsFile: m.json\nprices: { a/b: ${price(1)} }\nprompts: { folder: texts }`,
    'p.yaml': `prices: { a/b: ${price(2)}, a/c: ${price(3)} }`,
    'm.json': '{ "models": { "a/b": { "tier": "fast" } } }',
  });
  expect(await loadConfig(join(folder, 'c.yaml'))).toMatchObject({
    prices: { 'a/b': { input: 1 }, 'a/c': { input: 3 } },
    models: { 'a/b': { tier: 'fast' } },
    prompts: { folder: join(folder, 'texts') },
  });
});

test('a change of any of its files is taken over, a bad one is told, and a stopped follower holds nothing', async () => {
  const folder = folderWith({ 'c.yaml': 'optimise: cost\n', 'p.yaml': 'prices: { a/b: { times: 2 } }' });
  const path = join(folder, 'c.yaml');
  const clock = fakeClock();
  const used: Config[] = [];
  const refused: unknown[] = [];
  const reconfigure = (next: Config): Promise<void> =>
    next.plugins === undefined ? Promise.resolve() : Promise.reject(new Error('fixed'));
  const stop = followConfig({
    path,
    config: await loadConfig(path),
    polyphony: { reconfigure },
    used: (config) => used.push(config),
    refused: (error) => refused.push(error),
    clock,
  });
  const until = (isDone: () => boolean): Promise<void> =>
    vi.waitFor(async () => {
      await clock.advance(200);
      expect(isDone()).toBe(true);
    }, 20_000);
  writeFileSync(path, 'optimise: quality\npricesFile: p.yaml\n');
  await until(() => used.length === 1);
  writeFileSync(join(folder, 'p.yaml'), 'prices: { a/b: { times: 3 } }');
  await until(() => used.length === 2);
  expect(used[1]).toMatchObject({ optimise: 'quality', prices: { 'a/b': { times: 3 } } });
  writeFileSync(path, 'optimise: fast\n');
  await until(() => refused.length > 0);
  writeFileSync(path, 'plugins: [x]\n');
  await until(() => refused.some((error) => String(error).includes('fixed')));
  stop();
  writeFileSync(path, 'optimise: cost\n');
  await clock.advance(1000);
  expect([used.length, clock.pending()]).toEqual([2, 0]);
});

describe('a config that is a link', () => {
  const follow = async (path: string) => {
    const used: Config[] = [];
    const refused: unknown[] = [];
    const config = await loadConfig(path);
    const polyphony = { reconfigure: () => Promise.resolve() };
    const stop = followConfig({
      ...{ path, config, polyphony, used: (next) => used.push(next), refused: (error) => refused.push(error) },
    });
    const until = (optimise: string): Promise<void> =>
      vi.waitFor(() => expect(used.at(-1)).toMatchObject({ optimise }), 20_000);
    return { until, refused, stop };
  };

  test('is followed where the file that it names is written', async () => {
    const real = join(folderWith({ 'real.yaml': 'optimise: cost\n' }), 'real.yaml');
    const path = join(folderWith({}), 'c.yaml');
    symlinkSync(real, path);
    const { until, refused, stop } = await follow(path);
    writeFileSync(real, 'optimise: quality\n');
    await until('quality');
    stop();
    expect(refused).toEqual([]);
  });

  test('is followed through a folder that is replaced, as a cluster mounts it, however often', async () => {
    const folder = folderWith({});
    const version = (name: string, optimise: string): void => {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'c.yaml'), `optimise: ${optimise}\n`);
      symlinkSync(name, join(folder, 'next'));
      renameSync(join(folder, 'next'), join(folder, 'data'));
    };
    version('v1', 'cost');
    symlinkSync('data/c.yaml', join(folder, 'c.yaml'));
    const { until, refused, stop } = await follow(join(folder, 'c.yaml'));
    for (const [name, optimise] of [
      ['v2', 'quality'],
      ['v3', 'latency'],
    ] as const) {
      version(name, optimise);
      await until(optimise);
    }
    writeFileSync(join(folder, 'v3', 'c.yaml'), 'optimise: balanced\n');
    await until('balanced');
    rmSync(join(folder, 'v1'), { recursive: true });
    stop();
    expect(refused).toEqual([]);
  });
});
