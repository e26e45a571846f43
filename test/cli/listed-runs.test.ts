/** What the command says of runs inside runs, of empty answers, and of requests and files with other letters. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { call, folderWith } from './call.ts';

const OUTER = {
  version: 1,
  workflows: {
    twice: {
      input: { n: 'integer' },
      nodes: [{ id: 'got', use: 'value', in: { n: '{{input.n}}' } }],
      output: '{{got}}',
    },
  },
  nodes: [{ id: 'e', use: 'workflow:twice', each: '{{= [1, 2, 3]}}', in: { n: '{{item}}' } }],
  output: '{{e}}',
};
const NOTHING = {
  version: 1,
  nodes: [{ id: 'found', use: 'tool:list_files', in: { pattern: 'none-*.md' } }],
  output: '{{found.files}}',
};

describe('runs that nodes of other runs started', () => {
  it('are listed where they are asked for, and not beside those that somebody started', async () => {
    process.chdir(folderWith({ 'outer.plan.json': OUTER }));
    expect((await call('run', 'outer.plan.json')).code).toBe(0);
    const plain = JSON.parse((await call('runs', 'list', '--json')).out) as { readonly runId: string }[];
    const all = JSON.parse((await call('runs', 'list', '--nested', '--json')).out) as { readonly runId: string }[];
    expect([plain.length, all.length]).toEqual([1, 4]);
    expect(all.filter(({ runId }) => runId.startsWith(`${plain[0]?.runId}.`))).toHaveLength(3);
  });
});

describe('a run that found nothing', () => {
  it('says so beside its empty answer', async () => {
    process.chdir(folderWith({ 'nothing.plan.json': NOTHING }));
    const { code, out, err } = await call('run', 'nothing.plan.json');
    expect([code, out.trim()]).toEqual([0, '(nothing)']);
    expect(err).toContain('nothing matched: node found gave an empty list');
  });
});

describe('a request with other letters than a to z', () => {
  it.each([
    ['Summarise "Überblick für Łódź.md"', 'Überblick für Łódź.md'],
    ['Summarise Überblick.md', 'Überblick.md'],
    ['notes/議事録.md を要約して', '議事録.md'],
    ["Summarise the file 'meeting notes.md'", 'meeting notes.md'],
  ])('reads the file that it names: %s', async (request, name) => {
    const folder = folderWith();
    mkdirSync(join(folder, 'notes'));
    const text =
      'The harbour opens at eight. Boats leave at nine. The lighthouse is white and stands on the north pier.\n';
    for (const path of [join(folder, name), join(folder, 'notes', name)]) writeFileSync(path, text);
    process.chdir(folder);
    const { code, out } = await call('run', request);
    expect(code).toBe(0);
    expect(out).toMatch(/harbour|lighthouse|Boats/);
  });
});
