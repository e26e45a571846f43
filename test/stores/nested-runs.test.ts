/** Stores that an earlier release wrote: `list` leaves nested runs out of them too. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createPolyphony } from '../../src/polyphony.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { temporaryFolder } from './folder.ts';

const folder = temporaryFolder();
let copies = 0;

/** A copy of the file that `fixtures/write-runs.ts` wrote with a release before `nested`. */
function oldStore(): string {
  const path = join(folder, `${++copies}.db`);
  const packed = resolve(import.meta.dirname, 'fixtures/runs-before-nested.db.gz');
  writeFileSync(path, gunzipSync(readFileSync(packed)));
  return path;
}

describe('a store of an earlier release', () => {
  it('lists the runs that somebody started, and all when asked', async () => {
    const polyphony = await createPolyphony({ plugins: [], stores: sqliteStores({ path: oldStore() }) });
    const ids = async (filter?: Parameters<typeof polyphony.runs.list>[0]) =>
      (await polyphony.runs.list(filter)).map(({ runId }) => runId);
    expect(await ids()).toEqual(['forked', 'outer', 'plain']);
    expect(await ids({ limit: 2, status: 'done' })).toEqual(['forked', 'outer']);
    const nested = ['forked.each.0', 'forked.each.1', 'outer.each.0', 'outer.each.1'];
    expect((await ids({ nested: true })).toSorted()).toEqual([...nested, 'forked', 'outer', 'plain'].toSorted());
    expect((await polyphony.engine.list()).map(({ runId }) => runId)).toEqual(['forked', 'outer', 'plain']);
    expect((await polyphony.runs.show('outer.each.1')).output).toEqual({ text: 'fine' });
    await polyphony.close();
  });
});
