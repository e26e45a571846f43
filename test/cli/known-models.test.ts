/** What is known of models: the matrix, the differences, and the file of the user, read again when it changes. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { loadConfig } from '../../src/cli/input/config-file.ts';
import { followConfig } from '../../src/composition/config/follow-config.ts';
import type { Config } from '../../src/core/config.ts';
import { modelCatalogue } from '../../src/kit/models/model-catalogue.ts';
import { fakeClock } from '../../src/testing/fakes.ts';
import { call, folderWith } from './call.ts';

const inFolder = async (files: Record<string, unknown>, ...given: readonly string[]) => {
  process.chdir(folderWith(files));
  vi.stubEnv('DEEPSEEK_API_KEY', 'k');
  try {
    return await call(...given);
  } finally {
    vi.unstubAllEnvs();
  }
};
const flash = 'deepseek/deepseek-flash';

describe('models --matrix', () => {
  it('has a row a model, a column a field, and the sources', async () => {
    const { code, out } = await inFolder({}, 'models', 'flash', '--matrix');
    expect(code).toBe(0);
    const [head, row] = out.split('\n');
    for (const field of ['general', 'code', 'reasoning', 'kept', 'sources']) expect(head).toContain(field);
    expect(row).toMatch(/^deepseek\/deepseek-flash +0\.\d\d/);
    expect(out).toContain('arena-2026-10: text arena of LMArena');
    expect(out).toMatch(/deepseek keeps in: cn: https.*\ndeepseek kept yes: https/);
  });

  it('knows models of providers that are not registered, and gives one document', async () => {
    const { out } = await inFolder({}, 'models', 'opus-5', '--matrix', '--all', '--json');
    const { models, sources } = JSON.parse(out);
    const kept = models.find(({ model }: { model: string }) => model === 'bedrock/global.anthropic.claude-opus-5');
    expect(kept.retention).toMatchObject({ keeps: 'none' });
    expect(kept.regions).toBeNull();
    const opus = models.find(({ model }: { model: string }) => model === 'anthropic/claude-opus-5');
    expect(opus.strengths.code).toMatchObject({ basis: 'measured' });
    for (const name of opus.strengths.code.sources) expect(sources[name].licence).toBeTypeOf('string');
    expect(await inFolder({}, 'models', 'no-such', '--matrix', '--all')).toMatchObject({ code: 1, out: '' });
  });

  it('marks what is the own figure of the user', async () => {
    const models = { [flash]: { strengths: { planning: 0.51 }, expectedMs: 123 } };
    const { out } = await inFolder({ 'polyphony.json': { models } }, 'models', 'flash', '--matrix');
    expect(out).toMatch(/0\.51!.* 123 /);
  });
});

describe('models diff', () => {
  it('compares the config with what was measured', async () => {
    const models = { [flash]: { strengths: { code: 0.5, planning: 0.4 }, tier: 'premium', retention: 'none' } };
    const files = { 'polyphony.json': { modelsFile: 'm.yaml' }, 'm.yaml': { models } };
    const { out } = await inFolder(files, 'models', 'diff', '--json');
    expect(JSON.parse(out)).toEqual([
      { model: flash, field: 'code', before: expect.any(Number), after: 0.5 },
      { model: flash, field: 'planning', before: null, after: 0.4 },
      { model: flash, field: 'retention', before: 'provider', after: 'none' },
      { model: flash, field: 'tier', before: null, after: 'premium' },
    ]);
    expect((await inFolder({}, 'models', 'diff')).out).toBe('Nothing differs.\n');
  });

  it('compares with another catalogue, and refuses what is none', async () => {
    const { models, cards, ...rest } = modelCatalogue();
    const opus = models['claude-opus-5'];
    const code = { ...opus?.strengths.code, value: 0.1 };
    const other = {
      ...rest,
      cards,
      models: { ...models, 'claude-opus-5': { ...opus, strengths: { ...opus?.strengths, code } } },
    };
    const { out } = await inFolder({ 'other.json': other }, 'models', 'diff', 'other.json');
    expect(out.trim().split('\n')).toHaveLength(2);
    expect(out).toMatch(/claude-opus-5 +code +0\.95 +0\.405/);
    const refused = await inFolder(
      { 'x.json': { models: { a: { strengths: { code: 7 } } } } },
      'models',
      'diff',
      'x.json',
    );
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('x.json is neither a catalogue nor a file of models');
  });
});

it('route --explain tells what was known, what was observed and what counts', async () => {
  const { out } = await inFolder({}, 'route', 'hello', '--explain', '--model', flash);
  expect(out).toMatch(/general 0\.\d\d: known 0\.\d\d \(measured: .*\) counting \d+, nothing observed/);
  expect(out).toMatch(/latency 1950 ms: known 1950 ms \(rate-measured: ctala\) counting 2, nothing observed/);
  expect((await inFolder({}, 'route', 'hello', '--model', flash)).out).not.toContain('counting');
  const unknown = await inFolder({}, 'route', 'hello', '--explain', '--model', 'deepseek/none-knows-it');
  expect(unknown.out).toContain(
    'latency unknown, which counts as the mean of the known ones: nothing known, nothing observed',
  );
});

describe('the file of models', () => {
  const started = async (files: Record<string, unknown>) => {
    const folder = folderWith({ 'polyphony.json': { modelsFile: 'm.json', optimise: 'cost' }, ...files });
    const loaded = await loadConfig(folder);
    const clock = fakeClock();
    const given: Config[] = [];
    const refusals: unknown[] = [];
    const reconfigure = async (config: unknown): Promise<void> => void given.push(config as Config);
    const stop = followConfig({
      path: join(folder, 'polyphony.json'),
      config: loaded.config,
      polyphony: { reconfigure },
      refused: (error) => refusals.push(error),
      clock,
    });
    const until = async (isDone: () => boolean): Promise<void> => {
      await vi.waitFor(async () => {
        await clock.advance(200);
        expect(isDone()).toBe(true);
      }, 5000);
    };
    return { folder, loaded, clock, given, refusals, stop, until };
  };
  const models = (code: number) => ({ models: { [flash]: { strengths: { code } } } });

  it('is read again when it is replaced; one that is broken leaves in force what was', async () => {
    const { folder, given, refusals, stop, until, clock } = await started({ 'm.json': models(0.3) });
    try {
      writeFileSync(join(folder, 'new'), JSON.stringify(models(0.9)));
      renameSync(join(folder, 'new'), join(folder, 'm.json'));
      await until(() => given.length > 0);
      expect(given.at(-1)).toMatchObject({ optimise: 'cost', models: { [flash]: { strengths: { code: 0.9 } } } });
      const before = given.length;
      writeFileSync(join(folder, 'm.json'), '{ broken');
      await until(() => refusals.length > 0);
      expect(given).toHaveLength(before);
    } finally {
      stop();
    }
    expect(clock.pending()).toBe(0);
  });
});
