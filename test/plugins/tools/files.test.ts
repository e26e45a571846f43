import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { fakeClock } from 'polyphony/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypeOf } from '../../../plugins/tools/files/media-type.ts';
import { type FileToolsOptions, fileTools } from '../../../plugins/tools/files.ts';
import { globMatches } from '../../../src/system/glob.ts';

/** The system's command; Node makes no pipes with a name. */
const MAKE_PIPE = 'mkfifo';
let base = '';
let folder = '';
let media: FileToolsOptions = {};

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'polyphony-files-'));
  folder = join(base, 'inside');
  await mkdir(join(folder, 'docs', 'deep'), { recursive: true });
  await mkdir(join(folder, '.git'));
  await mkdir(join(base, 'inside-too'));
  await mkdir(join(base, 'media'));
  media = { folder: join(base, 'media') };
  const files: Record<string, string | Buffer> = {
    'inside/a.md': 'alpha é',
    'inside/docs/b.md': 'beta',
    'inside/docs/deep/c.ts': 'gamma',
    'inside/.env': 'KEY=secret',
    'inside/prod.env': 'KEY=secret',
    'inside/server.key': 'secret',
    'inside/.git/config': 'secret',
    'inside/binary.bin': Buffer.from([1, 0, 2]),
    'inside/latin.txt': Buffer.from([0xe9, 0x20]),
    'inside/large.txt': 'x'.repeat(3000),
    'outside.txt': 'outside',
    'inside-too/x.txt': 'outside',
  };
  for (const [path, content] of Object.entries(files)) await writeFile(join(base, path), content);
  await symlink(join(base, 'outside.txt'), join(folder, 'leads-out.txt'));
  await symlink(base, join(folder, 'up'));
  await symlink('a.md', join(folder, 'leads-in.md'));
  await symlink('.env', join(folder, 'innocent.txt'));
  await symlink('docs', join(folder, 'linked'));
});
afterAll(() => rm(base, { recursive: true }));

function run(
  name: string,
  input: Record<string, unknown>,
  options: FileToolsOptions = {},
  signal = new AbortController().signal,
) {
  const tool = fileTools({ folder, maxBytes: 2000, ...options }).tools?.find((one) => one.name === name);
  return tool?.run(input, { signal, idempotencyKey: 'k', clock: fakeClock(), runId: 'run', nodeId: 'a' });
}
const read = (path: string, options?: FileToolsOptions) => run('read_file', { path }, options);
const list = (pattern: string, options?: FileToolsOptions) => run('list_files', { pattern }, options);

/** The least that each kind is known by. */
const HEADS: Record<string, Buffer> = {
  'image/png': Buffer.from('89504e470d0a1a0a0000000d', 'hex'),
  'image/jpeg': Buffer.from('ffd8ffe000104a464946', 'hex'),
  'image/gif': Buffer.from('GIF89a\x01\0\x01\0'),
  'image/webp': Buffer.from('RIFF\x10\0\0\0WEBPVP8 '),
  'image/tiff': Buffer.from('II*\0\x08\0\0\0'),
  'image/avif': Buffer.from('\0\0\0 ftypavif\0\0\0\0'),
  'image/heic': Buffer.from('\0\0\0 ftypheic\0\0\0\0'),
  'image/bmp': Buffer.from(`424d${'00'.repeat(4)}${'00'.repeat(4)}3600000028000000`, 'hex'),
  'audio/wav': Buffer.from('RIFF\x10\0\0\0WAVEfmt '),
  'audio/aiff': Buffer.from('FORM\0\0\0\x10AIFFCOMM'),
  'audio/flac': Buffer.from('fLaC\0\0\0\x22'),
  'audio/ogg': Buffer.from('OggS\0\x02\0\0'),
  'audio/mpeg': Buffer.from('ID3\x04\0\0\0\0\0\x0a'),
  'audio/mp4': Buffer.from('\0\0\0 ftypM4A \0\0\0\0'),
  'application/pdf': Buffer.from('%PDF-1.7\n1 0 obj'),
};

describe('read_file of pictures and documents', () => {
  it.each(Object.entries(HEADS))('gives %s as media, whatever its name', async (mediaType, bytes) => {
    for (const name of ['media.txt', 'media.png', 'media']) {
      await writeFile(join(base, 'media', name), bytes);
      const content = { type: 'base64', data: bytes.toString('base64'), mediaType };
      const [kind = ''] = mediaType.split('/');
      const field = kind === 'application' ? 'file' : kind;
      expect(await read(name, media)).toEqual({ path: name, bytes: bytes.length, [field]: content });
    }
  });

  it.each([
    'GIF89a is the name of a format',
    '%PDF is what a document begins with',
    'BM, II* and RIFF',
    'ID3 tags, OggS, fLaC',
    'x %PDF-1.7',
  ])('gives %j as text', async (text) => {
    await writeFile(join(base, 'media', 'text.png'), text);
    expect(await read('text.png', media)).toMatchObject({ text });
    expect(mediaTypeOf(Buffer.from(text))).toBeUndefined();
  });

  it('knows a frame of MP3 without a tag, and no text of two bytes a character for one', async () => {
    expect(mediaTypeOf(Buffer.from('fffb9064', 'hex'))).toBe('audio/mpeg');
    expect(mediaTypeOf(Buffer.from('fff38064', 'hex'))).toBe('audio/mpeg');
    for (const head of ['fffe4100', 'fffbf064', 'fffb0064', 'fffb9c64', 'ffeb9064', 'fffd9064']) {
      expect(mediaTypeOf(Buffer.from(head, 'hex')), head).toBeUndefined();
    }
  });

  it('gives a film as nothing', async () => {
    await writeFile(join(base, 'media', 'film.mp4'), Buffer.from('\0\0\0 ftypisom\0\0\0\0'));
    await expect(read('film.mp4', media)).rejects.toThrow(/only text, pictures, sound and PDF/);
  });

  it('has a bound for media and one for texts', async () => {
    const picture = Buffer.concat([HEADS['image/png'] ?? Buffer.alloc(0), Buffer.alloc(3000)]);
    await writeFile(join(base, 'media', 'wide.png'), picture);
    expect(await read('wide.png', media)).toMatchObject({ bytes: picture.length });
    await expect(read('wide.png', { ...media, maxMediaBytes: 2500 })).rejects.toThrow(/at most 2500/);
    await expect(read('large.txt', { maxMediaBytes: 100_000 })).rejects.toThrow(/at most 2000/);
  });
});

describe('read_file', () => {
  it('reads text inside the folder, by any path that stays there', async () => {
    expect(await read('a.md')).toEqual({ text: 'alpha é', path: 'a.md', bytes: 8 });
    expect(await read('./docs/../docs/b.md')).toMatchObject({ text: 'beta', path: 'docs/b.md' });
    expect(await read(join(folder, 'a.md'))).toMatchObject({ path: 'a.md' });
    expect(await read('leads-in.md')).toMatchObject({ text: 'alpha é', path: 'a.md' });
    expect(await read('linked/b.md')).toMatchObject({ path: 'docs/b.md' });
  });

  const refused: Record<string, RegExp> = {
    '../outside.txt': /outside the folder/,
    'docs/../../outside.txt': /outside the folder/,
    '../inside-too/x.txt': /outside the folder/,
    '/etc/passwd': /outside the folder/,
    'leads-out.txt': /outside the folder/,
    'up/outside.txt': /outside the folder/,
    'up/inside/.env': /hidden or looks like a secret/,
    '.env': /secret/,
    'PROD.ENV': /secret/,
    'prod.env': /secret/,
    'server.key': /secret/,
    '.git/config': /secret/,
    'innocent.txt': /secret/,
    'none.md': /no file/,
    docs: /is not a file/,
    '': /empty/,
    'a\0.md': /NUL character/,
    'binary.bin': /binary/,
    'latin.txt': /not UTF-8/,
    'large.txt': /3000 bytes, but at most 2000/,
  };
  for (const [path, message] of Object.entries(refused)) {
    it(`refuses ${JSON.stringify(path)}`, () => expect(read(path)).rejects.toThrow(message));
  }

  it('reads secrets only when told to, and never hangs on a pipe', async () => {
    expect(await read('.env', { secrets: true })).toMatchObject({ text: 'KEY=secret' });
    execFileSync(MAKE_PIPE, [join(folder, 'pipe')]);
    await expect(read('pipe')).rejects.toThrow(/is not a file/);
    await rm(join(folder, 'pipe'));
  });

  it('law: no path leads out of the folder or to a secret', async () => {
    const step = fc.constantFrom(
      '..',
      '.',
      'docs',
      'up',
      'inside',
      'linked',
      'a.md',
      'outside.txt',
      '.env',
      'deep',
      '/',
      base,
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const result: unknown = await read(steps.join('/'))?.catch((error: unknown) => error);
        const text = result instanceof Error ? '' : JSON.stringify(result);
        expect(text).not.toMatch(/outside|secret/);
      }),
      { numRuns: 300 },
    );
  });
});

describe('list_files', () => {
  it('lists what matches, in order, without secrets and without following links', async () => {
    expect(await list('**')).toEqual({
      files: ['a.md', 'binary.bin', 'docs/b.md', 'docs/deep/c.ts', 'large.txt', 'latin.txt'],
      truncated: false,
    });
    expect(await list('**/*.md')).toMatchObject({ files: ['a.md', 'docs/b.md'] });
    expect(await list('*.md')).toMatchObject({ files: ['a.md'] });
    expect(await list('docs/?.md')).toMatchObject({ files: ['docs/b.md'] });
    expect(await list('./docs/**/*.ts')).toMatchObject({ files: ['docs/deep/c.ts'] });
  });

  it('does not walk a large folder beside the one of the pattern', async () => {
    const large = join(base, 'large');
    await mkdir(join(large, 'a-packages'), { recursive: true });
    await mkdir(join(large, 'docs', 'deep'), { recursive: true });
    for (let at = 0; at < 20_001; at += 1) writeFileSync(join(large, 'a-packages', String(at)), '');
    for (const path of ['docs/a.md', 'docs/deep/b.md']) await writeFile(join(large, path), 'x');
    const found = (pattern: string) => list(pattern, { folder: large });
    expect(await found('docs/*.md')).toEqual({ files: ['docs/a.md'], truncated: false });
    expect(await found('d*/deep/*')).toEqual({ files: ['docs/deep/b.md'], truncated: false });
    expect(await found('docs/**')).toEqual({ files: ['docs/a.md', 'docs/deep/b.md'], truncated: false });
    expect(await found('**/*.md')).toMatchObject({ truncated: true });
  });

  it('is bounded and stays inside', async () => {
    expect(await list('**', { maxFiles: 2 })).toMatchObject({ truncated: true });
    await expect(list('../*')).rejects.toThrow(/leaves the folder/);
    await expect(list('/etc/*')).rejects.toThrow(/leaves the folder/);
    await expect(run('list_files', { pattern: '*' }, {}, AbortSignal.abort())).rejects.toThrow();
    await expect(list('*', { folder: join(base, 'none') })).rejects.toThrow(/cannot be read/);
    expect(() => fileTools({ maxFiles: 0 })).toThrow(/maxFiles is 0/);
  });

  it('passes over a folder that may not be read', async () => {
    await mkdir(join(folder, 'locked'));
    await chmod(join(folder, 'locked'), 0);
    expect(await list('*.md')).toMatchObject({ files: ['a.md'] });
    await chmod(join(folder, 'locked'), 0o700);
  });
});

describe('globs', () => {
  const matches = (pattern: string, path: string) => globMatches(pattern.split('/'), path.split('/'));

  it('match as one expects', () => {
    expect(matches('a*c?e', 'abbbcde')).toBe(true);
    expect(matches('*a*b*', 'xxaxxbxx')).toBe(true);
    expect(matches('**', 'a/b/c')).toBe(true);
    expect(matches('a/**/z', 'a/z')).toBe(true);
    expect(matches('a/**/z', 'a/b/c/z')).toBe(true);
    expect(matches('*', 'a/b')).toBe(false);
    expect(matches('a.c', 'abc')).toBe(false);
  });

  it('agree with the regular expression that means the same', () => {
    const unit = fc.constantFrom('a', 'b', '*', '?');
    fc.assert(
      fc.property(
        fc.string({ unit, maxLength: 6 }),
        fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 }),
        (pattern, name) => {
          fc.pre(pattern !== '**' && name !== '' && pattern !== '');
          const meaning = new RegExp(`^${pattern.replace(/\*+/g, '.*').replaceAll('?', '.')}$`);
          expect(globMatches([pattern], [name])).toBe(meaning.test(name));
        },
      ),
    );
  });

  it('do not explode', () => {
    expect(matches(`${'*a'.repeat(200)}b`, 'a'.repeat(400))).toBe(false);
    expect(matches(`${'**/'.repeat(60)}z`, `${'a/'.repeat(60)}b`)).toBe(false);
  });
});
