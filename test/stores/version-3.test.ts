/**
 * A store of schema version 3, from before plans had workflows, agents and threads: it is migrated, and its runs, which wait, are nested
 * or were killed, go on to their ends without paying again for what the file holds.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Plugin } from '../../src/core/plugin.ts';
import { createPolyphony, human, llm, tool, workflow } from '../../src/index.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeProvider } from '../../src/testing/fakes.ts';
import { temporaryFolder } from './folder.ts';

const folder = temporaryFolder();
let copies = 0;

/** A copy of the file that `fixtures/write-version-3.ts` wrote with a release of that version. */
function oldStore(): string {
  const path = join(folder, `${++copies}.db`);
  writeFileSync(path, gunzipSync(readFileSync(resolve(import.meta.dirname, 'fixtures/version-3.db.gz'))));
  return path;
}

const versionOf = (path: string): number => readFileSync(path).readUInt32BE(60);

/** The workflows of the program that wrote the file. */
const ask = workflow({ id: 'ask', input: { name: 'string' } })
  .node('who', human, (c) => ({ in: { question: c.input.name } }))
  .output((c) => ({ said: c.who.answer }));
const fatal = tool<{ readonly name: string }, { readonly result: string }>('fatal');
const step = workflow({ id: 'step', input: { name: 'string' } })
  .node('say', llm, (c) => ({ in: { prompt: c.input.name } }))
  .node('end', fatal, (c) => ({ in: { name: c.input.name }, needs: ['say'] }))
  .output((c) => ({ text: c.say.text, end: c.end.result }));

async function open(path = oldStore()) {
  const used: string[] = [];
  const made = (name: string) => ({
    ...{ name, description: 'For tests.', input: { type: 'object' } as const },
    run: async (_input: unknown, { idempotencyKey }: { readonly idempotencyKey: string }) => {
      used.push(`${name} ${idempotencyKey}`);
      return 'alive';
    },
  });
  const plugin: Plugin = { name: 'tools', tools: [made('note'), made('fatal')] };
  const provider = fakeProvider({ script: () => 'said now' });
  const stores = sqliteStores({ path });
  const polyphony = await createPolyphony({
    plugins: [plugin],
    providers: [provider],
    workflows: [ask, step],
    stores,
  });
  return { polyphony, used, provider, path };
}

describe('a store of schema version 3', () => {
  it('is migrated when it is opened, and lists what it listed', async () => {
    const path = oldStore();
    expect(versionOf(path)).toBe(3);
    const { polyphony } = await open(path);
    const runs = (await polyphony.runs.list()).map(({ runId, status }) => `${runId} ${status}`);
    const cut = ['items', 'loop', 'rounds'].map((runId) => `${runId} interrupted`);
    expect(runs.toSorted()).toEqual([...cut, 'list suspended', 'parts suspended'].toSorted());
    await polyphony.close();
    expect(versionOf(path)).toBe(9);
  });

  it('takes the answers to the items that are left, and keeps the one that was given', async () => {
    const { polyphony } = await open();
    const asked = (await polyphony.runs.show('list')).waiting ?? [];
    expect(asked.map(({ id }) => id)).toEqual(['who[0]', 'who[2]']);
    await (await polyphony.runs.answer('list', 'who[0]', 'no')).result();
    const ended = await (await polyphony.runs.answer('list', 'who', 'maybe', { item: 2 })).result();
    const output = ['no', 'yes', 'maybe'].map((answer) => ({ answer, approved: answer === 'yes' }));
    expect(ended).toMatchObject({ status: 'done', output });
    await polyphony.close();
  });

  it('takes answers to the questions of nested runs, and asks the model before them nothing again', async () => {
    const { polyphony, provider } = await open();
    const asked = (await polyphony.runs.show('parts')).waiting ?? [];
    expect(asked.map(({ id }) => id)).toEqual(expect.arrayContaining(['part[0]/who', 'part[1]/who']));
    for (const { id } of asked) await (await polyphony.runs.answer('parts', id, `me ${id}`)).result();
    const ended = await polyphony.runs.show('parts');
    expect(ended).toMatchObject({ status: 'done' });
    expect(JSON.stringify(ended.output)).toContain('me part[1]/who');
    expect(provider.seen).toEqual([]);
    await polyphony.close();
  });

  it('finishes the item that was cut off and those behind it, with the keys that they would have had', async () => {
    const { polyphony, used, provider } = await open();
    const before = (await polyphony.runs.show('items')).costNanoUsd ?? 0;
    const ended = await (await polyphony.resume('items')).result();
    expect(ended).toMatchObject({ status: 'done', output: [{ end: 'alive' }, { end: 'alive' }, { end: 'alive' }] });
    expect(used).toEqual(['fatal items.part.1/end', 'fatal items.part.2/end']);
    expect(provider.seen).toHaveLength(1);
    expect(ended.costNanoUsd).toBeGreaterThanOrEqual(before);
    await polyphony.close();
  });

  it('finishes the rounds of a loop over a workflow', async () => {
    const { polyphony, used, provider } = await open();
    const ended = await (await polyphony.resume('rounds')).result();
    expect(ended).toMatchObject({ status: 'done' });
    expect(used).toEqual(['fatal rounds.again.r2/end', 'fatal rounds.again.r3/end']);
    expect(provider.seen).toHaveLength(1);
    await polyphony.close();
  });

  it('runs the call of a tool that was cut off again, with its key, and none that had ended', async () => {
    const { polyphony, used, provider } = await open();
    const ended = await (await polyphony.resume('loop')).result();
    expect(ended).toMatchObject({ status: 'done', output: 'said now' });
    expect(used).toEqual(['fatal loop/agent/tool/1.0']);
    expect(provider.seen).toHaveLength(1);
    await polyphony.close();
  });
});
