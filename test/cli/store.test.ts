/** The commands that keep a store small and whole. */
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { RUNS, writeStore } from '../laws/damage-file.ts';
import { call, folderWith } from './call.ts';

const written = join(folderWith(), 'store.db');
beforeAll(() => writeStore(written));

function copied(): string {
  const path = join(folderWith(), 'store.db');
  copyFileSync(written, path);
  return path;
}

/** Of a store with nothing in it: pages that its tables take in any case. */
async function bareSize(): Promise<number> {
  const path = join(folderWith(), 'bare.db');
  const stores = sqliteStores({ path });
  await stores.keyValue.set('made', true);
  await stores.close();
  return statSync(path).size;
}

/** Runs that wait for an answer. */
const WAITING = RUNS / 6;

describe('store prune', () => {
  const prune = (path: string, ...given: readonly string[]) => call('--store', path, 'store', 'prune', ...given);

  it('says what would go, and removes it only when told to', async () => {
    const path = copied();
    const size = statSync(path).size;
    const dry = await prune(path, '--older', '0h', '--dry-run', '--only', 'runs');
    expect(dry).toMatchObject({
      code: 0,
      out: `would remove ${RUNS - WAITING} runs, 0 rows of the ledger and 0 values\n`,
    });
    const asked = await prune(path, '--older', '0h');
    expect(asked.code).toBe(2);
    expect(asked.err).toContain('add --yes');
    const done = await prune(path, '--older', '0h', '--yes', '--json');
    expect(JSON.parse(done.out)).toMatchObject({ removed: true, runs: RUNS - WAITING });
    const bare = await bareSize();
    expect(statSync(path).size - bare).toBeLessThan((size - bare) * 0.4);
    const again = await prune(path, '--older', '0h', '--suspended', '--only', 'runs', '--yes');
    expect(again.out).toBe(`removed ${WAITING} runs, 0 rows of the ledger and 0 values\n`);
  });

  it('refuses a span that is none', async () => {
    for (const span of ['30', '3y', '-1d', '']) expect((await prune(copied(), '--older', span)).code).toBe(2);
    expect((await prune(copied())).code).toBe(2);
  });
});

describe('doctor --repair', () => {
  it('says what was saved and what was lost, and where the damaged file is', async () => {
    const path = copied();
    const bytes = readFileSync(path);
    for (let at = bytes.indexOf('run-started'); at !== -1; at = bytes.indexOf('run-started', at + 1)) {
      if (bytes.subarray(at, at + 3000).includes('goal 4"')) bytes[at] = 0xff;
    }
    writeFileSync(path, bytes);
    const listed = await call('--store', path, 'runs', 'show', 'run_004');
    expect(listed).toMatchObject({ code: 1 });
    expect(listed.err).toContain('polyphony doctor --repair');
    expect((await call('--store', path, 'doctor')).out).toMatch(/✗ store.*store-corrupt/);
    const repaired = await call('--store', path, 'doctor', '--repair');
    expect(repaired.code).toBe(1);
    expect(repaired.out).toContain(`the damaged file is ${path}.damaged`);
    expect(repaired.out).toMatch(/^lost: .*run_004/m);
    expect(existsSync(`${path}.damaged`)).toBe(true);
    const whole = await call('--store', path, 'doctor', '--repair');
    expect(whole).toMatchObject({ code: 0, out: `${path} is whole: nothing was changed\n` });
    expect((await call('--store', path, 'doctor')).out).toMatch(/✓ store/);
  });
});

describe('a store that cannot be used', () => {
  it.each([
    ['doctor', '--repair'],
    ['store', 'prune', '--older', '30d', '--dry-run'],
  ])('%s %s says that it is not there, and makes none', async (...given) => {
    const path = join(folderWith(), 'folder', 'mistyped.db');
    const missing = await call('--store', path, ...given);
    expect(missing.code).toBe(2);
    expect(missing.err).toContain(`there is no store at ${path}: name its file with --store`);
    expect(existsSync(join(path, '..'))).toBe(false);
  });

  it('is not sent to a repair by the repair', async () => {
    const path = join(folderWith({ 'text.db': 'hello' }), 'text.db');
    const { code, err } = await call('--store', path, 'doctor', '--repair');
    expect(code).toBe(1);
    expect(err).toContain('nothing was changed: restore it from a backup');
    expect(err).not.toContain('doctor --repair');
    expect(readFileSync(path, 'utf8')).toBe('hello');
  });

  it('is named once by the doctor, which makes its other checks all the same', async () => {
    const path = join(folderWith({ 'text.db': 'hello' }), 'text.db');
    const { code, out, err } = await call('--store', path, 'doctor');
    expect(code).toBe(1);
    expect(err).toBe('');
    expect(out).toMatch(/✗ store .*store-corrupt/);
    expect(out).toMatch(/✓ call /);
  });

  it('is described in one line, whatever SQLite says', async () => {
    const path = copied();
    const bytes = readFileSync(path);
    bytes.fill(0xff, 4097, 4105); // the header of a table's first page
    writeFileSync(path, bytes);
    const { code, err } = await call('--store', path, 'runs');
    expect(code).toBe(1);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(err).not.toContain('***');
  });

  it('is named where nothing is in it, because it may be mistyped', async () => {
    const path = join(folderWith(), 'empty.db');
    const said = async (...given: readonly string[]): Promise<string> => (await call('--store', path, ...given)).err;
    expect(await said('runs')).toContain(`no runs yet in ${path}; start one with`);
    expect(await said('spend')).toBe(`nothing has been spent yet, says ${path}\n`);
    expect(await said('spend', '--last', '12h')).toBe(`nothing was spent in that time, says ${path}\n`);
  });

  it('does not say that nothing was spent where only nobody was named who pays', async () => {
    const path = join(folderWith(), 'spent.db');
    await call('--store', path, 'run', 'examples/plans/summarise.plan.json', '--quiet');
    const { out, err } = await call('--store', path, 'spend', '--by', 'team,model', '--last', '12h', '--forecast');
    expect(err).toBe(`nothing that was spent in that time has a team and a model, says ${path}\n`);
    expect(out).toContain('forecast for');
  });
});

it('a hint names the store and the config that the command was given, so that it finds its run', async () => {
  const folder = folderWith({
    'empty.yaml': '{}',
    'a.plan.json': {
      version: 1,
      nodes: [{ id: 'a', use: 'tool:read_file', in: { path: 'no-such-file' } }],
      output: '{{a}}',
    },
  });
  const [store, config] = [join(folder, 'other.db'), join(folder, 'empty.yaml')];
  const { code, err } = await call('--store', store, '--config', config, 'run', join(folder, 'a.plan.json'));
  expect(code).toBe(1);
  expect(err).toMatch(/^continue with: .* runs resume run_\w+$/m);
  expect(err).toContain(` --config ${config} --store ${store} runs resume `);
});
