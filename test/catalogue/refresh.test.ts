/** The catalogue is built from a small folder of its own kind, whose every figure is known. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildCatalogue, catalogueText, noticesText } from '../../scripts/models/build-catalogue.ts';
import { readHosts } from '../../scripts/models/read-hosts.ts';
import { type Measures, readMeasures, readSources, type Sources } from '../../scripts/models/read-measures.ts';

const field = (value: number, ...sources: string[]) => ({ value, observations: sources.length, sources });
const measures: Measures = {
  strengths: {
    version: '2030-01-02',
    anchors: { small: 0.4 },
    models: {
      zebra: { fields: { code: field(0.5, 'free'), general: field(0.6, 'closed'), tools: field(0.7, 'asked') } },
      stray: { fields: { code: field(0.5, 'closed'), tools: field(0.4, 'closed', 'page') } },
      '[oddity]': { fields: { code: field(0.5, 'free') } },
      mixed: { fields: { tools: field(0.3, 'asked', 'free') } },
    },
  },
  speed: {
    cards: {
      'host/zebra': { tokensPerSecond: 50, expectedMs: 1900, grade: 'rate measured' },
      'host/quick': { ttftMs: 200, tokensPerSecond: 100, expectedMs: 800, grade: 'measured' },
      'host/mixed': { expectedMs: 2500, grade: 'mean' },
      'host/unsourced': { tokensPerSecond: 77, expectedMs: 1400, grade: 'rate measured' },
    },
    models: {
      zebra: { measurements: [{ metric: 'free-tps', value: 50, unit: 'tokens/s', source: 'free' }] },
      quick: { measurements: [{ metric: 'asked-tps', value: 100, unit: 'tokens/s', source: 'asked' }] },
      mixed: { measurements: [{ metric: 'bfcl-latency-mean', value: 2.5, unit: 'seconds', source: 'free' }] },
    },
  },
  lifecycle: {
    cards: {
      'host/zebra': { stage: 'active', released: '2029-01-01', sources: ['page of the vendor'] },
      'host/mixed': { stage: 'retired', endsOn: '2029-12-31', replacement: 'zebra' },
    },
  },
  mapping: {
    cards: {
      'host/zebra': { canonical: 'zebra', languages: ['sw', 'de'] },
      'host/quick': { canonical: 'quick' },
      'host/mixed': { canonical: 'mixed' },
      'host/unsourced': { canonical: 'unsourced' },
    },
  },
};
const terms = (use: Sources[string]['use']) => ({ from: 'a table', date: '2029', licence: 'MIT', use });
const sources: Sources = {
  free: terms('open'),
  page: terms('fact'),
  closed: terms('cards-only'),
  asked: terms('ask-first'),
};

describe('a catalogue', () => {
  const made = buildCatalogue(measures, sources);

  it('has only what its sources allow: what wants to be asked first never alone, what states no terms for cards only', () => {
    expect(Object.keys(made.models)).toEqual(['mixed', 'stray', 'zebra']);
    expect(Object.keys(made.models.zebra?.strengths ?? {})).toEqual(['code', 'general']);
    expect(Object.keys(made.models.stray?.strengths ?? {})).toEqual(['tools']);
    expect(made.models.mixed?.strengths.tools).toEqual({ value: 0.3, observations: 2, sources: ['asked', 'free'] });
    expect(made.models.zebra?.measuredLanguages).toEqual(['de', 'sw']);
  });

  it('says how a speed is known, and leaves out what nobody may be named for', () => {
    expect(made.cards['host/zebra']?.speed).toEqual({
      ...{ tokensPerSecond: 50, expectedMs: 1900, basis: 'rate-measured', sources: ['free'] },
    });
    expect(made.cards['host/mixed']?.speed).toEqual({ expectedMs: 2500, basis: 'mean-call', sources: ['free'] });
    expect(made.cards['host/quick']).toEqual({ model: 'quick' });
    expect(made.cards['host/unsourced']).toEqual({ model: 'unsourced' });
  });

  it('leaves the speed of one host out for hosts that run the same model elsewhere', () => {
    const cards = { 'bedrock/zebra': { tokensPerSecond: 50, expectedMs: 1900, grade: 'rate measured' } };
    const elsewhere = { zebra: { measurements: [{ metric: 'tps', value: 50, unit: 'tokens/s', source: 'ctala' }] } };
    const mapping = { cards: { 'bedrock/zebra': { canonical: 'zebra' } } };
    const moved = { ...measures, mapping, speed: { cards, models: elsewhere } };
    expect(buildCatalogue(moved, { ...sources, ctala: terms('open') }).cards['bedrock/zebra']?.speed).toBeUndefined();
  });

  it('has dates with their sources, and the terms of the sources that it names', () => {
    expect(made.cards['host/mixed']?.lifecycle).toEqual({
      ...{ stage: 'retired', endsOn: '2029-12-31', replacement: 'zebra', sources: [] },
    });
    expect(made.cards['host/zebra']?.lifecycle?.stage).toBe('stable');
    expect(Object.keys(made.sources)).toEqual(['asked', 'closed', 'free', 'page']);
    expect(noticesText(made)).toContain('- free: a table (2029). Licence: MIT.');
  });

  it('is the same text for the same measures, in whatever order they come', () => {
    const { models } = measures.strengths;
    const turned = Object.fromEntries(Object.entries(models).reverse());
    const again = buildCatalogue({ ...measures, strengths: { ...measures.strengths, models: turned } }, sources);
    expect(catalogueText(again)).toBe(catalogueText(made));
    expect(JSON.parse(catalogueText(made))).toEqual(JSON.parse(JSON.stringify(made)));
  });

  it('has by open terms only the values whose every source is open', () => {
    const open = buildCatalogue(measures, sources, {}, 'open');
    expect(Object.keys(open.models)).toEqual(['zebra']);
    expect(Object.keys(open.models.zebra?.strengths ?? {})).toEqual(['code']);
    expect(Object.keys(open.sources)).toEqual(['free']);
  });

  it('has what the pages of vendors say, before what others say of the same model', () => {
    const page = { source: 'https://host.example/data', date: '2029-12' };
    const ended = { on: '2029-06-30', ...page };
    const retention = { keeps: 'provider', days: 30, ...page } as const;
    const hosts = { host: { retention, ended, models: { quick: { retention: 'unknown' } as const } } };
    const { cards, hosts: known } = buildCatalogue(measures, sources, hosts);
    expect(known).toEqual({ host: { retention } });
    expect(cards['host/quick']?.retention).toBe('unknown');
    expect(cards['host/zebra']?.lifecycle).toEqual({
      ...{ stage: 'retired', released: '2029-01-01', endsOn: '2029-06-30' },
      sources: ['page of the vendor', page.source],
    });
  });

  it('states maths on the line through the models of which reasoning is known too, and not by too few of them', () => {
    const shares = [20, 30, 40, 50, 60, 70, 80, 90];
    const names = shares.map((share) => `m${share}`);
    const models = Object.fromEntries(
      names.map((name, index) => [name, { fields: { reasoning: field((shares[index] ?? 0) / 100, 'free') } }]),
    );
    const strengths = { ...measures.strengths, models: { ...models, alone: { fields: { code: field(0.5, 'free') } } } };
    const maths = [...names, 'alone', 'stranger'].map((model, index) => ({
      ...{ model, metric: 'math', value: shares[index] ?? 50 },
    }));
    const terms = { free: sources.free, 'simple-evals': sources.free } as Sources;
    const none = { cards: {} };
    const given = { ...measures, strengths, maths, mapping: none, lifecycle: none, speed: { cards: {}, models: {} } };
    const built = buildCatalogue(given, terms);
    expect(built.models.m70?.strengths.maths).toEqual({ value: 0.7, observations: 1, sources: ['simple-evals'] });
    expect(built.models.alone?.strengths.maths?.value).toBe(0.5);
    expect(built.models.stranger).toBeUndefined();
    const few = buildCatalogue({ ...given, maths: maths.slice(0, 7) }, terms);
    expect(few.models.m70?.strengths).not.toHaveProperty('maths');
  });

  it('is refused where a source has no terms', () => {
    expect(() => buildCatalogue(measures, { free: terms('open') })).toThrow(/The source "[a-z]+" has no terms/);
  });
});

describe('the command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'polyphony-models-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const root = resolve(import.meta.dirname, '../..');
  const write = (given: Measures): void => {
    mkdirSync(folder, { recursive: true });
    for (const [name, content] of Object.entries(given))
      writeFileSync(join(folder, `${name}.json`), JSON.stringify(content));
  };

  it('refuses files of another shape, naming the file', () => {
    write({ ...measures, speed: { cards: { x: { expectedMs: -1 } } } } as unknown as Measures);
    expect(() => readMeasures(folder)).toThrow(/speed\.json has not the expected shape/);
  });

  it('writes catalogue and notices into a folder', () => {
    const known = { aider: field(0.5, 'aider') };
    write({
      ...measures,
      strengths: { ...measures.strengths, models: { zebra: { fields: known } } },
      speed: { cards: {}, models: {} },
    });
    const command = ['--conditions=polyphony-source', '--import', 'tsx', 'scripts/models-refresh.ts'];
    const into = join(folder, 'into');
    const said = execFileSync(process.execPath, [...command, '--from', folder, '--into', into], { cwd: root });
    expect(String(said)).toContain('version 2030-01-02: 1 models,');
    expect(JSON.parse(readFileSync(join(into, 'catalogue/models.json'), 'utf8'))).toMatchObject({
      version: '2030-01-02',
    });
    expect(readFileSync(join(into, 'NOTICE'), 'utf8')).toContain('Aider');
  });
});

it('the terms of the shipped sources are whole', () => {
  const root = resolve(import.meta.dirname, '../..');
  expect(Object.keys(readSources(join(root, 'catalogue/sources.json'))).length).toBeGreaterThan(15);
});

it('the pages of the vendors are whole, and their statements are those of the shipped catalogue', () => {
  const root = resolve(import.meta.dirname, '../..');
  const hosts = readHosts(join(root, 'catalogue/hosts.json'));
  const shipped = JSON.parse(readFileSync(join(root, 'catalogue/models.json'), 'utf8'));
  for (const [name, { retention, regions, models = {} }] of Object.entries(hosts)) {
    expect(shipped.hosts[name]).toEqual({ ...(retention && { retention }), ...(regions && { regions }) });
    for (const [id, facts] of Object.entries(models)) {
      expect(shipped.cards[`${name}/${id}`].retention).toEqual(facts.retention);
    }
  }
});

it('the shipped catalogue is the text that the command writes', () => {
  const path = resolve(import.meta.dirname, '../../catalogue/models.json');
  const shipped = readFileSync(path, 'utf8');
  expect(catalogueText(JSON.parse(shipped))).toBe(shipped);
});
