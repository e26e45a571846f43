/** What is seen of a watched folder: matching files below it, and nothing outside it. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lookInto } from '../../src/schedules/folder.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'polyphony-folder-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, text = 'text'): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}

const seen = async (pattern: string): Promise<readonly string[]> =>
  (await lookInto(join(root, 'inbox'), pattern.split('/'))).files.map(({ name }) => name).sort();

describe('a watched folder', () => {
  it('shows the files that match, with size and time', async () => {
    const full = put('inbox/a.pdf', 'four');
    put('inbox/b.txt');
    utimesSync(full, 1_700_000_000, 1_700_000_000);
    const { files, truncated } = await lookInto(join(root, 'inbox'), ['*.pdf']);
    expect({ files, truncated }).toEqual({
      files: [{ name: 'a.pdf', size: 4, modifiedMs: 1_700_000_000_000 }],
      truncated: false,
    });
  });

  it('shows files of its folders only where the pattern names them', async () => {
    for (const path of ['a.pdf', 'x/b.pdf', 'x/y/c.pdf']) put(`inbox/${path}`);
    expect(await seen('*.pdf')).toEqual(['a.pdf']);
    expect(await seen('*/*.pdf')).toEqual(['x/b.pdf']);
    expect(await seen('**/*.pdf')).toEqual(['a.pdf', 'x/b.pdf', 'x/y/c.pdf']);
  });

  it('does not follow links out of it, and shows what links within it name', async () => {
    put('inbox/a.pdf');
    put('outside/secret.pdf');
    symlinkSync(join(root, 'outside/secret.pdf'), join(root, 'inbox/out.pdf'));
    symlinkSync(join(root, 'outside'), join(root, 'inbox/folder'));
    symlinkSync('a.pdf', join(root, 'inbox/in.pdf'));
    symlinkSync('nowhere.pdf', join(root, 'inbox/dead.pdf'));
    symlinkSync('.', join(root, 'inbox/loop'));
    expect(await seen('**/*.pdf')).toEqual(['a.pdf', 'in.pdf']);
  });

  it('leaves out hidden files and folders, and folders that look like files', async () => {
    for (const path of ['.a.pdf', '.cache/b.pdf', 'c.pdf/d.txt']) put(`inbox/${path}`);
    expect(await seen('**/*.pdf')).toEqual([]);
  });

  it('may itself be a link, and fails when it is missing', async () => {
    put('elsewhere/a.pdf');
    symlinkSync(join(root, 'elsewhere'), join(root, 'inbox'));
    expect(await seen('*')).toEqual(['a.pdf']);
    await expect(lookInto(join(root, 'nothing'), ['*'])).rejects.toThrow('ENOENT');
  });
});
