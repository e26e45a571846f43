/** Approval and the plan cache through the command as a real process, which nobody sits at. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compiled } from '../compiled.ts';
import { folderWith, start } from './call.ts';

/** Its planner sends what stands behind "to", through a tool that writes a file. */
const WORLD = `
import { writeFileSync } from 'node:fs';
import { fakeCard, fakeProvider } from '${compiled('src/testing/index.ts')}';

const provider = fakeProvider({
  models: [fakeCard({ id: 'planner', capabilities: ['text', 'streaming', 'json-mode', 'planning'] })],
  script: ({ request }) => {
    const to = /to ([a-z]+\\.[a-z]+)"/.exec(JSON.stringify(request))?.[1] ?? 'nobody.txt';
    return JSON.stringify({ version: 1, nodes: [{ id: 'send', use: 'tool:send', in: { to } }] });
  },
});

export default {
  name: 'world',
  providers: [provider],
  tools: [{
    name: 'send',
    description: 'Sends.',
    input: { to: 'string' },
    output: { type: 'object' },
    sideEffects: true,
    run: async ({ to }) => { writeFileSync(to, 'sent'); return { sent: to }; },
  }],
};
`;

const folderOf = (config: object = {}, cache: object = {}): string =>
  folderWith({
    'world.mjs': WORLD,
    'polyphony.json': { plugins: ['./world.mjs'], planner: { model: 'fake/planner', ...cache }, ...config },
    'own.plan.json': { version: 1, nodes: [{ id: 'send', use: 'tool:send', in: { to: 'own.txt' } }] },
  });

const run = (folder: string, ...given: readonly string[]) => start(given, { folder }).ended;

describe('polyphony run, where nobody can be asked', () => {
  it('refuses what a model plans to change, and runs it with --approve', async () => {
    const folder = folderOf();
    const refused = await run(folder, 'run', 'send it to ann.txt');
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain('--approve');
    expect(existsSync(join(folder, 'ann.txt'))).toBe(false);
    const approved = await run(folder, 'run', 'send it to ann.txt', '--approve');
    expect(approved).toMatchObject({ code: 0 });
    expect(existsSync(join(folder, 'ann.txt'))).toBe(true);
  }, 60_000);

  it('suspends where the config says so, and goes on with the answer, from the cache on request', async () => {
    const folder = folderOf({ approval: { sideEffects: 'ask' } }, { cache: {} });
    expect(await run(folder, 'run', 'own.plan.json', '--approve')).toMatchObject({ code: 0 });
    expect(existsSync(join(folder, 'own.txt'))).toBe(true);
    const asked = await run(folder, 'run', 'send it to ann.txt', '--json');
    const { runId, status } = JSON.parse(asked.out);
    expect(status).toBe('suspended');
    expect(existsSync(join(folder, 'ann.txt'))).toBe(false);
    expect(await run(folder, 'runs', 'answer', runId, 'plan_approval', 'yes')).toMatchObject({ code: 0 });
    expect(existsSync(join(folder, 'ann.txt'))).toBe(true);
    const again = await run(folder, 'run', 'send it to bob.txt');
    expect(again.err).toContain('the plan comes from the plan cache');
    expect(again.err).toContain('runs answer');
    const planned = await run(folder, 'plan', 'send it to bob.txt', '--json');
    expect(JSON.parse(planned.out)).toMatchObject({ cached: true, rounds: 0 });
    const fresh = await run(folder, 'plan', 'send it to bob.txt', '--json', '--fresh');
    expect(JSON.parse(fresh.out).cached).toBeUndefined();
  }, 90_000);
});
