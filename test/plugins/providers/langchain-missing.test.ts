/** A project that has not installed LangChain: everything else works, and whoever uses it is told what to install. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
let project = '';

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'polyphony-lacks-'));
  for (const name of ['package.json', 'src', 'plugins']) {
    cpSync(join(root, name), join(project, name), { recursive: true });
  }
  mkdirSync(join(project, 'node_modules'));
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== '@langchain') symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name));
  }
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const PROGRAM = `
  import { createPolyphony } from 'polyphony';
  import { fakeProvider } from 'polyphony/testing';
  import { langchain } from 'polyphony/plugins/providers/langchain';

  const model = { stream() {}, invoke() {}, _llmType: () => 'homemade' };
  const polyphony = await createPolyphony({ providers: [langchain(model), fakeProvider({})] });
  const ask = (id) => polyphony.gateway.generate({ model: id, messages: [{ role: 'user', content: 'Hi' }] });
  const other = await ask('fake/one');
  const told = await ask('langchain/homemade').catch(({ code, message }) => ({ code, message }));
  console.log(JSON.stringify({ provider: other.target.provider, told }));
  await polyphony.close();
`;

test('LangChain is asked for by name, and only by a call that needs it', () => {
  writeFileSync(join(project, 'program.mjs'), PROGRAM);
  const loader = join(root, 'node_modules/tsx/dist/loader.mjs');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=polyphony-source', '--import', loader, 'program.mjs'],
    { cwd: project, encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({
    provider: 'fake',
    told: {
      code: 'invalid-config',
      message: expect.stringMatching(/"@langchain\/core".*npm install @langchain\/core/),
    },
  });
});
