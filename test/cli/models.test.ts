import { describe, expect, it, vi } from 'vitest';
import { anthropic } from '../../plugins/providers/anthropic.ts';
import { bedrock } from '../../plugins/providers/bedrock.ts';
import { deepseek } from '../../plugins/providers/deepseek.ts';
import { google } from '../../plugins/providers/google.ts';
import { openai } from '../../plugins/providers/openai.ts';
import { replicate } from '../../plugins/providers/replicate.ts';
import type { ListedModel } from '../../src/cli/input/listed-model.ts';
import { modelDetail, modelTable } from '../../src/cli/screen/models-text.ts';
import { paintFor } from '../../src/cli/screen/terminal.ts';
import { modelCard } from '../../src/kit/models/model-card.ts';
import { STEERING } from '../drawing/steering.ts';
import { call, folderWith } from './call.ts';

const plain = paintFor(false);
const apiKey = 'k';
const providers = [openai, anthropic, google, bedrock, deepseek, replicate].map((make) => make({ apiKey }));
const models: ListedModel[] = providers.flatMap(({ id, models: cards }) =>
  cards.map((card) => ({ provider: id, card })),
);
const linesAt = (columns: number): string[] => modelTable(models, columns, plain).split('\n');

describe('the table of models', () => {
  it.each([80, 100, 120, 160, 200])('keeps to %d columns and shows every model', (columns) => {
    const lines = linesAt(columns);
    expect(lines).toHaveLength(models.length + 1);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
  });

  it('shows more where there is room', () => {
    const heads = [80, 120, 160, 200].map((columns) => linesAt(columns)[0]?.split(/ {2,}/).slice(1).join('|'));
    expect(heads).toEqual([
      'tier|window|USD/M in|out|ends',
      'tier|window|answer|USD/M in|out|cached|ends',
      'tier|window|answer|USD/M in|out|cached|ends|other prices',
      'tier|window|answer|USD/M in|out|cached|ends|other prices|does',
    ]);
    expect(linesAt(80).find((line) => line.startsWith('openai/gpt-4o-mini '))).toMatch(
      /^openai\/gpt-4o-mini +fast +128k +\$0.15 +\$0.6 +2027-01-14$/,
    );
    expect(linesAt(160).find((line) => line.startsWith('openai/gpt-5.5 '))).toMatch(
      / \$5 +\$30 +\$0.5 +above 272k, batch, flex, priority, fast$/,
    );
  });

  it('never steers the terminal', () => {
    const evil = 'x\u001b[2J\u009b31m\u202Ey';
    const card = modelCard({ id: evil, aliases: [evil], strengths: { [evil]: 1 }, regions: [evil] });
    const shown = [modelTable([{ provider: 'p', card }], 80, plain), modelDetail({ provider: 'p', card }, plain)];
    expect(shown.join('\n')).not.toMatch(STEERING);
  });
});

describe('the detail of a model', () => {
  it('has every rate, of every hour, length, date and service tier', () => {
    const card = modelCard({
      id: 'm',
      lifecycle: { stage: 'deprecated', endsOn: '2027-01-14' },
      price: {
        ...{ input: 2, output: 8, cacheRead: 0.2, cacheWrite: 2.5, cacheWriteLong: 4, audioInput: 30, request: 0.001 },
        tiers: [{ aboveInputTokens: 200_000, input: 4 }],
        windows: [{ start: '16:30', end: '00:30', days: [0, 6], times: 0.5 }],
        changes: [{ from: '2027-01-01', output: 9 }],
        serviceTiers: { batch: { times: 0.5 } },
        source: 'a list',
      },
    });
    const text = modelDetail({ provider: 'p', card }, plain);
    expect(text).toContain('deprecated, ends on 2027-01-14');
    expect(text).toContain('from a list');
    const rows = text.split('\n').map((line) => line.trim().split(/ {2,}/));
    const row = (name: string) => rows.find(([first]) => first === name)?.slice(1);
    expect(row('USD per million tokens')).toEqual([
      'in',
      'out',
      'cached',
      'write 5 min',
      '1 h',
      'audio in',
      'per request',
    ]);
    expect(row('usual')).toEqual(['$2', '$8', '$0.2', '$2.5', '$4', '$30', '$0.001']);
    expect(row('above 200,000')).toEqual(['$4', '$8', '$0.2', '$2.5', '$4', '$30', '$0.001']);
    expect(row('16:30–00:30 UTC Sun Sat')).toEqual(['$1', '$4', '$0.1', '$1.25', '$2', '$15', '$0.0005']);
    expect(row('batch, above 200,000')).toEqual(['$2', '$4', '$0.1', '$1.25', '$2', '$15', '$0.0005']);
    expect(row('from 2027-01-01')?.slice(0, 2)).toEqual(['$2', '$9']);
  });
});

describe('polyphony models', () => {
  const inFolder = async (files: Record<string, unknown>, ...given: readonly string[]) => {
    process.chdir(folderWith(files));
    vi.stubEnv('DEEPSEEK_API_KEY', 'k');
    try {
      return await call('models', ...given);
    } finally {
      vi.unstubAllEnvs();
    }
  };

  it('gives one document with all of each card', async () => {
    const { out } = await inFolder({}, 'deepseek-v4-pro', '--json');
    const [model] = JSON.parse(out) as [Record<string, unknown>];
    expect(model).toMatchObject({ provider: 'deepseek', maxOutputTokens: 384_000, retention: 'provider' });
    expect(model.price).toMatchObject({ input: 0.66, windows: [{ start: '01:00' }, { start: '06:00', times: 2 }] });
  });

  it('finds models by a part of their names, and one that its provider does not list by its whole name', async () => {
    expect((await inFolder({}, 'FLASH')).out).toContain('deepseek/deepseek-flash');
    expect((await inFolder({}, 'deepseek/deepseek-chat')).out).toContain('@pydantic/genai-prices, "deepseek-chat"');
    expect(await inFolder({}, 'no-such')).toMatchObject({ code: 1, out: '' });
  });

  it('shows the prices of the config, and of the file that it names', async () => {
    const own = { 'deepseek/deepseek-flash': { input: 1, output: 2 }, 'deepseek/*': { times: 0.9 } };
    const config = { pricesFile: 'prices.yaml', prices: { 'deepseek/deepseek-flash': { input: 7, output: 8 } } };
    const files = { 'polyphony.json': config, 'prices.yaml': { prices: own } };
    const { out } = await inFolder(files, '--json');
    const prices = new Map((JSON.parse(out) as { id: string; price: unknown }[]).map(({ id, price }) => [id, price]));
    expect(prices.get('deepseek-flash')).toEqual({ input: 7, output: 8, source: 'the config' });
    expect(prices.get('deepseek-v4-pro')).toMatchObject({ input: 0.66, times: 0.9 });
  });

  it.each([
    [{ 'deepseek/x': { input: 1 } }, 'input and output'],
    [{ 'deepseek/x': { input: -1, output: 1 } }, '-1'],
    [{ 'deepseek/x': { input: 1, output: 1, windows: [{ start: '25:00', end: '01:00' }] } }, '01:30'],
  ])('refuses a price that is none: %j', async (prices, named) => {
    const { code, err } = await inFolder({ 'polyphony.json': { pricesFile: 'p.json' }, 'p.json': { prices } });
    expect(code).toBe(2);
    expect(err).toContain('p.json');
    expect(err).toContain(named === '-1' ? 'deepseek/x' : named);
  });
});
