/** The folder of a store tells git to ignore it; every other folder stays as it is. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { makeStoreFolder } from '../../src/system/make-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'polyphony-folder-'));
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('the folder of a store', () => {
  it('ignores itself in git when it is made', async () => {
    const folder = join(root, 'a', '.polyphony');
    await makeStoreFolder(folder);
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('*\n');
  });

  it('keeps what somebody has written there, and does not come back when it was removed', async () => {
    const folder = join(root, '.polyphony');
    mkdirSync(folder, { recursive: true });
    await makeStoreFolder(folder);
    expect(existsSync(join(folder, '.gitignore'))).toBe(false);
    writeFileSync(join(folder, '.gitignore'), 'mine\n');
    await makeStoreFolder(folder);
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('mine\n');
  });

  it('leaves a folder of another name alone', async () => {
    await makeStoreFolder(join(root, 'stores'));
    expect(existsSync(join(root, 'stores', '.gitignore'))).toBe(false);
  });
});
