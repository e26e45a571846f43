/** Secrets by reference: read when they are used, again when their file was changed, and never told. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { apiKeysOf } from '../../src/kit/http/api-keys.ts';
import { secretOf } from '../../src/system/secret.ts';

const folder = mkdtempSync(join(tmpdir(), 'polyphony-secret-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

test('a text is itself, a variable and a file are what they hold, and a function is asked each time', () => {
  vi.stubEnv('TEAM_KEY', ' of-the-team ');
  expect(secretOf('plain')).toBe('plain');
  expect(secretOf('env:TEAM_KEY')).toBe('of-the-team');
  expect(secretOf('env:NO_SUCH_KEY')).toBeUndefined();
  expect(secretOf(`file:${file('a', 'first\n')}`)).toBe('first');
  let turn = 0;
  const rotating = (): string => {
    turn += 1;
    return `key-${turn}`;
  };
  expect([secretOf(rotating), secretOf(rotating)]).toEqual(['key-1', 'key-2']);
  vi.unstubAllEnvs();
});

test('a file is read again when it was changed, also where its length stays', () => {
  const path = file('rotated', 'aaaa');
  expect(secretOf(`file:${path}`)).toBe('aaaa');
  writeFileSync(path, 'bbbb');
  utimesSync(path, 1, 1);
  expect(secretOf(`file:${path}`)).toBe('bbbb');
});

test.each([
  ['is missing', () => join(folder, 'none'), 'ENOENT'],
  ['is a folder', () => folder, 'EISDIR'],
  ['is far too large', () => file('large', 'k'.repeat(70_000)), '70000 bytes'],
])('a file that %s is refused by its path', (_what, path, reason) => {
  expect(() => secretOf(`file:${path()}`)).toThrow(
    expect.objectContaining({ code: 'invalid-credential', message: expect.stringContaining(reason) }),
  );
});

test('a provider takes its keys from files and variables, and plain keys are passed as they are', () => {
  const path = file('key', 'from-a-file');
  vi.stubEnv('ACME_API_KEY', `file:${path}`);
  expect(apiKeysOf({}, 'ACME_API_KEY')()).toEqual(['from-a-file']);
  writeFileSync(path, 'from-a-newer-file');
  expect(apiKeysOf({}, 'ACME_API_KEY')()).toEqual(['from-a-newer-file']);
  const plain = ['one', 'two'];
  expect(apiKeysOf({ apiKeys: plain }, 'ACME_API_KEY')()).toBe(plain);
  expect(apiKeysOf({ apiKeys: ['env:ACME_API_KEY', 'one', () => undefined] })()).toEqual([`file:${path}`, 'one']);
  vi.unstubAllEnvs();
});
