import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeyValueStore, PluginContext, Tool } from 'polyphony/kit';
import { fakeClock } from 'polyphony/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileTools } from '../../../plugins/tools/files.ts';
import { type WriteToolsOptions, writeTools } from '../../../plugins/tools/files-write.ts';
import { createPolyphony } from '../../../src/index.ts';
import { memoryStores } from '../../../src/stores/memory.ts';
import { sqliteStores } from '../../../src/stores/sqlite.ts';

let base = '';
let folder = '';
let keys = 0;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'polyphony-write-'));
  folder = join(base, 'out');
  await mkdir(join(folder, 'real'), { recursive: true });
  await mkdir(join(base, 'elsewhere'));
  await writeFile(join(base, 'elsewhere', 'victim.txt'), 'untouched');
  await symlink(join(base, 'elsewhere'), join(folder, 'link'));
  await symlink('real', join(folder, 'inner-link'));
  await symlink(join(base, 'elsewhere', 'victim.txt'), join(folder, 'victim.txt'));
  await symlink(join(base, 'elsewhere', 'new.txt'), join(folder, 'dangling.txt'));
});
afterAll(() => rm(base, { recursive: true }));

const toolsOf = (store: KeyValueStore, options: Partial<WriteToolsOptions> = {}): readonly Tool[] => {
  const parts = writeTools({ folder, ...options }).setup?.({ store } as PluginContext);
  return (parts as { tools: readonly Tool[] }).tools;
};

interface Given extends Partial<WriteToolsOptions> {
  readonly store?: KeyValueStore;
  readonly key?: string;
}

async function call(name: string, input: Record<string, unknown>, given: Given = {}): Promise<unknown> {
  keys += 1;
  const { store = memoryStores().keyValue, key = `key-${keys}`, ...options } = given;
  const tool = toolsOf(store, options).find((one) => one.name === name);
  return tool?.run(input, {
    signal: new AbortController().signal,
    idempotencyKey: key,
    clock: fakeClock(),
    runId: 'run',
    nodeId: 'a',
  });
}
const write = (path: string, text: string, input = {}, given: Given = {}) =>
  call('write_file', { path, text, ...input }, given);
const rows = (path: string, list: unknown[], input = {}, given: Given = {}) =>
  call('write_rows', { path, rows: list, ...input }, given);
const contentOf = (path: string) => readFile(join(folder, path), 'utf8');

describe('write_file', () => {
  it('writes a text, and makes the folders on the way', async () => {
    expect(await write('new/deep/a.txt', 'hé')).toEqual({ path: 'new/deep/a.txt', bytes: 3 });
    expect(await contentOf('new/deep/a.txt')).toBe('hé');
    expect(await readdir(join(folder, 'new/deep'))).toEqual(['a.txt']);
  });

  it('writes media as their bytes, and takes one of both', async () => {
    const media = { type: 'base64', data: Buffer.from([1, 2, 250]).toString('base64'), mediaType: 'image/png' };
    await call('write_file', { path: 'picture.png', media });
    expect(await readFile(join(folder, 'picture.png'))).toEqual(Buffer.from([1, 2, 250]));
    await expect(call('write_file', { path: 'x', media, text: 'x' })).rejects.toThrow(/either/);
    await expect(call('write_file', { path: 'x' })).rejects.toThrow(/either/);
    await expect(call('write_file', { path: 'x', media: { ...media, data: '**' } })).rejects.toThrow(/no base64/);
  });

  it('keeps what exists, unless the call says otherwise', async () => {
    await write('kept.txt', 'first');
    await expect(write('kept.txt', 'second')).rejects.toThrow(/exists.*"overwrite"/);
    expect(await contentOf('kept.txt')).toBe('first');
    await write('kept.txt', 'third', { overwrite: true });
    expect(await contentOf('kept.txt')).toBe('third');
  });

  it('lets one of many writers at the same time have the place', async () => {
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => write('race.txt', `writer ${index}`)),
    );
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await contentOf('race.txt')).toBe(`writer ${all.findIndex(({ status }) => status === 'fulfilled')}`);
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it.each([
    ['../out.txt', /outside the folder/],
    ['real/../../out.txt', /outside the folder/],
    ['/tmp/polyphony-out.txt', /outside the folder/],
    ['link/new.txt', /link or a file/],
    ['link/victim.txt', /link or a file/],
    ['inner-link/x.txt', /link or a file/],
    ['.env', /secret/],
    ['.git/hooks/pre-commit', /secret/],
    ['real/id_rsa', /secret/],
    ['real', /exists/],
    ['real/', /names a folder/],
    ['.', /names a folder/],
    ['', /empty/],
    ['a\0b', /NUL/],
    [`${'d/'.repeat(40)}x`, /more than 32 folders/],
    ['x'.repeat(300), /200 bytes/],
  ])('refuses %j', async (path, message) => {
    await expect(write(path, 'x')).rejects.toMatchObject({
      code: 'tool-failed',
      retryable: false,
      message: expect.stringMatching(message),
    });
    expect(await readdir(join(base, 'elsewhere'))).toEqual(['victim.txt']);
    expect(await readFile(join(base, 'elsewhere', 'victim.txt'), 'utf8')).toBe('untouched');
  });

  it('does not follow a link at the end, nor replace a folder', async () => {
    for (const path of ['victim.txt', 'dangling.txt']) await expect(write(path, 'x')).rejects.toThrow(/exists/);
    await write('victim.txt', 'mine', { overwrite: true });
    expect((await lstat(join(folder, 'victim.txt'))).isSymbolicLink()).toBe(false);
    expect(await readFile(join(base, 'elsewhere', 'victim.txt'), 'utf8')).toBe('untouched');
    await expect(write('real', 'x', { overwrite: true })).rejects.toThrow(/is a folder/);
  });

  it('bounds a file, and makes the folder where it is missing', async () => {
    await expect(write('big.txt', 'x'.repeat(101), {}, { maxBytes: 100 })).rejects.toThrow(/101 bytes.*at most 100/);
    await write('a.txt', 'x', {}, { folder: join(base, 'made', 'here') });
    expect(await readFile(join(base, 'made', 'here', 'a.txt'), 'utf8')).toBe('x');
    expect(() => writeTools({ folder: '' })).toThrow(/no folder/);
    expect(() => writeTools({ folder, maxBytes: 0 })).toThrow(/maxBytes is 0/);
  });
});

describe('a write with the same key', () => {
  it('is done once, and says the same', async () => {
    const store = memoryStores().keyValue;
    const given = { store, key: 'run/node' };
    const first = await write('once.txt', 'one', { overwrite: true }, given);
    await writeFile(join(folder, 'once.txt'), 'edited by a person');
    expect(await write('once.txt', 'one', { overwrite: true }, given)).toEqual(first);
    expect(await contentOf('once.txt')).toBe('edited by a person');
  });

  it.each([true, false])('is completed after a death at any step (replacing: %s)', async (overwrite) => {
    for (let death = 1; death <= 8; death += 1) {
      const { keyValue } = memoryStores();
      const path = `death-${overwrite}-${death}.txt`;
      let step = 0;
      // Dies before a step of the store or right after it.
      const dying = async <Result>(act: () => Promise<Result>): Promise<Result> => {
        step += 1;
        if (step === death) throw new Error('died');
        const result = await act();
        step += 1;
        if (step === death) throw new Error('died');
        return result;
      };
      const store = {
        ...keyValue,
        get: (key: string) => dying(() => keyValue.get(key)),
        set: (...given: Parameters<KeyValueStore['set']>) => dying(() => keyValue.set(...given)),
      };
      const key = `death-${overwrite}-${death}`;
      const outcome = await write(path, 'whole', { overwrite }, { store, key }).catch((error: Error) => error.message);
      if (death <= 6) expect(outcome).toBe('died');
      expect(await write(path, 'whole', { overwrite }, { store: keyValue, key })).toEqual({ path, bytes: 5 });
      expect(await contentOf(path)).toBe('whole');
    }
  });
});

describe('write_rows', () => {
  it('writes CSV with every field that a row has, and leaves null rows out', async () => {
    const list = [{ id: 1, note: 'a,b' }, null, { id: 2, more: { x: [1] }, note: null }];
    expect(await rows('rows.csv', list)).toMatchObject({ rows: 2, path: 'rows.csv' });
    expect(await contentOf('rows.csv')).toBe('id,note,more\r\n1,"a,b",\r\n2,,"{""x"":[1]}"\r\n');
  });

  it('writes JSONL, by the name or as told', async () => {
    await rows('rows.jsonl', [{ a: 1, b: 2 }], { columns: ['b', 'c'] });
    expect(await contentOf('rows.jsonl')).toBe('{"b":2,"c":null}\n');
    await rows('rows.data', [{ a: 1 }], { format: 'jsonl' });
    expect(await contentOf('rows.data')).toBe('{"a":1}\n');
  });

  it('adds the fields of a second list, place by place', async () => {
    await rows('joined.csv', [{ id: 1 }, null, { id: 3 }], {
      beside: [{ label: 'x' }, { label: 'y' }, null].map((one) => one ?? {}),
    });
    expect(await contentOf('joined.csv')).toBe('id,label\r\n1,x\r\n3,\r\n');
    await expect(rows('uneven.csv', [{ id: 1 }], { beside: [] })).rejects.toThrow(/1 rows and 0 beside/);
  });

  it('marks formulas where it is told to, by the call or the operator', async () => {
    const list = [{ a: '=cmd()', b: '+1', c: '@x', d: -5, e: 'a=b', '=head': '\t=1' }];
    await rows('plain.csv', list);
    expect(await contentOf('plain.csv')).toContain('=cmd(),+1,@x,-5,a=b');
    const marked = "a,b,c,d,e,'=head\r\n'=cmd(),'+1,'@x,-5,a=b,'\t=1\r\n";
    await rows('marked.csv', list, { escapeFormulas: true });
    expect(await contentOf('marked.csv')).toBe(marked);
    await rows('marked-too.csv', list, {}, { escapeFormulas: true });
    expect(await contentOf('marked-too.csv')).toBe(marked);
  });

  it('refuses what is no row, and too much', async () => {
    await expect(rows('bad.csv', [[1]])).rejects.toThrow(/Row 0 .*no object/);
    await expect(rows('big.csv', [{ a: 'x'.repeat(200) }], {}, { maxBytes: 100 })).rejects.toThrow(
      /more than 100 bytes/,
    );
  });
});

describe('in a plan', () => {
  it('goes from rows to rows, and is kept although nothing reads it', async () => {
    await writeFile(join(folder, 'in.csv'), 'name;total\nAnn;1,5\n');
    const polyphony = await createPolyphony({
      plugins: [fileTools({ folder }), writeTools({ folder })],
      defaults: false,
    });
    const { plan, issues } = await polyphony.validate({
      version: 1,
      nodes: [
        { id: 'table', use: 'tool:read_rows', in: { path: 'in.csv', numbers: ['total'], decimal: ',' } },
        { id: 'twice', use: 'value', each: '{{table.rows}}', in: { name: '{{item.name}}', total: '{{item.total}}' } },
        { id: 'saved', use: 'tool:write_rows', in: { path: 'out.jsonl', rows: '{{twice}}' } },
      ],
    });
    expect(issues).toEqual([]);
    if (plan === undefined) throw new Error('the plan is not valid');
    const result = await (await polyphony.start(plan)).result();
    expect(result.error).toBeUndefined();
    expect(await contentOf('out.jsonl')).toBe('{"name":"Ann","total":1.5}\n');
    await polyphony.close();
  });

  it('writes once, whatever process goes on with the run', async () => {
    const path = join(base, 'runs.db');
    const open = () =>
      createPolyphony({ plugins: [writeTools({ folder })], defaults: false, stores: sqliteStores({ path }) });
    const first = await open();
    const { plan } = await first.validate({
      version: 1,
      nodes: [
        { id: 'saved', use: 'tool:write_file', in: { path: 'run.txt', text: 'one' } },
        { id: 'ask', use: 'human', in: { question: 'Go on?' }, needs: ['saved'] },
      ],
      output: '{{saved.path}}',
    });
    if (plan === undefined) throw new Error('the plan is not valid');
    const { runId, status } = await (await first.start(plan)).result();
    expect(status).toBe('suspended');
    await first.close();
    await rm(join(folder, 'run.txt'));
    const second = await open();
    await second.engine.answer(runId, 'ask', 'yes');
    const result = await (await second.engine.resume(runId)).result();
    expect(result).toMatchObject({ status: 'done', output: 'run.txt' });
    await expect(contentOf('run.txt')).rejects.toThrow(/ENOENT/);
    const fork = await (await second.engine.fork(runId, { from: 'saved' })).result();
    expect(fork.status).toBe('suspended');
    expect(await contentOf('run.txt')).toBe('one');
    await second.close();
  });
});
