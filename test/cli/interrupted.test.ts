/** Runs whose process is gone, as the command shows them. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../src/core/run/engine.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { loopback } from '../kit/loopback.ts';
import { call, folderWith, start } from './call.ts';

const left = (runId: string, use: string): RunEvent => ({
  type: 'run-started',
  seq: 0,
  at: Date.now(),
  runId,
  plan: { version: 1, goal: 'to be continued', nodes: [{ id: 'a', use, in: { x: 1 } }] },
  planHash: 'unknown',
  input: {},
});

test('interrupted runs are listed and shown, with how to go on only where that is possible', async () => {
  const folder = folderWith();
  const store = join(folder, 'runs.db');
  const stores = sqliteStores({ path: store });
  await stores.journal.append('run_a', [left('run_a', 'value')]);
  await stores.journal.append('run_b', [left('run_b', 'step_of_a_program')]);
  await stores.journal.append('run_c', [left('run_c', 'value')]);
  await stores.journal.claim('run_c', 'a process of another host', 60_000);
  await stores.close();
  process.chdir(folder);
  const runs = async (...given: string[]) => call('runs', ...given, '--store', store);
  const listed = JSON.parse((await runs('list', '--interrupted', '--json')).out) as { runId: string; status: string }[];
  expect(listed.map(({ runId, status }) => `${runId} ${status}`).sort()).toEqual([
    'run_a interrupted',
    'run_b interrupted',
  ]);
  expect((await runs('list', '--status', 'running')).out).toContain('run_c');
  expect((await runs('list', '--status', 'done', '--interrupted')).code).toBe(2);
  const known = await runs('show', 'run_a');
  expect(known.err).toContain('interrupted');
  expect(known.err).toMatch(/continue with: .* runs resume run_a/);
  const unknown = await runs('show', 'run_b');
  expect(unknown.err).not.toContain('continue with');
  expect(unknown.err).toContain('resume it in the program that has them');
  const resumed = await runs('resume', 'run_b');
  expect(resumed.code).toBe(3);
  expect(resumed.err).toContain('workflows: [it]');
  expect((await runs('resume', 'run_a')).code).toBe(0);
});

const PLAN = { version: 1, nodes: [{ id: 'a', use: 'value', in: { poem: 'The sea.' } }], output: '{{a.poem}}' };

test('a request that the embedded planner cannot plan goes on by the remedy that is told, and not before', async () => {
  const { url } = await loopback((received, response) => {
    const message = { role: 'assistant', content: JSON.stringify(PLAN) };
    const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
    const answer = { choices: [{ index: 0, message, finish_reason: 'stop' }], usage };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(received.path === '/v1/models' ? { data: [{ id: 'mine' }] } : answer));
  });
  const folder = folderWith();
  const first = await start(['run', 'Write a poem about the sea'], { folder }).ended;
  expect(first.err).toContain('unsupported: ');
  const [, runId = ''] =
    /^set the API key of a provider in the environment, then continue with: .* runs resume (run_\w+)$/m.exec(
      first.err,
    ) ?? [];
  expect(runId).not.toBe('');
  expect((await start(['runs', 'resume', runId], { folder }).ended).err).toContain('unsupported: ');
  const environment = { POLYPHONY_BASE_URL: `${url}/v1`, POLYPHONY_FREE: '1' };
  const again = await start(['runs', 'resume', runId], { folder, environment }).ended;
  expect(again).toMatchObject({ code: 0, out: expect.stringContaining('The sea.') });
}, 60_000);
