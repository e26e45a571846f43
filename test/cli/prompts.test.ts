/** polyphony prompts, in this process. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { call, folderWith } from './call.ts';

const file = (version: number, weight: number): string =>
  `---\nname: greet\nversion: ${version}\ninputs: [who]\nweight: ${weight}\n---\nGreet {{who}} in way ${version}.\n`;

function project(): string {
  const folder = folderWith({ 'polyphony.yaml': 'prompts: { folder: texts }\n' });
  mkdirSync(join(folder, 'texts'));
  writeFileSync(join(folder, 'texts/one.md'), file(1, 3));
  writeFileSync(join(folder, 'texts/two.md'), file(2, 1));
  return folder;
}

describe('polyphony prompts', () => {
  it('lists, shows and checks those of the folder that the config names', async () => {
    const folder = project();
    process.chdir(folder);
    const listed = JSON.parse((await call('prompts', 'list', '--json')).out);
    expect(listed).toEqual([
      { name: 'greet', version: 2, inputs: ['who'], share: 0.25 },
      { name: 'greet', version: 1, inputs: ['who'], share: 0.75 },
    ]);
    expect((await call('prompts')).out).toContain('75 %');
    expect((await call('prompts', 'show', 'greet')).out.trim()).toBe('Greet {{who}} in way 1.');
    expect((await call('prompts', 'show', 'greet', '2')).out.trim()).toBe('Greet {{who}} in way 2.');
    expect((await call('prompts', 'show', 'greet', '9')).code).toBe(1);
    expect(await call('prompts', 'check')).toMatchObject({ code: 0, out: expect.stringContaining('2 files, 0 that') });
    writeFileSync(join(folder, 'texts/bad.md'), 'nothing');
    expect(await call('prompts', 'check')).toMatchObject({
      code: 1,
      out: expect.stringContaining('bad.md: it has no front'),
    });
  });
});
