/** The question before a plan that changes something, at a real pseudo-terminal. Python's library has one; without python nothing is tried. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { folderWith } from './call.ts';

const root = resolve(import.meta.dirname, '../..');
const hasTerminal = spawnSync('python3', ['-c', 'import pty']).status === 0;

const WORLD = `
import { writeFileSync } from 'node:fs';
import { fakeCard, fakeProvider } from '${root}/src/testing/index.ts';

const plan = { version: 1, nodes: [{ id: 'send', use: 'tool:send', in: { to: 'ann.txt' } }] };
export default {
  name: 'world',
  providers: [fakeProvider({
    models: [fakeCard({ id: 'planner', capabilities: ['text', 'streaming', 'json-mode', 'planning'] })],
    script: () => JSON.stringify(plan),
  })],
  tools: [
    {
      name: 'send',
      description: 'Sends.',
      input: { to: 'string' },
      output: { type: 'object' },
      sideEffects: true,
      run: async ({ to }) => { writeFileSync(to, 'sent'); return { sent: to }; },
    },
    {
      name: 'look',
      description: 'Looks.',
      input: { type: 'object' },
      output: { type: 'object' },
      sideEffects: false,
      run: () => Promise.reject(new Error('nothing is there')),
    },
  ],
};
`;

interface Ended {
  readonly code: number | null;
  /** Without what moves the cursor and paints. */
  readonly shown: string;
  readonly sent: boolean;
}

/** `polyphony run` at a terminal, where the keys are typed at the question. */
async function typed(keys: string, what: string): Promise<Ended> {
  const folder = folderWith({
    'world.ts': WORLD,
    'polyphony.json': { plugins: ['./world.ts'], planner: { model: 'fake/planner' } },
    'own.plan.json': { version: 1, nodes: [{ id: 'look', use: 'tool:look', onError: 'replan' }] },
  });
  const { PATH = '' } = process.env;
  const command = [
    ...[process.execPath, '--conditions=polyphony-source', '--import', join(root, 'node_modules/tsx/dist/loader.mjs')],
    ...[join(root, 'src/cli/main.ts'), 'run', what],
  ];
  const hex = Buffer.from(keys).toString('hex');
  const child = spawn('python3', [join(import.meta.dirname, 'pseudo-terminal.py'), '[y/N] ', hex, ...command], {
    cwd: folder,
    env: { PATH, TERM: 'xterm' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let shown = '';
  child.stdout.on('data', (part: Buffer) => {
    shown += part;
  });
  const code = await new Promise<number | null>((done) => child.on('close', done));
  return { code, shown: stripVTControlCharacters(shown), sent: existsSync(join(folder, 'ann.txt')) };
}

describe.runIf(hasTerminal)('[y/N] at a terminal', () => {
  it.each([
    ['a request', 'send it'],
    ['a plan of the caller that a model writes again', 'own.plan.json'],
  ])(
    'lets the plan of %s go on with y',
    async (_name, what) => {
      const { code, shown, sent } = await typed('y\r', what);
      expect(shown).toContain('It changes something outside: send (tool:send).');
      expect({ code, sent }).toEqual({ code: 0, sent: true });
    },
    90_000,
  );

  it('fails the run with enter alone', async () => {
    const { code, shown, sent } = await typed('\r', 'send it');
    expect({ code, sent }).toEqual({ code: 1, sent: false });
    expect(shown).toContain('was not approved');
  }, 90_000);

  it.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])(
    'leaves the run waiting with %s, and says on a new line how to answer',
    async (_name, key) => {
      const { shown, sent } = await typed(key, 'send it');
      expect(sent).toBe(false);
      expect(shown).toMatch(/\[y\/N\] \r?\n/);
      expect(shown).toContain('answer with:');
      expect(shown).not.toContain('was not approved');
    },
    90_000,
  );
});
