/** `polyphony mcp`, asked by the MCP client of this project: over standard input and output, and over HTTP. */
import { request } from 'node:http';
import { expect, test, vi } from 'vitest';
import { refusalOf, serveHttp } from '../../src/cli/mcp/http.ts';
import { compiled } from '../compiled.ts';
import { opened, use } from '../plugins/tools/mcp/opened.ts';
import { call, folderWith, start } from './call.ts';

vi.setConfig({ testTimeout: 60_000 });

const PLAN = {
  version: 1,
  id: 'greet',
  goal: 'Greets somebody.',
  input: { name: 'string' },
  nodes: [{ id: 'a', use: 'value', in: { text: 'Hello {{input.name}}' } }],
  output: '{{a.text}}',
};
const ASKING = {
  version: 1,
  id: 'sign',
  nodes: [{ id: 'a', use: 'human', in: { question: 'Sign it?' } }],
  output: '{{a}}',
};
const folder = () =>
  folderWith({
    'polyphony.yaml': 'workflows: [greet.plan.json, sign.plan.json]\n',
    'greet.plan.json': PLAN,
    'sign.plan.json': ASKING,
  });
const args = (...more: string[]) => [compiled('src/cli/main.ts'), ...more];

test('a client that starts it gets the gateway and the workflows', async () => {
  const cwd = folder();
  const server = { command: process.execPath, args: args('mcp', '--workflow', 'greet', '--workflow', 'sign'), cwd };
  const world = await opened({ ...server, startMs: 30_000, approve: 'none' });
  expect(world.steps()).toEqual(['tool:srv/ask', 'tool:srv/workflow-greet', 'tool:srv/workflow-sign']);
  const greeted = await use(world, 'workflow-greet', { name: 'Ann' });
  expect(greeted).toMatchObject({ status: 'done', output: { result: { status: 'done', output: 'Hello Ann' } } });
  const waits = await use(world, 'workflow-sign', {});
  expect(waits).toMatchObject({ output: { result: { status: 'suspended', waiting: [{ question: 'Sign it?' }] } } });
  const wrong = await use(world, 'ask', { prompt: 'Hi', model: 'nobody/nothing' });
  expect(wrong).toMatchObject({ status: 'failed', error: { code: 'tool-failed' } });
});

const CANNOT = {
  version: 1,
  id: 'paint',
  nodes: [{ id: 'a', use: 'llm', in: { prompt: 'Hi' }, model: { id: 'no-such' } }],
};

test('a workflow that cannot run here is left out, and refused where it is named', async () => {
  const cwd = folderWith({
    'polyphony.yaml': 'workflows: [greet.plan.json, paint.plan.json]\n',
    'greet.plan.json': PLAN,
    'paint.plan.json': CANNOT,
  });
  const world = await opened({ command: process.execPath, args: args('mcp'), cwd, startMs: 30_000 });
  expect(world.steps()).toContain('tool:srv/workflow-greet');
  expect(world.steps()).not.toContain('tool:srv/workflow-paint');
  expect(await start(['mcp', '--workflow', 'paint'], { folder: cwd }).ended).toMatchObject({
    code: 3,
    err: expect.stringContaining('No model is called "no-such"'),
  });
  const steps = await start(['steps', 'workflow:'], { folder: cwd }).ended;
  expect(steps).toMatchObject({ code: 0, out: expect.stringMatching(/workflow:paint +cannot run here/) });
});

test('a server of the config without tools is told', async () => {
  const config = 'mcp:\n  files:\n    command: no-such-program\n';
  const { err } = await start(['steps', 'value'], { folder: folderWith({ 'polyphony.yaml': config }) }).ended;
  expect(err).toContain('warning: the MCP server files offers no tools: with --log warn the reason is shown');
});

test('over HTTP it serves this machine, with a token', async () => {
  const given = ['mcp', '--http', '0', '--token-env', 'OWN', '--workflow', 'greet'];
  const server = start(given, { folder: folder(), environment: { OWN: 'token-of-ours' } });
  await vi.waitFor(() => expect(server.text.err).toContain('serving MCP at'), { timeout: 40_000, interval: 50 });
  const url = /http:\S+/.exec(server.text.err)?.[0] ?? '';
  const headers = { authorization: { env: 'TOKEN' } };
  {
    const world = await opened({ url, headers, approve: 'none' }, { TOKEN: 'token-of-ours' });
    expect(world.steps()).toEqual(['tool:srv/ask', 'tool:srv/workflow-greet']);
    const greeted = await use(world, 'workflow-greet', { name: 'Ann' });
    expect(greeted).toMatchObject({ output: { result: { output: 'Hello Ann' } } });
    const stranger = await opened({ url, headers }, { TOKEN: 'token-of-others' });
    expect(stranger.steps()).toEqual([]);
    expect(stranger.logged.join('\n')).not.toContain('token-of-others');
  }
  server.child.kill('SIGTERM');
  expect((await server.ended).out).toBe('');
});

const asked = (headers: Record<string, string>, options = {}) =>
  refusalOf({ url: '/mcp', headers }, { port: 1, ...options })?.status;

test.each([
  [{ host: 'localhost:8787' }, {}, undefined],
  [{ host: '127.0.0.1:8787' }, {}, undefined],
  [{ host: '[::1]:8787' }, {}, undefined],
  [{ host: 'evil.example:8787' }, {}, 403],
  [{ host: 'localhost.evil.example' }, {}, 403],
  [{ host: '127.0.0.1.evil.example' }, {}, 403],
  [{}, {}, 403],
  [{ host: '' }, {}, 403],
  [{ host: 'localhost', origin: 'https://evil.example' }, {}, 403],
  [{ host: 'localhost', origin: 'null' }, {}, 403],
  [{ host: 'localhost', origin: 'http://localhost.evil.example' }, {}, 403],
  [{ host: 'localhost', origin: 'http://localhost:5173' }, {}, undefined],
  [{ host: 'mcp.example' }, { allowHosts: ['mcp.example'] }, undefined],
  [{ host: 'localhost', origin: 'https://app.example' }, { allowOrigins: ['https://app.example'] }, undefined],
  [{ host: 'localhost' }, { token: 'secret' }, 401],
  [{ host: 'localhost', authorization: 'Bearer other' }, { token: 'secret' }, 401],
  [{ host: 'localhost', authorization: 'Bearer secret' }, { token: 'secret' }, undefined],
  [{ host: 'any.example' }, { host: '0.0.0.0', token: 'secret' }, 403],
])('a request with %j under %j is answered %s', (headers, options, status) => {
  expect(asked(headers as Record<string, string>, options)).toBe(status);
});

test('an address beyond this machine needs a token', async () => {
  await expect(serveHttp(async () => new Response(), { port: 0, host: '0.0.0.0' })).rejects.toThrow(/--token-env/);
});

test('a name that another site resolved to this machine is refused by the socket too', async () => {
  let served = 0;
  const server = await serveHttp(
    async () => {
      served += 1;
      return new Response('ok');
    },
    { port: 0 },
  );
  const status = (headers: Record<string, string>) =>
    new Promise((resolve, reject) => {
      const sent = request(server.url, { method: 'POST', headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      sent.on('error', reject);
      sent.end('{}');
    });
  expect(await status({ host: 'evil.example' })).toBe(403);
  expect(await status({ origin: 'https://evil.example' })).toBe(403);
  expect(await status({})).toBe(200);
  expect(served).toBe(1);
  await server.close();
});

test('a workflow that is not registered is named', async () => {
  process.chdir(folder());
  const { code, err } = await call('mcp', '--workflow', 'nothing');
  expect(code).not.toBe(0);
  expect(err).toContain('"nothing"');
});
