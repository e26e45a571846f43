/** Clients of `polyphony mcp` that keep no rules: none of them crashes it, and each connection has a clean end. */
import { spawn } from 'node:child_process';
import { expect, test, vi } from 'vitest';
import { COMPILE_CACHE, compiled } from '../../compiled.ts';
import { folderWith } from '../call.ts';

vi.setConfig({ testTimeout: 60_000 });

const SLOW = {
  version: 1,
  id: 'slow',
  nodes: [{ id: 'a', use: 'wait', in: { seconds: 30 } }],
  output: '{{a}}',
};
const INIT = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'client', version: '1' } };

function client() {
  const cwd = folderWith({ 'polyphony.yaml': 'workflows: [slow.plan.json]\n', 'slow.plan.json': SLOW });
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [compiled('src/cli/main.ts'), 'mcp', '--workflow', 'slow'], {
    cwd,
    env: { PATH, NODE_COMPILE_CACHE: COMPILE_CACHE },
  });
  const text = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    text.out += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    text.err += chunk;
  });
  // It is closed while we still write.
  child.stdin.on('error', () => {});
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const send = (message: object): void => void child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const answers = () => text.out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Answer]));
  const answered = (id: number) =>
    vi.waitFor(() => expect(answers().some((one) => one.id === id)).toBe(true), { timeout: 40_000, interval: 20 });
  return {
    child,
    text,
    ended,
    send,
    answers,
    answered,
    init: () => send({ id: 1, method: 'initialize', params: INIT }),
  };
}

interface Answer {
  readonly id?: number;
  readonly error?: { readonly code: number };
  readonly result?: { readonly isError?: boolean; readonly content?: readonly { readonly text: string }[] };
}

test('a line without an end ends the connection, which says why', async () => {
  const { child, text, ended } = client();
  const piece = Buffer.alloc(1_048_576, 'x');
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  for (let count = 0; count < 64 && !isOver; count += 1)
    if (!child.stdin.write(piece))
      await Promise.race([ended, new Promise((resolve) => child.stdin.once('drain', resolve))]);
  expect(await ended).toBe(1);
  expect(text.err).toMatch(/^the connection was ended: .*10485760 bytes$/m);
  expect(text.out).toBe('');
});

test('what is no message, unknown methods and ids that are used again are answered, and the others too', async () => {
  const { child, ended, send, answers, answered, init, text } = client();
  child.stdin.write('{nope\n[]\n5\nnull\n\n{"jsonrpc":"1.0"}\n'.repeat(100));
  init();
  for (let count = 0; count < 200; count += 1) {
    send({ id: 2, method: 'no/such' });
    send({ id: 3, method: 'tools/call', params: { name: 'no-such', arguments: {} } });
  }
  send({ id: 4, method: 'tools/list' });
  await answered(4);
  expect(answers().filter(({ id, error }) => id === 2 && error?.code === -32601)).toHaveLength(200);
  child.stdin.end();
  expect(await ended).toBe(0);
  expect(text.err).toBe('');
});

test('of a thousand calls at once some run and the others are refused, and the end of the client ends all', async () => {
  const { child, ended, send, answers, answered, init, text } = client();
  init();
  for (let id = 100; id < 1100; id += 1)
    send({ id, method: 'tools/call', params: { name: 'workflow-slow', arguments: {} } });
  send({ id: 4, method: 'tools/list' });
  await answered(4);
  await vi.waitFor(() => expect(answers().filter(({ result }) => result?.isError === true)).toHaveLength(968), {
    timeout: 40_000,
    interval: 20,
  });
  child.stdin.end();
  expect(await ended).toBe(0);
  expect(text.err).toBe('');
});
