/** A store of schema version 2, with runs that wait and one that was killed: it is migrated, and they go on to their ends. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Plugin } from '../../src/core/plugin.ts';
import { createPolyphony, human, workflow } from '../../src/index.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { temporaryFolder } from './folder.ts';

const folder = temporaryFolder();
let copies = 0;

/** A copy of the file that `fixtures/write-version-2.ts` wrote with a release of that version. */
function oldStore(): string {
  const path = join(folder, `${++copies}.db`);
  writeFileSync(path, gunzipSync(readFileSync(resolve(import.meta.dirname, 'fixtures/version-2.db.gz'))));
  return path;
}

const versionOf = (path: string): number => readFileSync(path).readUInt32BE(60);

/** The workflows of the program that wrote the file: a run of one that is used as a step names it. */
const inner = workflow({ id: 'inner', input: { name: 'string' } })
  .node('ask', human, (c) => ({ in: { question: c.input.name } }))
  .output((c) => ({ said: c.ask.answer }));
const outer = workflow({ id: 'outer' })
  .node('part', inner, () => ({ in: { name: 'Who?' } }))
  .output((c) => ({ said: c.part.said }));

async function open(path: string) {
  const given: unknown[] = [];
  const plugin: Plugin = {
    name: 'mended',
    tools: [
      {
        name: 'fatal',
        description: 'No longer kills the process.',
        input: { type: 'object' },
        async run(input) {
          given.push(input);
          return 'alive';
        },
      },
    ],
  };
  const polyphony = await createPolyphony({
    plugins: [plugin],
    workflows: [outer, inner],
    stores: sqliteStores({ path }),
  });
  return { polyphony, given };
}

describe('a store of schema version 2', () => {
  it('is migrated when it is opened, and lists what it listed', async () => {
    const path = oldStore();
    expect(versionOf(path)).toBe(2);
    const { polyphony } = await open(path);
    const runs = (await polyphony.runs.list()).map(({ runId, status }) => `${runId} ${status}`);
    expect(runs.toSorted()).toEqual(['cut interrupted', 'each suspended', 'outer suspended']);
    await polyphony.close();
    expect(versionOf(path)).toBe(9);
  });

  it('takes the answers to the items of its questions', async () => {
    const { polyphony } = await open(oldStore());
    expect((await polyphony.runs.show('each')).waiting).toMatchObject([{ item: 0 }, { item: 1 }]);
    await (await polyphony.runs.answer('each', 'ask', 'no', { item: 1 })).result();
    const ended = await (await polyphony.runs.answer('each', 'ask', 'yes', { item: 0 })).result();
    expect(ended).toMatchObject({ status: 'done', output: [{ approved: true }, { approved: false }] });
    await polyphony.close();
  });

  it('takes the answer to the question of a nested run', async () => {
    const { polyphony } = await open(oldStore());
    const ended = await (await polyphony.runs.answer('outer', 'part', 'me')).result();
    expect(ended).toMatchObject({ status: 'done', output: { said: 'me' } });
    await polyphony.close();
  });

  it('finishes the run whose process was killed, with what it had finished', async () => {
    const { polyphony, given } = await open(oldStore());
    const ended = await (await polyphony.resume('cut')).result();
    expect(ended).toMatchObject({ status: 'done', output: 'alive' });
    expect(given).toEqual([{ text: 'x'.repeat(5000) }]);
    await polyphony.close();
  });
});
