/** Compiled code is kept in a folder that is the user's alone, and nowhere else. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepCompiled } from '../../src/cli/compile-cache.ts';

let caches = '';
beforeEach(() => {
  caches = mkdtempSync(join(tmpdir(), 'polyphony-caches-'));
});
afterEach(() => rmSync(caches, { recursive: true, force: true }));

/** The folder that Node is given for these variables, if any. */
function given(environment: NodeJS.ProcessEnv): string | undefined {
  let folder: string | undefined;
  keepCompiled(environment, {
    enableCompileCache: (path: string) => {
      folder = path;
    },
  });
  return folder;
}

describe('the cache of compiled code', () => {
  it('is a new folder of the user among the caches, which may be new too', () => {
    const inside = join(caches, 'new');
    expect(given({ XDG_CACHE_HOME: inside })).toBe(join(inside, 'polyphony'));
    expect(statSync(join(inside, 'polyphony')).mode & 0o777).toBe(0o700);
    expect(given({ XDG_CACHE_HOME: inside })).toBe(join(inside, 'polyphony'));
  });

  it('is not a folder in which others may write, by whatever name it is reached', () => {
    const folder = join(caches, 'polyphony');
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    expect(given({ XDG_CACHE_HOME: caches })).toBeUndefined();
    mkdirSync(join(caches, 'other'));
    symlinkSync(folder, join(caches, 'other', 'polyphony'));
    expect(given({ XDG_CACHE_HOME: join(caches, 'other') })).toBeUndefined();
  });

  it('is not beside what others may write, who could put another folder in its place', () => {
    mkdirSync(join(caches, 'polyphony'));
    chmodSync(caches, 0o777);
    expect(given({ XDG_CACHE_HOME: caches })).toBeUndefined();
  });

  it('is where a link led when it was looked at, wherever that leads later', () => {
    mkdirSync(join(caches, 'own'), { mode: 0o700 });
    symlinkSync(join(caches, 'own'), join(caches, 'polyphony'));
    expect(given({ XDG_CACHE_HOME: caches })).toBe(join(caches, 'own'));
  });

  it('is not where the variables of Node rule', () => {
    for (const name of ['NODE_COMPILE_CACHE', 'NODE_DISABLE_COMPILE_CACHE'])
      expect(given({ XDG_CACHE_HOME: caches, [name]: '1' })).toBeUndefined();
    expect(existsSync(join(caches, 'polyphony'))).toBe(false);
  });

  it('is not where it cannot be made, nor where Node has none', () => {
    expect(given({ XDG_CACHE_HOME: '/proc/nowhere' })).toBeUndefined();
    expect(given({ XDG_CACHE_HOME: join(caches, 'a', 'b') })).toBeUndefined();
    keepCompiled({ XDG_CACHE_HOME: caches }, {});
    expect(existsSync(join(caches, 'polyphony'))).toBe(false);
  });
});
